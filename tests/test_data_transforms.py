"""Changes of images: what they do, the same for a batch as for its images, and their draws."""

from __future__ import annotations

import inspect
import math
import sys

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.data import transforms
from tinygrad_conv.errors import DtypeError, ShapeError

RANDOM = {
    "crop": lambda **seed: transforms.RandomCrop(5, 2, padding_mode="reflect", **seed),
    "crop with borders": lambda **seed: transforms.RandomCrop((9, 3), None, True, 0.5, **seed),
    "horizontal": lambda **seed: transforms.RandomHorizontalFlip(**seed),
    "vertical": lambda **seed: transforms.RandomVerticalFlip(0.3, **seed),
    "rotation": lambda **seed: transforms.RandomRotation(30, **seed),
    "affine": lambda **seed: transforms.RandomAffine(
        (5, 20), (0.1, 0.2), (0.8, 1.2), (1, 2, 3, 4), "bilinear", 0.5, (2, 3), **seed
    ),
    "erasing": lambda **seed: transforms.RandomErasing(0.7, value=0.25, **seed),
    "noise": lambda **seed: transforms.RandomErasing(0.7, value="random", **seed),
}
PLAIN = {
    "pad": lambda: transforms.Pad((1, 2, 3, 4), [1, 2, 3]),
    "edge": lambda: transforms.Pad((2, 1), 0, "edge"),
    "symmetric": lambda: transforms.Pad(3, padding_mode="symmetric"),
    "center": lambda: transforms.CenterCrop((3, 4)),
    "normalize": lambda: transforms.Normalize([1, 2, 3], [4, 5, 6]),
    "resize": lambda: transforms.Resize((4, 9)),
    "nearest": lambda: transforms.Resize(3, "nearest"),
}
EVERY = {**RANDOM, **PLAIN}


def images(count=6, dtype=np.float32, shape=(3, 7, 6)):
    numbers = np.random.default_rng(0).random((count, *shape))
    return (numbers * 255).astype(dtype) if np.dtype(dtype).kind in "iu" else numbers.astype(dtype)


@pytest.mark.parametrize("name", EVERY)
def test_a_batch_is_its_images_one_by_one_and_stays_as_it_is(name):
    make = RANDOM[name] if name in RANDOM else lambda **seed: PLAIN[name]()
    batch, before = images(), images()
    together, apart = make(seed=3)(batch), make(seed=3)
    np.testing.assert_array_equal(together, np.stack([apart(image) for image in batch]))
    np.testing.assert_array_equal(batch, before)
    assert not np.shares_memory(together, batch) and type(together) is np.ndarray
    assert together.dtype == batch.dtype and together.flags.c_contiguous
    tensor = make(seed=3)(tg.tensor(batch))
    assert isinstance(tensor, tg.Tensor)
    np.testing.assert_array_equal(tensor.data, together)
    strided = np.asfortranarray(batch[:, :, ::-1])[:, :, ::-1]
    np.testing.assert_array_equal(make(seed=3)(strided), together)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.bool_, np.float16, np.float64])
@pytest.mark.parametrize("name", [name for name in EVERY if name not in ("normalize", "noise")])
def test_dtypes_stay(name, dtype):
    make = EVERY[name]
    assert make()(images(dtype=dtype)).dtype == dtype


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("shape", [(0, 3, 7, 6), (2, 3, 3, 6), (1, 3, 1, 1), (2, 3, 4, 4)])
def test_small_batches_and_images(name, shape):
    batch = np.ones(shape, np.float32)
    try:
        changed = EVERY[name]()(batch)
    except ShapeError as error:
        assert min(shape[2:]) < 7 and str(error).startswith(("RandomCrop: ", "Pad: "))
    else:
        assert changed.shape[:2] == shape[:2] and changed.dtype == np.float32


@pytest.mark.parametrize("name", RANDOM)
def test_draws_come_from_where_it_is_said(name):
    make, batch = RANDOM[name], images(20)

    def drawn(**options):
        return make(**options)(batch).tolist()

    assert drawn(seed=1) == drawn(generator=np.random.default_rng(1)) != drawn(seed=2)
    tg.manual_seed(4)
    first, second = drawn(), drawn()
    tg.manual_seed(4)
    assert drawn() == first != second
    with pytest.raises(ValueError, match="pass one of generator and seed"):
        make(seed=1, generator=2)


