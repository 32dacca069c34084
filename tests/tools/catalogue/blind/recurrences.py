"""Recurrences and dynamic programs: filters, state spaces, returns, chains, alignments."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def smooth_ema(x, decay, first):
    """h_t = a h_{t-1} + (1 - a) x_t with h_{-1} = first, a a channel's decay.

    x [N, T, C], decay [C] in (0, 1), first [N, C] → [N, T, C]
    """
    h, all_h = first, []
    for t in range(x.shape[1]):
        h = decay * h + (1 - decay) * x[:, t]
        all_h.append(h)
    return np.stack(all_h, axis=1)


@smooth_ema.grad("x")
def smooth_ema_dx(dy, decay):
    g, all_g = 0.0, []
    for t in reversed(range(dy.shape[1])):
        g = dy[:, t] + decay * g
        all_g.append((1 - decay) * g)
    return tg.stack(all_g[::-1], dim=1)


@smooth_ema.grad("decay")
def smooth_ema_ddecay(dy, y, x, decay, first):
    g, total = 0.0, 0.0
    for t in reversed(range(dy.shape[1])):
        before = y[:, t - 1] if t > 0 else first
        g = dy[:, t] + decay * g
        total = total + tg.sum(g * (before - x[:, t]), dim=0)
    return total


@smooth_ema.grad("first")
def smooth_ema_dfirst(dy, decay):
    steps = np.arange(1, dy.shape[1] + 1)
    return tg.sum(dy * decay ** steps[:, None], dim=1)


def smooth_ema_inputs(rng):
    return [rng.standard_normal((2, 5, 3)), rng.uniform(0.4, 0.9, 3), rng.standard_normal((2, 3))], {}


def states(u, delta, a, b):
    """h_0 … h_T of the state space below, h_0 = 0, [D, S] each."""
    h = [np.zeros(a.shape)]
    for t in range(u.shape[0]):
        h.append(tg.exp(delta[t][:, None] * a) * h[-1] + (delta[t] * u[t])[:, None] * b[t])
    return h


@tg.primitive
def selective_scan(u, delta, a, b, c):
    """y_t = h_t c_t, with h_t = exp(delta_t a) h_{t-1} + delta_t u_t b_t from h_0 = 0, as in Mamba (Gu &
    Dao 2023).

    u [T, D], delta [T, D], a [D, S], b [T, S], c [T, S] → [T, D]
    """
    h, y = np.zeros(a.shape), np.zeros_like(u)
    for t in range(len(u)):
        h = np.exp(delta[t][:, None] * a) * h + (delta[t] * u[t])[:, None] * b[t]
        y[t] = h @ c[t]
    return y


@selective_scan.grad("u")
def selective_scan_du(dy, delta, a, b, c):
    g, du = 0.0, []
    for t in reversed(range(dy.shape[0])):
        g = dy[t][:, None] * c[t] + g
        du.append(delta[t] * tg.sum(g * b[t], dim=1))
        g = g * tg.exp(delta[t][:, None] * a)
    return tg.stack(du[::-1])


@selective_scan.grad("delta")
def selective_scan_ddelta(dy, u, delta, a, b, c):
    h = states(u, delta, a, b)
    g, ddelta = 0.0, []
    for t in reversed(range(dy.shape[0])):
        g = dy[t][:, None] * c[t] + g
        keep = tg.exp(delta[t][:, None] * a)
        ddelta.append(tg.sum(g * (keep * a * h[t] + u[t][:, None] * b[t]), dim=1))
        g = g * keep
    return tg.stack(ddelta[::-1])


@selective_scan.grad("a")
def selective_scan_da(dy, u, delta, a, b, c):
    h = states(u, delta, a, b)
    g, da = 0.0, 0.0
    for t in reversed(range(dy.shape[0])):
        g = dy[t][:, None] * c[t] + g
        keep = tg.exp(delta[t][:, None] * a)
        da = da + g * keep * delta[t][:, None] * h[t]
        g = g * keep
    return da


@selective_scan.grad("b")
def selective_scan_db(dy, u, delta, a, c):
    g, db = 0.0, []
    for t in reversed(range(dy.shape[0])):
        g = dy[t][:, None] * c[t] + g
        db.append(tg.sum(g * (delta[t] * u[t])[:, None], dim=0))
        g = g * tg.exp(delta[t][:, None] * a)
    return tg.stack(db[::-1])


@selective_scan.grad("c")
def selective_scan_dc(dy, u, delta, a, b):
    h = states(u, delta, a, b)
    return tg.stack([dy[t] @ h[t + 1] for t in range(dy.shape[0])])


def selective_scan_inputs(rng):
    u, delta = rng.standard_normal((5, 3)), rng.uniform(0.3, 1.2, (5, 3))
    return [
        u,
        delta,
        -rng.uniform(0.3, 1.5, (3, 2)),
        rng.standard_normal((5, 2)),
        rng.standard_normal((5, 2)),
    ], {}


@tg.primitive
def crf_log_partition(x, w):
    """ln Σ over all paths of exp(Σ_t x[t, s_t] + Σ_t w[s_t, s_{t+1}]), of a linear chain (Lafferty et al.
    2001).

    x [N, T, K] scores, w [K, K] transitions from row to column → [N]
    """
    alpha = x[:, 0]
    for t in range(1, x.shape[1]):
        steps = alpha[:, :, None] + w
        top = steps.max(axis=1)
        alpha = x[:, t] + top + np.log(np.sum(np.exp(steps - top[:, None]), axis=1))
    top = alpha.max(axis=1)
    return top + np.log(np.sum(np.exp(alpha - top[:, None]), axis=1))


@crf_log_partition.grad("x")
def crf_log_partition_dx(dy, x, w, y):
    steps = x.shape[1]
    alpha, beta = [x[:, 0]], [x[:, -1] * 0]
    for t in range(1, steps):
        alpha.append(x[:, t] + tg.logsumexp(alpha[-1][:, :, None] + w, dim=1))
    for t in reversed(range(1, steps)):
        beta.append(tg.logsumexp(w + (x[:, t] + beta[-1])[:, None, :], dim=2))
    paths = tg.stack(alpha, dim=1) + tg.stack(beta[::-1], dim=1)
    return dy[:, None, None] * tg.exp(paths - y[:, None, None])


@crf_log_partition.grad("w")
def crf_log_partition_dw(dy, x, w, y):
    alpha, beta, dw = [x[:, 0]], x[:, -1] * 0, 0.0
    for t in range(1, x.shape[1]):
        alpha.append(x[:, t] + tg.logsumexp(alpha[-1][:, :, None] + w, dim=1))
    for t in reversed(range(1, x.shape[1])):
        after = (x[:, t] + beta)[:, None, :]
        pair = tg.exp(alpha[t - 1][:, :, None] + w + after - y[:, None, None])
        dw = dw + tg.sum(dy[:, None, None] * pair, dim=0)
        beta = tg.logsumexp(w + after, dim=2)
    return dw


def crf_log_partition_inputs(rng):
    return [rng.standard_normal((2, 5, 3)), rng.standard_normal((3, 3))], {}


@tg.primitive
def gae(r, v, *, done, gamma=0.9, lam=0.7):
    """A_t = δ_t + gamma lam m_t A_{t+1}, δ_t = r_t + gamma m_t v_{t+1} - v_t, m = 1 - done (Schulman et
    al. 2016).

    r [N, T] rewards, v [N, T+1] values, done [N, T] of 0 and 1 → [N, T]
    """
    m = 1.0 - done
    delta = r + gamma * m * v[:, 1:] - v[:, :-1]
    after, y = 0.0, np.zeros_like(r)
    for t in reversed(range(r.shape[1])):
        after = y[:, t] = delta[:, t] + gamma * lam * m[:, t] * after
    return y


@gae.grad("r")
def gae_dr(dy, done, gamma, lam):
    m, g, dr = 1.0 - done, 0.0, []
    for t in range(dy.shape[1]):
        g = dy[:, t] + (gamma * lam * m[:, t - 1] * g if t > 0 else 0.0)
        dr.append(g)
    return tg.stack(dr, dim=1)


@gae.grad("v")
def gae_dv(dy, done, gamma, lam):
    m, g, ddelta = 1.0 - done, 0.0, []
    for t in range(dy.shape[1]):
        g = dy[:, t] + gamma * lam * g
        ddelta.append(g)
        g = g * m[:, t]
    g = tg.stack(ddelta, dim=1)
    return tg.pad(gamma * m * g, (1, 0)) - tg.pad(g, (0, 1))


def gae_inputs(rng):
    done = np.array([[0, 0, 1, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 1]])
    return [rng.standard_normal((3, 5)), rng.standard_normal((3, 6))], {"done": done}


def alignment_costs(d, gamma, softmin):
    """{(i, j): the soft cost of aligning the first i with the first j}, [M] each."""
    r = {(0, 0): d[:, 0, 0]}
    for i in range(d.shape[1]):
        for j in range(d.shape[2]):
            before = [r[k] for k in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if k in r]
            if before:
                r[i, j] = d[:, i, j] + softmin(before, gamma)
    return r


@tg.primitive
def soft_dtw(d, *, gamma=0.7):
    """The soft minimum, of temperature gamma, of the costs of all alignments of two series (Cuturi &
    Blondel 2017).

    d [M, S, T] costs of matching → [M]
    """

    def softmin(values, gamma):
        return -gamma * np.logaddexp.reduce([-v / gamma for v in values])

    return alignment_costs(d, gamma, softmin)[d.shape[1] - 1, d.shape[2] - 1]


@soft_dtw.grad("d")
def soft_dtw_dd(dy, d, gamma):
    def softmin(values, gamma):
        return -gamma * tg.logsumexp(tg.stack([-v / gamma for v in values]), dim=0)

    r = alignment_costs(d, gamma, softmin)
    rows, columns = d.shape[1:]
    e = {(rows - 1, columns - 1): dy}
    for i in reversed(range(rows)):
        for j in reversed(range(columns)):
            for k in ((i + 1, j + 1), (i + 1, j), (i, j + 1)):
                if k in r:
                    share = tg.exp((r[k] - d[:, k[0], k[1]] - r[i, j]) / gamma)
                    e[i, j] = e.get((i, j), 0.0) + e[k] * share
    return tg.stack([tg.stack([e[i, j] for j in range(columns)], dim=1) for i in range(rows)], dim=1)


def soft_dtw_inputs(rng):
    return [rng.uniform(0.1, 2, (2, 3, 4))], {}
