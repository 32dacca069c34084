"""Scripts as people write them for PyTorch: whole programs, of which only the imports change.

Each finds `fill(net)` in its names, which gives a net numbers that are the same everywhere, and `images`,
`labels` and `noise`, which make arrays of such numbers. What it leaves in `results` is compared.
"""

from __future__ import annotations

from . import beginners, classifiers, others

SCRIPTS = {
    "classifier": classifiers.CLASSIFIER,
    "by hand": classifiers.BY_HAND,
    "textbook": classifiers.TEXTBOOK,
    "residual": classifiers.RESIDUAL,
    "photos": beginners.PHOTOS,
    "clothes": beginners.CLOTHES,
    "rates": beginners.RATES,
    "segmentation": others.SEGMENTATION,
    "adversaries": others.ADVERSARIES,
    "autograd": others.AUTOGRAD,
    "norm by hand": others.NORM_BY_HAND,
}
