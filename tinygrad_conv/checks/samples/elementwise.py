"""Cases of arithmetic, functions of one number, comparisons, rounding, and activations."""

from __future__ import annotations

import numpy as np

from ..cases import apart, case, integers, mask, normal, positive, uniform

# Arithmetic, functions of one number, comparisons

for name in ("add", "sub"):
    case(name, normal("n m"), normal("n m"), linear=True)
    case(name, normal("n 1 k"), normal("m 1"), linear=True)
for name in ("mul", "div"):
    case(name, apart("n m"), apart("n m"))
    case(name, apart("n 1 k"), apart("m 1"))
case("pow", positive("n m"), normal("n m"))
case("pow", positive("n 1 k"), normal("m 1"))
case("pow", apart("n m"), np.array(3))
case("neg", normal("n m"), linear=True)
for name in ("exp", "sin", "cos", "tanh", "sigmoid"):
    case(name, normal("n m"))
for name in ("log", "sqrt"):
    case(name, positive("n m"))
for name in ("abs", "relu"):
    case(name, apart("n m"), linear=True)
case("maximum", normal("n m"), normal("n m"), linear=True)
case("maximum", normal("n 1 k"), normal("m 1"), linear=True)
for name in ("minimum", "clamp_min", "clamp_max"):
    case(name, normal("n m"), normal("n m"), linear=True)
    case(name, normal("n 1 k"), normal("m 1"), linear=True)
case("where", normal("n m"), normal("n m"), condition=mask("n m"), linear=True)
case("where", normal("n 1 k"), normal("m 1"), condition=mask("m k"), linear=True)
case("to", normal("n m"), dtype=np.dtype(np.float64), linear=True, casts=True)
case("sign", apart("n m"), linear=True)
for name in ("eq", "ne", "lt", "le", "gt", "ge"):
    case(name, normal("n m"), normal("n m"))
    case(name, integers("n m", below=3), integers("m", below=3))
for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    case(name, mask("n m"), mask("n m"))
    case(name, integers("n m", below=8), integers("m", below=8))
for name in ("bitwise_left_shift", "bitwise_right_shift"):
    case(name, integers("n m", below=8), integers("m", below=8))
case("bitwise_not", mask("n m"))
case("bitwise_not", integers("n m", below=8))
for name in ("isnan", "isinf", "isfinite", "logical_not", "signbit"):
    case(name, normal("n m"))
for name in ("logical_and", "logical_or", "logical_xor", "isclose"):
    case(name, normal("n m"), normal("n m"))
    case(name, normal("n 1 k"), normal("m 1"))


# Further functions of one number, rounding, and division with remainder

for name in ("expm1", "exp2", "atan", "sinh", "cosh", "erf", "erfc"):
    case(name, normal("n m"))
case("asinh", normal("n m"))
for name in ("log1p", "log2", "log10"):
    case(name, positive("n m"))
for name in ("tan", "asin", "acos", "atanh"):
    case(name, uniform("n m", -0.9, 0.9))
case("acosh", uniform("n m", 1.1, 3.0))
for name in ("floor", "ceil", "trunc", "round"):
    case(name, uniform("n m", 0.1, 0.4), linear=True)
case("round", uniform("n m", 0.11, 0.14), decimals=1, linear=True)
for name in ("remainder", "fmod"):
    case(name, uniform("n m", 0.1, 0.4), uniform("n m", 0.5, 0.9), linear=True)
    case(name, uniform("n 1 k", -2.4, -2.1), uniform("m 1", 1.1, 1.9), linear=True)
for name in ("floor_divide", "trunc_divide"):
    case(name, uniform("n m", 0.1, 0.4), uniform("n m", 0.5, 0.9), linear=True)
    case(name, uniform("n 1 k", -2.4, -2.1), uniform("m 1", 1.1, 1.9), linear=True)
case("copysign", apart("n m"), apart("n m"), linear=True)
case("copysign", apart("n 1 k"), apart("m 1"), linear=True)
case("logaddexp", normal("n m"), normal("n m"))
case("logaddexp", normal("n 1 k"), normal("m 1"))


# Activations and softmax

case("leaky_relu", apart("n m"), negative_slope=0.2, linear=True)
case("prelu", apart("n m k"), normal("m"))
case("prelu", apart("n m k"), normal("1"))
case("prelu", apart("n"), normal(""))
case("elu", apart("n m"), alpha=1.5)
case("selu", apart("n m"))
case("softsign", apart("n m"))
for approximate in ("none", "tanh"):
    case("gelu", normal("n m"), approximate=approximate)
for name in ("normal_cdf", "silu", "logsigmoid", "hardswish", "mish"):
    case(name, normal("n m"))
case("softplus", uniform("n m", -2, 2), beta=2.0)
case("softplus", apart("n m"), beta=2.0, threshold=0.01)
case("hardtanh", apart("n m"), linear=True)
case("hardtanh", apart("n m"), min_val=-0.5, max_val=0.0, linear=True)
for name in ("softmax", "log_softmax"):
    case(name, normal("n m k"), dim=1)
    case(name, normal("n m"), dim=-1)
