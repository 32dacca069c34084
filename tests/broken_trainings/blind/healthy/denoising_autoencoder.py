"""Healthy: a convolutional autoencoder with batch norm and transposed convolutions takes noise from bars."""

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim

tg.manual_seed(0)
clean, _ = data.bars(600, size=16, noise=0.0, seed=4)
clean_test = clean[500:]
rng = np.random.default_rng(4)


class AutoEncoder(nn.Module):
    def __init__(self, code=16):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 12, 3, stride=2, padding=1),
            nn.BatchNorm2d(12),
            nn.ReLU(),
            nn.Conv2d(12, 16, 3, stride=2, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16 * 16, code),
        )
        self.decoder = nn.Sequential(
            nn.Linear(code, 16 * 16),
            nn.ReLU(),
            nn.Unflatten(1, (16, 4, 4)),
            nn.ConvTranspose2d(16, 12, 4, stride=2, padding=1),
            nn.BatchNorm2d(12),
            nn.ReLU(),
            nn.ConvTranspose2d(12, 1, 4, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


def noisy(x):
    return x + tg.from_numpy(rng.normal(0, 0.3, x.shape).astype(np.float32))


noisy_test = noisy(clean_test)
print("mse of the noisy images:", round(tg.mse_loss(noisy_test, clean_test).item(), 4))
net = AutoEncoder()
loader = data.DataLoader(data.TensorDataset(clean[:500]), batch_size=25, shuffle=True)
criterion = nn.MSELoss()
optimizer = optim.Adam(net.parameters(), lr=4e-3)
schedule = optim.lr_scheduler.MultiStepLR(optimizer, milestones=[10, 15], gamma=0.3)

for epoch in range(18):
    total = 0.0
    for (x,) in loader:
        optimizer.zero_grad()
        loss = criterion(net(noisy(x)), x)
        loss.backward()
        optimizer.step()
        total += loss.item()
    schedule.step()
    if epoch % 5 == 0 or epoch == 17:
        net.eval()
        with tg.no_grad():
            test = criterion(net(noisy_test), clean_test).item()
        net.train()
        print(f"epoch {epoch}: train {total / len(loader):.4f}, test {test:.4f}")
