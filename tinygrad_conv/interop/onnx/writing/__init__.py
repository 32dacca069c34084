"""Models written as ONNX files, from the tape's own seam. In reading order:

export.py      `export`, and `exportable`
forward.py     the model is called, and stays as it was; examples.py    inputs like the example's
trace.py       the observer that writes down which ops run
program.py     what several calls have in common, sizes as functions of the batch: sizes.py
convert.py     from a program to a graph, op by op
graph.py       nodes, initializers and their names
table.py       which rule writes which op, and what cannot be written; rules/    the rules by subject
model_file.py  the model around the graph, checked and written
recording.py   a recorded backward, written the same way
"""
