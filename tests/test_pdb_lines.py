"""Where one press of `step` leads from lines that users write: to what is worth reading, or the next line."""

from __future__ import annotations

from pathlib import Path

import pytest

from .pdb_driver import TO_THE_NEXT_LINE, drive, written

A_TRAINING = """
import warnings
import numpy as np
import tinygrad_conv as tg
import tinygrad_conv.nn.functional as F
from tinygrad_conv import data, nn, optim

warnings.filterwarnings("ignore", "tg.replay: train_step runs eagerly, for a debugger is attached")

class Ones(data.Dataset):
    def __len__(self):
        return 2
    def __getitem__(self, place):
        return tg.ones(3), 1

class Doubled(tg.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, dy):
        return dy * 2

net = nn.Linear(3, 2)
optimizer = optim.SGD(net.parameters(), lr=0.1)
images = tg.ones(1, 3)

@tg.replay
def train_step(images):
    loss = net(images).sum()
    loss.backward()
    optimizer.step()
    return loss.item()

class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 4, 3), nn.Linear(4, 2)
    def forward(self, x):
        return self.head(F.adaptive_avg_pool2d(F.relu(self.conv(x)), 1).flatten(1))

class Squares(nn.Module):
    def forward(self, y, target):
        return ((y - target) ** 2).mean()

class Descent(optim.Optimizer):
    def updated(self, data, grad, state, group):
        return data - group["lr"] * grad, {}

@tg.primitive
def squared(x):
    return x * x

@squared.grad("x")
def squared_dx(dy, x):
    return dy * 2 * x

@tg.no_grad()
def predict(x):
    return classifier(x)

def twice(value):
    return value * 2

train_step(images)
classifier, criterion = Classifier(), Squares()
x, kernels, v = tg.randn(2, 1, 8, 8), tg.randn(4, 1, 3, 3), tg.tensor([1.0, 2.0], requires_grad=True)
labels, logits = tg.tensor([0, 1]), classifier(x)
descent = Descent(net.parameters(), {"lr": 0.1})
schedule = optim.lr_scheduler.StepLR(optimizer, 1)
doubled = Doubled.apply(tg.ones(1, requires_grad=True))
"""

TO_THE_NEXT = "passed = True"

INTO_WHAT_IS_THE_USERS = {
    "y = classifier(x)": "forward()",
    "loss = criterion(logits, logits)": "forward()",
    "layers = Classifier()": "__init__()",
    "y = squared(v)": "squared()",
    "y = predict(x)": "predict()",
    "with tg.no_grad(): y = classifier(x)": "forward()",
    "doubled.backward()": "backward()",
    "train_step(tg.zeros(1, 3))": "train_step()",
    "for batch in data.DataLoader(Ones()): pass": "__len__()",
    "augmented = data.transforms.Compose([twice])(x)": "twice()",
    "net.register_forward_hook(lambda *seen: None); net(images)": "linear()",
    "falling = optim.lr_scheduler.LambdaLR(optimizer, twice)": "twice()",
    "descent.step()": "updated()",
    "summary = classifier.summary((2, 1, 8, 8))": "forward()",
}
INTO_AN_OP = {
    "y = F.relu(x)": "relu()",
    "y = F.conv2d(x, kernels, padding=1)": "conv2d()",
    "y = F.interpolate(x, scale_factor=2)": "interpolate()",
    "y = F.dropout(x, 0.5)": "dropout()",
    "y = F.pad(x, (1, 1, 1, 1))": "pad()",
    "y = nn.BatchNorm2d(1)(x)": "batch_norm()",
    "loss = F.cross_entropy(logits, labels)": "cross_entropy()",
    "loss = nn.MSELoss()(logits, logits)": "mse_loss()",
    "F.cross_entropy(classifier(x), labels).backward()": "forward()",
    "(dv,) = tg.autograd.grad((v * v).sum(), [v])": "mul()",
    "with tg.use_kernels('reference'): y = F.conv2d(x, kernels)": "conv2d()",
    "y = tg.einsum('ij,jk->ik', x[0, 0], x[1, 0])": "getitem()",
    "y = tg.cat([x, x])": "cat()",
    "y = x.view(2, -1)": "reshape()",
    "y = x.mean(dim=(2, 3))": "mean()",
    "y = x[:, 0]": "getitem()",
    "x[0] = 0": "setitem()",
    "x *= 2": "mul()",
    "x.clamp_(0, 1)": "clamp_min()",
    "right = (logits.argmax(1) == labels).float().mean().item()": "argmax()",
    "half = images.to(tg.float16, copy=True).device": "to()",
    "optimizer.step()": "updated()",
}
PAST_PLUMBING = [
    "schedule.step()",
    "width = images.shape[1]",
    "number = float(doubled)",
    "shown = repr(net), f'{images}'",
    "layer = nn.Conv2d(1, 2, 3)",
    "layers = nn.Sequential(nn.Linear(2, 2), nn.ReLU())",
    "state = net.load_state_dict(net.state_dict())",
    "optimizer.load_state_dict(optimizer.state_dict())",
    "adam = optim.Adam(net.parameters(), lr=1e-3)",
    "optimizer.add_param_group({'params': [v]})",
    "optimizer.zero_grad()",
    "length = nn.utils.clip_grad_norm_(net.parameters(), 1.0)",
    "plateau = optim.lr_scheduler.ReduceLROnPlateau(adam)",
    "device = tg.device('cuda' if tg.cuda.is_available() else 'cpu')",
    "gpus = tg.cuda.device_count(), tg.mps.is_available(), tg.accelerator.is_available()",
    "tg.backends.cudnn.benchmark = tg.backends.mps.is_available()",
    "tg.manual_seed(0)",
    "noise = tg.randn(3)",
    "zeros = x.new_zeros(3)",
    "shared = tg.from_numpy(np.ones(3))",
    "batch, target = next(iter(data.DataLoader(data.TensorDataset(x, labels), batch_size=2)))",
    "handle = v.register_hook(twice)",
    "replayed = tg.replay(predict)",
    "nn.init.kaiming_normal_(kernels)",
    "counted = sum(map(tg.Tensor.numel, net.parameters()))",
]

WHERE_A_STEP_LEADS = {
    **INTO_WHAT_IS_THE_USERS,
    **INTO_AN_OP,
    **dict.fromkeys(PAST_PLUMBING, TO_THE_NEXT),
}
"""By line of a training: which function of the user's, op or formula, one press is in; or the next line."""


@pytest.mark.exhaustive
def test_one_step_leads_from_each_line_of_a_training_to_what_is_worth_reading(tmp_path: Path) -> None:
    stops = "".join(f"breakpoint()\n{line}\npassed = True\n" for line in WHERE_A_STEP_LEADS)
    turn = [*TO_THE_NEXT_LINE, "step", "continue"]
    answers = drive([str(written(tmp_path, A_TRAINING + stops))], turn * len(WHERE_A_STEP_LEADS))
    for number, (line, expected) in enumerate(WHERE_A_STEP_LEADS.items()):
        before, step = answers[number * len(turn) + len(TO_THE_NEXT_LINE) :][:2]
        assert f"-> {line}" in before and expected in step, step
