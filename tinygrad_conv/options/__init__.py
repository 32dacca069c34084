"""What each option of an op, a function, a layer or an optimiser may be: declared once, by its name.

The names mean the same wherever they occur: `dim` of sum, cat and softmax, `eps` of every normalisation. An
option whose default is None may be None too. Constructors look at all of theirs, and so nothing wrong is kept
for later. Ops look at theirs as they are called, but for the types that need no second look (`plain`); where
a call fails nevertheless, all of its arguments are looked at again, to say which of them was at fault
(engine/refusal.py). What has another type is a TypeError, what is out of its range a ValueError.

kinds.py      what an option may be: a flag, a count, sizes
names.py      which option is of which kind, by its name
checking.py   looking at the options of a call
"""

from . import checking, kinds, names
from .checking import *  # noqa: F403
from .kinds import *  # noqa: F403
from .names import *  # noqa: F403

__all__ = [*checking.__all__, *kinds.__all__, *names.__all__]  # noqa: PLE0604
