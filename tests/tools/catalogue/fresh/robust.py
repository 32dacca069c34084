"""Losses of metric learning, segmentation and robust statistics, as a user writes them."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def pair_margin(a, b, same, *, margin=2.0):
    """Mean of d² for pairs that belong together, of max(margin - d, 0)² for others: a, b [N, D], same [N]."""
    distance = np.sqrt(np.sum((a - b) ** 2, axis=1))
    return np.mean(np.where(same, distance**2, np.maximum(margin - distance, 0) ** 2))


@pair_margin.grad("a")
def pair_da(dy, a, b, same, margin):
    difference = a - b
    distance = tg.sqrt(tg.sum(difference**2, dim=1, keepdim=True))
    gap = tg.clamp(margin - distance, min=0)
    apart = -2 * gap * difference / distance
    together = 2 * difference
    return dy / a.shape[0] * tg.where(same[:, None], together, apart)


@pair_margin.grad("b")
def pair_db(dy, a, b, same, margin):
    difference = b - a
    distance = tg.sqrt(tg.sum(difference**2, dim=1, keepdim=True))
    slope = tg.where(same[:, None], 2, tg.where(distance < margin, 2 - 2 * margin / distance, 0))
    return dy / a.shape[0] * slope * difference


def pair_margin_inputs(rng):
    a = rng.standard_normal((6, 3))
    b = a + rng.uniform(0.2, 0.9, (6, 3)) * np.array([[1, 1, 1, 1, 3, 1]]).T
    return [a, b, np.array([True, False, False, True, False, False])], {"margin": 2.0}


@tg.primitive
def welsch(pred, target, *, c=1.0):
    """Mean of c²/2 · (1 - exp(-(r / c)²)) with r = pred - target: [N, D] (Dennis & Welsch 1978)."""
    r = pred - target
    return np.mean(c**2 / 2 * (1 - np.exp(-((r / c) ** 2))))


@welsch.grad("pred")
def welsch_dpred(dy, pred, target, c):
    r = pred - target
    weight = tg.exp(-(r**2) / c**2)
    return dy * r * weight / (pred.shape[0] * pred.shape[1])


@welsch.grad("target")
def welsch_dtarget(dy, pred, target, c):
    r = (target - pred) / c
    count = target.shape[0] * target.shape[1]
    return dy * c * r * tg.exp(-r * r) / count


def welsch_inputs(rng):
    return [rng.standard_normal((3, 5)), rng.standard_normal((3, 5))], {"c": 1.5}


@tg.primitive
def tversky(p, t, *, alpha=0.3, beta=0.7):
    """1 - TP / (TP + alpha FP + beta FN), the mean over samples: p, t [N, L] (Salehi et al. 2017)."""
    hit = np.sum(p * t, axis=1)
    false_alarm = np.sum(p * (1 - t), axis=1)
    miss = np.sum((1 - p) * t, axis=1)
    return np.mean(1 - hit / (hit + alpha * false_alarm + beta * miss))


@tversky.grad("p")
def tversky_dp(dy, p, t, alpha, beta):
    hit = tg.sum(p * t, dim=1, keepdim=True)
    false_alarm = tg.sum(p * (1 - t), dim=1, keepdim=True)
    miss = tg.sum((1 - p) * t, dim=1, keepdim=True)
    size = hit + alpha * false_alarm + beta * miss
    dsize = t + alpha * (1 - t) - beta * t
    return -dy / p.shape[0] * (t / size - hit * dsize / size**2)


@tversky.grad("t")
def tversky_dt(dy, p, t, alpha, beta):
    hit = tg.sum(p * t, dim=1, keepdim=True)
    size = (1 - alpha - beta) * hit + alpha * tg.sum(p, dim=1, keepdim=True)
    size = size + beta * tg.sum(t, dim=1, keepdim=True)
    dsize = p * (1 - alpha - beta) + beta
    return dy / t.shape[0] * (hit * dsize - p * size) / size**2


def tversky_inputs(rng):
    return [rng.uniform(0.1, 0.9, (3, 4)), rng.uniform(0.1, 0.9, (3, 4))], {"alpha": 0.3, "beta": 0.6}


@tg.primitive
def pinball(pred, target, *, levels):
    """The loss of quantiles: pred [N, Q] for the levels [Q], target [N]; summed over Q, mean over N."""
    r, levels = target[:, None] - pred, np.asarray(levels, pred.dtype)
    return np.mean(np.sum(np.maximum(levels * r, (levels - 1) * r), axis=1))


@pinball.grad("pred")
def pinball_dpred(dy, pred, target, levels):
    below, levels = target[:, None] < pred, np.asarray(levels, dy.dtype)
    return dy * tg.where(below, 1 - levels, -levels) / pred.shape[0]


@pinball.grad("target")
def pinball_dtarget(dy, pred, target, levels):
    above, levels = target[:, None] > pred, np.asarray(levels, dy.dtype)
    slopes = tg.where(above, levels, levels - 1)
    return dy * tg.sum(slopes, dim=1) / pred.shape[0]


def pinball_inputs(rng):
    levels = np.array([0.1, 0.4, 0.8])
    return [rng.standard_normal((5, 3)), rng.standard_normal(5)], {"levels": levels}


@tg.primitive
def center_loss(x, centers, labels, *, weight=0.5):
    """weight · Σ |x - its class's center|²: x [N, D], centers [C, D], labels [N] (Wen et al. 2016)."""
    return np.sum(weight * (x - centers[labels]) ** 2)


@center_loss.grad("x")
def center_dx(dy, x, centers, labels, weight):
    return 2 * weight * dy * (x - centers[labels])


@center_loss.grad("centers")
def center_dcenters(dy, x, centers, labels, weight):
    difference = centers[labels] - x
    return tg.put_add(2 * weight * dy * difference, labels, centers.shape)


def center_loss_inputs(rng):
    labels = np.array([0, 2, 2, 1, 0, 2])
    return [rng.standard_normal((6, 3)), rng.standard_normal((4, 3)), labels], {"weight": 0.7}


@tg.primitive
def tukey(r, *, c=2.0):
    """Tukey's biweight: c²/6 · (1 - (1 - (r / c)²)³) where |r| < c, c²/6 elsewhere."""
    inside = np.maximum(1 - (r / c) ** 2, 0)
    return c**2 / 6 * (1 - inside**3)


@tukey.grad("r")
def tukey_dr(dy, r, c):
    inside = 1 - (r / c) ** 2
    return tg.where(tg.abs(r) < c, dy * r * inside**2, 0)


def tukey_inputs(rng):
    return [np.array([-3.1, -1.7, -0.9, -0.2, 0.4, 1.2, 1.9, 2.8])], {"c": 2.5}
