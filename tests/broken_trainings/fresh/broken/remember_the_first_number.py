"""The hidden state is detached in every time step, so nothing is learnt of what came earlier in the sequence.

Reason: h.detach() within the loop cuts the graph between the time steps: the gradient reaches the last step
only and does not flow back through time; remove it.
Line: h = h.detach()
Words: detach|cut|truncat|through time|disconnect|graph ends|interrupt, hidden|state|time|graph|gradient|
loop
Harm: the loss stays at 0.69 and half of the sequences are right, mended it falls to 0.1 and 0.92 are.
"""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn


class RecurrentNet(nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.hidden = hidden
        self.from_input = nn.Linear(inputs, hidden)
        self.from_state = nn.Linear(hidden, hidden)
        self.to_output = nn.Linear(hidden, outputs)

    def forward(self, sequence):
        h = tg.zeros(sequence.shape[0], self.hidden)
        for t in range(sequence.shape[1]):
            h = h.detach()  # so that it does not need so much memory
            h = tg.tanh(self.from_input(sequence[:, t]) + self.from_state(h))
        return self.to_output(h)


def make_sequences(rng, count, length):
    numbers = rng.uniform(-1, 1, (count, length, 1)).astype(np.float32)
    return tg.tensor(numbers), tg.tensor((numbers[:, 0, 0] > 0).astype(np.int64))


def main():
    rng = np.random.default_rng(8)
    tg.manual_seed(8)
    net = RecurrentNet(1, 24, 2)
    loss_fn = nn.CrossEntropyLoss()
    opt = tg.optim.Adam(net.parameters(), lr=0.01)
    for i in range(80):
        x, first_is_positive = make_sequences(rng, 64, 10)
        opt.zero_grad()
        loss = loss_fn(net(x), first_is_positive)
        loss.backward()
        opt.step()
        if i % 20 == 19:
            print(f"{i + 1:4d}  loss {loss.item():.4f}")
    x, y = make_sequences(rng, 256, 10)
    print("accuracy", (net(x).argmax(dim=1) == y).float().mean().item())


main()
