"""Quaternions, rotations, reflections and cameras, as a user writes them."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def quaternion_product(p, q):
    """The Hamilton product of quaternions (w, x, y, z): p, q [N, 4]."""
    a, b, c, d = p.T
    e, f, g, h = q.T
    return np.stack(
        [
            a * e - b * f - c * g - d * h,
            a * f + b * e + c * h - d * g,
            a * g - b * h + c * e + d * f,
            a * h + b * g - c * f + d * e,
        ],
        axis=1,
    )


@quaternion_product.grad("p")
def quaternion_dp(dy, q):
    s, t, u, v = dy[:, 0], dy[:, 1], dy[:, 2], dy[:, 3]
    e, f, g, h = q[:, 0], q[:, 1], q[:, 2], q[:, 3]
    da = s * e + t * f + u * g + v * h
    db = -s * f + t * e - u * h + v * g
    dc = -s * g + t * h + u * e - v * f
    dd = -s * h - t * g + u * f + v * e
    return tg.stack([da, db, dc, dd], dim=1)


@quaternion_product.grad("q")
def quaternion_dq(dy, p):
    s, t, u, v = dy[:, 0], dy[:, 1], dy[:, 2], dy[:, 3]
    a, b, c, d = p[:, 0], p[:, 1], p[:, 2], p[:, 3]
    de = a * s + b * t + c * u + d * v
    df = -b * s + a * t + d * u - c * v
    dg = -c * s - d * t + a * u + b * v
    dh = -d * s + c * t - b * u + a * v
    return tg.stack([de, df, dg, dh], dim=1)


def quaternion_product_inputs(rng):
    return [rng.standard_normal((3, 4)), rng.standard_normal((3, 4))], {}


@tg.primitive
def turn(x, angle):
    """Points of the plane [N, P, 2], each set turned by its own angle [N]."""
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return np.stack([c * x[..., 0] - s * x[..., 1], s * x[..., 0] + c * x[..., 1]], axis=2)


@turn.grad("x")
def turn_dx(dy, angle):
    c, s = tg.cos(angle)[:, None], tg.sin(angle)[:, None]
    first, second = dy[:, :, 0], dy[:, :, 1]
    return tg.stack([c * first + s * second, c * second - s * first], dim=2)


@turn.grad("angle")
def turn_dangle(dy, y):
    crossed = y[:, :, 0] * dy[:, :, 1] - y[:, :, 1] * dy[:, :, 0]
    return tg.sum(crossed, dim=1)


def turn_inputs(rng):
    return [rng.standard_normal((3, 4, 2)), rng.uniform(0.3, 1.2, 3)], {}


@tg.primitive
def mirror(x, n):
    """x reflected at the plane with normal n, of any length: x [N, D], n [D]."""
    return x - 2 * (x @ n)[:, None] * n / (n @ n)


@mirror.grad("x")
def mirror_dx(dy, n):
    along = tg.sum(dy * n, dim=1, keepdim=True)
    return dy - 2 * along * n / tg.sum(n * n)


@mirror.grad("n")
def mirror_dn(dy, x, n):
    square = tg.sum(n * n)
    xn = tg.sum(x * n, dim=1, keepdim=True)
    gn = tg.sum(dy * n, dim=1, keepdim=True)
    rows = xn * dy + gn * x - 2 * xn * gn / square * n
    return -2 * tg.sum(rows, dim=0) / square


def mirror_inputs(rng):
    return [rng.standard_normal((4, 3)), rng.standard_normal(3) + 0.5], {}


@tg.primitive
def pinhole(points, focal):
    """Where points [N, 3] in front of a camera appear, (f X / Z, f Y / Z): focal [1] → two of [N]."""
    depth = points[:, 2]
    return focal * points[:, 0] / depth, focal * points[:, 1] / depth


@pinhole.grad("points")
def pinhole_dpoints(dys, points, focal):
    du, dv = dys
    depth = points[:, 2]
    dx = du * focal / depth
    dheight = dv * focal / depth
    ddepth = -focal * (du * points[:, 0] + dv * points[:, 1]) / depth**2
    return tg.stack([dx, dheight, ddepth], dim=1)


@pinhole.grad("focal")
def pinhole_dfocal(dys, points):
    du, dv = dys
    slopes = du * points[:, 0] + dv * points[:, 1]
    return tg.sum(slopes / points[:, 2], dim=0, keepdim=True)


def pinhole_inputs(rng):
    points = np.concatenate([rng.standard_normal((4, 2)), rng.uniform(1, 3, (4, 1))], axis=1)
    return [points, np.array([1.7])], {}


@tg.primitive
def cross_rows(a, b):
    """The cross product row by row: a, b [N, 3]."""
    return np.stack([a[:, i - 2] * b[:, i - 1] - a[:, i - 1] * b[:, i - 2] for i in range(3)], axis=1)


@cross_rows.grad("a")
def cross_da(dy, b):
    columns = [b[:, i - 2] * dy[:, i - 1] - b[:, i - 1] * dy[:, i - 2] for i in range(3)]
    return tg.stack(columns, dim=1)


@cross_rows.grad("b")
def cross_db(dy, a):
    columns = [dy[:, i - 2] * a[:, i - 1] - dy[:, i - 1] * a[:, i - 2] for i in range(3)]
    return tg.stack(columns, dim=1)


def cross_rows_inputs(rng):
    return [rng.standard_normal((4, 3)), rng.standard_normal((4, 3))], {}
