"""Stencils of physics, particles, and nodes of graphs that hear from their neighbours."""

import numpy as np

import tinygrad_conv as tg


@tg.primitive
def heat_step(u, kappa, *, dt=0.3):
    """u + dt ∇·(kappa ∇u), no flux through the border; between two cells kappa is their harmonic mean.

    u [N, H, W], kappa [H, W] > 0 → [N, H, W]
    """
    y = u.copy()
    down = 2 * kappa[1:] * kappa[:-1] / (kappa[1:] + kappa[:-1]) * (u[:, 1:] - u[:, :-1])
    right = 2 * kappa[:, 1:] * kappa[:, :-1] / (kappa[:, 1:] + kappa[:, :-1]) * (u[:, :, 1:] - u[:, :, :-1])
    y[:, :-1] += dt * down
    y[:, 1:] -= dt * down
    y[:, :, :-1] += dt * right
    y[:, :, 1:] -= dt * right
    return y


@heat_step.grad("u")
def heat_step_du(dy, kappa, dt):
    kdown = 2 * kappa[1:] * kappa[:-1] / (kappa[1:] + kappa[:-1])
    kright = 2 * kappa[:, 1:] * kappa[:, :-1] / (kappa[:, 1:] + kappa[:, :-1])
    down = kdown * (dy[:, 1:] - dy[:, :-1])
    right = kright * (dy[:, :, 1:] - dy[:, :, :-1])
    vertical = tg.pad(down, (0, 0, 0, 1)) - tg.pad(down, (0, 0, 1, 0))
    horizontal = tg.pad(right, (0, 1)) - tg.pad(right, (1, 0))
    return dy + dt * (vertical + horizontal)


@heat_step.grad("kappa")
def heat_step_dkappa(dy, u, kappa, dt):
    down = -dt * tg.sum((dy[:, 1:] - dy[:, :-1]) * (u[:, 1:] - u[:, :-1]), dim=0)
    right = -dt * tg.sum((dy[:, :, 1:] - dy[:, :, :-1]) * (u[:, :, 1:] - u[:, :, :-1]), dim=0)
    down = 2 * down / (kappa[1:] + kappa[:-1]) ** 2
    right = 2 * right / (kappa[:, 1:] + kappa[:, :-1]) ** 2
    above, below = down * kappa[1:] ** 2, down * kappa[:-1] ** 2
    before, after = right * kappa[:, 1:] ** 2, right * kappa[:, :-1] ** 2
    vertical = tg.pad(above, (0, 0, 0, 1)) + tg.pad(below, (0, 0, 1, 0))
    return vertical + tg.pad(before, (0, 1)) + tg.pad(after, (1, 0))


def heat_step_inputs(rng):
    return [rng.standard_normal((2, 3, 4)), rng.uniform(0.3, 1.5, (3, 4))], {}


@tg.primitive
def burgers_step(u, nu, *, c=0.4):
    """A step of Burgers' equation on a ring, upwind: u - c u ∂u + nu ∂²u, c = dt / dx.

    ∂u is the difference to the left neighbour where u > 0, and to the right one elsewhere.
    u [N, L], nu [L] → [N, L]
    """
    left, right = np.roll(u, 1, 1), np.roll(u, -1, 1)
    return u - c * u * np.where(u > 0, u - left, right - u) + nu * (right - 2 * u + left)


@burgers_step.grad("u")
def burgers_step_du(dy, u, nu, c):
    left, right = tg.roll(u, 1, 1), tg.roll(u, -1, 1)
    own = dy * tg.where(u > 0, u - left, right - u)
    to_left = tg.where(u > 0, dy * u, 0.0)
    to_right = tg.where(u > 0, 0.0, dy * u)
    carried = to_left - tg.roll(to_left, -1, 1) + tg.roll(to_right, 1, 1) - to_right
    g = nu * dy
    spread = tg.roll(g, 1, 1) - 2 * g + tg.roll(g, -1, 1)
    return dy - c * (own + carried) + spread


@burgers_step.grad("nu")
def burgers_step_dnu(dy, u):
    return tg.sum(dy * (tg.roll(u, 1, 1) - 2 * u + tg.roll(u, -1, 1)), dim=0)


def burgers_step_inputs(rng):
    return [rng.choice([-1, 1], (3, 7)) * rng.uniform(0.2, 1.5, (3, 7)), rng.uniform(0.1, 0.4, 7)], {}


def degrees(a, target, nodes):
    """1 + the weights of the edges that arrive, [V]."""
    return 1 + tg.put_add(a, (target,), (nodes,))


@tg.primitive
def gcn_propagate(x, a, *, source, target):
    """x_i / d_i + Σ a_e x_j / √(d_i d_j) over edges e from j to i, d_i = 1 + Σ a_e of those (Kipf &
    Welling 2017).

    x [V, F], a [E] > 0 edge weights, source [E] and target [E] nodes → [V, F]
    """
    d = np.ones(len(x))
    np.add.at(d, target, a)
    y = x / d[:, None]
    np.add.at(y, target, (a / np.sqrt(d[source] * d[target]))[:, None] * x[source])
    return y


