"""zero_grad() stands between backward() and step(), so each step sees gradients that were just thrown away.

Reason: the gradients are cleared by zero_grad() after backward() and before step(), so step() has none to
apply and the weights never change; move zero_grad() before backward().
Line: self.optimizer.zero_grad() || self.optimizer.step()
Words: zero_grad|clear|zeroed|erase|wipe|thrown away, backward|before step|between|order|no gradient|
without gradient|gradients are zero|zero gradient|nothing to apply|grad is none|never change|unchanged|
not change|not move
Harm: the loss stays at 0.705, mended it falls to 0.01.
"""

import math

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


class Trainer:
    def __init__(self, model, loss_function, rate):
        self.model = model
        self.loss_function = loss_function
        self.optimizer = optim.RMSprop(model.parameters(), lr=rate)

    def train_step(self, x, y):
        prediction = self.model(x)
        loss = self.loss_function(prediction, y)
        loss.backward()
        self.optimizer.zero_grad()
        self.optimizer.step()
        return loss.item()

    def fit(self, x, y, epochs):
        for epoch in range(1, epochs + 1):
            loss = self.train_step(x, y)
            if epoch % 20 == 0:
                print(f"Epoch {epoch}/{epochs}, loss: {loss:.4f}")


def moons(count):
    """Two half circles that reach into each other."""
    angle = tg.rand(count) * math.pi
    upper = tg.stack([tg.cos(angle), tg.sin(angle)], dim=1)
    lower = tg.stack([1 - tg.cos(angle), 0.5 - tg.sin(angle)], dim=1)
    x = tg.cat([upper, lower]) + 0.08 * tg.randn(2 * count, 2)
    y = tg.cat([tg.zeros(count, 1), tg.ones(count, 1)])
    return x, y


tg.manual_seed(5)
x, y = moons(60)
model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
trainer = Trainer(model, nn.BCEWithLogitsLoss(), rate=0.01)
trainer.fit(x, y, epochs=80)
