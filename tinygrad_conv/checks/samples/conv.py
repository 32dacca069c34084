"""Cases of the convolution triple: `H+3` is the least that a kernel of 3 fits; random sizes leave
remainders.
"""

from __future__ import annotations

from ..cases import case, normal, sizes

case("conv2d", normal("N C H+3 W+2"), normal("O C 3 2"), normal("O"))
case("conv2d", normal("N C H+3 W+2"), normal("O C 3 2"), None, stride=2)
case("conv2d", normal("N C H+1 W+1"), normal("O C 3 3"), normal("O"), stride=2, padding=1)
case(
    "conv2d",
    normal("N C H+3 W+4"),
    normal("O C 2 3"),
    stride=(3, 2),
    dilation=(2, 1),
    padding=((1, 0), (0, 1)),
)
case("conv2d", normal("N C H+1 W+1"), normal("O C 2 3"), stride=2, padding="same")
case("conv2d", normal("N 2C H+3 W+3"), normal("2O C 3 3"), None, groups=2)
case("conv2d", normal("N 3 H+3 W+2"), normal("6 1 3 2"), normal("6"), groups=3, stride=2)
case("conv2d", normal("N C H+1 W+1"), normal("O C 1 1"), normal("O"))
case("conv2d", normal("C H+2 W+2"), normal("O C 3 3"), normal("O"), padding=1)

case("conv2d_weight_grad", normal("N C P+2 Q+2"), normal("N O P+1 Q+1"), kernel_size=(2, 2))
case(
    "conv2d_weight_grad",
    normal("N 2C 2P+4 2Q+3"),
    normal("N 2O P+1 Q+1"),
    kernel_size=(3, 3),
    stride=2,
    groups=2,
)
case(
    "conv2d_weight_grad",
    normal("N C P+3 Q+3"),
    normal("N O P+1 Q+3"),
    kernel_size=(2, 3),
    dilation=(2, 1),
    padding=(0, 1),
)
case("conv2d_weight_grad", normal("C P+2 Q+2"), normal("O P+1 Q+1"), kernel_size=(2, 2))

case("conv2d_input_grad", normal("N O P+1 Q+1"), normal("O C 2 2"), input_size=sizes("P+2 Q+2"))
case(
    "conv2d_input_grad",
    normal("N 2O P+1 Q+1"),
    normal("2O C 3 3"),
    input_size=sizes("2P+4 2Q+3"),
    stride=2,
    groups=2,
)
case(
    "conv2d_input_grad",
    normal("N O P+1 Q+3"),
    normal("O C 2 3"),
    input_size=sizes("P+3 Q+3"),
    dilation=(2, 1),
    padding=(0, 1),
)
case("conv2d_input_grad", normal("O P+1 Q+1"), normal("O C 2 2"), input_size=sizes("P+2 Q+2"))

# dY with fewer rows and columns than the windows make: the missing ones are 0, and the rules cut them off
# again
case("conv2d_weight_grad", normal("N C P+4 Q+3"), normal("N O P+1 Q+1"), kernel_size=(2, 2))
case("conv2d_input_grad", normal("N O P+1 Q+1"), normal("O C 2 2"), input_size=sizes("P+4 Q+3"))
