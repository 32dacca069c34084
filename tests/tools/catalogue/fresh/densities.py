"""Log-densities and divergences, as a user writes them."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def student_log(x, loc, log_scale, *, nu=3.0):
    """The log-density of Student's t but for a constant: x [N, D], loc [D], log_scale [D] → [N, D]."""
    z = (x - loc) / np.exp(log_scale)
    return -(nu + 1) / 2 * np.log1p(z * z / nu) - log_scale


@student_log.grad("x")
def student_dx(dy, x, loc, log_scale, nu):
    scale = tg.exp(log_scale)
    z = (x - loc) / scale
    return -dy * (nu + 1) * z / (nu + z * z) / scale


@student_log.grad("loc")
def student_dloc(dy, x, loc, log_scale, nu):
    r = x - loc
    square = nu * tg.exp(2 * log_scale)
    return tg.sum(dy * (nu + 1) * r / (square + r * r), dim=0)


@student_log.grad("log_scale")
def student_dlog_scale(dy, x, loc, log_scale, nu):
    z2 = ((x - loc) / tg.exp(log_scale)) ** 2
    slope = (nu + 1) * z2 / (nu + z2) - 1
    return tg.sum(dy * slope, dim=0)


def student_log_inputs(rng):
    return [rng.standard_normal((4, 3)), rng.standard_normal(3), rng.uniform(-0.5, 0.5, 3)], {"nu": 3.0}


@tg.primitive
def gaussian_kl(mean, log_var, prior_mean, prior_log_var):
    """KL of two diagonal Gaussians, summed over the last axis: mean, log_var [N, D], prior's [D] → [N]."""
    ratio = np.exp(log_var - prior_log_var)
    z2 = (mean - prior_mean) ** 2 / np.exp(prior_log_var)
    return 0.5 * np.sum(prior_log_var - log_var + ratio + z2 - 1, axis=1)


@gaussian_kl.grad("mean")
def kl_dmean(dy, mean, prior_mean, prior_log_var):
    return dy[:, None] * (mean - prior_mean) * tg.exp(-prior_log_var)


@gaussian_kl.grad("log_var")
def kl_dlog_var(dy, log_var, prior_log_var):
    ratio = tg.exp(log_var - prior_log_var)
    return 0.5 * dy[:, None] * (ratio - 1)


@gaussian_kl.grad("prior_mean")
def kl_dprior_mean(dy, mean, prior_mean, prior_log_var):
    rows = dy[:, None] * (prior_mean - mean) / tg.exp(prior_log_var)
    return tg.sum(rows, dim=0)


@gaussian_kl.grad("prior_log_var")
def kl_dprior_log_var(dy, mean, log_var, prior_mean, prior_log_var):
    square = (mean - prior_mean) ** 2
    total = (tg.exp(log_var) + square) / tg.exp(prior_log_var)
    return 0.5 * tg.sum(dy[:, None] * (1 - total), dim=0)


def gaussian_kl_inputs(rng):
    shapes = [(4, 3), (4, 3), (3,), (3,)]
    return [rng.uniform(-1, 1, shape) for shape in shapes], {}


@tg.primitive
def mixture_log(x, means, logits):
    """log Σ_k softmax(logits)_k N(x; mean_k, 1) but for a constant: x [N], means, logits [K] → [N]."""
    joint = logits - 0.5 * (x[:, None] - means) ** 2
    return np.logaddexp.reduce(joint, axis=1) - np.logaddexp.reduce(logits)


@mixture_log.grad("x")
def mixture_dx(dy, x, means, logits):
    difference = means - x[:, None]
    posterior = tg.softmax(logits - 0.5 * difference**2, dim=1)
    return dy * tg.sum(posterior * difference, dim=1)


@mixture_log.grad("means")
def mixture_dmeans(dy, x, means, logits):
    difference = x[:, None] - means
    posterior = tg.softmax(logits - 0.5 * difference**2, dim=1)
    return tg.sum(dy[:, None] * posterior * difference, dim=0)


@mixture_log.grad("logits")
def mixture_dlogits(dy, x, means, logits):
    posterior = tg.softmax(logits - 0.5 * (x[:, None] - means) ** 2, dim=1)
    prior = tg.softmax(logits, dim=0)
    return tg.sum(dy[:, None] * (posterior - prior), dim=0)


def mixture_log_inputs(rng):
    return [rng.uniform(-2, 2, 5), np.array([-1.5, 0.2, 1.4]), rng.standard_normal(3)], {}


@tg.primitive
def laplace_log(x, loc, scale):
    """-|x - loc| / scale - log 2 scale: x, loc [N, D], scale [N, 1] → [N, D]."""
    return -np.abs(x - loc) / scale - np.log(2 * scale)


@laplace_log.grad("x")
def laplace_dx(dy, x, loc, scale):
    return -dy * tg.sign(x - loc) / scale


@laplace_log.grad("loc")
def laplace_dloc(dy, x, loc, scale):
    side = tg.where(x > loc, 1.0, -1.0)
    return dy * side / scale


@laplace_log.grad("scale")
def laplace_dscale(dy, x, loc, scale):
    slopes = tg.abs(x - loc) / scale**2 - 1 / scale
    return tg.sum(dy * slopes, dim=1, keepdim=True)


def laplace_log_inputs(rng):
    loc = rng.standard_normal((2, 4))
    x = loc + rng.uniform(0.2, 1.5, (2, 4)) * np.array([[1, -1, -1, 1], [-1, 1, 1, -1]])
    return [x, loc, rng.uniform(0.6, 2, (2, 1))], {}
