"""Cases of reading and adding at an index."""

from __future__ import annotations

import numpy as np

from ..cases import case, integers, normal, sizes

REPEATED = np.array([0, 1, 0, 0])

case("getitem", normal("n+1 m"), index=(0, slice(None, None, 2)), linear=True)
case("getitem", normal("n m+2"), index=(Ellipsis, None, slice(-2, None)), linear=True)
case("getitem", normal("n+2 m"), index=REPEATED, linear=True)
case("getitem", normal("n+2 m k"), index=(REPEATED, slice(None), None), linear=True)
case("getitem", normal("n+1 m"), index=integers("k 2", below="n+1"), linear=True)
case("getitem", normal("3 m"), index=np.array([True, False, True]), linear=True)
case("put_add", normal("4 m"), index=REPEATED, shape=sizes("n+2 m"), linear=True)
case("put_add", normal("m"), index=1, shape=sizes("n+2 m"), linear=True)
case("put_add", normal("2 m"), index=np.array([True, False, True]), shape=sizes("3 m"), linear=True)
case("gather", normal("n m"), dim=1, index=integers("n k", below="m"), linear=True)
case("gather", normal("n+1 m+1 2"), dim=-3, index=integers("k m 1", below="n+1"), linear=True)
case("scatter_add", normal("n m"), normal("n k"), dim=1, index=integers("n k", below="m"), linear=True)
case(
    "scatter_add", normal("n+1 m"), normal("k+2 m+1"), dim=0, index=integers("k m", below="n+1"), linear=True
)
