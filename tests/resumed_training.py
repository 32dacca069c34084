"""A training that is killed, and goes on: `python tests/resumed_training.py FOLDER STEPS KILLS`.

It has what is not in the parameters alone: moments, running statistics, dropout, a schedule, an order of the
examples, and images shifted and flipped at random. Each time it is a process of its own that is killed, a
copy of this one, which has imported everything; the last time it is this one, which goes on to the end, and
writes everything that there is then to `state.npz`.
"""

from __future__ import annotations

import multiprocessing
import random
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn

BATCH, EVERY = 8, 2  # examples, and steps from one checkpoint to the next
MOST = 5  # steps from the start of a run until it is killed


def train(folder: Path, steps: int, tell: Any = lambda step: None) -> dict[str, Any]:
    """Train for so many steps in all; the state at the end."""
    tg.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(), nn.Linear(64, 3)
    )
    optimizer = tg.optim.Adam(net.parameters(), lr=0.01)
    schedule = tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    transforms = tg.data.transforms
    augmentation = transforms.Compose(
        [transforms.RandomHorizontalFlip(seed=1), transforms.RandomCrop(6, padding=1, seed=2)]
    )
    fixed = np.random.default_rng(0)
    images = tg.tensor(fixed.standard_normal((44, 1, 6, 6)), dtype=tg.float32)
    labels = tg.tensor(fixed.integers(3, size=44))
    loader = tg.data.DataLoader(tg.data.TensorDataset(images, labels), BATCH, shuffle=True, num_workers=1)
    parts: dict[str, Any] = {"model": net, "optimizer": optimizer, "schedule": schedule}
    parts.update(loader=loader, augmentation=augmentation)
    checkpoints = tg.Checkpoints(folder, keep=2)
    with warnings.catch_warnings():
        # `best` is written before `last`: killed between the first two, it goes on from `best`, and says so
        warnings.filterwarnings("ignore", r".*going on from .*best.npz.*there is no .*last.npz")
        saved = checkpoints.resume(**parts)
    step, losses = saved.get("step", 0), saved.get("losses", [])
    tell(step)
    while step < steps:
        for x, y in loader:
            optimizer.zero_grad()
            loss = tg.cross_entropy(net(augmentation(x)), y)
            loss.backward()
            optimizer.step()
            schedule.step()
            step, losses = step + 1, [*losses, loss.item()]
            if step % EVERY == 0:
                checkpoints.save(step, metric=loss.item(), losses=losses, **parts)
            tell(step)
            if step == steps:
                break
    states = {name: part.state_dict() for name, part in parts.items()}
    return {**states, "losses": losses, "rng_state": tg.get_rng_state()}


def kill_one(folder: Path, steps: int, rng: random.Random) -> None:
    """Start it, and kill it some steps later, anywhere in a step or in writing a checkpoint."""
    forked: Any = multiprocessing.get_context("fork")
    ours, theirs = forked.Pipe()

    def tell(step: int) -> None:
        theirs.send(step)
        theirs.recv()  # may it take another step?

    run = forked.Process(target=train, args=(folder, steps, tell))
    run.start()
    theirs.close()
    for _ in range(rng.randint(1, MOST)):
        ours.recv()
        ours.send(None)
    time.sleep(rng.random() * 0.01)
    run.kill()
    run.join()
    assert run.exitcode == -signal.SIGKILL, run.exitcode


if __name__ == "__main__":
    folder, (steps, kills) = Path(sys.argv[1]), map(int, sys.argv[2:])
    rng = random.Random(kills)
    for _ in range(kills):
        kill_one(folder / "checkpoints", steps, rng)
    tg.save(train(folder / "checkpoints", steps), folder / "state.npz")
