"""A script of the usual tutorial kind, written for PyTorch, runs with its imports changed and nothing
else.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import data

OURS = """
import tinygrad_conv as torch
import tinygrad_conv.nn as nn
import tinygrad_conv.nn.functional as F
import tinygrad_conv.optim as optim
from tinygrad_conv.data import DataLoader, TensorDataset
from tinygrad_conv.optim.lr_scheduler import StepLR
"""

PYTORCHS = """
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset
from torch.optim.lr_scheduler import StepLR
"""

SCRIPT = """
class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, 1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.norm = nn.BatchNorm2d(16)
        self.dropout1 = nn.Dropout(0.1)
        self.fc1 = nn.Linear(144, 32)
        self.fc2 = nn.Linear(32, 2)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.max_pool2d(F.relu(self.norm(self.conv2(x))), 2)
        x = self.dropout1(x)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = self.fc2(x)
        return F.log_softmax(x, dim=1)


def train(model, train_loader, optimizer, epoch):
    model.train()
    total = 0.0
    for batch_idx, (data, target) in enumerate(train_loader):
        optimizer.zero_grad()
        output = model(data)
        loss = F.nll_loss(output, target)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        total += loss.item() * len(data)
    return total / len(train_loader.dataset)


def test(model, test_loader):
    model.eval()
    test_loss, correct = 0, 0
    with torch.no_grad():
        for data, target in test_loader:
            output = model(data)
            test_loss += F.nll_loss(output, target, reduction="sum").item()
            pred = output.argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()
    return test_loss / len(test_loader.dataset), correct / len(test_loader.dataset)


torch.manual_seed(1)
model = Net()
for module in model.modules():
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)
train_set = TensorDataset(torch.tensor(images), torch.tensor(labels))
train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
test_set = TensorDataset(torch.from_numpy(test_images), torch.from_numpy(test_labels))
test_loader = DataLoader(test_set, batch_size=100)
optimizer = optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-4)
scheduler = StepLR(optimizer, step_size=2, gamma=0.7)
losses = []
for epoch in range(1, 5):
    losses.append(train(model, train_loader, optimizer, epoch))
    loss, accuracy = test(model, test_loader)
    scheduler.step()
state = model.state_dict()
again = Net()
again.load_state_dict(state)
count = sum(p.numel() for p in again.parameters() if p.requires_grad)
same = test(again, test_loader)
"""


def run(imports):
    (images, labels), (test_images, test_labels) = (
        [tensor.data for tensor in data.bars(n, size=8, noise=0.2, seed=seed)]
        for n, seed in ((320, 0), (200, 1))
    )
    names = {"images": images, "labels": labels, "test_images": test_images, "test_labels": test_labels}
    exec(compile(imports + SCRIPT, "script.py", "exec"), names)
    return names


def check(names):
    assert names["losses"][-1] < 0.5 * names["losses"][0]
    assert names["accuracy"] > 0.9 and names["same"][1] == names["accuracy"]
    assert names["same"][0] == pytest.approx(names["loss"], rel=1e-5)
    assert names["count"] == 8 * 9 + 8 + 16 * 8 * 9 + 16 + 32 + 144 * 32 + 32 + 64 + 2
    assert names["optimizer"].param_groups[0]["lr"] == pytest.approx(0.0049)


@pytest.mark.exhaustive
def test_ours():
    check(run(OURS))


@pytest.mark.torch
def test_that_it_is_a_pytorch_script():
    pytest.importorskip("torch")
    check(run(PYTORCHS))


@pytest.mark.exhaustive
def test_the_same_seed_gives_the_same_course():
    np.testing.assert_array_equal(run(OURS)["losses"], run(OURS)["losses"])


@pytest.mark.parametrize("name, instead", [("compile", "leave it out"), ("linalg", "tg.norm")])
def test_a_name_that_is_not_here_says_what_to_write_instead(name, instead):
    with pytest.raises(AttributeError, match=instead):
        getattr(tg, name)