@pytest.mark.parametrize("name", RANDOM)
def test_draws_go_on_from_a_saved_state(name, tmp_path):
    transform, batch = transforms.Compose([RANDOM[name](seed=1), lambda image: image]), images(20)
    transform(batch)
    tg.save(transform.state_dict(), tmp_path / "state")
    expected = transform(batch)
    other = transforms.Compose([RANDOM[name](seed=9), lambda image: image])
    other.load_state_dict(tg.load(tmp_path / "state"))
    np.testing.assert_array_equal(other(batch), expected)
    assert RANDOM[name]().state_dict() == {}


@pytest.mark.parametrize(
    "state", [{}, None, {"generator": None}, {"generator": {}}, {"generator": {"bit_generator": "PCG64"}}, 3]
)
def test_states_that_cannot_be_change_nothing(state):
    transform = transforms.RandomCrop(3, seed=1)
    both = transforms.Compose([transforms.RandomHorizontalFlip(seed=2), transform])
    before = both.state_dict()
    with pytest.raises(ValueError, match="^RandomCrop: "):
        transform.load_state_dict(state)
    with pytest.raises(ValueError, match="^RandomCrop: "):
        both.load_state_dict({"0": transforms.RandomHorizontalFlip(seed=7).state_dict(), "1": state})
    with pytest.raises(ValueError, match="^Compose: "):
        both.load_state_dict({"0": {}})
    assert both.state_dict() == before
    with pytest.raises(ValueError, match="^RandomCrop: .*no generator of its own"):
        transforms.RandomCrop(3).load_state_dict(transform.state_dict())


def test_pad_is_numpys():
    batch = images()
    for mode in ("edge", "reflect", "symmetric"):
        expected = np.pad(batch, ((0, 0), (0, 0), (2, 4), (1, 3)), mode)
        np.testing.assert_array_equal(transforms.Pad((1, 2, 3, 4), padding_mode=mode)(batch), expected)
    padded = transforms.Pad((1, 2), (5, 6, 7))(batch)
    assert padded.shape == (6, 3, 11, 8) and padded[0, :, 0, 0].tolist() == [5, 6, 7]
    np.testing.assert_array_equal(padded[:, :, 2:-2, 1:-1], batch)
    np.testing.assert_array_equal(transforms.Pad(0)(batch), batch)


def test_crops_are_parts():
    batch = images(50)
    cropped = transforms.RandomCrop((4, 3), seed=0)(batch)
    places = set()
    for image, part in zip(batch, cropped):
        matches = [
            (top, left)
            for top in range(4)
            for left in range(4)
            if np.array_equal(image[:, top : top + 4, left : left + 3], part)
        ]
        assert len(matches) == 1
        places.add(matches[0])
    assert len(places) > 10
    np.testing.assert_array_equal(transforms.RandomCrop((7, 6))(batch), batch)
    np.testing.assert_array_equal(transforms.CenterCrop(3)(batch), batch[:, :, 2:5, 2:5])
    larger = transforms.CenterCrop((9, 6))(batch)
    np.testing.assert_array_equal(larger[:, :, 1:8], batch)
    assert not larger[:, :, [0, 8]].any()
    with pytest.raises(ShapeError, match=r"RandomCrop: size \(8, 6\) is larger than float32\[50,3,7,6\]"):
        transforms.RandomCrop((8, 6))(batch)


def test_flips_happen_as_often_as_they_should():
    batch = images(400)
    for make, flipped in (
        (transforms.RandomHorizontalFlip, batch[..., ::-1]),
        (transforms.RandomVerticalFlip, batch[..., ::-1, :]),
    ):
        changed = make(0.25, seed=0)(batch)
        was_flipped = (changed == flipped).all((1, 2, 3))
        assert (was_flipped | (changed == batch).all((1, 2, 3))).all() and 70 < was_flipped.sum() < 130
        np.testing.assert_array_equal(make(1)(batch), flipped)
        np.testing.assert_array_equal(make(0)(batch), batch)


