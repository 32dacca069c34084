"""Cases of pooling into a given number of cells: fewer than pixels, as many, more."""

from __future__ import annotations

from ..cases import apart, case, normal

case("adaptive_avg_pool2d", normal("N C H+1 W+1"), output_size=1, linear=True)
case("adaptive_avg_pool2d", normal("N C H+3 W+2"), output_size=(2, 3), linear=True)
case("adaptive_avg_pool2d", normal("C H+1 W+4"), output_size=(None, 3), linear=True)
case("adaptive_max_pool2d", apart("N C H+1 W+1"), output_size=1, linear=True)
case("adaptive_max_pool2d", apart("N C H+3 W+2"), output_size=(2, 3), linear=True)
case("adaptive_max_pool2d", apart("C H+1 W+4"), output_size=(None, 3), linear=True)
