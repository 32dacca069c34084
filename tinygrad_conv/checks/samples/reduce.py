"""Cases of the reductions."""

from __future__ import annotations

from ..cases import apart, case, normal, sizes

for name in ("sum", "mean"):
    case(name, normal("n m"), linear=True)
    case(name, normal("n m k"), dim=1, linear=True)
    case(name, normal("n m k"), dim=(0, -1), keepdim=True, linear=True)
case("amax", apart("n+1 m+1"), linear=True)
case("amax", apart("n m+1 k"), dim=1, linear=True)
case("amax", apart("n+1 m k+1"), dim=(0, -1), keepdim=True, linear=True)
case("sum_to", normal("n m k"), shape=sizes("m k"), linear=True)
case("sum_to", normal("n m k"), shape=sizes("1 m 1"), linear=True)
