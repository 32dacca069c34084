"""`python -m tinygrad_conv step SCRIPT`: a recorded backward at a prompt.

command.py    the command line, and the script that is run
stop.py       records one backward of the running program, and asks for a prompt
prompt.py     reads commands, and says what they answer; the commands are
stepper.py    those that move through the recording, and
questions.py  those that ask about one of its steps
naming.py     what can be named there; pictures.py  arrays as cells of text
"""

from .command import add_command

__all__ = ["add_command"]
