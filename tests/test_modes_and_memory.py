"""What is context-local, and what a graph holds on to."""

from __future__ import annotations

import asyncio
import gc
import math
import threading
import warnings
import weakref

import numpy as np
import pytest

import tinygrad_conv as tg

from .helpers import leaf, more

# Modes


def test_no_grad_and_enable_grad_nest_and_decorate():
    x = leaf(1)
    with tg.no_grad():
        assert not (x * 2).requires_grad and not tg.is_grad_enabled()
        with tg.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad

    @tg.no_grad()
    def countdown(n):
        assert not tg.is_grad_enabled()
        return countdown(n - 1) if n else (x * 2).requires_grad

    assert countdown(3) is False and tg.is_grad_enabled()


def test_no_grad_refuses_to_decorate_what_runs_later():
    async def coroutine():
        pass

    def generator():
        yield

    async def generator_of_coroutines():
        yield

    for function in (coroutine, generator, generator_of_coroutines):
        with pytest.raises(TypeError, match="would end before"):
            tg.no_grad()(function)
    with pytest.raises(TypeError, match="would not hold in the methods of Net, a class; decorate these"):

        @tg.no_grad()
        class Net:
            pass


def test_modes_belong_to_one_thread():
    seen = []
    with tg.no_grad():
        thread = threading.Thread(target=lambda: seen.append(tg.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_modes_belong_to_one_coroutine():
    async def without():
        with tg.no_grad():
            await asyncio.sleep(0.01)
            return tg.is_grad_enabled()

    async def plain():
        await asyncio.sleep(0.005)
        return tg.is_grad_enabled()

    async def both():
        return await asyncio.gather(without(), plain())

    assert asyncio.run(both()) == [False, True]


def test_training_in_threads():
    results = {}

    def train(seed):
        w, x = leaf(5, seed=seed), leaf(5, seed=100)
        for _ in range(50):
            w.grad = None
            ((w * x.data) ** 2).sum().backward()
            w.data -= 0.01 * w.grad
        results[seed] = w.data.copy()

    threads = [threading.Thread(target=train, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = dict(results)
    for seed in range(4):
        train(seed)
        np.testing.assert_array_equal(results[seed], together[seed])


# Memory


@pytest.mark.parametrize("steps", [300, *more(10_000)])
def test_memory_is_flat_over_training_steps_without_the_collector(steps):
    net = tg.nn.Sequential(tg.nn.Conv2d(1, 2, 3), tg.nn.ReLU(), tg.nn.Flatten(), tg.nn.Linear(8, 1))
    optimizer = tg.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)
    x, target = tg.ones(2, 1, 4, 4), tg.zeros(2, 1)

    def train(steps):
        for _ in range(steps):
            optimizer.zero_grad()
            tg.mse_loss(net(x), target).backward()
            optimizer.step()

    gc.collect()
    gc.disable()
    try:
        train(200)
        before = len(gc.get_objects())
        train(steps)
        assert len(gc.get_objects()) <= before + 50
    finally:
        gc.enable()


def test_a_graph_nobody_holds_is_freed_at_once():
    gc.disable()
    try:
        x = leaf(3)
        h = x * 2
        node = weakref.ref(h)
        y = (h * h).sum()
        del h
        assert node() is None  # the tensor goes; its array stays saved
        dropped = weakref.ref(y)
        del y
        assert dropped() is None
    finally:
        gc.enable()


def saved_bytes(*tensors):
    """The memory that the graph behind these tensors holds beside leaves: each array's owner counted once."""
    owners = {}
    nodes, seen = [tensor.grad_fn for tensor in tensors], set()
    while nodes:
        node = nodes.pop()
        if node in seen:
            continue
        seen.add(node)
        for value in node.saved.values():
            if isinstance(value, np.ndarray):
                owner = value if value.base is None else value.base
                owners[id(owner)] = owner.nbytes
        edges = [edge for edges in node.edges for edge in (edges if isinstance(edges, list) else [edges])]
        nodes += [edge[0] for edge in edges if isinstance(edge, tuple)]
    return sum(owners.values())


def test_saved_bytes_of_a_conv_relu_pool_net():
    """PyTorch saves for convolution x and w, for relu its result, for max_pool its input and int64 indices (8
    bytes each).
    """
    x, w = tg.ones(4, 3, 16, 16), leaf(8, 3, 3, 3, dtype=np.float32)
    y = tg.max_pool2d(tg.relu(tg.conv2d(x, w, padding=1)), 2)
    relu_bytes, pooled = 4 * 8 * 16 * 16 * 4, 4 * 8 * 8 * 8
    pytorch = x.data.nbytes + w.data.nbytes + relu_bytes + 8 * pooled
    assert x.data.nbytes + relu_bytes <= saved_bytes(y) <= pytorch


def test_only_what_a_wanted_rule_reads_is_saved():
    x, w = leaf(100), tg.ones(100, dtype=np.float64)
    assert saved_bytes(x * w) == w.data.nbytes  # x's rule reads w; w's rule will not be called
    assert saved_bytes(x + 1.0) == 0


def test_the_sweep_frees_as_it_goes():
    x = leaf(3)
    y = tg.exp(x * 2)
    node = y.grad_fn
    y.sum().backward()
    assert not node.saved and not node.edges


def test_one_block_is_entered_again_within_itself_and_one_after_another():
    block = tg.no_grad()
    for _ in range(2):
        with block:
            with block:
                assert not tg.is_grad_enabled()
            assert not tg.is_grad_enabled()
        assert tg.is_grad_enabled()
    with block, tg.enable_grad(), block:
        assert not tg.is_grad_enabled()
    assert tg.is_grad_enabled()


def test_one_block_in_two_threads():
    block, states = tg.no_grad(), []
    inside = [threading.Event(), threading.Event()]

    def work(own, others):
        with block:
            own.set()
            others.wait(5)
            states.append(tg.is_grad_enabled())
        states.append(tg.is_grad_enabled())

    threads = [threading.Thread(target=work, args=pair) for pair in (inside, inside[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == [False, False, True, True]


def test_a_function_under_no_grad_calls_itself():
    @tg.no_grad()
    def count_down(number):
        assert not tg.is_grad_enabled()
        return number and count_down(number - 1)

    assert count_down(3) == 0 and tg.is_grad_enabled()


# Numbers that leave the tape


@pytest.mark.parametrize("line", ["a[0] = x[0]", "math.sqrt(x[0])", "a[:] = list(map(math.exp, x))"])
def test_a_number_that_leaves_the_tape_is_told_once_a_line(line):
    code = compile(f"for _ in range(3): {line}", "lost.py", "exec")
    scope = {"x": tg.ones(2, requires_grad=True), "a": np.zeros(2), "math": math}
    with pytest.warns(UserWarning, match="no gradient can follow") as warned:
        warnings.simplefilter("default")
        exec(code, scope)
    assert [(each.filename, each.lineno) for each in warned] == [("lost.py", 1)]


@pytest.mark.parametrize(
    "line",
    [
        "float(x[0])",
        "int(x[0])",
        "'%.2f' % x[0]",
        "f'{x[0]:.3f}'",
        "a[0] = float(x[0])",
        "a[0] = x[0].item()",
    ],
)
def test_a_number_that_was_asked_for_is_given(line):
    scope = {"x": tg.ones(2, requires_grad=True), "a": np.zeros(2)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(line, scope)
        with tg.no_grad():
            exec("a[0] = x[0]", scope)
        exec("a[0] = x.detach()[0]", scope)
    assert scope["a"][0] == 1


def test_a_result_is_formatted_as_its_number():
    assert f"{tg.ones(2, requires_grad=True).sum():.1f}" == "2.0"
    assert f"{tg.ones(2)}" == str(tg.ones(2))