def test_quarter_turns_and_whole_shifts_are_exact():
    batch = images(2, shape=(3, 6, 6))
    for mode in ("nearest", "bilinear"):
        for degrees, turns in ((90, 1), (180, 2), (-90, -1), (0, 0)):
            turned = transforms.RandomRotation((degrees, degrees), mode)(batch)
            np.testing.assert_allclose(turned, np.rot90(batch, turns, (2, 3)), atol=1e-6)
            turned = transforms.RandomAffine((-degrees, -degrees), interpolation=mode)(batch)
            np.testing.assert_allclose(turned, np.rot90(batch, turns, (2, 3)), atol=1e-6)
    many = np.repeat(batch[:1], 200, 0)
    shifted = transforms.RandomAffine(0, (0.34, 0.5), fill=7, seed=0)(many)
    shifts = set()
    for image in shifted:
        matches = []
        for down in range(-3, 4):
            for right in range(-3, 4):
                expected = np.full((3, 12, 12), 7, np.float32)
                expected[:, 3 + down : 9 + down, 3 + right : 9 + right] = batch[0]
                if np.array_equal(expected[:, 3:9, 3:9], image):
                    matches.append((right, down))
        assert len(matches) == 1
        shifts.add(matches[0])
    assert {right for right, _ in shifts} == {-2, -1, 0, 1, 2}
    assert {down for _, down in shifts} == {-3, -2, -1, 0, 1, 2, 3}


def test_what_was_scaled_is_larger():
    image = np.zeros((1, 21, 21), np.float32)
    image[:, 8:13, 8:13] = 1
    assert transforms.RandomAffine(0, scale=(3, 3))(image).sum() == 15 * 15
    sheared = transforms.RandomAffine(0, shear=(45, 45))(image)
    assert sheared.sum() == 25 and (sheared.any(1).sum(), sheared.any(2).sum()) == (9, 5)
    sheared = transforms.RandomAffine(0, shear=(0, 0, 45, 45))(image)
    assert sheared.sum() == 25 and (sheared.any(1).sum(), sheared.any(2).sum()) == (5, 9)


