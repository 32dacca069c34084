"""Scripts as courses for beginners teach them: photographs, clothes by a plain net, rates that fall."""

from __future__ import annotations

PHOTOS = """
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

names = ("sparrow", "lorry", "pony", "toad", "kite", "barge", "van", "foal", "newt", "tram")

class Photos(torch.utils.data.Dataset):
    def __init__(self, count, transform=None):
        self.pictures, self.kinds, self.transform = images(count, 3, 12), labels(count), transform

    def __len__(self):
        return len(self.kinds)

    def __getitem__(self, number):
        picture, kind = torch.from_numpy(self.pictures[number]), int(self.kinds[number])
        return (self.transform(picture) if self.transform else picture), kind

class Seer(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 5, 3)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(5, 7, 2)
        self.fc1 = nn.Linear(7 * 2 * 2, 20)
        self.fc2 = nn.Linear(20, len(names))

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        return self.fc2(F.relu(self.fc1(x)))

device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
seen = torch.utils.data.DataLoader(Photos(12, lambda x: (x - 0.5) / 0.5), batch_size=4, shuffle=False)
unseen = torch.utils.data.DataLoader(Photos(10, lambda x: (x - 0.5) / 0.5), batch_size=4, num_workers=0)
first_pictures, first_kinds = next(iter(seen))
told = [" ".join(f"{names[first_kinds[j]]:7s}" for j in range(4)), str(first_pictures.size(0))]
net = fill(Seer()).to(device)
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
losses, grads = [], []
for epoch in range(4):
    running_loss = 0.0
    for i, data in enumerate(seen, 0):
        inputs, kinds = data[0].to(device), data[1].to(device)
        optimizer.zero_grad()
        outputs = net(inputs)
        loss = criterion(outputs, kinds)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
        if i == 0:
            grads += [parameter.grad for parameter in net.parameters()]
        if i % 3 == 2:
            told.append(f"[{epoch + 1}, {i + 1:5d}] loss: {running_loss / 3:.3f}")
            losses.append(running_loss / 3)
            running_loss = 0.0
torch.save(net.state_dict(), path)
net = Seer()
net.load_state_dict(torch.load(path, weights_only=True))
correct, total = 0, 0
right = {name: 0 for name in names}
asked = {name: 0 for name in names}
with torch.no_grad():
    for pictures, kinds in unseen:
        outputs = net(pictures)
        _, predicted = torch.max(outputs, 1)
        total += kinds.size(0)
        correct += (predicted == kinds).sum().item()
        for kind, guess in zip(kinds, predicted):
            if kind == guess:
                right[names[kind]] += 1
            asked[names[kind]] += 1
for name, count in right.items():
    told.append(f"of {name:8s} {100 * float(count) / max(asked[name], 1):.1f} %")
results = dict(losses=losses, grads=grads, told=told, share=100 * correct // total, outputs=outputs,
               state=list(net.state_dict()))
"""

CLOTHES = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

kinds = ["shirt", "jeans", "jumper", "skirt", "parka", "clog", "blouse", "plimsoll", "satchel", "wellington"]
device = torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else "cpu"
told = [f"on the {device}"]

class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.flatten = nn.Flatten()
        self.stack = nn.Sequential(
            nn.Linear(6 * 6, 16),
            nn.ReLU(),
            nn.Linear(16, 16),
            nn.ReLU(),
            nn.Linear(16, 10),
        )

    def forward(self, x):
        x = self.flatten(x)
        return self.stack(x)

def part(count):
    return TensorDataset(torch.tensor(images(count, 1, 6)), torch.tensor(labels(count)))

batches, held_out = DataLoader(part(20), batch_size=8), DataLoader(part(10), batch_size=8)
for X, y in held_out:
    told.append(f"X [N, C, H, W]: {list(X.shape)}, y: {list(y.shape)}")
    break
model = fill(Plain().to(device))
told.append(str(model))
judge = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
losses, grads = [], []

