"""The weights of eight layers are drawn with a standard deviation of 1, so each layer multiplies by about 6.

Reason: the initial weights are far too large for layers of 64 units: the activations grow from layer to
layer (and the gradients with them) and explode; use Kaiming initialisation, with a std of sqrt(2 / 64).
Line: tg.nn.init.normal_(layer.weight, mean=0.0, std=1.0)
Words: explod|grow|blow|huge|too large|too big|very large|enormous|multipl, init|std|standard deviation|
activation|from layer to layer|signal
Harm: the loss is 3e7 after 60 epochs, mended 0.01.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn

WIDTH, DEPTH = 64, 8


class DeepRegressor(nn.Module):
    """Depth makes nets strong, so we take a lot of it."""

    def __init__(self):
        super().__init__()
        sizes = [3] + [WIDTH] * DEPTH
        self.hidden = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:])])
        self.output = nn.Linear(WIDTH, 1)
        for layer in self.hidden:
            tg.nn.init.normal_(layer.weight, mean=0.0, std=1.0)
            tg.nn.init.zeros_(layer.bias)

    def forward(self, x):
        for layer in self.hidden:
            x = tg.relu(layer(x))
        return self.output(x)


tg.manual_seed(18)
rng = np.random.default_rng(18)
x = rng.uniform(-1, 1, (128, 3)).astype(np.float32)
y = np.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:]

model = DeepRegressor()
criterion = nn.MSELoss()
optimizer = tg.optim.Adam(model.parameters(), lr=1e-3)

inputs, targets = tg.tensor(x), tg.tensor(y)
for epoch in range(60):
    optimizer.zero_grad()
    predictions = model(inputs)
    loss = criterion(predictions, targets)
    loss.backward()
    optimizer.step()
    if epoch % 15 == 0 or epoch == 59:
        print(f"Epoch {epoch}: loss = {loss.item():.4g}")
