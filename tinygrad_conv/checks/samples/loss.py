"""Cases of the losses."""

from __future__ import annotations

from ..cases import apart, case, normal, positive, uniform

for reduction in ("none", "sum", "mean"):
    case("mse_loss", normal("n m"), normal("n m"), reduction=reduction)
    case("l1_loss", apart("n m"), uniform("n m", -0.01, 0.01), reduction=reduction, linear=True)
    case("huber_loss", normal("n m"), normal("n m"), reduction=reduction, delta=0.7)
    case("smooth_l1_loss", normal("n m"), normal("n m"), reduction=reduction, beta=0.7)
    case("binary_cross_entropy", uniform("n m", 0.1, 0.9), uniform("n m", 0.0, 1.0), reduction=reduction)
    case("binary_cross_entropy_with_logits", normal("n m"), uniform("n m", 0.0, 1.0), reduction=reduction)
wanted = uniform("n m", 0.0, 1.0)
case("binary_cross_entropy", uniform("n m", 0.1, 0.9), wanted, weight=positive("m"))
case(
    "binary_cross_entropy_with_logits",
    normal("n m"),
    wanted,
    weight=positive("n m"),
    pos_weight=positive("m"),
)
