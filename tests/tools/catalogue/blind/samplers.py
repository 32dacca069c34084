"""Reading images at places between pixels, places from images, images from places, and counts."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def soft_argmax(x, sharpness):
    """The expected (row, column) of a heat map's softmax, in pixels (Luvizon et al. 2017).

    x [N, K, H, W], sharpness [K] → [N, K, 2]
    """
    height, width = x.shape[2:]
    z = sharpness[:, None, None] * x
    p = np.exp(z - z.max(axis=(2, 3), keepdims=True))
    p = p / p.sum(axis=(2, 3), keepdims=True)
    return np.stack([p.sum(3) @ np.arange(height), p.sum(2) @ np.arange(width)], axis=2)


def heat(x, sharpness):
    """The softmax over both axes of a map, [N, K, H, W]."""
    z = tg.reshape(sharpness, (-1, 1, 1)) * x
    return tg.exp(z - tg.logsumexp(z, dim=(2, 3), keepdim=True))


@soft_argmax.grad("x")
def soft_argmax_dx(dy, x, sharpness, y):
    rows, columns = np.arange(x.shape[2])[:, None], np.arange(x.shape[3])
    row, column = y[..., 0, None, None], y[..., 1, None, None]
    g = dy[..., 0, None, None] * (rows - row) + dy[..., 1, None, None] * (columns - column)
    return tg.reshape(sharpness, (-1, 1, 1)) * heat(x, sharpness) * g


@soft_argmax.grad("sharpness")
def soft_argmax_dsharpness(dy, x, sharpness, y):
    rows, columns = np.arange(x.shape[2])[:, None], np.arange(x.shape[3])
    row, column = y[..., 0, None, None], y[..., 1, None, None]
    g = dy[..., 0, None, None] * (rows - row) + dy[..., 1, None, None] * (columns - column)
    return tg.sum(x * heat(x, sharpness) * g, dim=(0, 2, 3))


def soft_argmax_inputs(rng):
    return [rng.standard_normal((6, 3, 4, 5)), rng.uniform(0.7, 1.6, 3)], {}


@tg.primitive
def soft_histogram(x, centre, width):
    """The share of x in each bin: each x is parted among the bins by normalised Gaussians.

    x [N, L], centre [B], width [B] → [N, B], of sum 1
    """
    z = -0.5 * ((x[..., None] - centre) / width) ** 2
    part = np.exp(z - z.max(axis=2, keepdims=True))
    return np.mean(part / part.sum(axis=2, keepdims=True), axis=1)


def parts(x, centre, width):
    """By how many widths x is off a bin's centre, and its part in it, [N, L, B] each."""
    off = (x[..., None] - centre) / width
    return off, tg.softmax(-0.5 * off * off, dim=2)


@soft_histogram.grad("x")
def soft_histogram_dx(dy, x, centre, width):
    off, part = parts(x, centre, width)
    g = dy[:, None] / x.shape[1]
    dz = part * (g - tg.sum(g * part, dim=2, keepdim=True))
    return -tg.sum(dz * off / width, dim=2)


@soft_histogram.grad("centre")
def soft_histogram_dcentre(dy, x, centre, width):
    off, part = parts(x, centre, width)
    g = dy[:, None] / x.shape[1]
    dz = part * (g - tg.sum(g * part, dim=2, keepdim=True))
    return tg.sum(dz * off / width, dim=(0, 1))


@soft_histogram.grad("width")
def soft_histogram_dwidth(dy, x, centre, width):
    off, part = parts(x, centre, width)
    g = dy[:, None] / x.shape[1]
    dz = part * (g - tg.sum(g * part, dim=2, keepdim=True))
    return tg.sum(dz * off**2 / width, dim=(0, 1))


def soft_histogram_inputs(rng):
    return [rng.uniform(-1, 1, (2, 5)), np.array([-0.8, -0.1, 0.3, 0.9]), rng.uniform(0.3, 0.7, 4)], {}


@tg.primitive
def warp_by_flow(image, flow):
    """Y[n,c,h,w] = image[n, c, h + flow_0, w + flow_1], linear between pixels and 0 outside (Jaderberg et
    al. 2015).

    image [N, C, H, W], flow [N, 2, H, W], of rows and of columns → [N, C, H, W]
    """
    height, width = image.shape[2:]
    down = np.arange(height)[:, None] + flow[:, 0]
    right = np.arange(width) + flow[:, 1]
    rows = np.maximum(0, 1 - np.abs(down[..., None] - np.arange(height)))
    columns = np.maximum(0, 1 - np.abs(right[..., None] - np.arange(width)))
    return np.einsum("ncij,nhwi,nhwj->nchw", image, rows, columns)


def tents(flow, axis):
    """Each pixel's weights for the rows (axis 0) or columns (1) it reads, and their slopes: [N, H, W, H or
    W]."""
    size = flow.shape[2 + axis]
    places = np.arange(size)
    off = flow[:, axis, :, :, None] + (places[:, None, None] if axis == 0 else places[:, None]) - places
    near = tg.abs(off) < 1
    return tg.where(near, 1 - tg.abs(off), 0.0), tg.where(near, -tg.sign(off), 0.0)


