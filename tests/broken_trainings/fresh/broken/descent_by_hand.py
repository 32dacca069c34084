"""The update gives the loop's variable a new tensor, and leaves the parameters as they are.

Reason: `p = p - rate * p.grad` only rebinds the name p to a new tensor, the model's parameters are not
changed; update in place (p -= ... or p.copy_).
Line: p = p - rate * p.grad
Words: rebind|in place|in-place|new tensor|another tensor|local name|local variable|copy|never chang|
not chang|unchang|not updat|never updat|no effect|not move|never move|same value|stay as|stay the same,
param|weight
Harm: the loss stays at 1.5, mended it falls to 0.06.
"""

import numpy as np

import tinygrad_conv as tg

rng = np.random.default_rng(25)
tg.manual_seed(25)


def init(fan_in, fan_out):
    weight = (tg.randn(fan_in, fan_out) * (1 / fan_in) ** 0.5).requires_grad_()
    bias = tg.zeros(fan_out, requires_grad=True)
    return weight, bias


def net(x, params):
    w1, b1, w2, b2 = params
    return tg.tanh(x @ w1 + b1) @ w2 + b2


def gradient_descent(params, rate):
    with tg.no_grad():
        for p in params:
            p = p - rate * p.grad


def clear(params):
    for p in params:
        p.grad = None


x = tg.tensor(rng.uniform(-2, 2, (100, 1)).astype(np.float32))
y = x**2 - 1

params = [*init(1, 20), *init(20, 1)]
for iteration in range(150):
    loss = ((net(x, params) - y) ** 2).mean()
    clear(params)
    loss.backward()
    gradient_descent(params, rate=0.1)
    if iteration % 30 == 0:
        print(iteration, loss.item())
print("last", loss.item())
