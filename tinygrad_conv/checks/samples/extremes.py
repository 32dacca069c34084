"""Cases of the largest and the smallest."""

from __future__ import annotations

from ..cases import apart, case

for name in ("amax", "amin"):
    case(name, apart("n+1 m+1"), linear=True)
    case(name, apart("n m+1 k"), dim=1, linear=True)
    case(name, apart("n+1 m k+1"), dim=(0, -1), keepdim=True, linear=True)
for name in ("max", "min"):
    case(name, apart("n m+1 k"), dim=1, linear=True)
    case(name, apart("n m+1"), dim=-1, keepdim=True, linear=True)
for name in ("argmax", "argmin"):
    case(name, apart("n+1 m+1"))
    case(name, apart("n m+1 k"), dim=1, keepdim=True)
    case(name, apart("n m+1"), dim=-1)
