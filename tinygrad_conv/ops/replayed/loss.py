"""Losses, whose rules use again what the loss itself has computed: differences, exponentials."""

from __future__ import annotations

import numpy as np

from ... import kernels
from ..arguments.losses import is_labels
from ..classification import cross_entropy, cross_entropy_dx, label_vectors
from ..loss import mse_loss

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


@mse_loss.replayed()
def mse_loss_replayed(_, shared, x, target, *, reduction):
    """The mean, or the sum, of (x - target)²."""
    if x.dtype not in FLOATS or x.dtype is not target.dtype or reduction == "none" or not x.size:
        return None
    with np.errstate(all="ignore"):  # which memory order it has is all that counts here
        difference = shared.setdefault((id(x), id(target)), np.subtract(x, target))
    size, mean = x.dtype.type(x.size), reduction == "mean"
    subtract, sum_of_squares = np.subtract, kernels.settled_sum_of_squares(difference)

    def run(x, target):
        subtract(x, target, difference)
        total = sum_of_squares(difference)
        return np.asarray(total / size if mean else total)

    return run


@mse_loss.replayed("x")
def mse_loss_dx_replayed(out, shared, dy, x, target, *, reduction):
    """2 (x - target), times its share of dy."""
    difference = shared.get((id(x), id(target)))
    if difference is None:
        return None
    size, multiply, mean = x.dtype.type(x.size), np.multiply, reduction == "mean"

    def doubled_share(dy):
        share = dy / size if mean else dy
        return share + share

    of_one = np.asarray(doubled_share(np.ones(dy.shape, dy.dtype)))  # most sweeps begin at the loss

    def run(dy, x, target):
        return multiply(of_one if dy.item() == 1 else doubled_share(dy), difference, out=out)

    return run


@cross_entropy.replayed()
def cross_entropy_replayed(_, shared, x, target, **params):
    """-Σ_c q[c] ln softmax(x)[c] of labels, the mean over samples [N, C] that all count."""
    if not is_plain(x, target, **params):
        return None
    kept = shared[key_of(x, target, params)] = []
    classes, samples, lowest = x.shape[1], x.dtype.type(x.shape[0]), x.dtype.type(-np.inf)
    options = {"classes": classes, "dtype": x.dtype, "label_smoothing": params["label_smoothing"]}
    sum_over, vectors = kernels.sum_over, label_vectors.forward

    def run(x, target):
        if not 0 <= target.min() <= target.max() < classes:
            kept[:] = ()
            return cross_entropy.forward(x, target, **params)
        wanted = vectors(target, **options)
        with np.errstate(over="ignore", invalid="ignore"):
            scores = x - np.max(x, axis=1, keepdims=True, initial=lowest)
            exponentials = np.exp(scores)
            total = sum_over(exponentials, 1, keepdims=True)
            scores -= np.log(total)
            products = np.where(wanted != 0, wanted * scores, x.dtype.type(0))
            loss = sum_over(-np.asarray(sum_over(products, 1), x.dtype)) / samples
        kept[:] = exponentials, total, wanted
        return np.asarray(loss, x.dtype)

    return run


@cross_entropy.replayed("x")
def cross_entropy_dx_replayed(_, shared, dy, x, target, **params):
    """The probabilities less 1 at the label's place, times its share of dy."""
    kept = shared.get(key_of(x, target, params))
    if kept is None or not is_plain(x, target, **params):
        return None
    samples, sum_over = x.dtype.type(x.shape[0]), kernels.sum_over

    def run(dy, x, target):
        if not kept:
            return cross_entropy_dx(dy, x, target, **params)
        exponentials, total, wanted = kept
        return dy / samples * (exponentials / total * sum_over(wanted, 1, keepdims=True) - wanted)

    return run


def key_of(x, target, params):
    """By which the loss of logits and labels leaves its exponentials for its rule."""
    return "exponentials", id(x), id(target), params["label_smoothing"]


def is_plain(x, target, *, weight, reduction, ignore_index, label_smoothing):
    """Whether it is the mean over labels [N] of logits [N, C] without weights."""
    if x.ndim != 2 or x.dtype not in FLOATS or not x.size or not is_labels(target):
        return False
    return weight is None and reduction == "mean" and ignore_index < 0