def test_erased_rectangles_are_of_their_size_and_shape():
    batch = np.ones((300, 2, 20, 30), np.float32)
    erased = transforms.RandomErasing(0.5, (0.1, 0.2), (0.5, 2), (-1, -2), seed=0)(batch)
    areas = []
    for image in erased:
        rows, columns = np.flatnonzero(image[0].min(1) < 0), np.flatnonzero(image[0].min(0) < 0)
        if len(rows):
            part = image[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            assert (part[0] == -1).all() and (part[1] == -2).all()
            assert (image == 1).sum() == image.size - part.size
            areas.append(part[0].size)
            assert 0.4 < len(rows) / len(columns) < 2.4
    assert 110 < len(areas) < 190 and min(areas) > 600 * 0.08 and max(areas) < 600 * 0.23
    np.testing.assert_array_equal(transforms.RandomErasing(1, (1, 1), (1, 1))(batch), batch)  # never fits
    noisy = transforms.RandomErasing(1, value="random", seed=0)(np.zeros((100, 1, 20, 20)))
    drawn = noisy[noisy != 0]
    assert abs(drawn.mean()) < 0.1 and abs(drawn.std() - 1) < 0.1


def test_in_place_only_where_it_is_asked_for():
    batch = images()
    result = transforms.Normalize(0.5, 0.5, inplace=True)(batch)
    assert np.shares_memory(result, batch)
    np.testing.assert_allclose(batch, images() * 2 - 1, rtol=1e-5, atol=1e-6)
    assert np.shares_memory(transforms.RandomErasing(1, inplace=True)(batch), batch) and (batch == 0).any()


def test_pictures_become_tensors():
    picture = images(dtype=np.uint8)[0].transpose(1, 2, 0)
    tensor = transforms.ToTensor()(picture)
    assert isinstance(tensor, tg.Tensor) and tensor.dtype == np.float32 and tensor.shape == (3, 7, 6)
    np.testing.assert_array_equal(tensor.data, picture.transpose(2, 0, 1) / np.float32(255))
    assert transforms.ToTensor()(picture[:, :, 0]).shape == (1, 7, 6)
    assert transforms.ToTensor()(picture.astype(np.float64)).data.max() > 1
    assert transforms.ToTensor()(tensor) is tensor
    for wrong, error in (([1], TypeError), (np.ones(3), ShapeError), (np.full((2, 2), "a"), DtypeError)):
        with pytest.raises(error, match="^ToTensor: pic must be"):
            transforms.ToTensor()(wrong)


def test_functions_stand_between():
    transform = transforms.Compose([transforms.Lambda(lambda image: image * 2), transforms.Pad(1), np.copy])
    assert transform(images()).shape == (6, 3, 9, 8)
    assert "Pad(padding=1" in repr(transform) and "Lambda(" in repr(transform)
    assert repr(transforms.Compose([])) == "Compose([])" and repr(transforms.ToTensor()) == "ToTensor()"


def test_own_transforms():
    class Invert(transforms.Transform):
        def changed(self, images):
            return 1 - images

    np.testing.assert_array_equal(Invert()(images()[0]), 1 - images()[0])
    with pytest.raises(NotImplementedError, match="Transform changes nothing: define `def changed"):
        transforms.Transform()(images())


WRONG = [
    (lambda: transforms.RandomCrop(0), ValueError, "RandomCrop: size must be an int from 1"),
    (lambda: transforms.RandomCrop(3.5), TypeError, "RandomCrop: size must be"),
    (lambda: transforms.RandomCrop((1, 2, 3)), TypeError, "RandomCrop: size must be"),
    (lambda: transforms.RandomCrop(3, -1), ValueError, "RandomCrop: padding must be"),
    (lambda: transforms.RandomCrop(3, seed=-1), ValueError, "RandomCrop: seed must be"),
    (lambda: transforms.Pad((1, 2, 3)), TypeError, "Pad: padding must be"),
    (lambda: transforms.Pad(1, padding_mode="wrap"), ValueError, "Pad: padding_mode must be 'constant'"),
    (lambda: transforms.Pad(1, "red"), TypeError, "Pad: fill must be"),
    (lambda: transforms.CenterCrop(None), TypeError, "CenterCrop: size must be"),
    (lambda: transforms.RandomHorizontalFlip(1.5), ValueError, "RandomHorizontalFlip: p must be"),
    (lambda: transforms.RandomVerticalFlip(math.nan), ValueError, "RandomVerticalFlip: p must be"),
    (lambda: transforms.RandomRotation(-1), ValueError, "RandomRotation: degrees must be"),
    (lambda: transforms.RandomRotation((2, 1)), ValueError, "RandomRotation: degrees must be"),
    (lambda: transforms.RandomRotation(1, "bicubic"), ValueError, "RandomRotation: interpolation must be"),
    (lambda: transforms.RandomRotation(1, expand=True), ValueError, "RandomRotation: expand must be False"),
    (lambda: transforms.RandomAffine(1, (2, 0)), ValueError, "RandomAffine: translate must be"),
    (lambda: transforms.RandomAffine(1, scale=(0, 1)), ValueError, "RandomAffine: scale must be"),
    (lambda: transforms.RandomAffine(1, shear=(1, 2, 3)), TypeError, "RandomAffine: shear must be"),
    (lambda: transforms.RandomAffine(math.inf), TypeError, "RandomAffine: degrees must be"),
    (lambda: transforms.RandomErasing(scale=(0.5, 2)), ValueError, "RandomErasing: scale must be"),
    (lambda: transforms.RandomErasing(ratio=(0, 1)), ValueError, "RandomErasing: ratio must be"),
    (lambda: transforms.RandomErasing(value="red"), TypeError, "RandomErasing: value must be"),
    (lambda: transforms.Normalize([1], [0]), ValueError, "Normalize: std must not be 0"),
    (lambda: transforms.Normalize("a", 1), TypeError, "Normalize: mean must be"),
    (lambda: transforms.Resize(4, max_size=3), ValueError, "Resize: max_size=3 goes with"),
    (lambda: transforms.Compose([1]), TypeError, "Compose: transforms must be"),
    (lambda: transforms.Compose(transforms.Pad(1)), TypeError, "Compose: transforms must be"),
    (lambda: transforms.Lambda(3), TypeError, "Lambda: lambd must be"),
    (lambda: transforms.Pad(1)([1]), TypeError, "Pad: img must be a Tensor or an ndarray, not list"),
    (lambda: transforms.Pad(1)(np.ones((2, 2))), ShapeError, r"Pad: img must be \[C, H, W\]"),
    (lambda: transforms.Pad(1)(np.ones((1, 2, 2), complex)), DtypeError, "Pad: img must be of numbers"),
    (lambda: transforms.Pad(1, (1, 2))(images()), ShapeError, "Pad: fill has 2 numbers for the 3 channels"),
    (
        lambda: transforms.Pad(9, padding_mode="reflect")(images()),
        ShapeError,
        "Pad: padding .* needs at least",
    ),
    (lambda: transforms.Pad(10**12)(images()), ShapeError, "Pad: padding .* asks for an array"),
    (lambda: transforms.Resize(10**9)(images()), ShapeError, "Resize: size .* asks for an array"),
    (lambda: transforms.Resize(3)(np.ones((1, 0, 2))), ShapeError, "Resize: img must have pixels"),
    (lambda: transforms.Normalize(1, 1)(images(dtype=np.uint8)), DtypeError, "Normalize: img must be float"),
    (lambda: transforms.Normalize([1, 2], 1)(images()), ShapeError, "Normalize: mean has 2 numbers"),
    (
        lambda: transforms.RandomErasing(1, value="random")(images(dtype=np.uint8)),
        DtypeError,
        "RandomErasing: noise is floating-point",
    ),
]


@pytest.mark.parametrize("make, error, words", WRONG)
def test_wrong_arguments_and_images(make, error, words):
    with pytest.raises(error, match=f"^{words}"):
        make()


@pytest.mark.extras
def test_pictures_of_pillows():
    image = pytest.importorskip("PIL.Image")
    numbers = images(dtype=np.uint8)[0].transpose(1, 2, 0)
    colours = image.fromarray(numbers)
    np.testing.assert_array_equal(transforms.ToTensor()(colours).data, transforms.ToTensor()(numbers).data)
    assert transforms.ToTensor()(colours.convert("L")).shape == (1, 7, 6)
    assert transforms.ToTensor()(colours.convert("P")).shape == (3, 7, 6)
    bits = transforms.ToTensor()(colours.convert("1"))
    assert bits.dtype == np.float32 and set(bits.flatten().tolist()) == {0, 1}
    with pytest.raises(TypeError, match="for a Pillow image, ToTensor"):
        transforms.Pad(1)(colours)


@pytest.mark.torch
def test_maps_are_pytorchs():
    torch = pytest.importorskip("torch")
    batch = images(1, np.float64, (2, 9, 12))
    for mode in ("nearest", "bilinear"):
        for degrees, scale, shear in ((17.0, 1.0, 0.0), (-33.0, 1.3, 11.0), (80.0, 0.6, -7.0)):
            affine = transforms.RandomAffine(
                (degrees, degrees), None, (scale, scale), (shear, shear), mode, seed=0
            )
            angle, tangent = math.radians(degrees), math.tan(math.radians(shear))
            turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
            back = np.linalg.inv(scale * turn @ [[1, -tangent], [0, 1]])
            sizes = np.diag([12, 9])  # PyTorch counts from -1 to 1
            theta = np.linalg.inv(sizes) @ back @ sizes
            theta = torch.tensor(np.concatenate([theta, np.zeros((2, 1))], 1))[None]
            grid = torch.nn.functional.affine_grid(theta, [1, 2, 9, 12], align_corners=False)
            expected = torch.nn.functional.grid_sample(
                torch.tensor(batch), grid, mode, "zeros", align_corners=False
            )
            np.testing.assert_allclose(affine(batch), expected.numpy(), atol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("size", [(3, 4), (9, 12), (20, 5), (1, 1), (7, 30)])
def test_resized_as_pytorch_does(size):
    torch = pytest.importorskip("torch")
    batch = images(2, np.float32, (3, 9, 12))
    theirs = torch.tensor(batch)
    for antialias in (True, False):
        expected = torch.nn.functional.interpolate(
            theirs, size, mode="bilinear", antialias=antialias, align_corners=False
        )
        resized = transforms.Resize(size, antialias=antialias)(batch)
        np.testing.assert_allclose(resized, expected.numpy(), rtol=1e-5, atol=1e-6)
    expected = torch.nn.functional.interpolate(theirs, size, mode="nearest")
    np.testing.assert_array_equal(transforms.Resize(size, "nearest")(batch), expected.numpy())


def test_one_size_is_the_shorter_side():
    assert transforms.Resize(6)(np.ones((1, 12, 18))).shape == (1, 6, 9)
    assert transforms.Resize(6)(np.ones((1, 18, 12))).shape == (1, 9, 6)
    assert transforms.Resize(6, max_size=8)(np.ones((1, 12, 36))).shape == (1, 2, 8)
    np.testing.assert_allclose(transforms.Resize((5, 4))(np.full((1, 12, 18), 0.3)), 0.3)


def test_arguments_are_in_torchvisions_order():
    orders = {
        "RandomCrop": "size padding pad_if_needed fill padding_mode",
        "RandomRotation": "degrees interpolation expand center fill",
        "RandomAffine": "degrees translate scale shear interpolation fill center",
        "RandomErasing": "p scale ratio value inplace",
        "Pad": "padding fill padding_mode",
        "Normalize": "mean std inplace",
        "Resize": "size interpolation max_size antialias",
    }
    for name, order in orders.items():
        names = list(inspect.signature(getattr(transforms, name)).parameters)
        assert [name for name in names if name not in ("generator", "seed")] == order.split()
    assert transforms.InterpolationMode.BILINEAR == "bilinear"
    assert "torchvision" not in sys.modules
