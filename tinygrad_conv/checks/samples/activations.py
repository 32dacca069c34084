"""Cases of the activations and of softmax."""

from __future__ import annotations

from ..cases import apart, case, normal, uniform

case("leaky_relu", apart("n m"), negative_slope=0.2, linear=True)
case("prelu", apart("n m k"), normal("m"))
case("prelu", apart("n m k"), normal("1"))
case("prelu", apart("n"), normal(""))
case("elu", apart("n m"), alpha=1.5)
case("selu", apart("n m"))
for approximate in ("none", "tanh"):
    case("gelu", normal("n m"), approximate=approximate)
for name in ("normal_cdf", "silu", "logsigmoid"):
    case(name, normal("n m"))
case("softplus", uniform("n m", -2, 2), beta=2.0)
case("softplus", apart("n m"), beta=2.0, threshold=0.01)
case("hardtanh", apart("n m"), linear=True)
case("hardtanh", apart("n m"), min_val=-0.5, max_val=0.0, linear=True)
for name in ("softmax", "log_softmax"):
    case(name, normal("n m k"), dim=1)
    case(name, normal("n m"), dim=-1)
