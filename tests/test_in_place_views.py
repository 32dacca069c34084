"""Changes in place of what shares memory with others: views, their bases, arrays taken of a tensor."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.helpers import leaf
from tinygrad_conv import errors


@pytest.mark.parametrize("recording", [True, False])
def test_what_an_item_was_taken_from_is_its_base_still(recording):
    x = tg.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True) * 1
    with tg.enable_grad() if recording else tg.no_grad():
        last = x[3]
        x[0] = last
        x[1] = last  # again, beside what it shows
        changes = (x.fill_, 0), (last.add_, 1), (x.__setitem__, 3, 0.0), (x.__setitem__, slice(2, 4), last)
        for change, *arguments in changes:
            with pytest.raises(errors.MutationError, match="is a view of"):
                change(*arguments)
        del last, changes, change, arguments
        x[3] = 0.0
    np.testing.assert_array_equal(x.data, [4, 4, 3, 0])


def test_a_view_of_what_left_its_base_is_no_exception():
    x = tg.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True) * 1
    last = x[3]
    x[0] = last
    middle = x[2]
    with pytest.raises(errors.MutationError, match="is a view of"):
        x[1:3] = middle
    np.testing.assert_array_equal(x.data, [4, 2, 3, 4])
    assert last.item() == 4


def test_a_view_of_what_had_to_be_copied_is_no_part_of_the_leaf():
    x = tg.zeros(2, 3)
    y = x.T.reshape(-1)
    every_second = y[::2]
    with pytest.raises(errors.MutationError, match="is a view of"):
        every_second -= 1.5
    with pytest.raises(errors.MutationError, match="is a view of"):
        y[::2] -= 1.5
    assert not y.data.any() and not x.data.any()


def test_contiguous_has_memory_of_its_own_where_it_had_to_be_laid_out():
    x = tg.zeros(2, 3, 4)
    y = x.permute(0, 2, 1).contiguous()
    y -= 1
    assert not x.data.any() and (y.data == -1).all()
    assert x.contiguous() is x


# Aliases


@pytest.mark.parametrize("make", [lambda x: x[0], lambda x: x.T, lambda x: x.view(-1), lambda x: x.detach()])
def test_a_view_and_its_base_are_never_torn_apart(make):
    x = leaf(2, 2) * 1
    view, numbers = make(x), x.data.copy()
    with pytest.raises(
        errors.MutationError, match=r"x \+= …: .*test_in_place_views.py:\d+, is a view of float64\[2,2\]"
    ):
        view += 1
    with pytest.raises(errors.MutationError, match=r"clone\(\)"):
        x += 1
    with pytest.raises(errors.MutationError):
        x[0] = 1
    np.testing.assert_array_equal(x.data, numbers)
    del view
    x += 1
    np.testing.assert_array_equal(x.data, numbers + 1)


def test_a_view_that_had_to_be_copied_counts_as_one():
    x = (leaf(2, 3) * 1).T
    flat = x.reshape(-1)
    assert not np.shares_memory(flat.data, x.data)
    with pytest.raises(errors.MutationError):
        flat += 1
    data = tg.tensor([[1.0, 2], [3, 4]]).T
    flat = data.reshape(-1)
    with pytest.raises(errors.MutationError):
        flat += 1


def test_a_view_whose_base_nobody_sees_is_changed():
    x = leaf(2, 3) * 1
    x = x.flatten()
    x += 1
    x = x.reshape(3, 2).T
    x.relu_()
    assert x.shape == (2, 3)


def test_a_view_kept_elsewhere_is_refused_where_it_is_stored_back():
    x = leaf(2, 2) * 1
    views = {"first": x[0]}
    with pytest.raises(errors.MutationError):
        views["first"] += 1


def test_views_of_data_change_with_it():
    x = tg.zeros(2, 2)
    row = x[0]
    row += 1
    x[:, 1] += 2
    assert x.tolist() == [[1, 3], [0, 2]] and row.tolist() == [1, 3]


def test_an_expanded_view_of_data_is_refused():
    x = tg.zeros(3)
    rows = x.expand(2, 3)
    with pytest.raises(errors.MutationError, match="expanded"):
        rows[0] = 1
    assert x.tolist() == [0, 0, 0]


def test_what_an_array_was_taken_of_keeps_its_numbers():
    x = leaf(3) * 1
    numbers, copy = x.data, x.data.copy()
    x += 1
    np.testing.assert_array_equal(numbers, copy)


def test_diagonals_and_slices_of_data_are_views():
    """As in PyTorch: what is written to them is in the matrix."""
    x = tg.zeros(3, 4)
    x.diagonal().fill_(1)
    tg.diagonal(x, 1).add_(2)
    x.diagonal(-1).copy_(tg.tensor([5.0, 6.0]))
    np.testing.assert_array_equal(x.numpy(), [[1, 2, 0, 0], [5, 1, 2, 0], [0, 6, 1, 2]])
    images = tg.zeros(2, 2, 2)
    tg.diagonal(images, dim1=1, dim2=2).fill_(3)
    np.testing.assert_array_equal(images.numpy(), np.stack([3 * np.eye(2)] * 2))
    row = tg.zeros(3)
    for number in row.unbind():
        number.add_(1)
    first, *_ = row
    first += 5
    assert row.tolist() == [6, 1, 1]


@pytest.mark.parametrize(
    "copy",
    [
        lambda x: tg.diag(x),
        lambda x: tg.pixel_shuffle(x[None], 1),
        lambda x: tg.pixel_unshuffle(x[None], 1),
        lambda x: tg.pixel_shuffle(x.view(9, 1, 1), 3),
    ],
)
def test_what_is_a_copy_in_pytorch_is_none_of_the_data(copy):
    x = tg.ones(3, 3)
    copy(x).fill_(5)
    assert x.sum().item() == 9


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x.diagonal(),
        lambda x: tg.diagonal(x, 1, 1, 0),
        lambda x: x.unfold(0, 2, 1),
        lambda x: x.unfold(1, 2, 2)[0],
        lambda x: x[0].unbind()[1],
    ],
)
def test_what_is_a_view_in_pytorch_is_no_copy_in_silence(view):
    """A result's numbers never change: to write to its view would be lost."""
    x = tg.ones(3, 3, requires_grad=True) * 2
    for write in (lambda y: y.fill_(5), lambda y: y.add_(1), lambda y: y.__imul__(2)):
        with pytest.raises(errors.MutationError, match="is a view of .*write base"):
            write(view(x))
    held = view(x)
    with pytest.raises(errors.MutationError):
        x += 1  # which the view would have to show
    assert held.sum().item() == 2 * held.numel() and x.sum().item() == 18


