"""Pictures of a training: axes in, axes out, whatever the numbers are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import DtypeError, ShapeError

from .helpers import INSTALLED

pytestmark = pytest.mark.extras
matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
pyplot = pytest.importorskip("matplotlib.pyplot")

WHITE, BLACK = (1, 1, 1, 1), (0, 0, 0, 1)


def texts(axes):
    """What is written in the axes."""
    return [text.get_text() for text in axes.texts]


def test_axes_are_made_where_none_are_given():
    axes = tg.plot.curves(None, {"loss": [1.0]})
    assert isinstance(axes, matplotlib.axes.Axes)
    pyplot.close(axes.figure)


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: tg.plot.kernels(ax, np.ones((2, 1, 3, 3))),
        lambda ax: tg.plot.curves(ax, {"loss": [1, 2]}),
        lambda ax: tg.plot.confusion(ax, [0], [0]),
        lambda ax: tg.plot.images(ax, np.ones((1, 2, 2))),
    ],
    ids=["kernels", "curves", "confusion", "images"],
)
def test_the_axes_given_come_back_and_anything_else_is_refused(ax, draw):
    assert draw(ax) is ax
    with pytest.raises(
        TypeError, match=r"ax, which comes first, must be matplotlib Axes, or None, not float64"
    ):
        draw(np.ones((2, 2)))
    with pytest.raises(TypeError, match=r"pass one of them, as axes\[0\]"):
        draw(np.array([ax, ax]))
    with pytest.raises(TypeError, match="ax, which comes first"):
        draw(ax.figure)


def test_kernels_have_one_scale_that_is_white_at_0(ax):
    weight = np.zeros((3, 1, 2, 2), np.float32)
    weight[0, 0, 0, 0], weight[1, 0, 1, 1] = -2, 1
    tg.plot.kernels(ax, tg.tensor(weight))
    (image,) = ax.images
    assert image.get_clim() == (-2, 2)
    assert image.to_rgba(0.0) == pytest.approx(WHITE)
    blue, red = image.to_rgba(-2.0), image.to_rgba(2.0)
    assert blue[2] > 2 * blue[0] and red[0] > 2 * red[2]
    expected = [  # a grid of two columns, a pixel around each kernel, the last place empty
        ["-", "-", "-", "-", "-", "-", "-"],
        ["-", -2, 0, "-", 0, 0, "-"],
        ["-", 0, 0, "-", 0, 1, "-"],
        ["-", "-", "-", "-", "-", "-", "-"],
        ["-", 0, 0, "-", "-", "-", "-"],
        ["-", 0, 0, "-", "-", "-", "-"],
        ["-", "-", "-", "-", "-", "-", "-"],
    ]
    shown = image.get_array()
    assert shown.mask.tolist() == [[entry == "-" for entry in row] for row in expected]
    assert shown.filled(7).tolist() == [[7 if entry == "-" else entry for entry in row] for row in expected]
    assert ax.get_title() == "3 kernels of 2×2"


def test_kernels_of_several_channels_stand_in_rows_of_their_outputs(ax):
    weight = np.arange(2 * 3, dtype=np.int64).reshape(2, 3, 1, 1)
    tg.plot.kernels(ax, weight)
    assert ax.images[0].get_array()[1::2, 1::2].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1", "2"]
    assert ax.get_xticks().tolist() == [1, 3, 5] and ax.get_yticks().tolist() == [1, 3]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("input channel", "output channel")


@pytest.mark.parametrize(
    ("shape", "dtype", "title"),
    [
        ((1, 1, 5, 5), np.float16, "1 kernel of 5×5"),
        ((4, 1, 3), np.int8, "4 kernels of 1×3"),
        ((10, 7), np.uint64, "10×7"),
        ((40, 20, 1, 3), bool, "40 × 20 kernels of 1×3"),
        ((0, 1, 3, 3), np.float32, ""),
        ((2, 0, 3, 3), np.float64, ""),
    ],
    ids=str,
)
def test_kernels_of_every_shape_and_dtype_are_drawn(ax, shape, dtype, title):
    tg.plot.kernels(ax, np.ones(shape, dtype))
    assert ax.get_title() == title
    assert texts(ax) == ([] if title else [f"no kernels: {tg.errors.show_shape(shape)}"])


def test_weights_that_are_not_finite_are_crossed_out_and_do_not_change_the_scale(ax):
    weight = np.array([[[[np.nan, 0.5], [np.inf, -0.25]]]])
    tg.plot.kernels(ax, weight)
    assert ax.images[0].get_clim() == (-0.5, 0.5)
    (crosses,) = ax.lines
    assert sorted(zip(*crosses.get_data())) == [(1, 1), (1, 2)]


@pytest.mark.parametrize("size", [0.0, np.nan, 1e308, 5e-324], ids=str)
def test_extreme_weights_are_drawn(ax, size):
    tg.plot.kernels(ax, np.array([[size, -size]]))
    least, most = ax.images[0].get_clim()
    assert least == -most < 0


def test_columns_say_how_many_kernels_stand_side_by_side(ax):
    tg.plot.kernels(ax, np.ones((5, 1, 1, 1)), columns=5)
    assert ax.images[0].get_array().shape == (3, 11)
    with pytest.raises(ValueError, match="kernels: columns must be at least 1, not 0"):
        tg.plot.kernels(ax, np.ones((5, 1, 1, 1)), columns=0)


@pytest.mark.parametrize("shape", [(), (3,), (1, 1, 1, 2, 2)], ids=str)
def test_what_is_no_weight_is_refused(ax, shape):
    with pytest.raises(ShapeError, match=r"kernels: weight must be \[O, C, kh, kw\].* not \["):
        tg.plot.kernels(ax, np.ones(shape))


def test_curves_are_lines_over_epochs_from_1(ax):
    losses = [tg.tensor(3.0), tg.tensor(2.0), tg.tensor(1.0)]
    tg.plot.curves(ax, {"training": losses, "validation": tg.tensor([4, 5])}, mark=2)
    training, validation, marked = ax.lines
    assert [list(axis) for axis in training.get_data()] == [[1, 2, 3], [3, 2, 1]]
    assert [list(axis) for axis in validation.get_data()] == [[1, 2], [4, 5]]
    assert list(marked.get_xdata()) == [2, 2]
    assert training.get_color() != validation.get_color()
    assert training.get_linestyle() != validation.get_linestyle()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["training", "validation"]
    assert ax.get_xlabel() == "epoch" and all(tick == int(tick) for tick in ax.get_xticks())


def test_a_single_point_is_seen(ax):
    tg.plot.curves(ax, {"loss": [0.5]})
    assert ax.lines[0].get_marker() not in ("None", "", None)


def test_what_is_not_finite_interrupts_a_line_and_is_crossed_on_the_axis(ax):
    tg.plot.curves(ax, {"loss": [1.0, np.nan, np.inf, 2.0]})
    line, crosses = ax.lines
    assert np.isnan(line.get_ydata()).tolist() == [False, True, True, False]
    assert list(crosses.get_xdata()) == [2, 3]


@pytest.mark.parametrize(
    "row",
    [[], [np.nan], [True, False], np.array([2**63], np.uint64), [1e308, -1e308], np.zeros(2, np.float16)],
    ids=str,
)
def test_every_row_is_drawn(ax, row):
    tg.plot.curves(ax, {"row": row})
    assert len(ax.lines[0].get_ydata()) == len(row)


@pytest.mark.parametrize(
    ("row", "missing"),
    [
        ([0.2, 0.02, 0.003], []),
        ([0, -1.0, 2, np.nan], [1, 2, 4]),
        ([0.0], [1]),
        ([1e-300, 1e300], []),
        ([], []),
    ],
    ids=str,
)
def test_a_logarithmic_scale_leaves_out_what_has_no_logarithm(ax, row, missing):
    tg.plot.curves(ax, {"loss": row}, log=True)
    assert ax.get_yscale() == "log"
    assert [place for crosses in ax.lines[1:] for place in crosses.get_xdata()] == missing


def test_a_logarithmic_scale_is_labelled_with_numbers(ax):
    tg.plot.curves(ax, {"loss": [0.26, 0.05, 0.028]}, log=True)
    ax.figure.canvas.draw()
    labels = [tick.get_text() for tick in [*ax.get_yticklabels(), *ax.get_yticklabels(minor=True)]]
    assert {"0.1", "0.2"} <= {*labels}


def test_names_are_shown_as_they_are(ax):
    tg.plot.curves(ax, {"_hidden": [1], "$\\frac$": [2], 3: [3]})
    legend = ax.get_legend().get_texts()
    assert [text.get_text().strip() for text in legend] == ["_hidden", "$\\frac$", "3"]
    assert not any(text.get_parse_math() for text in legend)


def test_more_series_than_colours_differ_all_the_same(ax):
    tg.plot.curves(ax, {str(number): [number] for number in range(20)})
    assert len({(line.get_color(), line.get_linestyle(), line.get_marker()) for line in ax.lines}) == 20


def test_no_series_is_an_empty_picture(ax):
    assert not tg.plot.curves(ax, {}).lines


def test_x_says_where_the_points_stand(ax):
    tg.plot.curves(ax, {"loss": [1, 2]}, x=[10, 20])
    assert list(ax.lines[0].get_xdata()) == [10, 20] and not ax.get_xlabel()
    with pytest.raises(ShapeError, match="curves: x has 2 numbers, series\\['loss'\\] 3"):
        tg.plot.curves(ax, {"loss": [1, 2, 3]}, x=[10, 20])


@pytest.mark.parametrize(
    ("series", "error", "message"),
    [
        ([1, 2], TypeError, r"curves: series must be a dict, a name and its numbers each, not \[1, 2\]"),
        ({"a": [[1, 2]]}, ShapeError, r"curves: series\['a'\] must be a row of numbers, not \[1,2\]"),
        ({"a": 1.0}, ShapeError, r"curves: series\['a'\] must be a row of numbers, not \[\]"),
        ({"a": ["x"]}, DtypeError, r"curves: series\['a'\] must be real numbers, not \['x'\]"),
        ({"a": [1j]}, DtypeError, r"curves: series\['a'\] must be real numbers"),
        ({"a": [[1], [1, 2]]}, DtypeError, r"curves: series\['a'\] must be numbers, all rows of one length"),
        ({"a": [None]}, DtypeError, r"curves: series\['a'\] must be real numbers"),
    ],
    ids=str,
)
def test_what_is_no_series_is_refused(ax, series, error, message):
    with pytest.raises(error, match=message):
        tg.plot.curves(ax, series)


def test_a_confusion_counts_pairs_and_says_how_much_is_right(ax):
    tg.plot.confusion(ax, tg.tensor([0, 0, 0, 2, 2]), np.array([0, 0, 2, 2, 0], np.uint8))
    assert ax.get_title() == "60.00 % of 5 right"
    counted = {(text.get_position()[::-1], text.get_text()) for text in ax.texts}
    assert counted == {((0, 0), "2"), ((0, 2), "1"), ((2, 2), "1"), ((2, 0), "1")}  # (row, column)
    shown = ax.images[0].get_array()
    assert shown[1].tolist() == [[1, 1, 1, 1]] * 3, "a class without examples has an empty row"
    blue, orange = shown[0, 0], shown[0, 2]
    assert blue[2] > blue[0] and orange[0] > orange[2]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["0", "1", "2"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")


def test_a_mistake_is_the_paler_the_rarer_it_is(ax):
    truth = np.repeat([0, 1, 2], [100, 100, 100])
    predicted = truth.copy()
    predicted[:1], predicted[100:150] = 1, 2
    alone = tg.plot.confusion(ax, truth, np.where(truth == 0, predicted, truth)).images[-1].get_array()[0, 1]
    both = tg.plot.confusion(ax, truth, predicted).images[-1].get_array()
    assert alone.sum() > both[1, 2].sum() + 0.5 and both[0, 1].sum() >= alone.sum() > 3


def test_names_of_classes_that_do_not_occur_are_shown(ax):
    tg.plot.confusion(ax, [1], [1], names=["circle", "square", "a $very long$ name indeed"])
    assert [tick.get_text() for tick in ax.get_xticklabels()][2] == "a $very long$ name indeed"


def test_long_names_of_many_classes_are_turned(ax):
    names = [f"class number {number}" for number in range(12)]
    tg.plot.confusion(ax, [1], [1], names=names)
    assert {tick.get_rotation() for tick in ax.get_xticklabels()} == {90}


@pytest.mark.parametrize(("classes", "written"), [(1, True), (100, False)])
def test_counts_are_written_where_there_is_room(ax, classes, written):
    tg.plot.confusion(ax, range(classes), list(range(classes)))
    assert bool(ax.texts) == written and len(ax.get_xticks()) <= 25


@pytest.mark.parametrize("names", [None, [], ["a", "b"]], ids=str)
def test_no_examples_are_said(ax, names):
    tg.plot.confusion(ax, [], [], names=names)
    assert "no examples" in [ax.get_title(), *texts(ax)]


@pytest.mark.parametrize(
    ("truth", "predicted", "names", "error", "message"),
    [
        ([0, 1], [0], None, ShapeError, "one prediction for each label; got 2 and 1"),
        ([0.0], [0], None, DtypeError, r"truth must be integers, the numbers of classes, not float64\[1\]"),
        ([0], [[0]], None, ShapeError, r"predicted must be labels \[N\], not \[1,1\]"),
        ([-1], [0], None, ValueError, "labels count classes from 0; one is -1"),
        ([0], [2], ["a", "b"], ValueError, "a label is 2, and there are names for 0 to 1 alone"),
        ([0], [2], [], ValueError, "a label is 2, and there are no names"),
        ([10**9], [0], None, ValueError, "1,000,000,001 classes are more than the 1,000 that can be drawn"),
        (
            [0],
            [0],
            "ab",
            TypeError,
            "names must be a sequence of names, one for each class, or None, not 'ab'",
        ),
    ],
    ids=str,
)
def test_what_are_no_labels_is_refused(ax, truth, predicted, names, error, message):
    with pytest.raises(error, match=f"confusion: {message}"):
        tg.plot.confusion(ax, truth, predicted, names=names)


IMPORTED_LATE = """
import sys
import tinygrad_conv as tg

tg.plot.kernels
print("matplotlib" in sys.modules)
sys.modules["matplotlib"] = None  # as if it were not installed
try:
    tg.plot.curves(None, {})
except tg.errors.MissingExtraError as error:
    print(error)
"""


def test_matplotlib_is_imported_when_something_is_drawn_and_where_it_is_missing_that_is_said(tmp_path):
    message = "plot.curves needs matplotlib: pip install 'tinygrad_conv[examples]'"
    assert python(IMPORTED_LATE, tmp_path) == f"False\n{message}\n"


def python(program: str, folder: Path) -> str:
    """What a program prints in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={"PYTHONPATH": str(INSTALLED)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
