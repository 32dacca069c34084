"""Which dtype operands meet in, and numbers that a dtype cannot hold."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import functional as F
from tinygrad_conv.dtypes import promote, promote_beside_number
from tinygrad_conv.errors import DtypeError

MATRIX = np.array([[1, 2], [3, 4]])

TOGETHER = {  # functions of two matrices
    "add": tg.add,
    "cat": lambda a, b: tg.cat([a, b]),
    "stack": lambda a, b: tg.stack([a, b]),
    "hstack": lambda a, b: tg.hstack([a, b]),
    "block_diag": tg.block_diag,
    "cartesian_prod": lambda a, b: tg.cartesian_prod(a[0], b[0]),
    "diff": lambda a, b: tg.diff(a, append=b),
    "matmul": tg.matmul,
    "bmm": lambda a, b: tg.bmm(a[None], b[None]),
    "dot": lambda a, b: tg.dot(a[0], b[0]),
    "linear": F.linear,
    "transposed_matmul": tg.ops.transposed_matmul,
    "addmm": lambda a, b: tg.addmm(a, a, b),
    "einsum": lambda a, b: tg.einsum("ij,jk->ik", a, b),
    "where": lambda a, b: tg.where(a > 1, a, b),
    "xlogy": tg.xlogy,
}


@pytest.mark.parametrize("name", TOGETHER)
@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (np.float32, np.int64, np.float32),
        (np.int32, np.float32, np.float32),
        (np.float16, np.int64, np.float16),
        (np.float16, np.float32, np.float32),
        (np.float32, np.float64, np.float64),
    ],
)
def test_floats_win_over_integers(name, first, second, together):
    """PyTorch's rule, by which no float32 becomes float64 beside integers; and gradients come back in it."""
    x, y = tg.tensor(MATRIX.astype(first)), tg.tensor(MATRIX.astype(second))
    for leaf in (x, y):
        leaf.requires_grad = leaf.is_floating_point()
    z = TOGETHER[name](x, y)
    assert z.dtype == together
    right = TOGETHER[name](*(tg.tensor(MATRIX.astype(together)) for _ in range(2)))
    np.testing.assert_array_equal(z.detach().numpy(), right.numpy())
    z.sum().backward()
    for leaf in (x, y):
        assert leaf.grad is None if leaf.dtype.kind == "i" else leaf.grad.dtype == leaf.dtype


def test_a_logarithm_is_taken_in_the_dtype_of_its_product():
    x, y = np.array([2.0], np.float32), np.array([3.0], np.float16)
    np.testing.assert_allclose(tg.xlogy(x, y), 2 * np.log(3), rtol=1e-6)


@pytest.mark.parametrize(
    ("equation", "shapes", "dtype"),
    [
        ("ij->j", [(3, 2)], np.int64),
        ("ii->", [(3, 3)], np.int64),
        ("ij,j->j", [(3, 2), (2,)], np.int64),
        ("ij,kl->", [(3, 2), (2, 3)], np.int64),
        ("ij->ji", [(3, 2)], np.uint8),
        ("ij,jk->ik", [(3, 2), (2, 3)], np.uint8),
    ],
)
def test_integers_that_are_summed_alone_do_not_wrap(equation, shapes, dtype):
    arrays = [np.full(shape, 200, np.uint8) for shape in shapes]
    y = tg.einsum(equation, *arrays)
    right = np.einsum(equation, *(array.astype(np.int64) for array in arrays))
    np.testing.assert_array_equal(y, right.astype(dtype), strict=True)


def test_bools_stay_bools():
    x = np.array([True, False])
    for y in (tg.sign(x), tg.pow(x, np.array([True, True]))):
        np.testing.assert_array_equal(y, x, strict=True)


def assigned(x, value, index=0):
    x[index] = value


