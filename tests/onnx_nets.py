"""Small nets of PyTorch's, and what its own exporters make of them: LeNet, a ResNet, a MobileNet, a U-Net.

Needs torch; the newer exporter needs onnxscript too.
"""

from __future__ import annotations

import io
import warnings

import torch
import torch.nn.functional as F
from torch import nn


class LeNet(nn.Module):
    SHAPE = (1, 28, 28)

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.avg_pool2d(torch.tanh(self.conv1(x)), 2)
        x = F.max_pool2d(torch.relu(self.conv2(x)), 2).flatten(1)
        return self.fc3(torch.sigmoid(self.fc2(torch.relu(self.fc1(x)))))


class Residual(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.shortcut = nn.Identity()
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + self.shortcut(x))


class ResNet(nn.Module):
    SHAPE = (3, 16, 16)

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.layers = nn.Sequential(Residual(8, 8, 1), Residual(8, 16, 2))
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        return self.fc(F.adaptive_avg_pool2d(self.layers(self.stem(x)), 1).flatten(1))


class Excitation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.down, self.up = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, channels, 1)

    def forward(self, x):
        return x * F.hardsigmoid(self.up(torch.relu(self.down(F.adaptive_avg_pool2d(x, 1)))))


def inverted(channels, out, stride):
    wide = 3 * channels
    return nn.Sequential(
        nn.Conv2d(channels, wide, 1, bias=False),
        nn.BatchNorm2d(wide),
        nn.ReLU6(),
        nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False),
        nn.BatchNorm2d(wide),
        nn.Hardswish(),
        Excitation(wide),
        nn.Conv2d(wide, out, 1, bias=False),
        nn.BatchNorm2d(out),
    )


class MobileNet(nn.Module):
    SHAPE = (3, 32, 32)

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.SiLU())
        self.first, self.second = inverted(8, 8, 1), inverted(8, 12, 2)
        self.head = nn.Linear(12, 5)

    def forward(self, x):
        x = self.stem(x)
        return self.head(self.second(x + self.first(x)).mean((2, 3)))


def normed(channels, out):
    return nn.Sequential(nn.Conv2d(channels, out, 3, 1, 1), nn.GroupNorm(2, out), nn.LeakyReLU(0.1))


class UNet(nn.Module):
    SHAPE = (1, 16, 16)

    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.middle = normed(1, 4), normed(4, 8), normed(8, 8)
        self.up2, self.up1 = normed(16, 8), normed(8, 4)
        self.transposed = nn.ConvTranspose2d(8, 4, 2, 2)
        self.out = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        fine = self.down1(x)
        coarse = self.down2(F.max_pool2d(fine, 2))
        y = F.interpolate(self.middle(F.max_pool2d(coarse, 2)), scale_factor=2, mode="bilinear")
        y = self.transposed(self.up2(torch.cat([y, coarse], 1)))
        y = self.up1(torch.cat([F.interpolate(y[:, :, ::2, ::2], scale_factor=2), fine], 1))
        return self.out(y)


NETS = (LeNet, ResNet, MobileNet, UNet)


def made(net_type):
    """A net with statistics and biases that are not those it begins with."""
    torch.manual_seed(0)
    net = net_type()
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if "var" in name:
                tensor.uniform_(0.5, 2)
            elif tensor.is_floating_point() and tensor.ndim == 1:
                tensor.add_(0.1 * torch.randn(tensor.shape))
    return net


def exported(net, batch=2, **options):
    """The bytes of a net as the older exporter writes it, for any batch, in the mode that it is in."""
    x, file = torch.randn(batch, *net.SHAPE), io.BytesIO()
    mode = torch.onnx.TrainingMode.TRAINING if net.training else torch.onnx.TrainingMode.PRESERVE
    options = {"training": mode, "do_constant_folding": False, "dynamic_axes": {"x": {0: "n"}}} | options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (x,), file, dynamo=False, input_names=["x"], **options)
    return file.getvalue()


def exported_by_dynamo(net, batch=2, optimize=False):
    """The model that the newer exporter makes of a net; when it optimises, it folds batch norms."""
    x = torch.randn(batch, *net.SHAPE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.onnx.export(net, (x,), dynamo=True, optimize=optimize, verbose=False).model_proto