@warp_by_flow.grad("image")
def warp_by_flow_dimage(dy, flow):
    rows, columns = tents(flow, 0)[0], tents(flow, 1)[0]
    return tg.einsum("nchw,nhwi,nhwj->ncij", dy, rows, columns)


@warp_by_flow.grad("flow")
def warp_by_flow_dflow(dy, image, flow):
    (rows, rows_slope), (columns, columns_slope) = tents(flow, 0), tents(flow, 1)
    ddown = tg.einsum("nchw,ncij,nhwi,nhwj->nhw", dy, image, rows_slope, columns)
    dright = tg.einsum("nchw,ncij,nhwi,nhwj->nhw", dy, image, rows, columns_slope)
    return tg.stack([ddown, dright], dim=1)


def warp_by_flow_inputs(rng):
    flow = rng.integers(-1, 2, (3, 2, 4, 5)) + rng.uniform(0.15, 0.85, (3, 2, 4, 5))
    return [rng.standard_normal((3, 6, 4, 5)), flow], {}


@tg.primitive
def keys_interpolate(p, t, *, a=-0.6):
    """Σ_k p_k w(t - k), w the cubic convolution kernel with slope a at 1 (Keys 1981); p counts as 0 outside.

    w(s) = (a+2)|s|³ - (a+3)|s|² + 1 up to 1, a(|s|³ - 5|s|² + 8|s| - 4) up to 2, and 0 beyond.
    p [N, K], t [Q] → [N, Q]
    """
    s = np.abs(t[:, None] - np.arange(p.shape[1]))
    inner = (a + 2) * s**3 - (a + 3) * s**2 + 1
    outer = a * (s**3 - 5 * s**2 + 8 * s - 4)
    return p @ np.where(s < 1, inner, np.where(s < 2, outer, 0)).T


@keys_interpolate.grad("p")
def keys_interpolate_dp(dy, t, p_shape, a):
    s = tg.abs(t[:, None] - np.arange(p_shape[1]))
    inner = (a + 2) * s**3 - (a + 3) * s**2 + 1
    outer = a * (s**3 - 5 * s**2 + 8 * s - 4)
    return dy @ tg.where(s < 1, inner, tg.where(s < 2, outer, 0.0))


@keys_interpolate.grad("t")
def keys_interpolate_dt(dy, p, t, a):
    off = t[:, None] - np.arange(p.shape[1])
    s = tg.abs(off)
    inner = 3 * (a + 2) * s**2 - 2 * (a + 3) * s
    outer = a * (3 * s**2 - 10 * s + 8)
    slope = tg.where(s < 1, inner, tg.where(s < 2, outer, 0.0)) * tg.sign(off)
    return tg.sum((dy.T @ p) * slope, dim=1)


def keys_interpolate_inputs(rng):
    return [rng.standard_normal((3, 6)), np.array([0.3, 1.7, 2.45, 4.6])], {}


@tg.primitive
def splat(centre, log_size, colour, *, height=4, width=5):
    """Y[c,h,w] = Σ_p colour_pc exp(-|(h, w) - centre_p|² / (2 size_p²)), size = exp(log_size) (Kerbl et
    al. 2023).

    centre [P, 2] rows and columns, log_size [P], colour [P, C] → [C, height, width]
    """
    off = np.stack(np.mgrid[:height, :width]) - centre[:, :, None, None]
    bump = np.exp(-0.5 * np.sum(off**2, axis=1) * np.exp(-2 * log_size)[:, None, None])
    return np.einsum("pc,phw->chw", colour, bump)


def bumps(centre, log_size, height, width):
    """Pixels less centres, [P, 2, H, W], 1 / size² [P, 1, 1], and the Gaussians [P, H, W]."""
    off = np.stack(np.mgrid[:height, :width]) - centre[:, :, None, None]
    sharp = tg.exp(-2 * log_size)[:, None, None]
    return off, sharp, tg.exp(-0.5 * tg.sum(off * off, dim=1) * sharp)


@splat.grad("centre")
def splat_dcentre(dy, centre, log_size, colour, height, width):
    off, sharp, bump = bumps(centre, log_size, height, width)
    g = tg.einsum("chw,pc->phw", dy, colour) * bump * sharp
    return tg.sum(g[:, None] * off, dim=(2, 3))


@splat.grad("log_size")
def splat_dlog_size(dy, centre, log_size, colour, height, width):
    off, sharp, bump = bumps(centre, log_size, height, width)
    g = tg.einsum("chw,pc->phw", dy, colour) * bump
    return tg.sum(g * sharp * tg.sum(off * off, dim=1), dim=(1, 2))


@splat.grad("colour")
def splat_dcolour(dy, centre, log_size, height, width):
    bump = bumps(centre, log_size, height, width)[2]
    return tg.einsum("chw,phw->pc", dy, bump)


def splat_inputs(rng):
    centre = np.stack([rng.uniform(0, 3, 3), rng.uniform(0, 4, 3)], axis=1)
    return [centre, rng.uniform(-0.2, 0.5, 3), rng.standard_normal((3, 6))], {"height": 4, "width": 5}
