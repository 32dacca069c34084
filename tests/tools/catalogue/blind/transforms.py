"""Transforms: Fourier, cosine, Hadamard, lifting, and what is done between one and its inverse."""

import numpy as np

import tinygrad_conv as tg


def fourier(length):
    """The real and the imaginary part of the DFT of real signals, [L//2+1, L] each."""
    angle = 2 * np.pi * np.outer(np.arange(length // 2 + 1), np.arange(length)) / length
    return np.cos(angle), -np.sin(angle)


@tg.primitive
def power_spectrum(x, window):
    """|DFT(window · x)|² / L, half of the frequencies: a periodogram.

    x [N, L], window [L] → [N, L//2+1]
    """
    return np.abs(np.fft.rfft(x * window, axis=1)) ** 2 / x.shape[1]


@power_spectrum.grad("x")
def power_spectrum_dx(dy, x, window):
    cos, sin = fourier(x.shape[1])
    framed = x * window
    re, im = framed @ cos.T, framed @ sin.T
    back = (dy * re) @ cos + (dy * im) @ sin
    return 2 * window * back / x.shape[1]


@power_spectrum.grad("window")
def power_spectrum_dwindow(dy, x, window):
    cos, sin = fourier(x.shape[1])
    framed = x * window
    re, im = framed @ cos.T, framed @ sin.T
    back = (dy * re) @ cos + (dy * im) @ sin
    return 2 * tg.sum(x * back, dim=0) / x.shape[1]


def power_spectrum_inputs(rng):
    return [rng.standard_normal((3, 7)), rng.uniform(0.3, 1.2, 7)], {}


@tg.primitive
def circular_bind(a, b):
    """y_k = Σ_j a_j b_{k-j}, indices modulo D: a holographic binding of roles to fillers (Plate 1995).

    a [N, D], b [M, D] → [N, M, D], every role with every filler
    """
    product = np.fft.rfft(a, axis=1)[:, None] * np.fft.rfft(b, axis=1)[None]
    return np.fft.irfft(product, n=a.shape[1], axis=2)


@circular_bind.grad("a")
def circular_bind_da(dy, b):
    size = b.shape[1]
    turned = [tg.roll(b, j, 1) for j in range(size)]
    return tg.stack([tg.einsum("nmk,mk->n", dy, turned[j]) for j in range(size)], dim=1)


@circular_bind.grad("b")
def circular_bind_db(dy, a):
    size = a.shape[1]
    db = 0.0
    for j in range(size):
        db = db + tg.einsum("n,nmk->mk", a[:, j], tg.roll(dy, -j, 2))
    return db


def circular_bind_inputs(rng):
    return [rng.standard_normal((2, 5)), rng.standard_normal((3, 5))], {}


@tg.primitive
def lifting(x, predict, update):
    """One step of a lifted wavelet transform on a ring: d = odd - predict(even), s = even + update(d)
    (Sweldens 1998).

    d_i = odd_i - p_0 even_i - p_1 even_{i+1}, s_i = even_i + u_0 d_{i-1} + u_1 d_i, and y is s, then d.
    x [N, 2L], predict [2], update [2] → [N, 2L]
    """
    even, odd = x[:, ::2], x[:, 1::2]
    d = odd - predict[0] * even - predict[1] * np.roll(even, -1, 1)
    s = even + update[0] * np.roll(d, 1, 1) + update[1] * d
    return np.concatenate([s, d], axis=1)


@lifting.grad("x")
def lifting_dx(dy, predict, update):
    half = dy.shape[1] // 2
    ds, dd = dy[:, :half], dy[:, half:]
    dd = dd + update[0] * tg.roll(ds, -1, 1) + update[1] * ds
    deven = ds - predict[0] * dd - predict[1] * tg.roll(dd, 1, 1)
    return tg.reshape(tg.stack([deven, dd], dim=2), dy.shape)


@lifting.grad("predict")
def lifting_dpredict(dy, x, update):
    half, even = dy.shape[1] // 2, x[:, ::2]
    ds, dd = dy[:, :half], dy[:, half:]
    dd = dd + update[0] * tg.roll(ds, -1, 1) + update[1] * ds
    return -tg.stack([tg.sum(dd * even), tg.sum(dd * tg.roll(even, -1, 1))])


@lifting.grad("update")
def lifting_dupdate(dy, y):
    half = dy.shape[1] // 2
    ds, d = dy[:, :half], y[:, half:]
    return tg.stack([tg.sum(ds * tg.roll(d, 1, 1)), tg.sum(ds * d)])


def lifting_inputs(rng):
    return [rng.standard_normal((3, 8)), np.array([0.6, 0.35]), np.array([0.3, 0.2])], {}


def cosines(length):
    """The orthonormal DCT-II, a frequency a row."""
    k, t = np.arange(length)[:, None], np.arange(length) + 0.5
    scale = np.where(k == 0, np.sqrt(1 / length), np.sqrt(2 / length))
    return scale * np.cos(np.pi * k * t / length)


@tg.primitive
def cosine_shrink(x, threshold):
    """Soft thresholding of the cosine transform, each frequency with a threshold of its own (Donoho 1995).

    x [N, L], threshold [L] ≥ 0 → [N, L]
    """
    basis = cosines(x.shape[1])
    coefficients = x @ basis.T
    return (np.sign(coefficients) * np.maximum(np.abs(coefficients) - threshold, 0)) @ basis


@cosine_shrink.grad("x")
def cosine_shrink_dx(dy, x, threshold):
    basis = cosines(x.shape[1])
    coefficients = x @ basis.T
    kept = tg.where(tg.abs(coefficients) > threshold, dy @ basis.T, 0.0)
    return kept @ basis


@cosine_shrink.grad("threshold")
def cosine_shrink_dthreshold(dy, x, threshold):
    basis = cosines(x.shape[1])
    coefficients = x @ basis.T
    kept = tg.where(tg.abs(coefficients) > threshold, dy @ basis.T, 0.0)
    return -tg.sum(kept * tg.sign(coefficients), dim=0)


def cosine_shrink_inputs(rng):
    return [rng.standard_normal((3, 6)), rng.uniform(0.2, 0.8, 6)], {}


@tg.primitive
def phase_delay(x, tau, gain):
    """Each signal later by tau samples, a fraction too, by turning its phases, and times gain at each
    frequency.

    x [N, L] with L odd, tau [N], gain [L//2+1] → [N, L]
    """
    k = np.arange(x.shape[1] // 2 + 1)
    turn = np.exp(-2j * np.pi * k * tau[:, None] / x.shape[1])
    return np.fft.irfft(np.fft.rfft(x, axis=1) * turn * gain, n=x.shape[1], axis=1)


def delayed(x, tau, length):
    """The part of x at each frequency, later by tau: [N, K, L], and its derivative by the angle that it is
    turned by."""
    t, k = np.arange(length), np.arange(length // 2 + 1)[:, None]
    twice = np.where(k == 0, 1.0, 2.0) / length
    cos, sin = fourier(length)
    re, im = (x @ cos.T)[:, :, None], (x @ sin.T)[:, :, None]
    angle = 2 * np.pi * k * (t - tau[:, None, None]) / length
    return twice * (re * tg.cos(angle) - im * tg.sin(angle)), twice * (
        -re * tg.sin(angle) - im * tg.cos(angle)
    )


@phase_delay.grad("x")
def phase_delay_dx(dy, tau, gain):
    earlier = delayed(dy, -tau, dy.shape[1])[0]
    return tg.sum(gain[:, None] * earlier, dim=1)


@phase_delay.grad("tau")
def phase_delay_dtau(dy, x, tau, gain):
    slope = delayed(x, tau, x.shape[1])[1]
    omega = 2 * np.pi * np.arange(gain.shape[0]) / x.shape[1]
    return -tg.sum(dy[:, None] * slope * (gain * omega)[:, None], dim=(1, 2))


@phase_delay.grad("gain")
def phase_delay_dgain(dy, x, tau):
    later = delayed(x, tau, x.shape[1])[0]
    return tg.sum(dy[:, None] * later, dim=(0, 2))


def phase_delay_inputs(rng):
    return [rng.standard_normal((3, 7)), rng.uniform(-1.5, 1.5, 3), rng.uniform(0.4, 1.4, 4)], {}
