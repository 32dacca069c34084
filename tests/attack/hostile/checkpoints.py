"""Honest checkpoints of `tg.save`, each made once, and what can be asked of one that has been loaded."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.errors import CheckpointError


def structures() -> Any:
    """Every kind of value, key and dtype."""
    dtypes = ("bool", "uint8", "int16", "int32", "uint32", "int64", "float16", "float32", "float64")
    arrays = {dtype: np.arange(6).reshape(2, 3).astype(dtype) for dtype in dtypes}
    tensors = [tg.tensor(1.0, requires_grad=True), tg.tensor(np.arange(3)), tg.zeros(0, 2)]
    plain = (None, True, -3, 2**70, 0.1, float("nan"), float("inf"), "tëxt", "", (), [], {})
    keys = {1: "a", (2, "b"): {None: 1}, 0.5: 3, np.float64(0.25): 4}
    return {"arrays": arrays, "tensors": tensors, "plain": plain, "keys": keys, "number": np.float32(1)}


def parts() -> dict[str, Any]:
    """What a training consists of, after a step."""
    tg.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))
    optimizer = tg.optim.Adam(net.parameters(), amsgrad=True)
    made = {
        "model": net,
        "optimizer": optimizer,
        "momentum": tg.optim.SGD(list(net.parameters())[:2], lr=0.1, momentum=0.9),
        "schedule": tg.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, 100),
        "plateau": tg.optim.lr_scheduler.ReduceLROnPlateau(optimizer),
        "generator": tg.Generator(),
        "numpys": np.random.default_rng(0),
    }
    go_on(made)
    return made


def go_on(training: dict[str, Any]) -> None:
    """A step of a training."""
    with np.errstate(all="ignore"):
        loss = tg.cross_entropy(training["model"](tg.rand(2, 1, 4, 4)), tg.tensor([0, 1]))
        loss.backward()
        training["optimizer"].step()
        training["momentum"].step()
        training["schedule"].step()
        training["plateau"].step(1.0)
        training["generator"].random(), training["numpys"].normal(), tg.rand(1)


def training() -> Any:
    """A checkpoint as `tg.Checkpoints` writes it."""
    made = parts()
    state = {name: part.state_dict() for name, part in made.items() if hasattr(part, "state_dict")}
    generators = {"generator": made["generator"].get_state(), "numpys": made["numpys"].bit_generator.state}
    return {"step": 1, "metric": 0.5, "rng_state": tg.get_rng_state(), **state, **generators}


CHECKPOINTS: dict[str, Callable[[], Any]] = {"structures": structures, "training": training}


@cache
def honest_file(name: str) -> bytes:
    """The file of a checkpoint, by name."""
    buffer = io.BytesIO()
    tg.save(CHECKPOINTS[name](), buffer)
    return buffer.getvalue()


def use(loaded: Any, path: Path) -> None:
    """Save it again, and go on from it, which changes all or nothing."""
    again = path.with_name("again.npz")
    tg.save(loaded, again)
    assert repr(tg.load(again)) == repr(loaded)
    made, random_state = parts(), tg.get_rng_state()
    before = states(made)
    try:
        tg.Checkpoints(path.parent).load(path, **made)
    except CheckpointError as error:
        assert len(str(error)) < 3000, f"says too much: {str(error)[:200]}"
        assert (states(made), tg.get_rng_state()) == (before, random_state), "half of it was loaded"
    else:
        go_on(made)


def states(made: dict[str, Any]) -> str:
    """All that the parts of a training remember, to be compared."""
    remembered = {name: part.state_dict() for name, part in made.items() if hasattr(part, "state_dict")}
    return repr([remembered, made["generator"].get_state(), made["numpys"].bit_generator.state])
