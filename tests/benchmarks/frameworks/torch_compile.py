"""PyTorch with `torch.compile` for forward, loss and backward, in its default mode: whole steps.

It takes a C++ compiler. Its optimiser is the same as PyTorch's eager one.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from .. import inputs
from ..cases import Training
from .pytorch import PyTorch, model_of


class TorchCompile(PyTorch):
    def training(self, task: Training) -> Callable[[], float]:
        weights, images, targets = inputs.for_training(task)
        model, x, target = model_of(task.net, weights), torch.from_numpy(images), torch.from_numpy(targets)
        optimizer, criterion = torch.optim.SGD(model.parameters(), lr=0.01), torch.nn.MSELoss()
        compiled = torch.compile(lambda x, target: criterion(model(x), target))

        def step() -> float:
            optimizer.zero_grad()
            loss = compiled(x, target)
            loss.backward()
            optimizer.step()
            return loss.item()

        return step


FRAMEWORK = TorchCompile
