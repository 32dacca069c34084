"""Cases of the losses."""

from __future__ import annotations

from ..cases import case, normal

for reduction in ("none", "sum", "mean"):
    case("mse_loss", normal("n m"), normal("n m"), reduction=reduction)
