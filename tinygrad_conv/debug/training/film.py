"""`tg.debug.film`: a training as small pictures, in bounded memory, and as a page with a slider over time."""

from __future__ import annotations

from array import array as compact_array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np

from ...dtypes import Array
from ...errors import show_count
from ...nn import Module
from ...nn.uninitialized import is_uninitialized
from ...options import check_option, count
from ..page import film as film_page
from ..page.arrays import corner
from .observer import Moment, TrainingObserver
from .sample import checked_sample, maps_of, within

LIMIT = 16_000_000  # bytes
LEAST_LIMIT = 1_000_000
SHARE = 8  # of the limit: what the kernels of a frame may take, and its maps
NUMBERS = 1152  # at most, of one kernel in a frame: 128 planes of 3 × 3
COLUMNS = 64  # at most, of a matrix
LEAST_NUMBERS = 9
LAYER_BYTES = 400  # of a layer's sizes in a frame
LOSSES = 2000  # points of the curve
WEIGHT_DIMS = 2  # from which on a parameter is a picture


@dataclass
class Frame:
    """One moment of a film: the step's sizes, the kernels after it, and what the net makes of the sample."""

    moment: Moment
    kernels: dict[str, Array]
    maps: dict[str, Array]

    @property
    def step(self) -> int:
        """How many steps had been taken."""
        return self.moment.step

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        arrays = [*self.kernels.values(), *self.maps.values()]
        return sum(array.nbytes for array in arrays) + LAYER_BYTES * (len(self.moment.layers) + len(arrays))

    def __repr__(self) -> str:
        loss = "" if self.moment.loss is None else f", loss {self.moment.loss:.4g}"
        return f"<frame at step {self.step}{loss}, {show_count(len(self.kernels), 'kernel')}>"


class film(TrainingObserver, Sequence[Frame]):
    """`with tg.debug.film(net, every=10) as film:` around a training loop, then `film.to_html("film.html")`.

    The loop stays as it is: steps of optimisers are seen, and nothing is changed by it. Every `every`-th step
    is a frame, beside one before the first step and one at the end: the loss, the kernels, the sizes of what
    flows through each layer and, with `sample` (what the model is called with, a batch of one), what each
    layer makes of it in eval mode. `film[i]` is a frame, `film.steps` and `film.losses` are the curve.

    Made without `with`, it begins at once, and ends with `film.close()`. In a loop without an optimiser call
    `film.frame()`, with every=None nothing else makes frames.

    limit: bytes of memory, about, that all frames together may take. Where they would take more, every second
    frame is dropped and the interval doubled; of large kernels the leading ones are kept. Threads of their
    own are not seen. Raises TypeError for what is no nn.Module, and what calling it with the sample raises.
    """

    running: WeakSet[Any] = WeakSet()
    """The films that have not been closed."""

    def __init__(
        self, model: Module, every: int | None = 10, *, sample: Any = None, limit: int = LIMIT
    ) -> None:
        check_option("film", "limit", count(LEAST_LIMIT), limit)
        self.sample = None if sample is None else checked_sample(sample)
        self.limit, self.frames = limit, list[Frame]()
        self._steps, self._losses = compact_array("q"), compact_array("d")
        self._losses_every = self._frames_every = 1
        self._asked = 0  # how often a frame was asked for
        super().__init__(model, every)
        self._most = most_numbers(model, limit)
        try:
            self._add(self.moment())
        except BaseException:
            super().close()
            raise
        film.running.add(self)

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, position: Any) -> Any:
        return self.frames[position]

    def __repr__(self) -> str:
        span = f", steps {self.frames[0].step} to {self.frames[-1].step}" if self.frames else ""
        often = {None: "", 1: ", every step"}.get(self.every, f", every {self.every} steps")
        return f"<film of {show_count(len(self), 'frame')}{span}{often}, {self.nbytes / 2**20:.1f} MB>"

    @property
    def nbytes(self) -> int:
        """About how much memory the frames take."""
        return sum(frame.nbytes for frame in self.frames)

    @property
    def steps(self) -> list[int]:
        """The steps of the loss curve, from 1 on."""
        return list(self._steps)

    @property
    def losses(self) -> list[float]:
        """The loss at each of `steps`: at every step, of a long training at every second, fourth …"""
        return list(self._losses)

    def frame(self) -> None:
        """Take a frame now. Where there has been a backward and no optimiser since the last, it is a step."""
        moment = self.now()
        self._asked += 1
        if (self._asked - 1) % self._frames_every == 0:
            self._add(moment)

    def close(self) -> None:
        """Look on no longer; the last frame is what the model is now."""
        if self.closed:
            return
        film.running.discard(self)
        super().close()
        if self.frames[-1].step < self.step:
            self._add(self.moment())

    def __exit__(self, *exception: object) -> None:
        if exception and exception[0] is not None:
            self.sample = None  # what has failed once is not tried again
        self.close()

    def take(self, moment: Moment) -> None:
        self._add(moment)

    def passed(self, step: int, loss: float | None) -> None:
        if loss is None or step % self._losses_every:
            return
        self._steps.append(step)
        self._losses.append(loss)
        if len(self._steps) > LOSSES:
            self._losses_every *= 2
            kept = [place for place, step in enumerate(self._steps) if step % self._losses_every == 0]
            self._steps = compact_array("q", [self._steps[place] for place in kept])
            self._losses = compact_array("d", [self._losses[place] for place in kept])

    def _add(self, moment: Moment) -> None:
        """Another frame, and room for it."""
        room = self.limit // SHARE
        maps = {} if self.sample is None else within(maps_of(self.model, self.sample), room)
        frame = Frame(moment, kernels_of(self.model, self._most), maps)
        if self.frames and self.frames[-1].step == frame.step:
            self.frames.pop()
        self.frames.append(frame)
        while self.nbytes > self.limit and len(self.frames) > 2:
            del self.frames[1::2]
            self._frames_every *= 2
            if self.every is not None:
                self.every *= 2

    def to_html(self, path: str | Path, title: str = "", size_limit: int = 1_000_000) -> None:
        """Write one self-contained page with a slider over time, in at most about `size_limit` bytes.

        Where there are more frames than that, every second one is left out, and the page says so.
        """
        film_page.write(self, path, title, size_limit)

    save_html = to_html

    def _repr_html_(self) -> str:
        return film_page.embedded(self)


def kernels_of(model: Module, most: int) -> dict[str, Array]:
    """Copies of the parameters that can be seen as pictures, by name: of each the leading numbers.

    Where no parameter has two dimensions, all are.
    """
    params = {name: param for name, param in model.named_parameters() if not is_uninitialized(param)}
    pictures = {name: param for name, param in params.items() if param.data.ndim >= WEIGHT_DIMS} or params
    return {name: leading(param.data, most) for name, param in pictures.items() if param.data.size}


def leading(array: Array, most: int) -> Array:
    """A copy of the leading part of a parameter."""
    array = array[:, :COLUMNS] if array.ndim == 2 else array
    return np.array(array[tuple(map(slice, corner(array.shape, most)))], np.float32)


def most_numbers(model: Module, limit: int) -> int:
    """How many numbers of a kernel a frame may have, so that a few frames keep within the limit."""
    each = limit // SHARE // np.dtype(np.float32).itemsize // max(1, len(list(model.parameters())))
    return max(LEAST_NUMBERS, min(NUMBERS, each))
