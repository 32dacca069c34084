"""Losses, as a user writes them."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def focal_loss(logits, target, *, gamma=2.0):
    """-(1 - p)^gamma log p with p the probability of the true side, target ±1 (Lin et al. 2017)."""
    p = 1 / (1 + np.exp(-target * logits))
    return -((1 - p) ** gamma) * np.log(p)


@focal_loss.grad("logits")
def focal_dlogits(dy, logits, target, gamma):
    p = tg.sigmoid(target * logits)
    slope = gamma * p * tg.log(p) - (1 - p)
    return dy * target * (1 - p) ** gamma * slope


def focal_loss_inputs(rng):
    return [rng.standard_normal(6), np.int8([1, -1, -1, 1, 1, -1])], {"gamma": 2.5}


@tg.primitive
def log_cosh(pred, target, *, scale=1.0):
    """Mean of scale² log cosh((pred - target) / scale)."""
    return np.mean(scale**2 * np.log(np.cosh((pred - target) / scale)))


@log_cosh.grad("pred")
def log_cosh_dpred(dy, pred, target, scale):
    n = pred.shape[0] * pred.shape[1]
    return dy * scale * tg.tanh((pred - target) / scale) / n


@log_cosh.grad("target")
def log_cosh_dtarget(dy, pred, target, scale):
    n = pred.shape[0] * pred.shape[1]
    return -dy * scale * tg.tanh((pred - target) / scale) / n


def log_cosh_inputs(rng):
    return [rng.standard_normal((3, 4)), rng.standard_normal((3, 4))], {"scale": 0.7}


@tg.primitive
def triplet_loss(anchor, positive, negative, *, margin=1.0):
    """max(|a - p|² - |a - n|² + margin, 0), one number for each row."""
    near = np.sum((anchor - positive) ** 2, axis=1)
    far = np.sum((anchor - negative) ** 2, axis=1)
    return np.maximum(near - far + margin, 0)


@triplet_loss.grad("anchor")
def triplet_danchor(dy, positive, negative, y):
    active = (y > 0) * dy
    return 2 * active[:, None] * (negative - positive)


@triplet_loss.grad("positive")
def triplet_dpositive(dy, anchor, positive, y):
    active = (y > 0) * dy
    return 2 * active[:, None] * (positive - anchor)


@triplet_loss.grad("negative")
def triplet_dnegative(dy, anchor, negative, y):
    active = (y > 0) * dy
    return 2 * active[:, None] * (anchor - negative)


def triplet_loss_inputs(rng):
    anchor = rng.standard_normal((4, 3))
    positive = anchor + 0.3 * rng.standard_normal((4, 3))
    negative = anchor + np.array([[0.2], [4.0], [0.55], [0.5]])
    return [anchor, positive, negative], {"margin": 1.0}


@tg.primitive
def gaussian_nll(mean, target, log_var):
    """½ (log_var + (target - mean)² / e^log_var), summed over the last axis."""
    return 0.5 * np.sum(log_var + (target - mean) ** 2 * np.exp(-log_var), axis=-1)


@gaussian_nll.grad("mean")
def gnll_dmean(dy, mean, target, log_var):
    return dy[:, None] * (mean - target) * tg.exp(-log_var)


@gaussian_nll.grad("target")
def gnll_dtarget(dy, mean, target, log_var):
    return dy[:, None] * (target - mean) * tg.exp(-log_var)


@gaussian_nll.grad("log_var")
def gnll_dlog_var(dy, mean, target, log_var):
    return 0.5 * dy[:, None] * (1 - (target - mean) ** 2 * tg.exp(-log_var))


def gaussian_nll_inputs(rng):
    return [rng.standard_normal((3, 4)) for _ in range(3)], {}


@tg.primitive
def dice_loss(p, t, *, smooth=1.0):
    """1 - (2 Σ p t + smooth) / (Σ p + Σ t + smooth) for each sample [N, L]."""
    inter = np.sum(p * t, axis=1)
    return 1 - (2 * inter + smooth) / (np.sum(p + t, axis=1) + smooth)


@dice_loss.grad("p")
def dice_dp(dy, p, t, smooth):
    top = 2 * tg.sum(p * t, dim=1, keepdim=True) + smooth
    bottom = tg.sum(p + t, dim=1, keepdim=True) + smooth
    return -dy[:, None] * (2 * t * bottom - top) / bottom**2


def dice_loss_inputs(rng):
    return [rng.uniform(0.1, 0.9, (3, 5)), (rng.random((3, 5)) > 0.5).astype(np.int8)], {"smooth": 0.8}


@tg.primitive
def contrastive(a, b, *, temperature=0.5):
    """Cross-entropy of a bᵀ / temperature, each row of a with its own row of b [N, D] (InfoNCE) → [N]."""
    s = a @ b.T / temperature
    return np.log(np.sum(np.exp(s), axis=1)) - np.diag(s)


@contrastive.grad("a")
def contrastive_da(dy, a, b, temperature):
    p = tg.softmax(tg.matmul(a, tg.transpose(b, 0, 1)) / temperature, dim=1)
    ds = dy[:, None] * (p - np.eye(a.shape[0], dtype=np.int8))
    return tg.matmul(ds, b) / temperature


@contrastive.grad("b")
def contrastive_db(dy, a, b, temperature):
    p = tg.softmax(tg.matmul(a, tg.transpose(b, 0, 1)) / temperature, dim=1)
    ds = dy[:, None] * (p - np.eye(a.shape[0], dtype=np.int8))
    return tg.matmul(tg.transpose(ds, 0, 1), a) / temperature


def contrastive_inputs(rng):
    return [rng.standard_normal((4, 3)), rng.standard_normal((4, 3))], {"temperature": 0.8}
