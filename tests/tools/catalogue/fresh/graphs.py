"""Ops on graphs, point clouds and segments, as a user writes them."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def mean_neighbours(x, w, sources, targets):
    """Each node's mean over its edges of x[source] W: x [V, D], w [D, E], edges as two index arrays."""
    total = np.zeros((x.shape[0], w.shape[1]), x.dtype)
    np.add.at(total, targets, (x @ w)[sources])
    return total / np.maximum(np.bincount(targets, minlength=len(x)), 1)[:, None].astype(x.dtype)


@mean_neighbours.grad("x")
def mean_neighbours_dx(dy, w, sources, targets, x_shape):
    share = dy / degrees(targets, dy)
    dhidden = tg.put_add(share[targets], sources, dy.shape)
    return dhidden @ tg.transpose(w, 0, 1)


@mean_neighbours.grad("w")
def mean_neighbours_dw(dy, x, sources, targets):
    messages = (dy / degrees(targets, dy))[targets]
    return tg.transpose(x[sources], 0, 1) @ messages


def degrees(targets, dy):
    """How many edges end at each node, at least 1."""
    return np.maximum(np.bincount(np.asarray(targets), minlength=dy.shape[0]), 1)[:, None].astype(dy.dtype)


def mean_neighbours_inputs(rng):
    sources, targets = np.array([0, 1, 4, 2, 3, 3, 2]), np.array([1, 0, 1, 3, 1, 4, 4])
    return [rng.standard_normal((5, 3)), rng.standard_normal((3, 2)), sources, targets], {}


@tg.primitive
def edge_energy(x, weight, heads, tails):
    """weight · |x[head] - x[tail]|² for each edge: x [V, D], weight [E] → [E]."""
    return weight * np.sum((x[heads] - x[tails]) ** 2, axis=1)


@edge_energy.grad("x")
def edge_energy_dx(dy, x, weight, heads, tails):
    pull = 2 * (dy * weight)[:, None] * (x[heads] - x[tails])
    return tg.put_add(pull, heads, x.shape) - tg.put_add(pull, tails, x.shape)


@edge_energy.grad("weight")
def edge_energy_dweight(dy, x, heads, tails):
    difference = x[heads] - x[tails]
    return dy * tg.sum(difference * difference, dim=1)


def edge_energy_inputs(rng):
    heads, tails = np.array([0, 0, 2, 3, 1, 3]), np.array([1, 2, 3, 1, 2, 0])
    return [rng.standard_normal((4, 3)), rng.uniform(0.3, 2, 6), heads, tails], {}


@tg.primitive
def segment_softmax(score, segments):
    """The softmax of score [E] within each segment, segments [E] being their numbers."""
    e = np.exp(score - score.max())
    total = np.zeros(segments.max() + 1, score.dtype)
    np.add.at(total, segments, e)
    return e / total[segments]


@segment_softmax.grad("score")
def segment_softmax_dscore(dy, y, segments):
    count = int(np.max(np.asarray(segments))) + 1
    dots = tg.put_add(dy * y, segments, (count,))
    return y * (dy - dots[segments])


def segment_softmax_inputs(rng):
    return [rng.standard_normal(8), np.array([0, 1, 1, 0, 2, 0, 2, 1])], {}


@tg.primitive(keeps=("nearest", "nearest_back"))
def chamfer(a, b):
    """Mean over a of |a - nearest b|², plus the same from b: a [N, D], b [M, D] (Fan et al. 2017)."""
    squares = np.sum((a[:, None] - b) ** 2, axis=2)
    loss = squares.min(axis=1).mean() + squares.min(axis=0).mean()
    return loss, squares.argmin(axis=1), squares.argmin(axis=0)


@chamfer.grad("a")
def chamfer_da(dy, a, b, nearest, nearest_back):
    there = 2 * (a - b[nearest]) / a.shape[0]
    back = 2 * (a[nearest_back] - b) / b.shape[0]
    return dy * (there + tg.put_add(back, nearest_back, a.shape))


@chamfer.grad("b")
def chamfer_db(dy, a, b, nearest, nearest_back):
    back = 2 * (b - a[nearest_back]) / b.shape[0]
    there = 2 * (b[nearest] - a) / a.shape[0]
    return dy * (back + tg.put_add(there, nearest, b.shape))


def chamfer_inputs(rng):
    return [rng.standard_normal((6, 2)), rng.standard_normal((4, 2))], {}
