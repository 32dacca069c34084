"""Files of data as people have them on disk, which may come from anybody.

source.py    bytes of a file, plain or .gz, by their offsets
idx.py       MNIST's format
cifar.py     CIFAR's two formats
pickled.py   the second of these: pickles that are interpreted, and never run
pickle_arguments.py    what the instructions of a pickle are given
npz.py       NumPy's archives

Sizes are bounded before anything is allocated, and nothing that is read is run. Whatever does not hold is a
`DataError` that names the file, the offset in it and what was expected there.
"""
