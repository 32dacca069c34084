"""Backpropagation through a convolution, to be stepped through in a debugger.

    python examples/step_through_conv.py

It stops before the backward, in a debugger that passes the engine by: one `s` is in the first gradient rule.
The README says what else to press there, and what one sees. The numbers are those of examples/article.py. The
literal kernels are switched on, so stepping further leads into the formulas.
"""

from __future__ import annotations

import tinygrad_conv as tg


def main() -> None:
    x = tg.tensor([[[[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]]], requires_grad=True, name="x")
    w = tg.tensor([[[[1.0, 0.0], [0.0, 1.0]]]], requires_grad=True, name="w")

    y = tg.conv2d(x, w)
    loss = tg.mse_loss(y, tg.ones_like(y), reduction="sum") / 2

    tg.debug.set_trace()  # a plain breakpoint() knows nothing of the engine, and leads through it
    loss.backward()

    print("dW =", w.grad[0, 0].tolist())
    print("dX =", x.grad[0, 0].tolist())


if __name__ == "__main__":
    with tg.use_kernels("reference"):
        main()
