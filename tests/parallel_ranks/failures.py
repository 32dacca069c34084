"""What happens to rank 1, and ends the job."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import parallel

from .common import (
    RANK,
    SIZE,
    backward,
    batch,
    conv_net,
    own,
)


def train_on(event: Callable[..., Any], timeout: float | None = 300) -> None:
    """Ten steps; at the sixth something happens to rank 1."""
    net = parallel.DataParallel(conv_net(), timeout=timeout)
    images, labels = map(own, batch(4 * SIZE))
    for step in range(10):
        if step == 5 and RANK == 1 and event(net, images, labels) == "leave":
            break
        net.zero_grad()
        backward(net, images, labels)
    print("rank", RANK, "is through", flush=True)


def get_nan(net: Any, images: Any, labels: Any) -> None:
    images.data[0, 0, 0, 0] = np.nan


def raise_an_exception(net: Any, images: Any, labels: Any) -> None:
    raise ValueError("the labels are wrong")


def be_killed(net: Any, images: Any, labels: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave(net: Any, images: Any, labels: Any) -> str:
    return "leave"


def stand_still(net: Any, images: Any, labels: Any) -> None:
    time.sleep(60)


def wait_elsewhere(net: Any, images: Any, labels: Any) -> None:
    parallel.barrier()


def fail_on_the_way(net: Any, images: Any, labels: Any) -> None:
    """An exception in a backward that somebody catches: the others wait for the rest of its gradients."""
    scores = net(images)
    scores.register_hook(lambda gradient: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tg.cross_entropy(scores, labels).backward()


EVENTS = {
    event.__name__: event
    for event in (get_nan, raise_an_exception, be_killed, leave, stand_still, wait_elsewhere, fail_on_the_way)
}


def fail_at_once() -> None:
    """Before the ranks have met."""
    if RANK == 1:
        raise ValueError("there is no data")
    parallel.barrier()


FAILURES = (*EVENTS, "fail_at_once")


def fail(name: str) -> None:
    """Have it happen."""
    if name == "fail_at_once":
        fail_at_once()
    else:
        train_on(EVENTS[name], timeout=2 if name == "stand_still" else 300)
