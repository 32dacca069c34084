"""Cases of the normalisations, of what their gradients are made of, and of dropout."""

from __future__ import annotations

from ..cases import case, mask, normal, positive, sizes

case("batch_norm", normal("N+2 C H W"), normal("C"), normal("C"), training=True, eps=0.1)
case("batch_norm", normal("N+2 C"), training=True)
case(
    "batch_norm",
    normal("N C H"),
    normal("C"),
    normal("C"),
    running_mean=normal("C"),
    running_var=positive("C"),
)
case("layer_norm", normal("n m k"), normal("m k"), normal("m k"), normalized_shape=sizes("m k"), eps=0.1)
case("layer_norm", normal("n m+2"), None, normal("m+2"), normalized_shape=sizes("m+2"))
case("group_norm", normal("N 2C H+2"), normal("2C"), normal("2C"), num_groups=2, eps=0.1)
case("group_norm", normal("N 3 H+2 W"), None, None, num_groups=1)
case("deviation_dot", normal("N C H"), normal("N C H"), normal("1 C 1"))
case("deviation_dot", normal("n m"), normal("n m"), normal("n 1"))
case(
    "deviation_removed", *(normal(shape) for shape in ("N C H", "1 C 1", "N C H", "1 C 1", "1 C 1", "1 C 1"))
)
case("deviation_removed", *(normal(shape) for shape in ("n m", "1 m", "n 1", "1", "n m", "m")))
case("dropout", normal("n m"), kept=mask("n m"), p=0.3, linear=True)
case("dropout", normal("n m k"), kept=mask("n m 1"), p=0.3, linear=True)
