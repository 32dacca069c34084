"""A step is recorded once and replayed: the same numbers, without the engine's work around them.

    @tg.replay
    def train_step(x, y):
        optimizer.zero_grad()
        loss = tg.mse_loss(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

The first two calls run eagerly while what they do is recorded; where the recordings agree, every further call
runs a flat list of calls on arrays. The engine does not know of it: it is observed, as by a debugger. In
reading order:

    replayed.py     `Replayed`: a call is recorded, replayed, checked, or runs eagerly, and says why
    arguments.py    what a step is called with, and the key of a recording; bare.py    arrays among that
    trace.py        the observer that writes a program: ops, sweeps, updates, functions that draw or change;
                    frames.py    which functions run then
    slots.py, program.py, values.py    what a recording is made of: slots, lines, marks in arguments
    side_effects.py, draws.py    what it does in Python beside tensors: prints, random numbers, outside lists
    results.py      what it returns
    names.py, kinds.py, outside.py    what it reaches outside of itself
    facts.py, guard.py    what it takes for granted of that, and whether it still holds
    joined.py, hooks.py      which lines are done in one call, and how ops prepare theirs
    calls.py, liveness.py    from lines to calls, and which memory these may write to again
    aside.py        which lines another thread may do meanwhile
    gradients.py, updates.py    the calls that put gradients in their places, and that change parameters
    descent.py, bundle.py    such changes for many steps: plain descent, and many parameters in one vector
    ending.py       gradients and plain descent, both at once
    runner.py, state.py    one step, and how it is undone where something fails
    check.py        is it what eager does? listing.py    a program for people, and from when to when its
                    memory is in use; profile.py    where its time goes

How an op takes part: its forward and rules are called with arrays, as the engine calls them; nothing need be
declared. Where shapes decide what a call does, a hook settles it once:

    @square.replayed()                       @square.replayed("x")
    def square_replayed(out, shared, x):     def square_dx_replayed(out, shared, dy, x):
        return partial(np.square, out=out)       return lambda dy, x: np.multiply(2 * dy, x, out=out)

It is called once for each line of a program, with arrays as they were recorded, to read shapes, dtypes and
strides of (not numbers: nobody keeps those), and the params by keyword; it returns what is called with arrays
in each step, or None, which leaves everything as it is. The result is the forward's (or the rule's) to the
bit, in `out` or elsewhere.

    out       memory for it, laid out as it was recorded, which the next step writes to again; None where
              somebody may hold on to the result, which must be in fresh memory then (NumPy's `out=None`);
              a hook that has no use for it calls its first argument `_`
    shared    a dict in which the hooks of a program leave things for each other, by the ids of the arrays.
              `shared["lasting", id(x)]` is x where nearly every step has this very object, a parameter's
              array or memory that was some `out`, so that views of it may be made once; the call then asks
              `x is known` each time, for such an array can be replaced. Of no other may a hook keep hold.
              A hook that does not use its `out` after all adds the id of it to `shared["declined"]`

Where the images that an op makes go to another op alone, both may be done in one call.
`@conv2d.replayed(then=relu)` declares a preparation like that of conv2d, whose call returns what relu makes;
`@max_pool2d.replayed("x", then=relu)` one like that of the rule for x, which is given the op's own result y
besides, and whose call returns what relu's rule makes of the gradient. These may not return None.

The hooks of this package are in ops/replayed.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, cast

from ..engine.modes import RUNNING_LATER
from ..options import COUNT, FLAG, check_option, optional
from .replayed import Replayed, off

__all__ = ["Replayed", "off", "replay"]


def replay(
    step: Callable[..., Any] | None = None, check: bool = False, check_every: int | None = None
) -> Any:
    """Make a step that is recorded and replayed out of a function: `@tg.replay`, or `tg.replay(step)`.

    The step computes what it computes eagerly, bit for bit: gradients, parameters, statistics, random
    numbers, optimisers with the options they have by then. A recording is for shapes, dtypes and memory order
    of tensors among the arguments (in tuples, lists and dicts too), leaves or results, values of all others,
    train or eval and the members of modules, and what the step's functions name outside, in objects, lists
    and dicts too; another setting is recorded anew. What else Python reads is baked in: a member of a list
    with more than 1000, a number in an array of NumPy's that has more than 64 KB (of such a sample is looked
    at), what a library knows by itself (decimal's precision, the classes of an abstract one). Nor does a
    replay set a member of such a list to what it was in the first calls already.

    What cannot be replayed runs eagerly, and a warning says why, once, with the line: Python that reads
    numbers of tensors (except as the result) or of arrays among the arguments, sets something outside (a
    counter, a list of losses) or in its arguments, returns one object in two places, or catches errors;
    prints, files and the clock; views of leaves that are changed in place, tensors from outside that share
    an array; hooks, and whatever looks on: a debugger, a profiler, detect_anomaly. `with tg.replay.off():`
    and TINYGRAD_CONV_REPLAY=0 run everything eagerly.

    check: each call also runs eagerly, from the same state, and ReplayError names op and line where the two
    part. check_every: so does every so many-th call. Preparations that you have written for ops of your own
    are compared so in the first replay. `print(step.program)` shows the program,
    `step.program.profile(x, y)` times its lines, `step.program.to_html(path)` writes a page.

    Raises TypeError for what is no function, a class, a generator or a coroutine.
    """
    check_option("replay", "check", FLAG, check)
    check_option("replay", "check_every", optional(COUNT), check_every)
    if check_every == 0:
        raise ValueError("replay: check_every must be at least 1, not 0; None checks never")
    if step is None:
        return partial(replay, check=check, check_every=check_every)
    check_step(step)
    return Replayed(step, check, check_every)


def check_step(step: Any) -> None:
    """Raise TypeError, with what to do instead, for what is no function that runs when it is called."""
    needed, name = "replay: a step is a function that runs when it is called", getattr(step, "__name__", step)
    if isinstance(step, (classmethod, staticmethod, property)):
        kind = type(step).__name__
        raise TypeError(f"{needed}, not a {kind}; put @tg.replay below @{kind}")
    if inspect.isclass(step):
        raise TypeError(f"{needed}, and {name} is a class; decorate the method that takes a step")
    if not callable(step):
        raise TypeError(f"{needed}, not {step!r}")
    if any(runs_later(called) for runs_later in RUNNING_LATER for called in (step, type(step).__call__)):
        raise TypeError(
            f"{needed}; {name} yields or awaits, so its body would run afterwards. Decorate a function that "
            "takes one step and returns its result, and call it in there"
        )


class CallableModule(ModuleType):
    """`tg.replay` is this package, and can be called."""

    off = staticmethod(off)

    def __call__(
        self, step: Callable[..., Any] | None = None, check: bool = False, check_every: int | None = None
    ) -> Any:
        return replay(step, check, check_every)


sys.modules[__name__].__class__ = CallableModule
callable_module = cast(CallableModule, sys.modules[__name__])
CallableModule.__call__.__doc__ = replay.__doc__
CallableModule.__call__.__qualname__ = replay.__qualname__  # by which errors about its arguments call it
