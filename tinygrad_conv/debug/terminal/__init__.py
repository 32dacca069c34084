"""`python -m tinygrad_conv step SCRIPT`: a recorded backward at a prompt.

command.py    the command line, and the script that is run
stop.py       records one backward of the running program, and asks for a prompt
stepper.py    the prompt; naming.py  what can be said there; pictures.py  arrays as cells of text
"""

from .command import add_command

__all__ = ["add_command"]
