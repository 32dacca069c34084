"""`python -m tinygrad_conv port script.py`: what must be written otherwise in a script of PyTorch's, and how.

command.py      the command line, and the list that it prints
findings.py     a script's text, or that of a notebook's cells, and the lines of the list
reader.py       walks the syntax tree statement by statement: the scopes, and which lines never run
expressions.py  what an expression is, and what to write for it; calls.py: for a call
imports.py      what a script imports, and what to import instead
scope.py        what its names are bound to, and what is known of its own functions
kinds.py        what is known of a value: a tensor, one of our plain arrays, a part of torch …
namespaces.py   where a name of PyTorch's is here

Nothing of the script is run. Which names exist is asked of the package itself; what to write for those that
do not stands in tinygrad_conv/absent: instead.py, and array_methods.py for methods of tensors that an array
has not, or has with another meaning.
"""

from .command import add_command

__all__ = ["add_command"]