WRITTEN = {
    "x[…]": assigned,
    "a list": lambda x, value: assigned(x, [value, 0], slice(2)),
    "fill_": lambda x, value: x.fill_(value),
    "index_fill": lambda x, value: x.index_fill(0, tg.tensor([0]), value),
    "scatter": lambda x, value: x.scatter(0, tg.tensor([0]), value),
    "pad": lambda x, value: F.pad(x, (1, 1), value=value),
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64])
@pytest.mark.parametrize("value", [300, -200, 2.0**70, 10**30, float("nan"), float("-inf")])
def test_no_integer_is_written_as_another(name, dtype, value):
    if value in (300, -200) and dtype is np.int64:
        return
    x = tg.zeros(3, dtype=dtype)
    with pytest.raises(OverflowError, match=f"(: |… = …: ){np.dtype(dtype)} holds integers from .* not "):
        WRITTEN[name](x, value)
    assert x.tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", WRITTEN)
def test_what_fits_is_written(name):
    for value, dtype, right in [
        (255, np.uint8, 255),
        (2.7, np.int8, 2),
        (10**30, np.float32, np.float32(1e30)),
    ]:
        x = tg.zeros(3, dtype=dtype)
        written = WRITTEN[name](x, value)
        assert (x if written is None else written).max().item() == right


@pytest.mark.parametrize("number", [300, -1, np.int64(300), np.array(300)])
def test_a_scalar_that_wraps_is_refused(number):
    x = tg.tensor([1, 2], dtype=tg.uint8)
    with pytest.raises(OverflowError, match="add: uint8 holds integers from 0 to 255, not"):
        x + number
    assert (x + 255).tolist() == [0, 1]  # as the arithmetic of integers does


NO_NUMBERS = {
    "None": None,
    "a text": "3",
    "bytes": b"3",
    "a text of NumPy's": np.array("3"),
    "a list with None": [None, 1.0],
    "texts": ["1", "2"],
    "objects": np.array([None, 1.0], object),
    "a date": np.datetime64("2020-01-01"),
    "complex": np.complex64(1),
    "a masked array": np.ma.array([1.0, 2.0], mask=[False, True]),
    "a function": len,
}
TAKING_NUMBERS = {
    **{name: write for name, write in WRITTEN.items() if name not in ("a list", "pad")},
    "a slice": lambda x, value: assigned(x, value, slice(2)),
    "copy_": lambda x, value: x.copy_(value),
    "tensor": lambda x, value: tg.tensor(value, dtype=x.dtype),
    "tensor of bools": lambda x, value: tg.tensor(value, dtype=tg.bool),
    "as_tensor": lambda x, value: tg.as_tensor(value, dtype=x.dtype),
    "full": lambda x, value: tg.full((2,), value, dtype=x.dtype),
    "full_like": tg.full_like,
    "new_tensor": lambda x, value: x.new_tensor(value),
    "isin": tg.isin,
    "isin of arrays": lambda x, value: tg.isin(x, np.asanyarray(value)),
    "searchsorted": tg.searchsorted,
    "normal": lambda x, value: tg.normal(value, 1.0, (2,)),
    "matmul": lambda x, value: x[:2] @ np.asanyarray(value),
    "equal": tg.equal,
    "vector_to_parameters": lambda x, value: tg.nn.utils.vector_to_parameters(np.asanyarray(value), [x]),
}


@pytest.mark.parametrize("name", TAKING_NUMBERS)
@pytest.mark.parametrize("given", NO_NUMBERS)
def test_what_is_no_number_never_becomes_one(name, given):
    """NumPy makes NaN of None, 3 of a text and True of an object where a dtype is asked for."""
    x = tg.zeros(2)
    with pytest.raises((TypeError, ValueError), match=r"^\w+: |^x.*…[\])]( = …)?: "):
        TAKING_NUMBERS[name](x, NO_NUMBERS[given])
    assert x.tolist() == [0, 0]


@pytest.mark.parametrize("given", NO_NUMBERS)
@pytest.mark.parametrize("of_a_leaf", [False, True])
def test_a_hook_puts_no_other_thing_in_the_place_of_a_gradient(given, of_a_leaf):
    x = tg.ones(2, requires_grad=True)
    y = x * 1
    value = NO_NUMBERS[given]
    returned = np.full(2, value) if np.ndim(value) == 0 else np.asanyarray(value)
    (x if of_a_leaf else y).register_hook(lambda gradient: returned)
    with pytest.raises((TypeError, ValueError), match="^a hook returned .*"):
        y.sum().backward()
    assert x.grad is None


