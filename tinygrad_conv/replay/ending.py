"""`Ending`: gradients, and the step of plain descent that they lead to, put in their places at once.

Most steps end so: a backward, then `optimizer.step()`. Where all that a program changes is changed here, in
a single step of the interpreter, there is nothing that would have to be noted before, to be put back.
"""

from __future__ import annotations

from typing import Any

from ..engine.backpropagation import GRAD_LOCK
from ..engine.commit import GRAD, set_grads
from .descent import Descent
from .gradients import deposit_anew
from .program import Line, Recorded
from .state import Grads
from .updates import update_of
from .values import reader


class Ending:
    """The last two lines of a program: by themselves, and both at once."""

    def __init__(self, backward: Line, descent: Descent) -> None:
        places = {id(param): place for place, param in enumerate(descent.params)}
        pairs = list(zip(backward.details, backward.reads))
        pairs.sort(key=lambda pair: places.get(id(pair[0]), len(places)))
        self.leaves = [leaf for leaf, _ in pairs]  # the parameters, in the optimiser's order; then others
        self.read, self.descent = reader(tuple(slot for _, slot in pairs)), descent

    def step(self, slots: list[Any], tensors: list[Any]) -> None:
        """The descent, by gradients that are in their places."""
        self.descent.step()

    def both(self, slots: list[Any], tensors: list[Any]) -> None:
        """The gradients and the descent; where anything is raised, neither."""
        totals = [gradient.copy() for gradient in self.read(slots)]
        with GRAD_LOCK:
            in_places = map(setattr, self.leaves, GRAD, totals)
            if self.descent.made(totals, in_places):
                return
        self.one_after_the_other(totals)

    def one_after_the_other(self, totals: list[Any]) -> None:
        """The same where it is no plain descent this time."""
        before = Grads(self.leaves)
        try:
            with GRAD_LOCK:
                set_grads(self.leaves, totals)
            self.descent.otherwise()
        except Exception:
            before.restore()
            raise


def ending_of(recorded: Recorded, anew: dict[int, Any]) -> Ending | None:
    """That of a recording, if it is a backward that puts gradients of all parameters in the places of others
    (`anew`, see `deposits_anew`), and plain descent.
    """
    before_last = len(recorded.lines) - 2
    if anew.get(before_last) is not deposit_anew or recorded.lines[-1].kind != "step":
        return None
    backward, update = recorded.lines[before_last], update_of(recorded.lines[-1].target)
    if not isinstance(update, Descent) or not {*map(id, update.params)} <= {*map(id, backward.details)}:
        return None
    return Ending(backward, update)