def train(dataloader, model, judge, optimizer):
    size = len(dataloader.dataset)
    model.train()
    for batch, (X, y) in enumerate(dataloader):
        X, y = X.to(device), y.to(device)
        pred = model(X)
        loss = judge(pred, y)
        loss.backward()
        grads.extend(parameter.grad for parameter in model.parameters())
        optimizer.step()
        optimizer.zero_grad()
        if batch % 2 == 0:
            loss, current = loss.item(), (batch + 1) * len(X)
            told.append(f"{loss:>7.3f} at {current:>5d} of {size:>5d}")

def test(dataloader, model, judge):
    size, count = len(dataloader.dataset), len(dataloader)
    model.eval()
    test_loss, correct = 0, 0
    with torch.no_grad():
        for X, y in dataloader:
            X, y = X.to(device), y.to(device)
            pred = model(X)
            test_loss += judge(pred, y).item()
            correct += (pred.argmax(1) == y).type(torch.float).sum().item()
    test_loss /= count
    correct /= size
    losses.append(test_loss)
    told.append(f"right: {(100 * correct):>0.1f}%, mean loss: {test_loss:>5.3f}")

for t in range(6):
    train(batches, model, judge, optimizer)
    test(held_out, model, judge)
torch.save(model.state_dict(), path)
model = Plain().to(device)
answer = model.load_state_dict(torch.load(path, weights_only=True))
told.append(str(answer))
model.eval()
x, y = part(10)[0][0], part(10)[0][1]
with torch.no_grad():
    pred = model(x.to(device))
    told.append(f"{kinds[pred[0].argmax(0)]}, in truth {kinds[y]}")
results = dict(losses=losses, grads=grads, told=told, pred=pred)
"""

RATES = """
import torch
from torch import nn
from torch.utils.data import Dataset, DataLoader

class Rows(Dataset):
    def __init__(self, count, transform=None, target_transform=None):
        self.rows, self.kinds = noise(count, 4, 4), labels(count)
        self.transform, self.target_transform = transform, target_transform

    def __len__(self):
        return len(self.kinds)

    def __getitem__(self, idx):
        row, kind = self.rows[idx], self.kinds[idx]
        if self.transform:
            row = self.transform(row)
        if self.target_transform:
            kind = self.target_transform(kind)
        return row, kind

learning_rate, batch_size, epochs = 0.5, 5, 5
one_hot = lambda kind: torch.zeros(10, dtype=torch.float).scatter_(0, torch.tensor(kind), value=1)
dataset = Rows(15, transform=torch.tensor, target_transform=one_hot)
dataloader = DataLoader(dataset, batch_size=batch_size)
layers = [nn.Flatten(), nn.Linear(4 * 4, 12), nn.ReLU(), nn.Linear(12, 10)]
model = fill(nn.Sequential(*layers))
told = [f"{name} {list(param.size())} {param[:1].sum():.4f}" for name, param in model.named_parameters()]
share = nn.Softmax(dim=1)(model(torch.tensor(noise(2, 4, 4))))
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)

def train_loop(dataloader):
    model.train()
    for batch, (X, y) in enumerate(dataloader):
        loss = loss_fn(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        done = batch * batch_size + len(X)
        told.append(f"loss: {loss.item():>7.3f} [{done:>5d}/{len(dataloader.dataset):>5d}]")
    return [param.grad for param in model.parameters()]

@torch.no_grad()
def test_loop(dataloader):
    model.eval()
    test_loss, correct = 0, 0
    for X, y in dataloader:
        pred = model(X)
        test_loss += loss_fn(pred, y).item() * len(X)
        correct += (pred.argmax(1) == y.argmax(1)).type(torch.float).sum().item()
    return test_loss / len(dataloader.dataset), correct / len(dataloader.dataset)

losses, rights, grads = [], [], []
for epoch in range(epochs):
    grads += train_loop(dataloader)
    loss, correct = test_loop(dataloader)
    losses.append(loss)
    rights.append(correct)
    for group in optimizer.param_groups:
        group["lr"] *= 0.9
results = dict(losses=losses, rights=rights, grads=grads, told=told, share=share,
               rate=optimizer.param_groups[0]["lr"], training=model.training)
"""