@pytest.mark.parametrize("given", [np.array([1, 2]), np.array([1.0, 2.0]), tg.tensor([1.0, 2.0])])
def test_a_hook_may_return_numbers_of_any_dtype(given):
    x = tg.ones(2, requires_grad=True)
    x.register_hook(lambda gradient: given)
    x.sum().backward()
    assert x.grad.dtype == np.float32 and x.grad.tolist() == [1, 2]


def test_numbers_of_a_vector_that_a_parameter_cannot_hold_change_none():
    a, b = tg.ones(1), tg.ones(1, dtype=tg.float16)
    with pytest.raises(OverflowError, match="vector_to_parameters: float16 holds numbers up to 65504"):
        tg.nn.utils.vector_to_parameters(np.array([2.0, 1e5]), [a, b])
    assert a.item() == b.item() == 1


def test_a_state_dict_with_a_masked_array_loads_nothing():
    layer = tg.nn.Linear(1, 2)
    before = layer.weight.tolist()
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    with pytest.raises(TypeError, match="load_state_dict: bias is MaskedArray, .* would lose its mask"):
        layer.load_state_dict({"weight": np.ones((2, 1)), "bias": masked})
    assert layer.weight.tolist() == before


MASKED = np.ma.array([0, 1], mask=[False, True])


@pytest.mark.parametrize(
    "take",
    [
        lambda x: x[MASKED],
        lambda x: x[:, MASKED],
        lambda x: x[np.ma.array([True, False], mask=[False, True])],
        lambda x: x.__setitem__(MASKED, 0.0),
        lambda x: x.index_add(0, MASKED, x),
        lambda x: tg.index_select(x, 0, MASKED),
        lambda x: tg.scatter(x, 0, MASKED[None], 1.0),
        lambda x: tg.nn.functional.embedding(MASKED, x),
        lambda x: tg.repeat_interleave(x, MASKED, 0),
        lambda x: tg.nn.functional.scaled_dot_product_attention(x, x, x, attn_mask=MASKED > 0),
        lambda x: tg.nn.Embedding.from_pretrained(np.ma.array(np.ones((2, 2)))),
        lambda x: tg.nn.CrossEntropyLoss(np.ma.array([1.0, 2.0], mask=[0, 1])),
        lambda x: tg.data.transforms.ToTensor()(np.ma.array(np.ones((2, 2)))),
    ],
)
def test_no_index_mask_or_weight_loses_its_own_mask(take):
    x = tg.ones(2, 2)
    with pytest.raises(
        (DtypeError, TypeError), match=r"(\w|\]): .*(masked array would lose|must be (a Tensor|numbers))"
    ):
        take(x)
    assert x.tolist() == [[1, 1], [1, 1]]


def test_integers_that_no_dtype_holds_do_not_become_rounded_floats():
    with pytest.raises(OverflowError, match="tensor: no integer dtype holds all of these"):
        tg.tensor([[2**63], [-1]])
    assert tg.tensor([2.0**63, -1]).dtype == np.float32
    assert tg.tensor([2**63, -1], dtype=tg.float64).tolist() == [2.0**63, -1]


@pytest.mark.parametrize("code", [">f4", ">i8"])
def test_no_tensor_is_brought_to_another_order_of_bytes(code):
    for cast in (lambda x: x.to(code), lambda x: x.sum(dtype=code), lambda x: x.type(code)):
        with pytest.raises(DtypeError, match=f"to: '{code}' is in another byte order; write '"):
            cast(tg.ones(2))


@pytest.mark.parametrize("rows", [[MASKED, MASKED], ([1.0, 2.0], MASKED), [[MASKED]], [np.ma.masked, 1.0]])
def test_no_row_of_a_list_loses_its_mask(rows):
    with pytest.raises(DtypeError, match="tensor: a masked array would lose its mask in silence"):
        tg.tensor(rows)


