"""The gradients are never set to zero.

Reason: optimizer.zero_grad() is missing, so each step uses the sum of all gradients so far; call it before
each backward.
Line: loss.backward() || optimizer.step()
Words: zero_grad, sum|accumul|add
Harm: the loss falls to 0.146 in epoch 3, jumps to 1.67, swings, and ends at 0.70, test accuracy 0.470 after
12 epochs (other seeds: loss 0.8 to 2.5, accuracy 0.47 to 0.53); with optimizer.zero_grad() in the loop it
falls to 0.061, accuracy 0.980 (other seeds 0.97 to 0.995).
"""

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim

BATCH = 40
EPOCHS = 12

tg.manual_seed(0)
images, labels = data.bars(800, noise=0.3, seed=4)
train_set = data.TensorDataset(images[:600], labels[:600])
test_images, test_labels = images[600:], labels[600:]
loader = data.DataLoader(train_set, batch_size=BATCH, shuffle=True)

model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(8, 8, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(32, 2),
)
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.1)

for epoch in range(1, EPOCHS + 1):
    model.train()
    running_loss = 0.0
    for i, (inputs, targets) in enumerate(loader):
        outputs = model(inputs)
        loss = criterion(outputs, targets)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    model.eval()
    with tg.no_grad():
        predicted = model(test_images).argmax(1)
        correct = (predicted == test_labels).sum().item()
    print(f"[{epoch}] loss {running_loss / len(loader):.3f}, test {correct / len(test_labels):.3f}")