@gcn_propagate.grad("x")
def gcn_propagate_dx(dy, x_shape, a, source, target):
    r = degrees(a, target, x_shape[0]) ** -0.5
    weight = a * r[source] * r[target]
    return dy * r[:, None] ** 2 + tg.put_add(weight[:, None] * dy[target], (source,), x_shape)


@gcn_propagate.grad("a")
def gcn_propagate_da(dy, x, a, source, target):
    nodes = x.shape[:1]
    r = degrees(a, target, x.shape[0]) ** -0.5
    met = tg.sum(dy[target] * x[source], dim=1)
    direct = met * r[source] * r[target]
    dr = tg.put_add(met * a * r[target], (source,), nodes) + tg.put_add(met * a * r[source], (target,), nodes)
    ddegree = -tg.sum(dy * x, dim=1) * r**4 - 0.5 * r**3 * dr
    return direct + ddegree[target]


def gcn_propagate_inputs(rng):
    edges = {"source": np.array([0, 1, 2, 3, 4, 0, 2]), "target": np.array([1, 2, 0, 1, 3, 3, 3])}
    return [rng.standard_normal((5, 3)), rng.uniform(0.3, 1.6, 7)], edges


def shares(s, target, nodes):
    """The softmax of the scores of the edges that arrive at the same node, [E]."""
    e = tg.exp(s)
    return e / tg.put_add(e, (target,), (nodes,))[target]


@tg.primitive
def attend_neighbours(h, s, *, source, target):
    """Σ softmax(s)_e h_j over the edges e from j to i, the softmax among those (Veličković et al. 2018).

    h [V, F], s [E] scores, source [E] and target [E] nodes → [V, F], 0 where no edge arrives
    """
    e = np.exp(s)
    total = np.zeros(len(h))
    np.add.at(total, target, e)
    y = np.zeros_like(h)
    np.add.at(y, target, (e / total[target])[:, None] * h[source])
    return y


@attend_neighbours.grad("h")
def attend_neighbours_dh(dy, h_shape, s, source, target):
    share = shares(s, target, h_shape[0])
    return tg.put_add(share[:, None] * dy[target], (source,), h_shape)


@attend_neighbours.grad("s")
def attend_neighbours_ds(dy, h, s, source, target):
    share = shares(s, target, h.shape[0])
    g = tg.sum(dy[target] * h[source], dim=1)
    mean = tg.put_add(share * g, (target,), h.shape[:1])
    return share * (g - mean[target])


def attend_neighbours_inputs(rng):
    edges = {"source": np.array([0, 1, 2, 3, 4, 0, 2]), "target": np.array([1, 2, 0, 1, 3, 3, 3])}
    return [rng.standard_normal((5, 3)), rng.standard_normal(7)], edges


@tg.primitive
def lennard_jones(x, sigma, *, depth=0.8, cutoff=2.4):
    """Half of Σ_j 4 depth ((σ/r)¹² - (σ/r)⁶) over atoms j nearer than the cutoff, σ the mean of sigma_i
    and sigma_j.

    x [P, D] places, sigma [P] → [P], the energy of each atom
    """
    r2 = np.sum((x[:, None] - x) ** 2, axis=2) + np.eye(len(x))
    q = (0.25 * (sigma[:, None] + sigma) ** 2 / r2) ** 3
    near = (r2 < cutoff**2) * (1 - np.eye(len(x)))
    return np.sum(near * 2 * depth * (q**2 - q), axis=1)


def pairs(x, sigma, cutoff):
    """Differences [P, P, D], squared distances, (σ/r)⁶, and 1 for pairs nearer than the cutoff, [P, P]."""
    eye = np.eye(x.shape[0])
    apart = x[:, None] - x
    r2 = tg.sum(apart * apart, dim=2) + eye
    return apart, r2, (0.25 * (sigma[:, None] + sigma) ** 2 / r2) ** 3, (r2 < cutoff**2) * (1 - eye)


@lennard_jones.grad("x")
def lennard_jones_dx(dy, x, sigma, depth, cutoff):
    apart, r2, q, near = pairs(x, sigma, cutoff)
    both = dy[:, None] + dy
    slope = 2 * depth * near * (6 * q - 12 * q**2) / r2
    return tg.sum((both * slope)[..., None] * apart, dim=1)


@lennard_jones.grad("sigma")
def lennard_jones_dsigma(dy, x, sigma, depth, cutoff):
    _, _, q, near = pairs(x, sigma, cutoff)
    both = dy[:, None] + dy
    slope = 2 * depth * near * (12 * q**2 - 6 * q) / (sigma[:, None] + sigma)
    return tg.sum(both * slope, dim=1)


def lennard_jones_inputs(rng):
    x = np.array([[0.0, 0.1, 0.0], [1.2, 0.0, 0.2], [0.1, 1.3, -0.2], [1.1, 1.2, 1.0], [3.2, 0.2, 0.9]])
    return [x + rng.uniform(-0.1, 0.1, x.shape), rng.uniform(0.8, 1.2, 5)], {}
