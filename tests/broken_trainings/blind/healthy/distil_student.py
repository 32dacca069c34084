"""Healthy: a small student learns from a trained teacher's softened answers and from the labels."""

import tinygrad_conv as tg
import tinygrad_conv.nn.functional as F
from tinygrad_conv import data, nn, optim

tg.manual_seed(2)
CLASSES, T, ALPHA = len(data.SHAPES), 3.0, 0.7
images, labels = data.shapes(1000, size=12, seed=2)
train_set = data.TensorDataset(images[:800], labels[:800])
x_val, y_val = images[800:], labels[800:]


def conv_net(width, hidden):
    return nn.Sequential(
        nn.Conv2d(1, width, 3, stride=2, padding=1),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, padding=1),
        nn.BatchNorm2d(2 * width),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(2 * width, 2 * width, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2 * width, hidden),
        nn.ReLU(),
        nn.Linear(hidden, CLASSES),
    )


def evaluate(net):
    net.eval()
    with tg.no_grad():
        score = (net(x_val).argmax(1) == y_val).float().mean().item()
    net.train()
    return score


def train(net, loss_of, epochs, lr):
    loader = data.DataLoader(train_set, batch_size=40, shuffle=True, drop_last=True)
    optimizer = optim.AdamW(net.parameters(), lr=lr)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    net.train()
    for epoch in range(epochs):
        for x, y in loader:
            loss = loss_of(net, x, y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        schedule.step()
        print(f"  epoch {epoch + 1}: loss {loss.item():.3f}, validation {evaluate(net):.3f}")


def distillation(net, x, y):
    with tg.no_grad():
        soft = F.softmax(teacher(x) / T, dim=1)
    logits = net(x)
    kd = F.kl_div(F.log_softmax(logits / T, dim=1), soft, reduction="batchmean") * T * T
    return ALPHA * kd + (1 - ALPHA) * F.cross_entropy(logits, y)


teacher = conv_net(14, 32)
print("teacher")
train(teacher, lambda net, x, y: F.cross_entropy(net(x), y), epochs=6, lr=5e-3)
teacher.eval()
student = conv_net(10, 24)
print("student")
train(student, distillation, epochs=10, lr=1e-2)
print(f"teacher {evaluate(teacher):.3f}, student {evaluate(student):.3f}")
