"""The gradients are never set to zero, so every step adds up all the gradients so far.

Reason: zero_grad() is missing: .grad accumulates from step to step; call optimizer.zero_grad() in each
step.
Line: optimizer.step() || loss.backward()
Words: zero_grad, accumul|add|sum|never|missing|forgot
Harm: the loss swings and stays near 10, mended it falls to 0.0001.
"""

import tinygrad_conv as tg
import tinygrad_conv.nn as nn
from tinygrad_conv.data import DataLoader, TensorDataset

tg.manual_seed(0)

true_weight = tg.tensor([[2.0, -3.4, 0.5]])
X = tg.randn(256, 3)
Y = X @ true_weight.T + 4.2 + 0.01 * tg.randn(256, 1)

loader = DataLoader(TensorDataset(X, Y), batch_size=16, shuffle=True)
model = nn.Linear(3, 1)
criterion = nn.MSELoss()
optimizer = tg.optim.SGD(model.parameters(), lr=0.1)

for epoch in range(3):
    total = 0.0
    for xb, yb in loader:
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"epoch {epoch}: mean loss {total / len(loader):.3f}")
