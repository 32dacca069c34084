"""Cases of the ops that rearrange."""

from __future__ import annotations

from ..cases import case, normal, sizes

case("reshape", normal("n 2m"), shape=sizes("2n m"), linear=True)
case("reshape", normal("2n m+1"), shape=(2, -1), linear=True)
case("flatten", normal("n m k"), start_dim=1, linear=True)
case("flatten", normal("n m k"), linear=True)
case("flatten_input_grad", normal("n 2m"), shape=sizes("n m 2"), linear=True)
case("flatten_input_grad", normal("n 2m"), shape=sizes("n m 1 2"), linear=True)
case("squeeze", normal("n 1 m 1"), linear=True)
case("squeeze", normal("n 1 m 1"), dim=1, linear=True)
case("unsqueeze", normal("n m"), dim=1, linear=True)
case("unsqueeze", normal("n m"), dim=-1, linear=True)
case("permute", normal("n m k"), dims=(2, 0, 1), linear=True)
case("permute", normal("n m k"), dims=(-1, 0, -2), linear=True)
case("transpose", normal("n m k"), dim0=0, dim1=-1, linear=True)
case("flip", normal("n m k"), dims=(0, -1), linear=True)
case("cat", normal("n m"), normal("k m"), normal("1 m"), linear=True)
case("cat", normal("n m"), normal("n k"), dim=-1, linear=True)
case("stack", normal("n m"), normal("n m"), linear=True)
case("stack", normal("n m"), normal("n m"), dim=-1, linear=True)
case("split", normal("2n+3 m"), split_size_or_sections=2, linear=True)
case("split", normal("n 5"), split_size_or_sections=[1, 0, 4], dim=-1, linear=True)
case("chunk", normal("n m+4"), chunks=3, dim=1, linear=True)
case("roll", normal("n m"), shifts=2, linear=True)
case("roll", normal("n m k"), shifts=(1, -2), dims=(0, -1), linear=True)
case("clone", normal("n m"), linear=True)
