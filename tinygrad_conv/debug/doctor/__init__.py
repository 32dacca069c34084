"""The doctor: why does this net not learn?

    tg.debug.doctor(net, x, y, loss_fn=F.cross_entropy, optimizer=optimizer)    one forward and backward
    with tg.debug.doctor(net, optimizer) as d:                                  a few steps of a loop
    python -m tinygrad_conv doctor train.py                                     a script as it is

seen.py         what was seen of a training: ops, backwards, steps, as numbers
watch.py        the observer that sees it; data_seen.py, models.py
patches.py      methods wrapped meanwhile, for what no observer is told of; shuffles.py: NumPy's
finding.py      a finding, and the report; thresholds.py: every threshold, with its reason
flow.py         gradient flow by layer, dead, saturated, identical units; recurrence.py: of one weight
initial.py      weights that begin too large or too small
parameters.py   not found, not optimised, not reached, frozen, shared; cuts.py: where the tape is cut
steps.py        none, with old gradients; signs.py: uphill; rates.py: too large, too small; schedules.py
data.py         not normalised, constant, sorted, reused buffers, labels; targets.py; padding.py
orders.py       inputs and labels that are shuffled apart
losses.py       softmax and the loss, the batch axis, shapes that broadcast; divergences.py
reshapes.py     axes that a view scrambles; axes.py: what the source says of them
guesses.py      nothing is learned, and nothing else is found
statistics.py   running statistics that are another layer's
modes.py        training and eval mode, dropout, batch norm; not_finite.py: NaN and infinities
state_dicts.py  loaded in part, or into other layers; stops.py: exceptions
examination.py  `Doctor`, which puts it together; untouched.py: afterwards all is as before; command.py
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .examination import Doctor


def doctor(
    model: Any, *batch: Any, loss_fn: Callable[..., Any] | None = None, optimizer: Any = None
) -> Doctor:
    """Why does this net not learn? An examination of it, with `.findings`, `.flow`, and `print(…)`.

    With a batch: `doctor(net, x, y, loss_fn=F.cross_entropy, optimizer=optimizer)` computes
    `loss_fn(net(x), y)`, goes backward and works out a step, once; without loss_fn `net(*batch)` is the loss.
    Parameters, gradients, modes, statistics, random numbers and the optimiser are as before afterwards.

    Without one: `with doctor(net, optimizer) as d:` watches the steps of a loop inside, changes nothing of
    it, and prints what it found at the end. model and optimizer may be lists. Raises TypeError for what is
    no module or optimiser, and where the loss is no scalar.
    """
    from .examination import Doctor, examine_once, split_arguments

    models, optimizers, values = split_arguments(model, batch, optimizer)
    if values or loss_fn is not None:
        return examine_once(models, optimizers, values, loss_fn)
    return Doctor(models, optimizers)
