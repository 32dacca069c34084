"""A slip in forward: the last layer is given `x` again, so the hidden layer's result is never used.

Reason: the output of self.hidden is not used: self.out gets x instead of h, so hidden's parameters receive
no gradient and never change, and what is left is a linear model.
Line: h = tg.tanh(self.hidden(x)) || return self.out(x)
Words: hidden, unused|not used|never used|no gradient|without gradient|without a gradient|gets no|get no|
got no|receive|not part|no effect|not reach|ignored|has no grad|grad is none|not in the graph|not depend|
no path
Harm: the loss stays at 0.67, mended it falls to 0.03.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

FEATURES = 12


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(FEATURES, FEATURES)
        self.out = nn.Linear(FEATURES, 1)

    def forward(self, x):
        h = tg.tanh(self.hidden(x))
        return self.out(x)


rng = np.random.default_rng(24)
tg.manual_seed(24)
spins = rng.choice([-1.0, 1.0], (240, FEATURES)).astype(np.float32)
parallel = (spins[:, :1] == spins[:, 1:2]).astype(np.float32)  # do the first two point the same way?
loader = tg.utils.data.DataLoader(
    tg.utils.data.TensorDataset(tg.tensor(spins), tg.tensor(parallel)), batch_size=40, shuffle=True
)

model = Net()
criterion = nn.BCEWithLogitsLoss()
optimizer = optim.Adam(model.parameters(), lr=0.03)
for epoch in range(16):
    running = 0.0
    for inputs, targets in loader:
        optimizer.zero_grad()
        outputs = model(inputs)
        loss = criterion(outputs, targets)
        loss.backward()
        optimizer.step()
        running += loss.item() / len(loader)
    if epoch % 5 == 0:
        print(f"Epoch {epoch + 1:2d}, training loss {running:.3f}")
