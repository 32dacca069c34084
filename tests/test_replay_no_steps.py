"""What is no step: it is refused where it is decorated, with what to do instead."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

import tinygrad_conv as tg


def generator(x: Any) -> Any:
    yield x


async def coroutine(x: Any) -> Any:
    return x


async def generator_of_coroutines(x: Any) -> Any:
    yield x


class CalledLater:
    """What its objects do when they are called runs afterwards."""

    async def __call__(self, x: Any) -> Any:
        return x


NO_STEPS = {
    3: "that runs when it is called, not 3",
    generator: "generator yields or awaits.* Decorate a function that takes one step",
    coroutine: "coroutine yields or awaits",
    generator_of_coroutines: "generator_of_coroutines yields or awaits",
    partial(generator, 1): "yields or awaits",
    CalledLater(): "yields or awaits",
    CalledLater: "CalledLater is a class; decorate the method that takes a step",
    staticmethod(abs): "not a staticmethod; put @tg.replay below @staticmethod",
    classmethod(abs): "not a classmethod; put @tg.replay below @classmethod",
    property(abs): "not a property; put @tg.replay below @property",
}


@pytest.mark.parametrize("step", NO_STEPS, ids=lambda step: getattr(step, "__name__", type(step).__name__))
def test_what_is_no_step(step: Any) -> None:
    with pytest.raises(TypeError, match=f"replay: a step is a function .*{NO_STEPS[step]}"):
        tg.replay(step)


def test_errors_about_options_name_the_function() -> None:
    with pytest.raises(TypeError, match=r"^replay\(\) got an unexpected keyword argument 'chek'"):
        tg.replay(abs, chek=True)
