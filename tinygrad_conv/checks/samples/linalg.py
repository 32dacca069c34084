"""Cases of the matrix products."""

from __future__ import annotations

from ..cases import case, normal

case("matmul", normal("k"), normal("k"))
case("matmul", normal("n k"), normal("k"))
case("matmul", normal("k"), normal("k m"))
case("matmul", normal("n k"), normal("k m"))
case("matmul", normal("b n k"), normal("k m"))
case("matmul", normal("b n k"), normal("k"))
case("matmul", normal("k"), normal("b k m"))
case("matmul", normal("b 1 n k"), normal("c k m"))
case("linear", normal("n k"), normal("m k"), normal("m"))
case("linear", normal("k"), normal("m k"), normal("m"))
case("linear", normal("b n k"), normal("m k"))
case("transposed_matmul", normal("k n"), normal("k m"))
case("transposed_matmul", normal("n"), normal("m"))
case("transposed_matmul", normal("b k n"), normal("b k m"))
