"""What of a training is kept in files, and taken up again.

files.py              `tg.save` and `tg.load`: any structure of tensors, numbers and texts, in one file
encoding.py           such a structure as JSON with the arrays set aside, and back from a file of anybody's
safetensors_file.py   the same in a file of the safetensors format
checkpoints.py        `tg.Checkpoints`: a training's checkpoints in a folder, `last`, `best` and a few more
states.py             objects with a state, loaded wholly or not at all
"""

from .checkpoints import Checkpoints
from .files import load, save

__all__ = ["Checkpoints", "load", "save"]
