"""The params of ops: what each may be, where its name alone does not say it (tinygrad_conv/options)."""

from __future__ import annotations

from ...engine.op import Op
from ...options import ANY, ARRAY, INTEGERS, SIZES, Option, choice, options_of

OWN: dict[str, dict[str, Option]] = {
    "getitem": {"index": ANY},
    "put_add": {"index": ANY},
    "setitem": {"index": ANY},
    "vector_norm": {"p": ANY},
    "avg_pool2d": {"stride": INTEGERS},
    "mix": {"target": ARRAY, "source": ARRAY},
    "fold": {"output_size": INTEGERS},
    "interpolate": {"size": SIZES, "mode": choice("nearest", "nearest-exact", "linear", at_once=True)},
}
"""By op: its own meaning of some names."""


def declare_options(op: Op) -> None:
    """Tell an op what its params may be."""
    op.restrict_params(options_of(op.forward, **OWN.get(op.name, {})))