@pytest.mark.parametrize("made", [lambda x: x.unfold(0, 2, 1), lambda x: x.unfold(0, 2, 1)[0]])
def test_a_leaf_does_not_change_while_a_copy_stands_for_its_view(made):
    x = tg.arange(3.0)
    windows = made(x)
    for change in (lambda: x.add_(1), lambda: x.__setitem__(0, 5.0), lambda: x.__imul__(2)):
        with pytest.raises(errors.MutationError, match="stands for a view of .*, but is a copy"):
            change()
    assert x.tolist() == [0, 1, 2] and windows.reshape(-1)[:2].tolist() == [0, 1]
    windows = made(x).clone()
    x += 1
    assert x.tolist() == [1, 2, 3] and windows.reshape(-1)[:2].tolist() == [0, 1]


@pytest.mark.parametrize(
    "index", [tg.tensor(1), np.array(1), np.int64(1), (tg.tensor(1),), (np.array(1), ...)]
)
def test_an_integer_without_dimensions_picks_a_view(index):
    x = tg.tensor(np.arange(6.0).reshape(3, 2))
    row = x[index]
    row *= 10
    assert x.tolist() == [[0, 1], [20, 30], [4, 5]] and row.tolist() == [20, 30]
    y = tg.ones(3, 2, requires_grad=True) * 2
    with pytest.raises(errors.MutationError, match="is a view of"):
        y[index].fill_(1)
    y[index].sum().backward()


def test_a_number_picked_by_a_tensor_keeps_its_gradient():
    x = tg.ones(3, 2, requires_grad=True)
    (x[tg.tensor(2)].sum() + x[tg.tensor(-1), tg.tensor([0, 0])].sum()).backward()
    assert x.grad.tolist() == [[0, 0], [0, 0], [3, 1]]


def expanded():
    """A leaf in which four rows are one in memory, as somebody's array may be."""
    rows = np.lib.stride_tricks.as_strided(np.ones(3, np.float32), (4, 3), (0, 4))
    return tg.from_numpy(rows).requires_grad_()


def test_what_stands_in_several_places_is_changed_by_nobody():
    """Each place would be written to, and the last one win."""
    parameter = expanded()
    for optimizer in (tg.optim.SGD, tg.optim.Adam):
        with pytest.raises(
            ValueError, match=r"float32\[4,3\] is an expanded view; pass tg.tensor\(it\), a copy"
        ):
            optimizer([parameter], lr=0.1)
    with pytest.raises(
        errors.MutationError, match="vector_to_parameters: .* an expanded view: .*pass its .clone()"
    ):
        tg.nn.utils.vector_to_parameters(tg.arange(12.0), [parameter])
    norm = tg.nn.BatchNorm1d(4)
    norm.running_mean = tg.from_numpy(expanded().data[:, 0])
    before = [tensor.tolist() for tensor in norm.buffers()]
    with pytest.raises(errors.MutationError, match="an expanded view"):
        norm(tg.randn(3, 4))
    assert [tensor.tolist() for tensor in norm.buffers()] == before and (parameter.data == 1).all()
    copy = tg.tensor(parameter.data, requires_grad=True)
    (copy * tg.arange(12.0).reshape(4, 3)).sum().backward()
    tg.optim.SGD([copy], lr=1.0).step()
    np.testing.assert_array_equal(copy.data, 1 - np.arange(12).reshape(4, 3))
