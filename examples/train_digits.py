"""Real handwritten digits, trained as one trains for real: checkpoints, a validation part, a log, a picture.

    python examples/train_digits.py                          one training, of seed 0
    python examples/train_digits.py --seeds 5                five of them: the mean accuracy, and its spread
    python examples/train_digits.py --loss cross_entropy     instead of the mean squared error
    python examples/train_digits.py --resume                 goes on where it was stopped, bit for bit

It needs the extra `examples`: scikit-learn ships the 1,797 images, matplotlib draws, tqdm shows a bar. A
fifth of each digit is the test part: it is held out, and looked at once, when the training is over. Of the
rest an eighth is the validation part: it decides which epoch's weights are kept, those of its lowest loss.

Into runs/digits/seed-0 go last.npz and best.npz (the checkpoints), log.jsonl (a line for each epoch) and
picture.png: curves, the kernels that were learned, what was taken for what, and what was misclassified.
"""

from __future__ import annotations

import argparse
import json
import math
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim
from tinygrad_conv.data import transforms

CLASSES = 10
SHOWN = 21  # misclassified images in the picture, at most
NOTHING = np.zeros(3)  # measured so far
Pair = tuple[tg.Tensor, tg.Tensor]  # images [N, 1, H, W], labels [N]
Loss = Callable[[tg.Tensor, tg.Tensor], tg.Tensor]  # of scores [N, 10] and labels [N]


class Task(NamedTuple):
    """What is to be learned, and how."""

    training: Pair
    validation: Pair
    test: Pair
    make_net: Callable[[], nn.Module]  # its layer conv1 is drawn
    augment: Callable[[tg.Tensor], tg.Tensor]  # other images that show the same digits
    learning_rate: float  # the highest: it rises to it, and falls to almost nothing
    batch_size: int


