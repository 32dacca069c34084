"""Cases of the losses of classes, and of labels."""

from __future__ import annotations

import numpy as np

from ..cases import case, integers, normal, positive, uniform

case("one_hot", integers("n m", below=5), num_classes=5)
double = np.dtype(np.float64)
few, many = integers("n", below=5), integers("n m", below=5)
case("label_weights", many, dtype=double, weight=positive("5"), ignore_index=2, casts=True)
case("label_vectors", many, classes=5, dtype=double, weight=positive("5"), ignore_index=2, casts=True)
case("label_vectors", few, classes=5, dtype=double, label_smoothing=0.3, casts=True)
for reduction in ("none", "sum", "mean"):
    case("nll_loss", normal("n 5 k"), integers("n k", below=5), reduction=reduction, linear=True)
    case("cross_entropy", normal("n 5 k"), integers("n k", below=5), reduction=reduction)
    case("cross_entropy", normal("n 5"), uniform("n 5", 0.0, 1.0), reduction=reduction)
case("nll_loss", normal("5"), integers("", below=5), linear=True)
case("nll_loss", normal("n 5"), few, weight=positive("5"), ignore_index=2, linear=True)
case("cross_entropy", normal("n 5"), few, weight=positive("5"), ignore_index=2, label_smoothing=0.3)
case("cross_entropy", normal("n 5 k"), uniform("n 5 k", 0.0, 1.0), weight=positive("5"), label_smoothing=0.3)
case("cross_entropy", normal("5"), uniform("5", 0.0, 1.0))
