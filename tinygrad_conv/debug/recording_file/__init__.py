"""What stands in a recording's file, and what must hold of it before anybody uses it.

saving.py       `rec.save(path)` and `tg.debug.load(path)`
encoding.py     values as JSON, and back
schema.py       what each part of a recording looks like
references.py   what the parts say of one another: sources, shapes, names, the way of the gradient
sizes.py        how large an op's results would be, before it is run
trial.py        every op of this package is run once on what was recorded of it

The file itself is an .npz as checkpoints are too (tinygrad_conv/archive.py). Whatever does not hold is a
`RecordingError` that names the member of the file, and the place in it. Nothing that is read is run: there is
no pickle and no eval, and arrays of objects are refused.
"""
