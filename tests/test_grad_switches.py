"""set_grad_enabled, inference_mode, decorators without brackets; and how numbers are printed."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.helpers import leaf
from tinygrad_conv.engine import printing
from tinygrad_conv.engine.modes import ENTERED


@pytest.fixture
def as_before():
    """What a test sets, and does not take back."""
    entered = ENTERED.get()
    with tg.enable_grad():
        yield
    assert ENTERED.get() == entered and tg.is_grad_enabled()


def test_a_call_holds_until_the_next(as_before):
    for mode in (False, True, False, False, True):
        tg.set_grad_enabled(mode)
        assert tg.is_grad_enabled() is mode and (leaf(2) * 2).requires_grad is mode
    depth = len(ENTERED.get())
    for _ in range(100):
        tg.set_grad_enabled(True)
    assert len(ENTERED.get()) == depth


@pytest.mark.parametrize("mode", [True, False])
def test_a_block_holds_inside_alone(mode, as_before):
    for around in (True, False):
        tg.set_grad_enabled(around)
        with tg.set_grad_enabled(mode):
            assert tg.is_grad_enabled() is mode
            with tg.no_grad():
                assert not tg.is_grad_enabled()
            assert tg.is_grad_enabled() is mode
        assert tg.is_grad_enabled() is around


def test_what_is_set_in_a_block_ends_with_it(as_before):
    with tg.no_grad():
        tg.set_grad_enabled(True)
        assert tg.is_grad_enabled()
        with tg.no_grad():
            tg.set_grad_enabled(True)
        assert tg.is_grad_enabled()
    assert tg.is_grad_enabled()
    tg.set_grad_enabled(False)
    with tg.enable_grad():
        assert tg.is_grad_enabled()
    assert not tg.is_grad_enabled()


def test_decorators(as_before):
    @tg.set_grad_enabled(False)
    def off():
        return tg.is_grad_enabled()

    @tg.no_grad
    def bare():
        return tg.is_grad_enabled()

    @tg.inference_mode()
    def inference():
        return tg.is_grad_enabled()

    @tg.inference_mode
    def bare_inference():
        return tg.is_grad_enabled()

    assert tg.is_grad_enabled()
    assert not any(function() for function in (off, bare, inference, bare_inference) * 2)
    assert bare.__name__ == "bare" and tg.is_grad_enabled()


def test_inference_mode(as_before):
    with tg.inference_mode():
        assert not (leaf(2) * 2).requires_grad
    with tg.no_grad(), tg.inference_mode(mode=False):
        assert (leaf(2) * 2).requires_grad


@pytest.mark.parametrize("wrong", ["no", None, 1.5])
def test_a_mode_is_true_or_false(wrong, as_before):
    for switch in (tg.set_grad_enabled, tg.inference_mode):
        with pytest.raises(TypeError, match=f"{switch.__name__}: mode must be True or False"):
            switch(wrong)
    assert tg.is_grad_enabled()


# Printing


@pytest.fixture
def printed_as_usual():
    known = dict(printing.chosen)
    yield
    printing.chosen.update(known)


def test_print_options(printed_as_usual):
    x = tg.tensor([1.23456789, 1234.5])
    usual = repr(x)
    tg.set_printoptions(precision=2)
    assert "1.23" in repr(x) and "1.234" not in repr(x)
    tg.set_printoptions(precision=1, sci_mode=True)
    assert "1.2e+00, 1.2e+03" in repr(x)
    tg.set_printoptions(profile="default")
    assert repr(x) == usual
    tg.set_printoptions(threshold=3, edgeitems=1)
    assert repr(tg.arange(9)).startswith("tensor([0, ..., 8]")
    tg.set_printoptions(profile="full")
    assert "..." not in repr(tg.zeros(2000))
    tg.set_printoptions(profile="short")
    assert "..." in repr(tg.zeros(2000)) and np.get_printoptions()["precision"] == 8


def test_small_numbers_with_and_without_an_exponent(printed_as_usual):
    x = tg.tensor([1e-6, 1.0])
    tg.set_printoptions(sci_mode=False)
    assert "e-06" not in repr(x)
    tg.set_printoptions()
    assert "e-06" in repr(x)


@pytest.mark.parametrize(
    "wrong", [{"precision": -1}, {"threshold": "x"}, {"profile": "long"}, {"sci_mode": 3}]
)
def test_print_options_that_cannot_be(wrong, printed_as_usual):
    (name,) = wrong
    with pytest.raises((TypeError, ValueError), match=f"set_printoptions: {name} must"):
        tg.set_printoptions(**wrong)
