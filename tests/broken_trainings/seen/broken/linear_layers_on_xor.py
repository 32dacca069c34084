"""Three linear layers follow each other without a nonlinearity: together they are one linear layer.

Reason: there is no activation (nonlinearity) between the linear layers, so the stack collapses to one
linear map, which cannot separate XOR; put a ReLU or a tanh between them.
Line:
Words: activation|nonlinear|non-linear, between|linear
Harm: the loss stays at log 2 = 0.693, mended (tanh between the layers) it falls to 0.00001.
"""

import tinygrad_conv as tg
from tinygrad_conv import nn


class XorNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Linear(2, 16)
        self.layer2 = nn.Linear(16, 16)
        self.layer3 = nn.Linear(16, 1)

    def forward(self, x):
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        return tg.sigmoid(x)


inputs = tg.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
targets = tg.tensor([[0.0], [1.0], [1.0], [0.0]])

tg.manual_seed(0)
net = XorNet()
criterion = nn.BCELoss()
optimizer = tg.optim.Adam(net.parameters(), lr=0.05)

for epoch in range(50):
    optimizer.zero_grad()
    loss = criterion(net(inputs), targets)
    loss.backward()
    optimizer.step()

print("predictions", net(inputs).detach().numpy().ravel().round(2))
print("loss", loss.item())
