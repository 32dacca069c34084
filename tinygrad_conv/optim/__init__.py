"""Optimisers: what to do with a gradient. And schedules of their learning rates, in `lr_scheduler`.

optimizer.py    what all share: parameter groups, their state, and the step over them
drafts.py       where a step is computed, beside the numbers that it is to replace
loading.py      a state dict, checked as a whole before any of it is loaded
sgd.py, adam.py, adam_variants.py, adagrad.py, rmsprop.py    the formulas
options.py      what their options may be
"""

from __future__ import annotations

from ..absent.missing import public_names
from . import lr_scheduler
from .adagrad import Adadelta, Adagrad
from .adam import Adam, AdamW
from .adam_variants import Adamax, NAdam, RAdam
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "lr_scheduler",
]

__getattr__, __dir__ = public_names(__name__)
