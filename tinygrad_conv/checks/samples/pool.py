"""Cases of the poolings, and of the linear ops that they are made of."""

from __future__ import annotations

from typing import Any

from ..cases import apart, case, integers, normal, sizes

case("max_pool2d", apart("N C H+2 W+2"), kernel_size=2, linear=True)
case("max_pool2d", apart("N C H+2 W+3"), kernel_size=(2, 3), stride=1, padding=1, linear=True)
case(
    "max_pool2d",
    apart("N C H+4 W+4"),
    kernel_size=3,
    stride=2,
    padding=1,
    dilation=2,
    ceil_mode=True,
    linear=True,
)
case("max_pool2d", apart("C H+3 W+2"), kernel_size=(3, 2), stride=2, linear=True)

case("avg_pool2d", normal("N C H+2 W+2"), kernel_size=2, linear=True)
case("avg_pool2d", normal("N C H+2 W+3"), kernel_size=(2, 3), stride=1, padding=1, linear=True)
case(
    "avg_pool2d",
    normal("N C H+2 W+3"),
    kernel_size=3,
    stride=2,
    padding=1,
    count_include_pad=False,
    linear=True,
)
case(
    "avg_pool2d",
    normal("N C H+3 W+3"),
    kernel_size=2,
    stride=2,
    ceil_mode=True,
    divisor_override=3,
    linear=True,
)
case("avg_pool2d", normal("C H+3 W+2"), kernel_size=(3, 2), stride=2, linear=True)

step: dict[str, Any] = {"kernel_size": (2, 3), "stride": 1, "linear": True}
wide: dict[str, Any] = {
    "kernel_size": 2,
    "stride": 2,
    "padding": 1,
    "dilation": 2,
    "ceil_mode": True,
    "linear": True,
}
case("gather_taps", normal("N C P+2 Q+3"), tap=integers("N C P+1 Q+1", below=6), **step)
case("gather_taps", normal("C 2P+3 2Q+2"), tap=integers("C P+1 Q+1", below=4), kernel_size=2, linear=True)
case(
    "scatter_taps", normal("N C P+1 Q+1"), tap=integers("N C P+1 Q+1", below=6), size=sizes("P+2 Q+3"), **step
)
case("gather_taps", normal("N C 2P+2 2Q+3"), tap=integers("N C P+2 Q+2", below=4), **wide)
case(
    "scatter_taps",
    normal("N C P+2 Q+2"),
    tap=integers("N C P+2 Q+2", below=4),
    size=sizes("2P+2 2Q+3"),
    **wide,
)
case(
    "scatter_taps",
    normal("C P+1 Q+1"),
    tap=integers("C P+1 Q+1", below=4),
    size=sizes("2P+3 2Q+2"),
    kernel_size=2,
    linear=True,
)

case("sum_windows", normal("N C H+2 W+3"), kernel_size=3, stride=2, padding=1, linear=True)
case("sum_windows", normal("C H+2 W+2"), kernel_size=2, linear=True)
case(
    "spread_windows",
    normal("N C P+1 Q+1"),
    size=sizes("2P+2 2Q+1"),
    kernel_size=3,
    stride=2,
    padding=1,
    linear=True,
)
case("spread_windows", normal("C P+1 Q+1"), size=sizes("2P+3 2Q+2"), kernel_size=2, linear=True)
rounded_up: dict[str, Any] = {"kernel_size": 3, "stride": 2, "ceil_mode": True, "linear": True}
case("sum_windows", normal("N C 2H+4 2W+4"), **rounded_up)
case("spread_windows", normal("N C P+2 Q+2"), size=sizes("2P+4 2Q+4"), **rounded_up)
case("max_pool2d_with_indices", apart("N C H+2 W+3"), kernel_size=(2, 3), stride=1, padding=1, linear=True)
case("max_pool2d_with_indices", apart("C H+3 W+3"), kernel_size=2, dilation=2, ceil_mode=True, linear=True)
