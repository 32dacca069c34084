"""Cases of further functions of numbers, and of what is counted; the others are in samples.py."""

from __future__ import annotations

from .cases import apart, case, integers, mask, normal, positive, uniform

# Further functions of one number, rounding, and division with remainder

for name in ("expm1", "exp2", "atan", "sinh", "cosh", "erf"):
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
