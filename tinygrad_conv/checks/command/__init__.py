"""`python -m tinygrad_conv check`: checks ops, the package's own or those of a file, and prints a table.

parser.py      the command line, and which ops are meant
table.py       the table: a line for each op, and what is to be said of some
report.py      each op's checks, run on all samples of its cases
op_check.py    what is checked of an op on a sample; the suite runs it too
guess.py       inputs for an op that has no case: of its example, of its docstring, or guessed
docstring_shapes.py   the shapes in a docstring: `x [N, C, H, W]`
edges.py       samples at the edges: zeros, equal numbers, axes of size 1, numbers in the thousands
judge.py       what follows from guessed inputs: right, surely wrong, or neither
new_op.py      `python -m tinygrad_conv new-op`: a file to start from
"""

from . import new_op
from .parser import add_command

__all__ = ["add_command", "new_op"]