@pytest.mark.parametrize("value", [tg.ones(2), np.float32(2.0), np.ones(2), 0.0, [], {}], ids=str)
@pytest.mark.parametrize("make", [tg.zeros, tg.full, tg.zeros_like, tg.rand, tg.tensor, tg.arange])
def test_what_has_a_dtype_is_none(make, value):
    """NumPy takes an array for its dtype, and what is false to Python was as if it had not been given."""
    arguments = {"full": (2, 1.0), "zeros_like": (tg.ones(2),)}.get(make.__name__, (2,))
    with pytest.raises(DtypeError, match=f"{make.__name__}: dtype must be .*float16, float32 or float64"):
        make(*arguments, dtype=value)


NUMBERS_BESIDE = [
    0,
    1,
    -3,
    2.5,
    -0.0,
    1e-40,
    1e30,
    3.4e38,
    3.5e38,
    1e300,
    2**62,
    2**63,
    10**30,
    10**400,
    float("inf"),
    float("nan"),
    True,
]


@pytest.mark.parametrize("number", NUMBERS_BESIDE, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)], ids=str)
def test_the_short_way_beside_a_number_says_what_the_long_one_does(number, shape):
    for dtype in (np.float32, np.float64, np.float16, np.int64, np.bool_):
        array = np.ones(shape, dtype)
        for operands in ([array, number], [number, array]):
            short = promote_beside_number(operands)
            if short is None:
                continue
            for given, expected in zip(short, promote(operands, [False, False])):
                assert given.dtype == expected.dtype == array.dtype
                np.testing.assert_array_equal(given, expected)


def test_the_short_way_is_taken_by_usual_numbers_and_infinite_ones_alone():
    array = np.ones((2, 3), np.float32)
    assert promote_beside_number([array, 2]) is not None and promote_beside_number([0.5, array]) is not None
    assert promote_beside_number([array, float("inf")]) is not None and promote_beside_number(
        [-2, array.astype(np.int64)]
    )
    for unusual in (True, 2**63, 1e300, np.float32(2), np.ones(())):
        assert promote_beside_number([array, unusual]) is None
    for other in (array.astype(np.float16), array.astype(np.int32), array.astype(bool)):
        assert promote_beside_number([other, 2]) is None
    assert promote_beside_number([array.astype(np.int64), 2.0]) is None
    assert promote_beside_number([array, array, 2]) is None


@pytest.mark.parametrize(
    "operator", ["__add__", "__rsub__", "__mul__", "__truediv__", "__rtruediv__", "__pow__"]
)
def test_arithmetic_with_a_number_is_recorded_with_it(operator):
    x = tg.tensor(np.array([0.5, 2.0]), requires_grad=True)
    y = getattr(x, operator)(3)
    assert y.dtype == np.float64
    np.testing.assert_array_equal(y.numpy(force=True), getattr(np.array([0.5, 2.0]), operator)(3.0))
    y.sum().backward()
    step = 1e-6
    above, below = (getattr(x.numpy(force=True) + h, operator)(3.0) for h in (step, -step))
    np.testing.assert_allclose(x.grad, (above - below) / (2 * step), rtol=1e-6)


@pytest.mark.parametrize("shapes", [[(2, 3)] * 6, [(2, 3), (), (1, 3)]], ids=["alike", "of several shapes"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int64, np.int8, np.bool_])
def test_operands_of_one_dtype_are_left_as_they_are(shapes, dtype):
    arrays = [np.ones(shape, dtype) for shape in shapes]
    for check_half in (False, True):
        promoted = promote(arrays, [False] * len(arrays), check_half)
        assert all(given is array for given, array in zip(promoted, arrays, strict=True))


def test_numbers_of_one_dtype_and_foreign_dtypes_are_promoted_all_the_same():
    doubles = [np.asarray(2.0), np.asarray(3.0)]
    assert {array.dtype for array in promote(doubles, [True, True])} == {np.dtype(np.float32)}
    swapped = np.ones(2, np.dtype(np.float32).newbyteorder())
    assert all(array.dtype.isnative for array in promote([swapped, swapped], [False, False]))
    with pytest.raises(DtypeError, match="an operand is complex128"):
        promote([np.ones(2, complex)] * 2, [False, False])
