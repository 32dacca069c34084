"""A fused op: convolution, bias and relu in one, with the convolution's own gradients used again.

    python examples/conv_bias_relu.py

Where relu let a number through its slope is 1, elsewhere 0, and y > 0 tells which. So the error that reaches
the convolution is dy · (y > 0), and what follows is conv2d's own backward. On the tape it is one op instead
of two.
"""

from __future__ import annotations

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv.ops.conv import conv2d, conv2d_input_grad, conv2d_weight_grad


@tg.primitive
def conv_bias_relu(x, w, b, *, stride=1, padding=0):
    """max(X ⋆ W + b, 0): x [N, C, H, W], w [O, C, kh, kw], b [O] → [N, O, P, Q]."""
    y = conv2d(x, w, b, stride=stride, padding=padding)
    return np.maximum(y, 0, out=y)


@conv_bias_relu.grad("x")
def conv_bias_relu_dx(dy, w, y, x_shape, stride, padding):
    """dX of the convolution, from the error behind the relu."""
    return conv2d_input_grad(dy * (y > 0), w, input_size=x_shape[2:], stride=stride, padding=padding)


@conv_bias_relu.grad("w")
def conv_bias_relu_dw(dy, x, y, w_shape, stride, padding):
    """dW of the convolution, from the error behind the relu."""
    return conv2d_weight_grad(x, dy * (y > 0), kernel_size=w_shape[2:], stride=stride, padding=padding)


@conv_bias_relu.grad("b")
def conv_bias_relu_db(dy, y):
    """Each output of a channel has its bias once."""
    return tg.sum(dy * (y > 0), dim=(0, 2, 3))


def main() -> None:
    tg.manual_seed(0)
    x = tg.randn(2, 3, 6, 6, dtype=np.float64, requires_grad=True)
    w = tg.randn(4, 3, 3, 3, dtype=np.float64, requires_grad=True)
    b = tg.randn(4, dtype=np.float64, requires_grad=True)

    tg.gradcheck(lambda x, w, b: conv_bias_relu(x, w, b, stride=2, padding=1), x, w, b, order=2)
    print("gradcheck: the gradients of x, w and b are right, and so are their gradients\n")

    fused = conv_bias_relu(x, w, b, stride=2, padding=1)
    separate = tg.relu(tg.conv2d(x, w, b, stride=2, padding=1))
    fused_gradients = tg.grad((fused**2).sum(), [x, w, b])
    separate_gradients = tg.grad((separate**2).sum(), [x, w, b])
    print("largest difference from conv2d followed by relu")
    print(f"    output  {np.abs(fused.data - separate.data).max():.1e}")
    for name, fused_gradient, separate_gradient in zip("xwb", fused_gradients, separate_gradients):
        print(f"    d{name}      {np.abs(fused_gradient.data - separate_gradient.data).max():.1e}")


if __name__ == "__main__":
    main()
