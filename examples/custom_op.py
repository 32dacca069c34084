"""A new op in one file: a forward, its gradient rule, and the check that the rule is right.

    python examples/custom_op.py

The op is softplus, log(1 + eˣ): relu with its corner rounded off. The name is taken, so here it is
`smooth_relu`.
"""

from __future__ import annotations

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def smooth_relu(x):
    """log(1 + eˣ), elementwise; logaddexp computes it without overflow."""
    return np.logaddexp(x, x.dtype.type(0))


@smooth_relu.grad("x")
def smooth_relu_dx(dy, x):
    """∂ log(1 + eˣ)/∂x = 1 / (1 + e⁻ˣ), the sigmoid."""
    return dy * tg.sigmoid(x)


def main() -> None:
    x = tg.tensor(np.linspace(-4, 4, 9), requires_grad=True, name="x")
    tg.gradcheck(smooth_relu, x, order=2)
    print("gradcheck: the gradient is right, and so is the gradient of the gradient\n")

    loss = smooth_relu(x).sum()
    loss.backward()
    print("     x    smooth_relu(x)     slope")
    for value, output, slope in zip(x.data, smooth_relu(x).data, x.grad):
        print(f"{value:6.1f}    {output:14.6f}  {slope:8.6f}")


if __name__ == "__main__":
    main()
