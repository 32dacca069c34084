"""A training that goes on from its last checkpoint: `python tests/resumed_training.py FOLDER [STEPS]`.

tests/test_resume.py kills it, again and again. It has what is not in the parameters alone: moments, running
statistics, dropout, a schedule, an order of the examples, and images shifted and flipped at random. After
each step it prints a line; `state` is everything that there is at the end.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn

BATCH, EVERY = 8, 2  # examples, and steps from one checkpoint to the next


def augmented(images: Any, random: np.random.Generator) -> Any:
    """Images, shifted by a pixel or none and flipped or not."""
    shift, flip = random.integers(-1, 2), random.random(len(images)) < 0.5
    moved = np.roll(images.data, shift, axis=3)
    return tg.tensor(np.where(flip[:, None, None, None], moved[..., ::-1], moved))


def train(folder: Path, steps: int, tell: Any = lambda step: None) -> dict[str, Any]:
    """Train for so many steps in all; the state at the end."""
    tg.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(), nn.Linear(64, 3)
    )
    optimizer = tg.optim.Adam(net.parameters(), lr=0.01)
    schedule = tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    random = np.random.default_rng(1)
    fixed = np.random.default_rng(2)
    images = tg.tensor(fixed.standard_normal((44, 1, 6, 6)), dtype=tg.float32)
    labels = tg.tensor(fixed.integers(3, size=44))
    dataset = tg.data.TensorDataset(images, labels)
    checkpoints = tg.Checkpoints(folder, keep=2)
    parts = {"model": net, "optimizer": optimizer, "schedule": schedule, "augmentation": random}
    saved = checkpoints.resume(**parts)
    step, losses = saved.get("step", 0), saved.get("losses", [])
    tell(step)
    while step < steps:
        epoch, place = divmod(step, -(-len(dataset) // BATCH))
        loader = tg.data.DataLoader(dataset, BATCH, shuffle=True, seed=epoch)
        for x, y in list(loader)[place:]:
            optimizer.zero_grad()
            loss = tg.cross_entropy(net(augmented(x, random)), y)
            loss.backward()
            optimizer.step()
            schedule.step()
            step, losses = step + 1, [*losses, loss.item()]
            if step % EVERY == 0:
                checkpoints.save(step, metric=loss.item(), losses=losses, **parts)
            tell(step)
            if step == steps:
                break
    state = {name: part.state_dict() for name, part in parts.items() if name != "augmentation"}
    return {**state, "losses": losses, "random": [tg.get_rng_state(), random.bit_generator.state]}


def tell_and_wait(step: int) -> None:
    """Say how far it is, and wait for a line that lets it take the next step; without an input, do not."""
    print(step, flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    state = train(folder / "checkpoints", int(sys.argv[2]), tell_and_wait)
    tg.save(state, folder / "state.npz")
