"""Methods that are functions, operators of bits, and what functions beyond the ops refuse."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import functional
from tinygrad_conv.engine.tensor import Tensor
from tinygrad_conv.errors import DtypeError, ShapeError
from tinygrad_conv.functional.methods import method_names

from .test_function_values import INTEGERS, ROW, X, Y


def test_operators_of_bits():
    a, b = tg.tensor([6, 3]), tg.tensor([3, 1])
    np.testing.assert_array_equal(a ^ b, [5, 2])
    np.testing.assert_array_equal(a << b, [48, 6])
    np.testing.assert_array_equal(a >> b, [0, 1])
    np.testing.assert_array_equal((5 ^ a, 1 << b, 8 >> b), [(3, 6), (8, 2), (1, 4)])
    a ^= b
    np.testing.assert_array_equal(a, [5, 2])
    np.testing.assert_array_equal(tg.tensor([True, False]) ^ tg.tensor([True, True]), [False, True])
    with pytest.raises(TypeError, match="bitwise_xor"):
        tg.tensor([1.0]) ^ tg.tensor([1.0])


def test_methods_compute_in_a_dtype():
    x = tg.tensor([60000.0, 60000.0], dtype=tg.float16)
    assert x.sum(dtype=tg.float32).item() == x.sum(dtype="float32").item() == 120000
    assert x.mean(0, dtype=tg.float64).dtype == x.cumsum(0, dtype=tg.float64).dtype == np.float64
    assert x.prod(dtype=tg.float64).item() == 3.6e9
    assert tg.tensor([1, 3]).mean(dtype=tg.float32).item() == 2
    assert x.softmax(0, dtype=tg.float32).dtype == x.log_softmax(0, dtype=tg.float32).dtype == np.float32
    assert x.norm(dtype=tg.float64).dtype == np.float64


@pytest.mark.parametrize("name", method_names())
def test_methods_are_the_functions(name):
    method, function = getattr(Tensor, name), getattr(tg, name)
    assert inspect.getdoc(method) == inspect.getdoc(function)
    assert [*inspect.signature(method).parameters] == [*inspect.signature(function).parameters]
    assert inspect.isfunction(method)


@pytest.mark.torch
def test_no_method_is_missing():
    torch = pytest.importorskip("torch")
    missing = ", ".join(
        name for name in functional.__all__ if hasattr(torch.Tensor, name) and not hasattr(Tensor, name)
    )
    assert not missing, f"{missing} is a method in PyTorch: add a line to engine/function_methods.py"
    assert not [name for name in method_names() if not hasattr(torch.Tensor, name)]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: tg.topk(X, 4), ShapeError, "topk: k must be from 0 to 3, the size of dim=-1, not 4"),
        (lambda: tg.kthvalue(X, 0), ShapeError, "kthvalue: k must be from 1 to 3"),
        (lambda: tg.mm(X, X), ShapeError, r"mm: \[2,3\] and \[2,3\] must be \[n, k\] and \[k, m\]"),
        (lambda: tg.dot(X, ROW), ShapeError, r"dot: \[2,3\] and \[3\] must be \[k\] and \[k\]"),
        (lambda: tg.addmm(np.ones(3), X, Y.T), ShapeError, "addmm: input"),
        (lambda: tg.tril(ROW), ShapeError, "tril: input must be a matrix"),
        (lambda: tg.diag(X[None]), ShapeError, r"diag: input must be \[n\] or \[n, m\]"),
        (lambda: tg.select(X, 0, 2), IndexError, "select: index 2 is out of range for the size 2"),
        (lambda: tg.narrow(X, 0, 1, 2), ShapeError, "narrow: start 1 and length 2 reach beyond the size 2"),
        (lambda: tg.index_select(X, 0, np.array([2])), IndexError, "index_select: index holds 2"),
        (lambda: tg.index_select(X, 0, ROW), DtypeError, "index_select: index must hold integers"),
        (lambda: tg.masked_select(X, X), DtypeError, "masked_select: mask must be bool"),
        (lambda: tg.embedding(np.array([2]), X), IndexError, "embedding: input holds 2 … 2, but weight has"),
        (lambda: tg.embedding(ROW, X), DtypeError, "embedding: input must hold integers"),
        (lambda: tg.glu(X), ShapeError, "glu: the size that is halved must be even"),
        (lambda: tg.kl_div(X, ROW[:2]), ShapeError, "kl_div: input .* and target .* do not broadcast"),
        (lambda: tg.mish(INTEGERS), DtypeError, "mish: input must be floating-point"),
        (lambda: tg.meshgrid(X), ShapeError, "meshgrid: pass rows"),
        (lambda: tg.meshgrid(ROW, indexing="ab"), ValueError, "meshgrid: indexing must be 'ij' or 'xy'"),
        (lambda: tg.bincount(ROW), DtypeError, "bincount: input must hold integers"),
        (lambda: tg.bincount(np.array([-1])), ValueError, "bincount: input must hold integers from 0"),
        (lambda: tg.diag(ROW, 10**9), MemoryError, "diag: diagonal 1000000000 asks for an array"),
        (lambda: tg.isclose(X, X, rtol=-1.0), ValueError, "isclose: rtol must be a finite number from 0"),
        (lambda: tg.t(X[None]), ShapeError, "t: input must be a matrix"),
        (lambda: tg.scatter(ROW, 0, np.array([0])), TypeError, "scatter: pass src, a tensor, or value"),
        (lambda: tg.sort(X, descending="no"), TypeError, "sort: descending must be True or False, not 'no'"),
    ],
)
def test_what_cannot_be_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_tile_takes_its_numbers_one_by_one_too():
    x = tg.tensor(X)
    np.testing.assert_array_equal(x.tile(2, 3).data, np.tile(X, (2, 3)))
    np.testing.assert_array_equal(x.tile((2, 3)).data, x.tile(dims=(2, 3)).data)
