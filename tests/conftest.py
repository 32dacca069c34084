"""Fixtures for the whole suite."""

from __future__ import annotations

import pytest

from tinygrad_conv.engine.registry import OPS


@pytest.fixture
def scratch_ops():
    """Ops that a test declares, gone after it."""
    known = dict(OPS)
    yield
    OPS.clear()
    OPS.update(known)
