"""Cases of the elementwise ops."""

from __future__ import annotations

import numpy as np

from ..cases import apart, case, integers, mask, normal, positive

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
for name in ("bitwise_and", "bitwise_or"):
    case(name, mask("n m"), mask("n m"))
    case(name, integers("n m", below=8), integers("m", below=8))
case("bitwise_not", mask("n m"))
case("bitwise_not", integers("n m", below=8))
