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
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn

BATCH, EVERY = 8, 2  # examples, and steps from one checkpoint to the next
MOST = 5  # steps from the start of a run until it is killed


def augmented(images: Any, rng: np.random.Generator) -> Any:
    """Images, shifted by a pixel or none and flipped or not."""
    shift, flip = rng.integers(-1, 2), rng.random(len(images)) < 0.5
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
    augmentation = np.random.default_rng(1)
    fixed = np.random.default_rng(2)
    images = tg.tensor(fixed.standard_normal((44, 1, 6, 6)), dtype=tg.float32)
    labels = tg.tensor(fixed.integers(3, size=44))
    dataset = tg.data.TensorDataset(images, labels)
    checkpoints = tg.Checkpoints(folder, keep=2)
    parts = {"model": net, "optimizer": optimizer, "schedule": schedule, "augmentation": augmentation}
    saved = checkpoints.resume(**parts)
    step, losses = saved.get("step", 0), saved.get("losses", [])
    tell(step)
    while step < steps:
        epoch, place = divmod(step, -(-len(dataset) // BATCH))
        loader = tg.data.DataLoader(dataset, BATCH, shuffle=True, seed=epoch)
        for x, y in list(loader)[place:]:
            optimizer.zero_grad()
            loss = tg.cross_entropy(net(augmented(x, augmentation)), y)
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
    return {**state, "losses": losses, "random": [tg.get_rng_state(), augmentation.bit_generator.state]}


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
