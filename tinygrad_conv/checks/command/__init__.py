"""`python -m tinygrad_conv check`: checks ops, the package's own or those of a file, and prints a table.

parser.py      the command line, and which ops are meant
table.py       the table: each op's checks, run on all samples of its cases
op_check.py    what is checked of an op on a sample; the suite runs it too
guess.py       inputs for an op that has no case
new_op.py      `python -m tinygrad_conv new-op`: a file to start from
"""

from . import new_op
from .parser import add_command

__all__ = ["add_command", "new_op"]