class Net(nn.Module):
    """Two convolutions, each followed by relu and a pooling that halves the image, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3, padding=1)
        self.dropout = nn.Dropout(0.2)
        self.linear = nn.Linear(64 * 2 * 2, CLASSES)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        x = tg.max_pool2d(tg.relu(self.conv1(x)), 2)
        x = tg.max_pool2d(tg.relu(self.conv2(x)), 2)
        return self.linear(self.dropout(tg.flatten(x, 1)))


def main() -> None:
    options = parser_of("Train a CNN on scikit-learn's handwritten digits.", "digits", epochs=30).parse_args()
    try:
        images, labels = data.digits()
    except ImportError as error:
        sys.exit(f"{error}")
    augment = transforms.RandomAffine(degrees=10, scale=(0.9, 1.1), interpolation="bilinear")
    task = Task(*parts_of(images, labels), Net, augment, learning_rate=5e-3, batch_size=32)
    train_all(task, options)


def parser_of(description: str, name: str, epochs: int) -> argparse.ArgumentParser:
    """The options of a training whose files go to runs/NAME."""
    parser = argparse.ArgumentParser(description=description)
    number = parser.add_mutually_exclusive_group()
    number.add_argument("--seed", type=count, default=0, help="the same seed, the same numbers (default: 0)")
    number.add_argument("--seeds", type=positive, metavar="N", help="train N times, with the seeds from 0")
    parser.add_argument("--epochs", type=count, default=epochs, help=f"default: {epochs}")
    parser.add_argument("--loss", choices=LOSSES, default="mse", help="default: mse, on one-hot targets")
    parser.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint, if there is one"
    )
    parser.add_argument(
        "--every", type=count, default=0, metavar="STEPS", help="checkpoints within epochs too"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs", name), metavar="FOLDER", help=f"default: runs/{name}"
    )
    parser.add_argument("--checkpoints", type=Path, metavar="FOLDER", help="default: where --out says")
    return parser


def count(text: str) -> int:
    """A whole number that is not negative; argparse turns the ValueError into a message."""
    number = int(text)
    if number < 0:
        raise ValueError
    return number


def positive(text: str) -> int:
    """A whole number above 0."""
    if count(text) == 0:
        raise ValueError
    return count(text)


def parts_of(images: tg.Tensor, labels: tg.Tensor) -> tuple[Pair, Pair, Pair]:
    """Training, validation and test part, the same ones each time."""
    rest, test = data.stratified_split(images, labels, test_fraction=1 / 5)
    return *training_and_validation(rest), test


def training_and_validation(rest: Pair) -> tuple[Pair, Pair]:
    """What is not held out, in two."""
    return data.stratified_split(*rest, test_fraction=1 / 8)


def train_all(task: Task, options: argparse.Namespace) -> None:
    """One training for each seed; of several, the accuracies together at the end."""
    parts = (task.training, task.validation, task.test)
    print("{} images to train on, {} to validate, {} to test".format(*(len(labels) for _, labels in parts)))
    seeds = [options.seed] if options.seeds is None else range(options.seeds)
    try:
        accuracies = [train(task, seed, options) for seed in seeds]
    except KeyboardInterrupt:
        again = sys.argv if "--resume" in sys.argv else [*sys.argv, "--resume"]
        print(f"\nstopped; from the last checkpoint: {shlex.join(['python', *again])}", file=sys.stderr)
        sys.exit(130)
    except (OSError, tg.errors.CheckpointError) as error:
        sys.exit(f"{error}")
    if len(accuracies) > 1:
        print("\ntest accuracy, seed by seed: " + "  ".join(f"{accuracy:.2f}" for accuracy in accuracies))
        mean, spread = statistics.mean(accuracies), statistics.stdev(accuracies)
        print(f"mean test accuracy: {mean:.2f} % ± {spread:.2f} (the standard deviation)")


def train(task: Task, seed: int, options: argparse.Namespace) -> float:
    """A training from its beginning, or from where it was stopped, to its accuracy on the test part."""
    tg.manual_seed(seed)
    net = task.make_net()
    loader = data.DataLoader(data.TensorDataset(*task.training), task.batch_size, shuffle=True)
    optimizer = optim.Adam(net.parameters(), lr=task.learning_rate)
    steps = max(options.epochs * len(loader), 1)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, task.learning_rate, total_steps=steps)
    moving = {"net": net, "optimizer": optimizer, "schedule": schedule, "loader": loader}

    out, folder = (Path(given, f"seed-{seed}") for given in (options.out, options.checkpoints or options.out))
    out.mkdir(parents=True, exist_ok=True)
    checkpoints = tg.Checkpoints(folder, keep=0)
    settings = {"seed": seed, "epochs": options.epochs, "loss": options.loss, "images": len(task.training[0])}
    history, sums, step = begin(checkpoints, settings, moving, options.resume)
    write_log(out / "log.jsonl", history)
    print(f"\nseed {seed}" + (f", from step {step} of {steps}" if step else ""))

    for epoch in range(len(history) + 1, options.epochs + 1):
        start = time.perf_counter()
        net.train()
        for images, labels in with_progress(loader, f"epoch {epoch}"):
            scores = net(task.augment(images))
            loss = LOSSES[options.loss](scores, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            sums = sums + measured(loss, scores, labels)
            if options.every and step % options.every == 0:
                checkpoints.save(step, settings=settings, history=history, sums=sums, **moving)
        validation = evaluate(net, task.validation, LOSSES[options.loss])
        rate = optimizer.param_groups[0]["lr"]
        history.append(line(epoch, means(sums), means(validation), rate, time.perf_counter() - start))
        sums = NOTHING
        print_line(history[-1], options.epochs)
        write_log(out / "log.jsonl", history)
        metric = history[-1]["validation_loss"]
        checkpoints.save(step, metric, settings=settings, history=history, sums=sums, **moving)

    if checkpoints.best.exists():
        checkpoints.load("best", net=net)
    return report(net, task.test, history, out)


def begin(
    checkpoints: tg.Checkpoints, settings: dict[str, Any], moving: dict[str, Any], resume: bool
) -> tuple[list[dict[str, float]], np.ndarray, int]:
    """The lines so far, the sums of the epoch that is under way, and how many steps were made.

    A training that begins anew takes the place of the one before it, and leaves a checkpoint at once.
    """
    saved = checkpoints.resume(**moving) if resume else {}
    if not saved:
        for path in (checkpoints.best, checkpoints.last, *checkpoints.numbered()):
            path.unlink(missing_ok=True)
        checkpoints.save(0, settings=settings, history=[], sums=NOTHING, **moving)
        return [], NOTHING, 0
    if saved["settings"] != settings:
        sys.exit(f"--resume: {checkpoints.last} is of a training with {saved['settings']}, not {settings}")
    return saved["history"], saved["sums"], saved["step"]


def with_progress(batches: data.DataLoader, title: str) -> Iterable[Any]:
    """The batches; with a bar, where tqdm is installed and somebody watches."""
    if sys.stderr.isatty():
        try:
            from tqdm import tqdm
        except ImportError:
            return batches
        return tqdm(batches, title, leave=False)
    return batches


def mse(scores: tg.Tensor, labels: tg.Tensor) -> tg.Tensor:
    """The mean squared error, where the score of the right class should be 1 and each other 0."""
    return tg.mse_loss(scores, np.eye(CLASSES, dtype=np.float32)[labels.data])


LOSSES: dict[str, Loss] = {"mse": mse, "cross_entropy": tg.cross_entropy}


def measured(loss: tg.Tensor, scores: tg.Tensor, labels: tg.Tensor) -> np.ndarray:
    """Of a batch: its loss times its images, the images that are right, the images."""
    right = np.sum(scores.data.argmax(axis=1) == labels.data)
    return np.array([loss.item() * len(labels), right, len(labels)])


def means(sums: np.ndarray) -> tuple[float, float]:
    """(loss, accuracy in percent) of what has been measured."""
    loss, right, total = sums.tolist()
    return loss / max(total, 1), 100 * right / max(total, 1)


def evaluate(net: nn.Module, part: Pair, loss: Loss) -> np.ndarray:
    """What is measured on images that are not trained on."""
    scores = scores_of(net, part[0])
    return measured(loss(scores, part[1]), scores, part[1])


def scores_of(net: nn.Module, images: tg.Tensor) -> tg.Tensor:
    """The scores [N, 10] of images, as the net gives them once it is trained."""
    net.eval()
    with tg.no_grad():
        return tg.cat([net(images[start : start + 500]) for start in range(0, len(images), 500)])


def line(
    epoch: int, training: tuple[float, float], validation: tuple[float, float], rate: float, seconds: float
) -> dict[str, float]:
    """What the log says of an epoch. The training part is measured while it is trained on."""
    return {
        "epoch": epoch,
        "training_loss": training[0],
        "training_accuracy": training[1],
        "validation_loss": validation[0],
        "validation_accuracy": validation[1],
        "learning_rate": rate,
        "seconds": round(seconds, 3),
    }


def print_line(line: dict[str, float], epochs: int) -> None:
    print(
        f"epoch {line['epoch']:{len(str(epochs))}}/{epochs}"
        f"   training loss {line['training_loss']:.4f}, {line['training_accuracy']:5.1f} %"
        f"   validation loss {line['validation_loss']:.4f}, {line['validation_accuracy']:5.1f} %"
        f"   {line['seconds']:.1f} s",
        flush=True,
    )


def write_log(path: Path, history: list[dict[str, float]]) -> None:
    """One line of JSON for each epoch; null for what is not finite, which JSON has no word for."""
    lines = [
        json.dumps({name: value if math.isfinite(value) else None for name, value in line.items()})
        for line in history
    ]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def report(net: nn.Module, test: Pair, history: list[dict[str, float]], out: Path) -> float:
    """The accuracy on the test part, in percent, printed, and the picture."""
    images, labels = test
    predicted = scores_of(net, images).data.argmax(axis=1)
    seconds = sum(line["seconds"] for line in history)
    try:
        draw(net, images.data, labels.data, predicted, history, out / "picture.png")
        print(f"saved {out / 'picture.png'} and log.jsonl")
    except ImportError:
        print("(for a picture: pip install 'tinygrad_conv[examples]')")
    accuracy = 100 * float(np.mean(predicted == labels.data))
    print(f"test accuracy: {accuracy:.2f} % after {seconds:.0f} s")
    return accuracy


def draw(
    net: nn.Module,
    images: np.ndarray,
    labels: np.ndarray,
    predicted: np.ndarray,
    history: list[dict[str, float]],
    path: Path,
) -> None:
    """The training in one picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 8.5), layout="constrained")
    panels = figure.subplot_mosaic([["loss", "accuracy", "kernels"], ["confusion", "images", "images"]])
    kept = min(history, key=lambda line: line["validation_loss"])["epoch"] if history else None
    for name in ("loss", "accuracy"):
        rows = {part: [line[f"{part}_{name}"] for line in history] for part in ("training", "validation")}
        tg.plot.curves(panels[name], rows, mark=kept, log=name == "loss")
    panels["loss"].set_title("loss; dotted: the epoch that was kept")
    panels["accuracy"].set_title("accuracy in % (training: augmented images)")
    tg.plot.kernels(panels["kernels"], net.conv1.weight)
    panels["kernels"].set_title("the first convolution's kernels")
    tg.plot.confusion(panels["confusion"], labels, predicted)
    panels["confusion"].set_title(f"test part: {panels['confusion'].get_title()}")
    wrong = np.flatnonzero(predicted != labels)
    captions = [f"{predicted[place]}, not {labels[place]}" for place in wrong[:SHOWN]]
    tg.plot.images(panels["images"], images[wrong[:SHOWN]], captions, columns=7, cmap="gray_r")
    more = f", of which these are {SHOWN}" if len(wrong) > SHOWN else ""
    panels["images"].set_title(f"misclassified: {len(wrong):,} of {len(labels):,}{more}")
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
