"""Cases of the reductions."""

from __future__ import annotations

from ..cases import apart, case, normal, sizes

for name in ("sum", "mean"):
    case(name, normal("n m"), linear=True)
    case(name, normal("n m k"), dim=1, linear=True)
    case(name, normal("n m k"), dim=(0, -1), keepdim=True, linear=True)
for name in ("var", "std"):
    case(name, normal("n+2 m+1"))
    case(name, normal("n m+2 k"), dim=1)
    case(name, normal("n+1 m k+2"), dim=(0, -1), correction=0, keepdim=True)
case("prod", normal("n+2 m"))
case("prod", normal("n m+2 k"), dim=1)
case("prod", normal("n m k+3"), dim=-1, keepdim=True)
case("cumsum", normal("n m k"), dim=1, linear=True)
case("cumsum", normal("n m"), dim=-1, linear=True)
case("logsumexp", normal("n+1 m+2"), dim=(0, 1))
case("logsumexp", normal("n m+2 k"), dim=1, keepdim=True)
case("vector_norm", normal("n+2 m+1"))
case("vector_norm", normal("n m+2 k"), dim=1, keepdim=True)
case("vector_norm", apart("n m+2"), p=3, dim=-1)
case("vector_norm", apart("n m+2"), p=1.5, dim=-1)
case("vector_norm", apart("n m+2"), p=-1, dim=-1)
case("vector_norm", apart("n m+2"), p=0, dim=-1, linear=True)
case("vector_norm", apart("n m"), p=1, dim=-1, linear=True)
case("vector_norm", apart("n m+2"), p=float("inf"), dim=-1, linear=True)
case("vector_norm", apart("n m+2"), p=-float("inf"), dim=-1, linear=True)
case("sum_to", normal("n m k"), shape=sizes("m k"), linear=True)
case("sum_to", normal("n m k"), shape=sizes("1 m 1"), linear=True)
case("expand", normal("1 m"), shape=sizes("n m"), linear=True)
case("expand", normal("m 1"), shape=sizes("n m k"), linear=True)
case("repeat", normal("n m"), repeats=(2, 3), linear=True)
case("repeat", normal("n"), repeats=(2, 1, 3), linear=True)
