"""Cases of padding, resizing, patches and pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..cases import case, normal

case("pad", normal("n m"), sides=(1, 2), linear=True)
case("pad", normal("n m+2 k+1"), sides=(0, 1, -1, 2), value=3.0, linear=True)
case("pad", normal("n m+2 k+3"), sides=(2, 1, 0, 1), mode="reflect", linear=True)
case("pad", normal("N C H+1 W+1"), sides=(2, 1, 0, 3), mode="replicate", linear=True)
case("pad", normal("C L+2"), sides=(2, 1), mode="circular", linear=True)

TWICE: dict[str, Any] = {"target": np.array([3, 0, 3, 1]), "source": np.array([0, 1, 1, 1])}
case("mix", normal("n+2 m"), dim=0, size=4, **TWICE, linear=True)
case("mix", normal("n m+2 k"), dim=1, size=4, weight=np.array([0.5, -1.0, 2.0, 0.25]), **TWICE, linear=True)

case("interpolate", normal("N C L+1"), size=(3,), linear=True)
case("interpolate", normal("N C H+1 W+2"), size=(5, 3), scale=(1.7, 1.6), linear=True)
case("interpolate", normal("N C H+1 W+2"), size=(5, 3), mode="linear", linear=True)
case("interpolate", normal("N C H+2 W+1"), size=(4, 1), mode="linear", align_corners=True, linear=True)

case("unfold", normal("N C H+2 W+3"), kernel_size=(2, 3), padding=(0, 1), linear=True)
case("unfold", normal("C H+3 W+3"), kernel_size=2, dilation=2, stride=2, linear=True)
case(
    "fold",
    normal("N 6C 4"),
    output_size=(3, 4),
    kernel_size=(2, 3),
    padding=(0, 1),
    stride=(1, 2),
    linear=True,
)
case("fold", normal("4C 4"), output_size=(3, 3), kernel_size=2, linear=True)

case("pixel_shuffle", normal("N 4C H W"), upscale_factor=2, linear=True)
case("pixel_unshuffle", normal("N C 3H 3W"), downscale_factor=3, linear=True)
