"""The main job: a small CNN learns to tell images apart, with the mean squared error on one-hot targets.

    python examples/train_shapes.py                  circles, squares, triangles and crosses, generated
    python examples/train_shapes.py --data bars      horizontal and vertical bars, generated
    python examples/train_shapes.py --data digits    1,797 handwritten digits (needs the extra `examples`)
    python examples/train_shapes.py --html           writes shapes.html too: the last backward, step by step
    in a browser

At the end: which class was taken for which, a few images (as a PNG too, if matplotlib is installed), and the
accuracy on images that were not trained on. The same seed gives the same numbers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim

EPOCHS = {"shapes": 10, "bars": 6, "digits": 30}
SHOWN = 6  # images at the end
DEFAULT_PAGE = "DATA.html"  # with the name of the data


class Net(nn.Module):
    """Two convolutions, each followed by relu and a pooling that halves the image, and a linear layer."""

    def __init__(self, size: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.linear = nn.Linear(32 * (size // 4) ** 2, classes)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        x = tg.max_pool2d(tg.relu(self.conv1(x)), 2)
        x = tg.max_pool2d(tg.relu(self.conv2(x)), 2)
        return self.linear(tg.flatten(x, 1))


def main() -> None:
    options = parse_options()
    tg.manual_seed(options.seed)
    epochs = EPOCHS[options.data] if options.epochs is None else options.epochs
    (images, labels), (test_images, test_labels), names = load(options.data, options.seed)

    net = Net(size=images.shape[-1], classes=len(names))
    html = Path(f"{options.data}.html") if options.html == Path(DEFAULT_PAGE) else options.html
    train(net, images, labels, classes=len(names), epochs=epochs, html=html)

    predictions = predict(net, test_images)
    truth = test_labels.data
    print_confusion(predictions, truth, names)
    wrong_first = np.argsort(predictions == truth, kind="stable")[:SHOWN]
    captions = [caption(names[predictions[at]], names[truth[at]]) for at in wrong_first]
    pictures = test_images.data[wrong_first, 0]
    print_pictures(pictures, captions)
    save_pictures(pictures, captions, f"{options.data}.png")
    if html:
        print(f"saved {html} ({html.stat().st_size / 1000:,.0f} kB): open it in a browser")
    print(f"test accuracy: {100 * np.mean(predictions == truth):.1f} %")


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a small CNN with tinygrad_conv.")
    parser.add_argument("--data", choices=EPOCHS, default="shapes", help="which images (default: shapes)")
    parser.add_argument(
        "--epochs", type=count, help="passes over the training images (default: 10; bars 6, digits 30)"
    )
    parser.add_argument(
        "--seed", type=count, default=0, help="the same seed gives the same numbers (default: 0)"
    )
    parser.add_argument(
        "--html",
        type=writable,
        nargs="?",
        const=DEFAULT_PAGE,
        metavar="FILE",
        help="write a page that shows the last backward (default: shapes.html, or bars.html …); with "
        "--epochs 0 it shows a backward through the untrained net",
    )
    return parser.parse_args()


def count(text: str) -> int:
    """A whole number that is not negative; argparse turns the ValueError into a message."""
    number = int(text)
    if number < 0:
        raise ValueError
    return number


def writable(text: str) -> Path:
    """A file that can be written, which is tried before the training rather than after it."""
    path = Path(text)
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.parent} to write {path.name} to")
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text or '.'} is a folder; name a file in it")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            return path
    except OSError as error:
        message = f"nothing can be written to the folder {path.parent}: {error.strerror}"
        raise argparse.ArgumentTypeError(message) from error


def load(name: str, seed: int) -> tuple:
    """Training pair, test pair (images [N, 1, H, W] and labels [N] each), and the names of the classes."""
    if name == "digits":
        try:
            images, labels = data.digits()
        except ImportError as error:
            sys.exit(f"{error}")
        train, test = data.stratified_split(images, labels, test_fraction=1 / 3)
        return train, test, [str(digit) for digit in range(10)]
    make, names = {"shapes": (data.shapes, data.SHAPES), "bars": (data.bars, data.BARS)}[name]
    rng = np.random.default_rng(seed)
    return make(2000, seed=rng), make(1000, seed=rng), list(names)


def train(
    net: Net, images: tg.Tensor, labels: tg.Tensor, classes: int, epochs: int, html: Path | None
) -> None:
    optimizer = optim.Adam(net.parameters(), lr=3e-3)
    batches = data.DataLoader(data.TensorDataset(images, labels), batch_size=32, shuffle=True)
    one_hot = np.eye(classes, dtype=np.float32)
    if html and epochs == 0:
        x, label = next(iter(batches))
        loss = tg.mse_loss(net(x), one_hot[label.data])
        loss.record().to_html(html, title="A backward through the untrained net")
    for epoch in range(1, epochs + 1):
        total_loss, right = 0.0, 0
        for step, (x, label) in enumerate(batches, start=1):
            optimizer.zero_grad()
            scores = net(x)
            loss = tg.mse_loss(scores, one_hot[label.data])
            if html and (epoch, step) == (epochs, len(batches)):
                loss.record().to_html(html, title=f"The last backward of {epochs} epoch{'s' * (epochs != 1)}")
            loss.backward()
            optimizer.step()
            total_loss += loss.item() * len(x)
            right += np.sum(scores.data.argmax(axis=1) == label.data)
        mean_loss, accuracy = total_loss / len(images), 100 * right / len(images)
        print(f"epoch {epoch:2d}/{epochs}   loss {mean_loss:.4f}   accuracy {accuracy:5.1f} %")


def predict(net: Net, images: tg.Tensor) -> np.ndarray:
    """The number of the class with the highest score, for each image."""
    with tg.no_grad():
        return net(images).data.argmax(axis=1)


def print_confusion(predictions: np.ndarray, truth: np.ndarray, names: list[str]) -> None:
    """How often each class (row) was taken for each class (column)."""
    width = max(len(name) for name in names) + 2
    print("\ntrue \\ predicted".ljust(18) + "".join(name.rjust(width) for name in names))
    for row, name in enumerate(names):
        counts = [np.sum(predictions[truth == row] == column) for column in range(len(names))]
        print(name.rjust(16) + " " + "".join(str(count).rjust(width) for count in counts))


def caption(predicted: str, true: str) -> str:
    return predicted if predicted == true else f"{predicted}, not {true}"


def print_pictures(pictures: np.ndarray, captions: list[str]) -> None:
    """Three images beside each other, with what the net takes them for."""
    for first in range(0, len(pictures), 3):
        row = slice(first, first + 3)
        print()
        for cells in [*zip(*map(text_lines, pictures[row])), captions[row]]:
            print(("  " + "  ".join(cell.ljust(24) for cell in cells)).rstrip())
    print()


def text_lines(picture: np.ndarray) -> list[str]:
    """An image in block characters: each shows two pixels, one above the other."""
    blocks = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    ink = picture > 0.5
    pairs_of_rows = zip(ink[0::2].tolist(), ink[1::2].tolist())
    return ["".join(blocks[pair] for pair in zip(upper, lower)) for upper, lower in pairs_of_rows]


def save_pictures(pictures: np.ndarray, captions: list[str], path: str) -> None:
    """The same images as a PNG, if matplotlib is installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("(for these as a PNG: pip install 'tinygrad_conv[examples]')")
        return
    figure = Figure(figsize=(6, 4.4), layout="constrained")
    for axes, picture, text in zip(figure.subplots(2, SHOWN // 2).flat, pictures, captions):
        axes.imshow(picture, cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(text, fontsize=9, color="crimson" if ", not " in text else "black")
        axes.axis("off")
    figure.savefig(path, dpi=100)
    print(f"saved {path}")


if __name__ == "__main__":
    main()
