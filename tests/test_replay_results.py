"""What a step returns, and what becomes of it afterwards: a replay's results are objects as eager's are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_conv as tg

from .replay_steps import images, same_as_eager

OUTSIDE: dict[str, Any] = {"scale": 2.0}


def one_tensor_twice(x: Any) -> Any:
    y = x * 2
    return {"loss": y, "total": y}


def a_tensor_and_its_detached_self(x: Any) -> Any:
    y = x * 2
    return y, y.detach()


def a_tensor_and_a_part(x: Any) -> Any:
    y = x * 2
    return y, y[0]


def memory_that_a_function_made(x: Any) -> Any:
    y = tg.zeros(3)
    y += x
    return [y], y


def one_list_twice(x: Any) -> Any:
    parts = [x * 2]
    return parts, parts


def what_it_is_called_with(x: Any) -> Any:
    return x


def what_others_have(x: Any) -> Any:
    return x * 2, OUTSIDE


@pytest.mark.parametrize(
    ("step", "refused"),
    [
        (one_tensor_twice, "one tensor twice"),
        (a_tensor_and_its_detached_self, "one tensor twice"),
        (a_tensor_and_a_part, "one tensor twice"),
        (memory_that_a_function_made, "one tensor twice"),
        (one_list_twice, "one list twice"),
        (what_others_have, "that others have"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_results_that_are_one_object_or_share_memory(step: Callable[..., Any], refused: str) -> None:
    same_as_eager(lambda: ([], step, [(x,) for x in images(5, (3,))]), refused=refused)


@pytest.mark.parametrize("within", [lambda x: [x], lambda x: {"x": x}], ids=["list", "dict"])
def test_what_a_step_is_called_with_is_what_it_returns(within: Callable[[Any], Any]) -> None:
    step = tg.replay(what_it_is_called_with)
    with pytest.warns(UserWarning, match="that others have"):
        for _ in range(4):
            batch = within(tg.ones(3))
            assert step(batch) is batch


def test_lists_and_dicts_that_a_step_makes_are_new_in_each_call() -> None:
    step = tg.replay(lambda x: {"losses": [x * 2], "names": ["a"]})
    results = [step(x) for x in images(5, (3,))]
    for result in results:
        result["names"].append("b")
        result["losses"].clear()
    assert step.replays == 3 and results[2:] == [{"losses": [], "names": ["a", "b"]}] * 3
