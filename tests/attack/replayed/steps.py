"""What a training step does besides: a name each, with a line or two of the step."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


class Step(NamedTuple):
    """A training step, and what else it changes."""

    step: Callable[[Any, Any], Any]
    owners: list[Any]


EXTRAS = {
    "noise": "numbers drawn at random are added to the images",
    "penalty": "squares of the parameters are added to the loss",
    "clip norm": "gradients are scaled to a norm",
    "clip value": "gradients are cut off",
    "in halves": "two backwards add up, each of half the loss",
    "again": "a second backward through the same tape",
    "not forgotten": "gradients add up over the steps",
    "filled with zeros": "gradients are set to zeros, not forgotten",
    "average": "a moving average of the first weight is kept",
    "lerp": "another one, in one call",
    "items": "numbers of an outside tensor are set",
    "total": "the losses are added up outside",
    "schedule": "a schedule makes a step each time",
    "by hand": "a parameter is moved by hand besides",
    "tg.grad": "the gradient of the images is part of the loss",
    "reads": "it returns a number and the gradients",
    "logits": "it returns what the net made",
    "frozen part": "part of it is computed without a tape",
    "scaled": "each gradient is scaled before the step",
    "a view": "a view of a parameter, from outside, is part of the loss",
    "a view changed": "a parameter is changed in place, through a view of it",
    "a part changed": "a part of it is",
    "remembered": "an object from outside remembers the loss",
    "by a function": "a function has a factor for an attribute, which the loop changes",
    "by what comes first": "a factor is the first in a dict, whose order the loop changes",
    "by a number in C": "a factor is a number of ctypes, which the loop changes",
    "by what is remembered": "a factor is what a function remembers, which the loop has it forget",
    "put back": "the optimiser is put back to what it was at first",
    "twice": "it returns the loss, and a view of it",
    "asks": "an array that it is called with is asked for its largest number",
    "caught": "an error is caught",
}


def step_of(net: Any, optimizer: Any, loss_of: Callable[[Any, Any], Any], extras: tuple[str, ...]) -> Step:
    """A step with these extras."""
    weight = next(iter(net.parameters()))
    average, total, view = weight.detach().clone(), tg.zeros((), dtype=weight.dtype), weight.detach()
    memory = Memory()
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.95)
    saved = optimizer.state_dict()

    def loss_and_logits(x: Any, labels: Any) -> tuple[Any, Any]:
        if "noise" in extras:
            x = x + 0.1 * tg.randn_like(x)
        if "frozen part" in extras:
            with tg.no_grad():
                x = x + net[0](x).mean()
        if "tg.grad" in extras:
            x = x.detach().requires_grad_()
        logits = net(x)
        loss = loss_of(logits, labels)
        if "penalty" in extras:
            loss = loss + 0.001 * sum((parameter**2).sum() for parameter in net.parameters())
        if "a view" in extras:
            loss = loss + 0.001 * (view**2).sum()
        if "by a function" in extras:
            loss = loss * factor()
        if "by what comes first" in extras:
            loss = loss * next(iter(FACTORS.values()))
        if "by a number in C" in extras:
            loss = loss * NUMBER.value
        if "by what is remembered" in extras:
            loss = loss * remembered()
        if "caught" in extras:
            with suppress(ValueError):
                loss = loss * tg.nll_loss(logits, labels + 99)
        if "tg.grad" in extras:
            (dx,) = tg.grad(loss, [x], create_graph=True)
            loss = loss + 0.1 * (dx**2).sum()
        return loss, logits

    def step(x: Any, labels: Any) -> Any:
        if "not forgotten" not in extras:
            optimizer.zero_grad(set_to_none="filled with zeros" not in extras)
        if "asks" in extras and isinstance(x, np.ndarray) and x.max() > LARGE:
            x = x * 0.5
        if "put back" in extras:
            optimizer.load_state_dict(saved)
        if isinstance(x, np.ndarray):
            x, labels = tg.tensor(x), tg.from_numpy(labels)
        loss, logits = loss_and_logits(x, labels)
        if "in halves" in extras:
            (loss / 2).backward()
            loss, logits = loss_and_logits(x, labels)
            (loss / 2).backward()
        elif "again" in extras:
            loss.backward(retain_graph=True)
            loss.backward()
        else:
            loss.backward()
        if "clip norm" in extras:
            nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        if "clip value" in extras:
            nn.utils.clip_grad_value_(net.parameters(), 0.01)
        if "scaled" in extras:
            for parameter in net.parameters():
                if parameter.grad is not None:
                    parameter.grad *= 0.5
        optimizer.step()
        with tg.no_grad():
            if "by hand" in extras:
                weight.sub_(0.01 * weight)
            if "average" in extras:
                average.mul_(0.9).add_(weight, alpha=0.1)
            if "lerp" in extras:
                average.lerp_(weight, 0.2)
            if "items" in extras:
                average[0] = weight[-1]
                average[weight > 0] = 0.5
            if "a view changed" in extras:
                weight.detach().mul_(0.99)
            if "a part changed" in extras:
                weight[0].mul_(0.99)
            if "total" in extras:
                total.add_(loss.detach())
        if "schedule" in extras:
            schedule.step()
        if "remembered" in extras:
            memory.loss = loss.detach() * 2  # by setattr everything outside would be a setting, a state too
        if "reads" in extras:
            return loss.item(), weight.grad
        if "twice" in extras:
            return loss, loss.detach()
        return (loss, logits.detach()) if "logits" in extras else loss

    return Step(step, [average, total, memory.__dict__])


class Memory:
    """An object that remembers."""

    loss: Any


def factor() -> float:
    """A factor that it has for an attribute."""
    value: float = factor.value  # type: ignore[attr-defined]
    return value


@lru_cache
def remembered() -> float:
    """The number in C, as it was when this was asked for first."""
    return NUMBER.value


FACTORS: dict[str, float] = {}
NUMBER = ctypes.c_double(1.0)
LARGE = 2.5  # some images have a larger number, others have none


def begin() -> None:
    """Everything outside of steps is as at first."""
    factor.value, NUMBER.value = 1.0, 1.0  # type: ignore[attr-defined]
    FACTORS.clear()
    FACTORS.update(a=1.0, b=1.5)
    remembered.cache_clear()
