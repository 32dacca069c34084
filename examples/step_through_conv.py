"""Backpropagation through a convolution, to be stepped through in a debugger.

    python examples/step_through_conv.py

It stops before the backward, in a debugger that passes the engine by: one `s` is in the first gradient rule.
A second backward follows, for a kernel that is not its own flip: there the input gradient shows the flip.
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

    x.grad = None
    k = tg.tensor([[[[1.0, 2.0], [3.0, 4.0]]]], name="k")  # w is its own flip; this kernel is not
    dy = y.detach() - 1  # the output error from above
    output = tg.conv2d(x, k)

    tg.debug.set_trace()
    output.backward(dy)

    print("dX of k =", x.grad[0, 0].tolist())


if __name__ == "__main__":
    with tg.use_kernels("reference"):
        main()
