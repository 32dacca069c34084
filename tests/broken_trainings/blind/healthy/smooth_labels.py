"""Healthy: the loss stays above 0.8, since the labels are smoothed.

With label_smoothing=0.3 and 4 classes the least possible loss is the entropy 0.780 of the smoothed
labels.
"""

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim

tg.manual_seed(6)
images, labels = data.shapes(900, seed=6)
train_x, train_y, val_x, val_y = images[:700], labels[:700], images[700:], labels[700:]

model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    nn.BatchNorm2d(8),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3, padding=1),
    nn.BatchNorm2d(16),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(256, 4),
)
criterion = nn.CrossEntropyLoss(label_smoothing=0.3)
optimizer = optim.AdamW(model.parameters(), lr=0.003)


def evaluate():
    model.eval()
    with tg.no_grad():
        out = model(val_x)
    return criterion(out, val_y).item(), (out.argmax(1) == val_y).float().mean().item()


for epoch in range(1, 13):
    model.train()
    losses = []
    for xb, yb in data.DataLoader(data.TensorDataset(train_x, train_y), batch_size=35, shuffle=True):
        loss = criterion(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    val_loss, val_accuracy = evaluate()
    print(
        f"{epoch}: loss {sum(losses) / len(losses):.4f}, "
        f"validation {val_loss:.4f}, accuracy {val_accuracy:.3f}"
    )
