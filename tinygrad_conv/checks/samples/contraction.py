"""Cases of einsum: products, batches, sums over one operand's own index, diagonals, broadcast sizes, dots."""

from __future__ import annotations

from ..cases import case, normal

case("einsum", normal("n k"), normal("k m"), equation="ij,jk->ik")
case("einsum", normal("b n k"), normal("b k m"), normal("m"), equation="bij, bjk, k -> bi")
case("einsum", normal("n m"), normal("k"), equation="ij,k->i")
case("einsum", normal("n m n"), equation="iji->j", linear=True)
case("einsum", normal("n n"), normal("n"), equation="ii,i->i")
case("einsum", normal("1 m"), normal("n m"), equation="ij,ij->i")
case("einsum", normal("b 1 n k"), normal("c k m"), equation="...ij,...jk")
