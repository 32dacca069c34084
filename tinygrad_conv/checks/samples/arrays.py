"""Cases of reductions, shapes, indices, matrix products, and of what is counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..cases import apart, case, integers, mask, normal, sizes

# Reductions, and what undoes them

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


# The largest and the smallest

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


# Shapes, orders, parts and unions

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
case("unbind", normal("n+1 m"), linear=True)
case("unbind", normal("n m+2 k"), dim=1, linear=True)
case("chunk", normal("n m+4"), chunks=3, dim=1, linear=True)
case("roll", normal("n m"), shifts=2, linear=True)
case("roll", normal("n m k"), shifts=(1, -2), dims=(0, -1), linear=True)
case("clone", normal("n m"), linear=True)


# Reading and adding at an index

REPEATED = np.array([0, 1, 0, 0])

case("getitem", normal("n+1 m"), index=(0, slice(None, None, 2)), linear=True)
case("getitem", normal("n m+2"), index=(Ellipsis, None, slice(-2, None)), linear=True)
case("getitem", normal("n+2 m"), index=REPEATED, linear=True)
case("getitem", normal("n+2 m k"), index=(REPEATED, slice(None), None), linear=True)
case("getitem", normal("n+1 m"), index=integers("k 2", below="n+1"), linear=True)
case("getitem", normal("3 m"), index=np.array([True, False, True]), linear=True)
case("setitem", normal("n+1 m"), normal("m"), index=(0, slice(None)), linear=True)
case("setitem", normal("n+2 m"), normal("4 1"), index=REPEATED, linear=True)
case("setitem", normal("3 m"), normal("1 2 m"), index=np.array([True, False, True]), linear=True)
case("put_add", normal("4 m"), index=REPEATED, shape=sizes("n+2 m"), linear=True)
case("put_add", normal("m"), index=1, shape=sizes("n+2 m"), linear=True)
case("put_add", normal("2 m"), index=np.array([True, False, True]), shape=sizes("3 m"), linear=True)
case("gather", normal("n m"), dim=1, index=integers("n k", below="m"), linear=True)
case("gather", normal("n+1 m+1 2"), dim=-3, index=integers("k m 1", below="n+1"), linear=True)
case("scatter_add", normal("n m"), normal("n k"), dim=1, index=integers("n k", below="m"), linear=True)
case(
    "scatter_add", normal("n+1 m"), normal("k+2 m+1"), dim=0, index=integers("k m", below="n+1"), linear=True
)
places = integers("n k", below="m")
case("scatter_extreme", normal("n m"), normal("n+1 k"), dim=1, index=places, linear=True)
for largest in (True, False):
    options: dict[str, Any] = {"largest": largest, "include_self": False}
    case("scatter_extreme", normal("n m"), normal("n k"), dim=1, index=places, linear=True, **options)


# Matrix products

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


# einsum: products, batches, sums over one operand's own index, diagonals, broadcast sizes, dots

case("einsum", normal("n k"), normal("k m"), equation="ij,jk->ik")
case("einsum", normal("b n k"), normal("b k m"), normal("m"), equation="bij, bjk, k -> bi")
case("einsum", normal("n m"), normal("k"), equation="ij,k->i")
case("einsum", normal("n m n"), equation="iji->j", linear=True)
case("einsum", normal("n n"), normal("n"), equation="ii,i->i")
case("einsum", normal("1 m"), normal("n m"), equation="ij,ij->i")
case("einsum", normal("b 1 n k"), normal("c k m"), equation="...ij,...jk")


# What holds, how often and where

for name in ("all", "any"):
    case(name, mask("n m"))
    case(name, normal("n m k"), dim=1)
    case(name, normal("n m k"), dim=(0, -1), keepdim=True)
case("count_nonzero", normal("n m"))
case("count_nonzero", normal("n m k"), dim=(0, -1))
case("nonzero", mask("n m"))
case("argsort", apart("n m k"), dim=1)
case("argsort", apart("n m"), descending=True)
for name in ("running_argmax", "running_argmin"):
    case(name, apart("n m k"), dim=1)
case("bincount", integers("n", below=5))
case("bincount", integers("n", below=5), normal("n"), minlength=7)
case("unique", integers("n m", below=3))
case("searchsorted", integers("n", below=5), integers("m k", below=5))
case("searchsorted", integers("n m", below=5), integers("n k", below=5), right=True)
case("isin", integers("n m", below=5), integers("k", below=5))
