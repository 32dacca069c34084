"""Images to vectors and back, in whatever order the memory has."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import kernels
from tinygrad_conv.kernels import memory_order

from .helpers import more
from .test_kernels_pointwise import in_order

HCWN = (2, 1, 3, 0)


@pytest.mark.parametrize(
    "shape", [(4, 3, 40, 50), (4, 3, 4, 5), (0, 3, 40, 50), (200, 60), (4, 3000, 2), (3, 0, 2, 2)]
)
@pytest.mark.parametrize("innermost", [False, True])
def test_flattening_there_and_back(shape: tuple[int, ...], innermost: bool) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    ordered = in_order(x, (*range(1, x.ndim), 0)) if innermost else x
    flat = kernels.flattened(ordered)
    np.testing.assert_array_equal(flat, x.reshape(len(x), int(np.prod(shape[1:]))))
    np.testing.assert_array_equal(kernels.unflattened(flat, shape), x)


def test_large_images_come_back_as_the_kernels_want_them() -> None:
    rows = kernels.unflattened(np.zeros((8, 3 * 30 * 20)), (8, 3, 30, 20)).transpose(HCWN)
    assert rows.flags.c_contiguous


def test_gradients_through_a_large_flatten() -> None:
    """The network of a convolution, relu and flatten, compared with the same net flattened by hand."""
    rng = np.random.default_rng(0)
    image, w, v = (
        rng.standard_normal((8, 3, 20, 20)),
        rng.standard_normal((4, 3, 3, 3)),
        rng.standard_normal((5, 4 * 20 * 20)),
    )
    gradients = []
    for flatten in (lambda y: tg.flatten(y, 1), lambda y: tg.reshape(y, (8, -1))):
        x, kernel, weight = (tg.tensor(a, requires_grad=True) for a in (image, w, v))
        loss = (tg.linear(flatten(tg.relu(tg.conv2d(x, kernel, padding=1))), weight) ** 2).sum()
        loss.backward()
        gradients.append([np.asarray(leaf.grad) for leaf in (x, kernel, weight)])
    for by_op, by_hand in zip(*gradients, strict=True):
        np.testing.assert_allclose(by_op, by_hand, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_large_memory_begins_with_a_line_of_the_cache(dtype: type) -> None:
    rows = in_order(np.ones((30, 5, 40, 40), dtype), HCWN)
    made = [memory_order.aligned_empty((7, 11, 1800), dtype) for _ in range(20)]
    made += [memory_order.aligned_like(rows) for _ in range(20)]
    for array in made:
        array[...] = 1
        assert array.dtype == dtype
        assert array.__array_interface__["data"][0] % memory_order.CACHE_LINE == 0
    assert {array.shape for array in made} == {(7, 11, 1800), rows.shape}
    assert not any(np.shares_memory(made[0], other) for other in made[1:])


@pytest.mark.parametrize("shape", [(30, 5, 40, 20), (3, 1, 4, 2), (0, 3, 4, 5), (64, 5000)])
def test_memory_like_an_array_has_its_order(shape: tuple[int, ...]) -> None:
    for axes in (tuple(range(len(shape))), (*range(1, len(shape)), 0)):
        model = in_order(np.zeros(shape, np.float32), axes)
        for dtype in (None, np.int64):
            array = memory_order.aligned_like(model, dtype)
            assert array.shape == shape and array.dtype == (dtype or np.float32)
            assert array.transpose(axes).flags.c_contiguous


CROWDED = [
    (16, 3, 16, 64),
    (9, 5, 32, 32),
    (64, 2, 16, 16),
    (33, 70, 16, 8),
    (17, 1, 1, 1024),
    (20, 129, 32, 32),
]
ROOMY = [(8, 4, 32, 32), (16, 3, 10, 10), (32, 1, 16, 16), (0, 2, 32, 32), (16, 0, 32, 32), (1, 1, 1, 1)]


@pytest.mark.parametrize("shape", [*CROWDED, *ROOMY])
@pytest.mark.parametrize("dtype", [np.float32, *more(np.float16, np.float64)])
def test_rows_are_the_batch_transposed(shape: tuple[int, ...], dtype: type) -> None:
    whole = np.random.default_rng(0).standard_normal((shape[0] + 1, *shape[1:])).astype(dtype)
    mirrored, later, every_second = whole[1:][::-1], whole[1:], np.repeat(whole[1:], 2, 3)[..., ::2]
    expanded = np.broadcast_to(whole[:1], whole[1:].shape)
    for x in (mirrored, later, every_second, expanded, in_order(later, HCWN)):
        for wanted in (dtype, np.float64):
            rows = memory_order.to_rows(x, np.dtype(wanted))
            assert rows.flags.c_contiguous and rows.dtype == wanted
            np.testing.assert_array_equal(rows, x.transpose(HCWN).astype(wanted))
        np.testing.assert_array_equal(memory_order.in_order_of(in_order(later, HCWN), x), x)


def test_which_batches_crowd_the_cache() -> None:
    """Lines a multiple of 4096 bytes apart share a set, which holds 8; half as far apart, two sets."""
    assert all(memory_order.crowds_the_cache(np.empty(shape, np.float32)) for shape in CROWDED)
    assert not any(memory_order.crowds_the_cache(np.empty(shape, np.float32)) for shape in ROOMY)


def test_a_batch_in_blocks_is_written_to_by_nothing_else() -> None:
    x = np.ones((16, 3, 16, 64), np.float32)
    rows = memory_order.to_rows(x, x.dtype)
    memory_order.to_rows(2 * x, x.dtype)
    assert (rows == 1).all() and not np.shares_memory(rows, x)


ASKED_FOR = """
import numpy as np
import tinygrad_conv as tg

array = np.empty(3 << 20, np.uint8)  # too small for NumPy to ask for huge pages itself
address, here = array.ctypes.data + (1 << 20), False
with open("/proc/self/smaps") as file:
    for line in file:
        first = line.split()[0]
        if "-" in first:
            begin, end = (int(bound, 16) for bound in first.split("-"))
            here = begin <= address < end
        if here and first == "VmFlags:":
            print("hg" in line.split())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another malloc")
@pytest.mark.skipif(not Path("/sys/kernel/mm/transparent_hugepage").exists(), reason="no huge pages here")
def test_large_arrays_come_to_lie_where_huge_pages_were_asked_for() -> None:
    run = subprocess.run([sys.executable, "-c", ASKED_FOR], capture_output=True, text=True, check=True)
    assert run.stdout == "True\n"


def test_where_addresses_are_scarce_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_order, "LARGEST_THAT_MALLOC_LEARNS_FROM", 1 << 62)
    assert memory_order.ask_for_huge_pages() is None
