"""Losses of segmentation, landmarks and self-supervision."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def binary_focal(x, *, target, alpha=0.3, gamma=2.5):
    """-a (1 - p)^gamma ln p summed over the classes, p the probability of what is so, a its weight (Lin et
    al. 2017).

    x [N, C], target [N, C] of 0 and 1 → [N]; a is alpha where the target is 1, and 1 - alpha where it is 0
    """
    p = 1 / (1 + np.exp(np.where(target > 0, -x, x)))
    return np.sum(-np.where(target > 0, alpha, 1 - alpha) * (1 - p) ** gamma * np.log(p), axis=1)


@binary_focal.grad("x")
def binary_focal_dx(dy, x, target, alpha, gamma):
    sign = np.where(target > 0, 1.0, -1.0)
    weight = np.where(target > 0, alpha, 1 - alpha)
    p = tg.sigmoid(sign * x)
    easy = (1 - p) ** gamma
    slope = gamma * p * easy * tg.log(p) - easy * (1 - p)
    return dy[:, None] * weight * sign * slope


def binary_focal_inputs(rng):
    return [rng.standard_normal((4, 3)) * 1.5], {
        "target": np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1]])
    }


@tg.primitive
def tversky_loss(p, t, *, alpha=0.3, beta=0.8, smooth=0.5):
    """1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth), the mean of the classes (Salehi et al. 2017).

    p [N, C, L] probabilities, t [N, C, L] soft targets → [N]
    """
    tp, fp, fn = np.sum(p * t, 2), np.sum(p * (1 - t), 2), np.sum((1 - p) * t, 2)
    return np.mean(1 - (tp + smooth) / (tp + alpha * fp + beta * fn + smooth), axis=1)


def tversky_parts(p, t, alpha, beta, smooth):
    """Above and below the line, [N, C, 1] each."""
    tp = tg.sum(p * t, dim=2, keepdim=True)
    fp = tg.sum(p * (1 - t), dim=2, keepdim=True)
    fn = tg.sum((1 - p) * t, dim=2, keepdim=True)
    return tp + smooth, tp + alpha * fp + beta * fn + smooth


@tversky_loss.grad("p")
def tversky_loss_dp(dy, p, t, alpha, beta, smooth):
    above, below = tversky_parts(p, t, alpha, beta, smooth)
    dbelow = t + alpha * (1 - t) - beta * t
    slope = above * dbelow / below**2 - t / below
    return dy[:, None, None] * slope / p.shape[1]


@tversky_loss.grad("t")
def tversky_loss_dt(dy, p, t, alpha, beta, smooth):
    above, below = tversky_parts(p, t, alpha, beta, smooth)
    dbelow = p - alpha * p + beta * (1 - p)
    slope = above * dbelow / below**2 - p / below
    return dy[:, None, None] * slope / p.shape[1]


def tversky_loss_inputs(rng):
    return [rng.uniform(0.1, 0.9, (2, 3, 5)), rng.uniform(0.05, 0.95, (2, 3, 5))], {}


@tg.primitive
def wing_loss(pred, truth, *, width=1.5, eps=0.4):
    """width ln(1 + |d| / eps) where |d| < width, |d| - const beyond, the mean of the coordinates (Feng et
    al. 2018).

    pred [N, K, D], truth [N, K, D] → [N, K]; const joins the two pieces
    """
    d = np.abs(pred - truth)
    const = width - width * np.log(1 + width / eps)
    return np.mean(np.where(d < width, width * np.log(1 + d / eps), d - const), axis=2)


@wing_loss.grad("pred")
def wing_loss_dpred(dy, pred, truth, width, eps):
    d = pred - truth
    size = tg.abs(d)
    slope = tg.where(size < width, width / (eps + size), 1.0)
    return dy[:, :, None] * slope * tg.sign(d) / pred.shape[2]


@wing_loss.grad("truth")
def wing_loss_dtruth(dy, pred, truth, width, eps):
    d = truth - pred
    size = tg.abs(d)
    slope = tg.where(size < width, width / (eps + size), 1.0)
    return dy[:, :, None] * slope * tg.sign(d) / pred.shape[2]


def wing_loss_inputs(rng):
    pred = rng.standard_normal((3, 4, 2))
    gap = rng.choice([0.3, 0.7, 1.1, 2.0, 2.9], pred.shape) * rng.choice([-1, 1], pred.shape)
    return [pred, pred + gap + rng.uniform(-0.1, 0.1, pred.shape)], {}


def standardized(a, eps):
    """The columns of [N, D] with mean 0 and deviation 1, and 1 / their deviation [1, D]."""
    centred = a - tg.mean(a, dim=0, keepdim=True)
    inv = (tg.mean(centred * centred, dim=0, keepdim=True) + eps) ** -0.5
    return centred * inv, inv


@tg.primitive
def barlow_twins(a, b, *, off_weight=0.2, eps=0.05):
    """Σ (1 - C_ii)² + off_weight Σ C_ij², C = Âᵀ B̂ / N of standardized columns (Zbontar et al. 2021).

    a [N, D], b [N, D] → []
    """
    a = (a - a.mean(axis=0)) / np.sqrt(a.var(axis=0) + eps)
    b = (b - b.mean(axis=0)) / np.sqrt(b.var(axis=0) + eps)
    c = a.T @ b / len(a)
    return np.sum((1 - np.diag(c)) ** 2) + off_weight * (np.sum(c**2) - np.sum(np.diag(c) ** 2))


@barlow_twins.grad("a")
def barlow_twins_da(dy, a, b, off_weight, eps):
    (za, inv), (zb, _) = standardized(a, eps), standardized(b, eps)
    n, d = a.shape
    c = za.T @ zb / n
    dc = 2 * (c - np.eye(d)) * (off_weight + (1 - off_weight) * np.eye(d))
    g = dy * zb @ dc.T / n
    return inv * (g - tg.mean(g, dim=0, keepdim=True) - za * tg.mean(g * za, dim=0, keepdim=True))


@barlow_twins.grad("b")
def barlow_twins_db(dy, a, b, off_weight, eps):
    (za, _), (zb, inv) = standardized(a, eps), standardized(b, eps)
    n, d = a.shape
    c = za.T @ zb / n
    dc = 2 * (c - np.eye(d)) * (off_weight + (1 - off_weight) * np.eye(d))
    g = dy * za @ dc / n
    return inv * (g - tg.mean(g, dim=0, keepdim=True) - zb * tg.mean(g * zb, dim=0, keepdim=True))


def barlow_twins_inputs(rng):
    return [rng.standard_normal((5, 3)) + 0.4, rng.standard_normal((5, 3)) - 0.2], {}


@tg.primitive
def info_nce(q, k, log_scale, *, positive):
    """ln Σ_m exp(s q·k_m) - s q·k_positive, with s = exp(log_scale), as in CLIP (van den Oord et al. 2018).

    q [N, D], k [M, D], log_scale [1], positive [N] row of k → [N]
    """
    logits = np.exp(log_scale) * (q @ k.T)
    top = logits.max(axis=1)
    total = np.log(np.sum(np.exp(logits - top[:, None]), axis=1)) + top
    return total - logits[np.arange(len(q)), positive]


@info_nce.grad("q")
def info_nce_dq(dy, q, k, log_scale, positive):
    scale = tg.exp(log_scale)
    p = tg.softmax(scale * (q @ k.T), dim=1)
    g = dy[:, None] * (p - np.eye(k.shape[0])[positive])
    return scale * (g @ k)


@info_nce.grad("k")
def info_nce_dk(dy, q, k, log_scale, positive):
    scale = tg.exp(log_scale)
    p = tg.softmax(scale * (q @ k.T), dim=1)
    g = dy[:, None] * (p - np.eye(k.shape[0])[positive])
    return scale * (g.T @ q)


@info_nce.grad("log_scale")
def info_nce_dlog_scale(dy, q, k, log_scale, positive):
    logits = tg.exp(log_scale) * (q @ k.T)
    g = tg.softmax(logits, dim=1) - np.eye(k.shape[0])[positive]
    return tg.reshape(tg.sum(dy[:, None] * g * logits), (1,))


def info_nce_inputs(rng):
    q, k = rng.standard_normal((3, 4)), rng.standard_normal((5, 4))
    return [q, k, np.array([0.4])], {"positive": np.array([2, 0, 4])}
