"""One training on several processes: each has the model, and its share of every batch.

    mpiexec -n 4 python examples/train_parallel.py             four of them (needs the extra `mpi`)
    mpiexec -n 4 python examples/train_parallel.py --compare   beside one process with the joined batches
    python examples/train_parallel.py                          one alone

The images are horizontal and vertical bars, 250 of them in batches of 64, so that the last batch has 58: four
processes share it out as 15, 15, 14 and 14. With --compare rank 0 also trains by itself, and prints how far
gradients and losses of the two trainings are apart: by rounding alone.

Start it with OPENBLAS_NUM_THREADS=1 where there are as many processes as processors.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim

BATCH = 64


def main() -> None:
    options = parse_options()
    try:
        ranks = tg.parallel.world_size()
    except ImportError as error:
        sys.exit(f"{error}")
    images, labels = data.bars(250, seed=0)
    dataset = data.TensorDataset(images, labels)

    net = tg.parallel.DataParallel(make_net())
    tg.parallel.print_main(f"{ranks} rank{'s' * (ranks > 1)}, {len(dataset)} images")
    losses, gradients = train(net, dataset, options.epochs)
    if options.compare:
        tg.parallel.on_main(compare, dataset, options.epochs, losses, gradients)

    accuracy = tg.parallel.on_main(lambda: (net.eval()(images).argmax(1) == labels).data.mean())
    tg.parallel.print_main(f"training accuracy: {100 * accuracy:.1f} %")


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a small CNN on several processes.")
    parser.add_argument("--epochs", type=int, default=4, help="passes over the images (default: 4)")
    parser.add_argument(
        "--compare", action="store_true", help="train on one process too, and say how far the two are apart"
    )
    return parser.parse_args()


def make_net() -> nn.Module:
    """A small CNN; DataParallel gives all ranks that of rank 0."""
    tg.manual_seed(0)
    layers = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(32, 2)]
    return nn.Sequential(*layers)


def train(net: nn.Module, dataset: data.Dataset, epochs: int, **ranks: int) -> tuple[list[float], list]:
    """The mean loss of each joined batch, and its gradients. ranks: whose share, if not this one's."""
    sampler = tg.parallel.ShardedSampler(dataset, batch_size=BATCH, shuffle=True, seed=0, **ranks)
    loader = data.DataLoader(dataset, batch_sampler=sampler)
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    losses, gradients = [], []
    for epoch in range(epochs):
        for images, labels in loader:
            optimizer.zero_grad()
            loss = tg.cross_entropy(net(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item() if ranks else tg.parallel.average(loss, len(images)))
            gradients.append([parameter.grad.copy() for parameter in net.parameters()])
        if not ranks:
            tg.parallel.print_main(f"epoch {epoch + 1}/{epochs}   loss {losses[-1]:.6f}")
    return losses, gradients


def compare(dataset: data.Dataset, epochs: int, losses: list[float], gradients: list) -> None:
    """Train on one process, and print how far the training on all of them is from it."""
    joined_losses, joined_gradients = train(make_net(), dataset, epochs, num_replicas=1, rank=0)
    apart = max(map(difference, gradients[0], joined_gradients[0]))
    print(f"gradients of the first batch: {apart:.1e} apart, of the largest in each array")
    losses_apart = np.abs(np.subtract(losses, joined_losses)).max()
    print(f"losses of {len(losses)} batches: at most {losses_apart:.1e} apart")


def difference(gradient: np.ndarray, joined: np.ndarray) -> float:
    """The largest difference, relative to the largest number."""
    return float(np.abs(gradient - joined).max() / np.abs(joined).max())


if __name__ == "__main__":
    main()
