"""A few readings are missing in the table: they are nan, and make the loss and then all weights nan.

Reason: the input data has missing values (nan), which go through the net into the loss and the gradients;
fill or drop these rows before training.
Line: table = np.genfromtxt(
Words: nan|missing|not finite|non-finite|not a number, data|input|reading|feature|column|table
Harm: the loss is nan from the second batch on, mended it falls to 0.002.
"""

import io

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


def write_table(rng, rows=120):
    """What the sensors wrote: temperature, wind, sun, and the power of the solar plant."""
    lines = ["temperature,wind,sun,power"]
    for row in range(rows):
        temperature, wind, sun = rng.normal(size=3)
        power = sun - 0.3 * temperature * sun + 0.1 * wind
        wind_text = "" if row in (37, 71, 103) else f"{wind:.3f}"
        lines.append(f"{temperature:.3f},{wind_text},{sun:.3f},{power:.3f}")
    return "\n".join(lines)


def read_table(text):
    table = np.genfromtxt(io.StringIO(text), delimiter=",", skip_header=1, dtype=np.float32)
    return tg.tensor(table[:, :3]), tg.tensor(table[:, 3:])


if __name__ == "__main__":
    tg.manual_seed(26)
    x, y = read_table(write_table(np.random.default_rng(26)))
    regressor = nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 1))
    optimizer = optim.SGD(regressor.parameters(), lr=0.05, momentum=0.9)
    loss_function = nn.SmoothL1Loss()
    for epoch in range(15):
        losses = []
        for first in range(0, len(x), 30):
            inputs, targets = x[first : first + 30], y[first : first + 30]
            optimizer.zero_grad()
            loss = loss_function(regressor(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 5 == 0:
            print(f"epoch {epoch}: " + " ".join(f"{value:.4f}" for value in losses))
    print("last loss", losses[-1])
