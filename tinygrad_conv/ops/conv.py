"""Convolution: one trilinear form, and its three derivatives.

A CNN's forward pass is a cross-correlation (the kernel is not flipped):

    Y[i,j] = Σ_a Σ_b  X[i+a, j+b] · W[a,b]

Pair any dY with it, and one number appears, linear in each of three arrays:

    T(X, W, dY) = ⟨dY, X ⋆ W⟩ = Σ_ij Σ_ab  dY[i,j] · X[i+a, j+b] · W[a,b]

Its derivative in each slot, by the coefficients of that slot's entries:

    ∂T/∂dY[i,j] = Σ_ab X[i+a, j+b] · W[a,b]      conv2d(x, w): the forward, X ⋆ W
    ∂T/∂W[a,b]  = Σ_ij X[i+a, j+b] · dY[i,j]     conv2d_weight_grad(x, dy): X ⋆ dY, again a cross-correlation
    ∂T/∂X[m,n]  = Σ_ab dY[m-a, n-b] · W[a,b]     conv2d_input_grad(dy, w): full correlation with W turned

where dY counts as 0 outside its range, and turned means flipped by 180°. The two gradients are ops too, and
their own rules follow from T again. The gradient that arrives at dW = conv2d_weight_grad(x, dy) has the shape
of W; call it v. Then ⟨v, dW⟩ = T(x, v, dy): T once more, with v where W stood. So its gradients in x and dy
are conv2d_input_grad(dy, v) and conv2d(x, v). In the same way u, which arrives at conv2d_input_grad(dy, w),
has the shape of X and stands where X stood: each op's rules are the other two.

    op                         its own rules
    conv2d(x, w)               ∂x: conv2d_input_grad(dy, w)   ∂w:  conv2d_weight_grad(x, dy)
    conv2d_weight_grad(x, dy)  ∂x: conv2d_input_grad(dy, v)   ∂dy: conv2d(x, v)
    conv2d_input_grad(dy, w)   ∂dy: conv2d(u, w)              ∂w:  conv2d_weight_grad(u, dy)

The family is closed: gradients of gradients of every order need no further code. Samples n, channels c and o,
stride s, dilation d and padding p only change where a window looks: X[i+a, j+b] becomes

    X[n, c, s i + d a - p, s j + d b - p],  0 outside,

and the sum runs over n or c or o, whichever the result does not carry. What a remainder of
(H + 2p - d (k - 1) - 1) mod s leaves over is touched by no window, so its dX is exactly 0.

In the rules below `**geometry` is stride, padding, dilation and groups; `kernel_size` and `input_size` are
named beside it so that they are not in it, for the other ops do not take them.
"""

from __future__ import annotations

from .. import kernels
from ..engine.declare import primitive
from . import reduce
from .arguments.convolutions import forward_window, input_grad_window, weight_grad_window
from .arguments.windows import batched


@primitive(names=("input", "weight", "bias"))
def conv2d(x, w, b=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation of x [N, C, H, W] with w [O, C/groups, kh, kw], plus b [O] if given → [N, O, P, Q].

    x may be [C, H, W] too. P = (H + top + bottom - dilation (kh - 1) - 1) // stride + 1, and Q likewise.
    stride, dilation: an int or a pair. padding: an int, a pair, ((top, bottom), (left, right)), 'valid', or
    'same' (P = ⌈H / stride⌉).

    Raises ShapeError where channels, groups or sizes do not fit, DtypeError for integers. True convolution is
    conv2d(x, flip(w, dims=(2, 3))).
    """
    window = forward_window("conv2d", x, w, b, stride, padding, dilation, groups)
    y = kernels.correlate(batched(x), w, window, groups)
    y = y if b is None else kernels.add_bias(y, b)
    return y if x.ndim == 4 else y[0]


@conv2d.grad("x")
def conv2d_dx(dy, w, x_shape, **geometry):
    """The input gradient is the full correlation of dY with the flipped kernel."""
    return conv2d_input_grad(dy, w, input_size=x_shape[-2:], **geometry)


@conv2d.grad("w")
def conv2d_dw(dy, x, w_shape, **geometry):
    """The weight gradient is the cross-correlation of X with dY."""
    return conv2d_weight_grad(x, dy, kernel_size=w_shape[2:], **geometry)


@conv2d.grad("b")
def conv2d_db(dy):
    """Each output of a channel has its bias once: db = Σ dY over samples, rows and columns."""
    return reduce.sum(dy, dim=(0, 2, 3) if dy.ndim == 4 else (1, 2))


@primitive
def conv2d_weight_grad(x, dy, *, kernel_size, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation of x [N, C, H, W] with the output error dy [N, O, P, Q] → dw [O, C/groups, kh, kw].

    kernel_size: (kh, kw), which must be told: with a stride above 1 several sizes lead to the same dy. Raises
    ShapeError where samples, channels or sizes do not fit, DtypeError for integers.
    """
    window = weight_grad_window("conv2d_weight_grad", x, dy, kernel_size, stride, padding, dilation, groups)
    return kernels.correlate_weight_grad(batched(x), batched(dy), window, groups)


@conv2d_weight_grad.grad("x")
def conv2d_weight_grad_dx(v, dy, x_shape, kernel_size, **geometry):
    """v takes the kernel's place in T: ∂x is the input gradient for the kernel v."""
    return conv2d_input_grad(dy, v, input_size=x_shape[-2:], **geometry)


@conv2d_weight_grad.grad("dy")
def conv2d_weight_grad_ddy(v, x, dy_shape, kernel_size, **geometry):
    """v takes the kernel's place in T: ∂dy is the forward with the kernel v."""
    return cut(conv2d(x, v, **geometry), dy_shape[-2:])


@primitive
def conv2d_input_grad(dy, w, *, input_size, stride=1, padding=0, dilation=1, groups=1):
    """Full correlation of the stride-dilated dy [N, O, P, Q] with the flipped w → dx [N, C, H, W].

    w: [O, C/groups, kh, kw]. input_size: (H, W), which must be told: with a stride above 1 several sizes lead
    to the same dy. Stride-dilated: with stride - 1 zeros between its entries. Where dy has fewer rows or
    columns than the windows make, the missing ones are 0. Raises ShapeError where channels or sizes do not
    fit, DtypeError for integers.
    """
    window = input_grad_window("conv2d_input_grad", dy, w, input_size, stride, padding, dilation, groups)
    dx = kernels.correlate_input_grad(batched(dy), w, window, groups)
    return dx if dy.ndim == 4 else dx[0]


@conv2d_input_grad.grad("dy")
def conv2d_input_grad_ddy(u, w, dy_shape, input_size, **geometry):
    """u takes the input's place in T: ∂dy is the forward of u."""
    return cut(conv2d(u, w, **geometry), dy_shape[-2:])


@conv2d_input_grad.grad("w")
def conv2d_input_grad_dw(u, dy, w_shape, input_size, **geometry):
    """u takes the input's place in T: ∂w is the weight gradient of u with dY."""
    return conv2d_weight_grad(u, dy, kernel_size=w_shape[2:], **geometry)


def cut(y, size):
    """The rows and columns of y that dy had: all of them, unless it was given fewer than the windows make."""
    return y[..., : size[0], : size[1]]
