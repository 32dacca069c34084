"""Memory shared with other libraries, by DLPack and `__array__`, with NumPy as the other; and what is said
where PyTorch is missing.
"""

from __future__ import annotations

import gc
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.engine.dlpack import VERSIONED
from tinygrad_conv.errors import DtypeError, MissingExtraError, MutationError, UninitializedError

from .helpers import assert_refused, leaf
from .step_programs import environment

DTYPES = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64") + (
    "float16", "float32", "float64",
)  # fmt: skip
SHAPES = [(), (0,), (1,), (2, 0, 3), (2, 3)]
HCWN = (
    np.arange(120, dtype=np.float32).reshape(3, 4, 5, 2).transpose(3, 1, 0, 2)
)  # [N, C, H, W] of that order
ORDERS = {
    "C": np.arange(6.0).reshape(2, 3),
    "Fortran": np.arange(6.0).reshape(2, 3).T,
    "HCWN": HCWN,
    "every other": np.arange(12.0)[::2],
}


class Legacy:
    """What speaks the protocol's first version alone, as JAX does and NumPy did before 2.1."""

    def __init__(self, exporter):
        self.exporter = exporter

    def __dlpack__(self, *, stream=None):
        return self.exporter.__dlpack__(stream=stream)

    def __dlpack_device__(self):
        return self.exporter.__dlpack_device__()


def memory_of(tensor):
    """The tensor's array, with no look at what it may do."""
    return tensor.numpy()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_dtype_and_size_out_and_in(dtype, shape):
    array = np.ones(shape, dtype)
    for out in (np.from_dlpack(tg.from_numpy(array)), tg.from_dlpack(array).numpy()):
        assert (out.dtype, out.shape) == (array.dtype, shape)
        assert np.shares_memory(out, array) == (array.size > 0)


@pytest.mark.parametrize("order", ORDERS)
def test_leaves_are_shared_in_the_order_they_have(order):
    array = ORDERS[order].copy(order="K") if order != "every other" else ORDERS[order]
    x = tg.from_numpy(array)
    for out in (np.from_dlpack(x), np.from_dlpack(Legacy(x)), memory_of(tg.from_dlpack(array))):
        assert np.shares_memory(out, array) and out.strides == array.strides
        np.testing.assert_array_equal(out, array)
    assert x.__dlpack_device__() == (1, 0)
    if VERSIONED:
        np.from_dlpack(x)[0] = 7
        assert (x.data[0] == 7).all()


def test_a_result_of_nothing_recorded_is_shared_and_may_not_be_written_to():
    w = leaf(6, 4, 3, 3, dtype=np.float32)
    with tg.no_grad():
        y = tg.conv2d(tg.from_numpy(HCWN), w)
    for result in (y, y.detach(), y[0]):
        out = np.from_dlpack(result)
        assert np.shares_memory(out, memory_of(y)) == VERSIONED  # the first version cannot say read-only
        assert not (VERSIONED and out.flags.writeable)
        old = np.from_dlpack(Legacy(result))
        assert not np.shares_memory(old, memory_of(y))
        np.testing.assert_array_equal(old, out)


def exported(tensor, **options):
    """An array in the memory that a tensor exports."""
    return np.from_dlpack(Exporter(tensor, options))


class Exporter:
    """A tensor, asked in one way whatever the consumer would ask."""

    def __init__(self, tensor, options):
        self.tensor, self.options = tensor, options

    def __dlpack__(self, **options):
        return self.tensor.__dlpack__(**self.options)

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()


def recorded_results():
    """Detached results of a recorded op, whose array the op's own rule reads."""
    y, z, v = leaf(4).exp(), leaf(4).exp(), leaf(4).exp()
    z.detach_()
    return [(y.detach(), y.data), (z, z.data), (v.detach()[:2], v.data)]


def test_what_rules_read_beside_leaves_is_copied():
    for tensor, read in recorded_results():
        for options in ({"max_version": (1, 0)}, {}):
            out = exported(tensor, **options)
            assert not np.shares_memory(out, read)
            np.testing.assert_array_equal(out, tensor.data)
        for options in ({"max_version": (1, 0)}, {}):
            with pytest.raises(BufferError, match="copy=False, but it is the result of a recorded op, which"):
                tensor.__dlpack__(copy=False, **options)


AWKWARD = {
    "backwards": (np.arange(6.0)[::-1], "backwards in memory, or not in whole steps"),
    "mirrored": (np.arange(6.0).reshape(2, 3)[:, ::-1], "backwards in memory"),
    "in a record": (np.ones(4, [("x", "<f4"), ("y", "i1")])["x"], "not in whole steps"),
    "big end first": (np.arange(3, dtype=">i4"), "its numbers are >i4, in another byte order"),
}


@pytest.mark.parametrize("kind", AWKWARD)
def test_what_dlpack_cannot_describe_is_copied(kind):
    array, reason = AWKWARD[kind]
    x = tg.from_numpy(array)
    for consumer in (x, Legacy(x)):
        out = np.from_dlpack(consumer)
        np.testing.assert_array_equal(out, array)
        assert not np.shares_memory(out, array) and min(out.strides) > 0
    with pytest.raises(BufferError, match=f"copy=False, but .*{reason}.*; pass copy=None or x.clone"):
        x.__dlpack__(copy=False)


def test_a_copy_on_request():
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    out = exported(tg.from_numpy(array), copy=True)
    np.testing.assert_array_equal(out, array)
    assert not np.shares_memory(out, array) and out.strides == array.strides
    assert np.shares_memory(tg.from_dlpack(array, copy=False).data, array)
    assert np.shares_memory(exported(tg.from_numpy(array), copy=False, max_version=(1, 1)), array)
    copy = tg.from_dlpack(array, copy=True).data
    assert copy.flags.writeable and not np.shares_memory(copy, array) and (copy == array).all()


def test_a_tensor_that_requires_grad_is_not_exported():
    w = leaf(3)
    for tensor in (w, w * 2):
        for call in (lambda tensor=tensor: np.from_dlpack(tensor), lambda tensor=tensor: tensor.__dlpack__()):
            with pytest.raises(
                BufferError, match=r"^__dlpack__: this tensor requires grad.*export x\.detach"
            ):
                call()
        with pytest.raises(BufferError):
            tg.from_dlpack(tensor)
    assert np.shares_memory(np.from_dlpack(w.detach()), w.data)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"stream": 1}, "stream=1, dl_device=None; there is only the CPU, (1, 0), which has no streams"),
        ({"dl_device": (2, 0)}, "dl_device=(2, 0); there is only the CPU"),
        ({"copy": "yes"}, "copy must be True, False or None, not 'yes'"),
    ],
)
def test_arguments_that_cannot_be(options, message):
    with pytest.raises(BufferError) as caught:
        tg.ones(2).__dlpack__(**options)
    assert message in str(caught.value)


def test_both_dialects_ask_as_they_like():
    x = tg.ones(2)
    for options in ({}, {"stream": None}, {"stream": -1}, {"max_version": (0, 8)}, {"max_version": (1, 3)}):
        for more in ({}, {"dl_device": (1, 0), "copy": None}, {"dl_device": None, "copy": False}):
            assert type(x.__dlpack__(**options, **more)).__name__ == "PyCapsule"


@pytest.mark.parametrize("size", [3, 5000])  # compared as a whole, and by samples
def test_what_others_write_is_noticed_before_a_rule_reads_it(size):
    array = np.ones(size)
    x, w = tg.from_dlpack(array), leaf(size)
    kept = [x * w, (x.reshape(1, -1) * w).sum()]
    array[:] = 2
    assert (x.data == 2).all()
    for y in kept:
        with pytest.raises(MutationError, match="through .data or an array that shares its memory"):
            y.sum().backward()
    (x * w).sum().backward()
    assert (w.grad == 2).all()


@pytest.mark.skipif(not VERSIONED, reason="NumPy before 2.1 makes everything read-only that it imports")
def test_a_parameter_written_to_from_outside_is_noticed():
    w = leaf(3)
    loss = (w * w).sum()
    np.from_dlpack(w.detach())[0] = 5
    with pytest.raises(MutationError):
        loss.backward()


def test_the_memory_lives_as_long_as_one_of_both():
    out = np.from_dlpack(tg.full((100_000,), 3.0))
    x = tg.from_dlpack(np.full(100_000, 4.0))
    capsule = tg.full((100_000,), 5.0).__dlpack__()
    gc.collect()
    again = tg.from_dlpack(capsule)
    noise = [np.zeros(100_000) for _ in range(10)]
    assert (out == 3).all() and (x.data == 4).all() and (again.data == 5).all() and len(noise) == 10


def test_a_capsule_can_be_taken_once():
    capsule = tg.ones(2).__dlpack__()
    assert tg.from_dlpack(capsule).tolist() == [1, 1]
    with pytest.raises((ValueError, BufferError, RuntimeError)):
        tg.from_dlpack(capsule)


def test_ones_own_tensor_is_a_view():
    x = tg.zeros(3)
    view = tg.from_dlpack(x)
    x[0] = 1
    assert view.tolist() == [1, 0, 0]
    assert not np.shares_memory(tg.from_dlpack(x, copy=True).data, x.data)


class Elsewhere:
    """A tensor in a GPU's memory."""

    def __dlpack__(self, **options):
        raise AssertionError("nobody should ask")

    def __dlpack_device__(self):
        return (2, 1)


def test_what_cannot_come_in():
    with pytest.raises(BufferError, match=r"on device \(2, 1\), and only the CPU's memory, \(1, 0\)"):
        tg.from_dlpack(Elsewhere())
    assert_refused(
        lambda: tg.from_dlpack([1.0]),
        TypeError,
        "from_dlpack: expected an object with __dlpack__, not list; for a list or a number use tg.tensor(…)",
    )
    with pytest.raises(DtypeError, match="not complex64"):
        tg.from_dlpack(np.ones(2, np.complex64))
    with pytest.raises(TypeError, match="copy must be"):
        tg.from_dlpack(np.ones(2), copy=1.5)
    with pytest.raises((TypeError, ValueError), match="device"):
        tg.from_dlpack(np.ones(2), device="cuda")


@pytest.mark.skipif(not VERSIONED, reason="NumPy before 2.1 cannot export read-only memory")
def test_memory_that_may_not_be_written_to_stays_so():
    array = np.ones(2)
    array.setflags(write=False)
    x = tg.from_dlpack(array)
    assert np.shares_memory(x.data, array) and not x.data.flags.writeable
    x += 1
    assert x.tolist() == [2, 2] and array.tolist() == [1, 1]


def test_a_lazy_parameter_has_no_memory_yet():
    with pytest.raises(UninitializedError):
        np.from_dlpack(tg.nn.LazyLinear(2).weight.detach())


def test_array():
    x = tg.from_numpy(np.arange(3, dtype=np.float32))
    assert np.asarray(x) is x.data and np.shares_memory(np.asarray(x), x.data)
    assert x.__array__(copy=False) is x.data and x.__array__(np.float32, copy=False) is x.data
    for array in (np.array(x), x.__array__(copy=True), x.__array__(np.float32, copy=True)):
        assert not np.shares_memory(array, x.data)
    assert np.asarray(x, np.float64).dtype == np.float64
    assert_refused(
        lambda: x.__array__(np.float64, copy=False),
        ValueError,
        "__array__: copy=False, but float32[3] as <class 'numpy.float64'> needs a copy",
    )
    with pytest.raises(TypeError, match="this tensor requires grad, and NumPy"):
        np.asarray(leaf(2))
    assert not np.asarray((leaf(2) * 2).detach()).flags.writeable


def test_a_step_that_exports_is_not_replayed():
    seen = []

    @tg.replay
    def step(x):
        y = x * 2
        seen.append(np.from_dlpack(y).sum())
        return y

    with pytest.warns(UserWarning, match="dlpack"):
        results = [step(tg.full((2,), float(number))).tolist() for number in range(4)]
    assert results == [[0, 0], [2, 2], [4, 4], [6, 6]] and seen == [0, 4, 8, 12]


@pytest.fixture
def without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)


def test_without_pytorch_it_says_how_to_get_it(without_torch, tmp_path):
    (tmp_path / "x.pt").write_bytes(b"")
    for call in (lambda: tg.interop.to_torch(tg.ones(2)), lambda: tg.interop.load_torch(tmp_path / "x.pt")):
        with pytest.raises(MissingExtraError, match=r"^tg\.interop\.\w+ needs PyTorch: pip install torch$"):
            call()
    with pytest.raises(TypeError, match="^from_torch: expected a PyTorch tensor, .*, not object"):
        tg.interop.from_torch(object())
    net = tg.nn.Linear(2, 1)
    assert net.load_state_dict({"weight": np.ones((1, 2)), "bias": [0.0]}) == ([], [])


def test_it_is_imported_when_somebody_asks_and_imports_nothing_else():
    program = (
        "import sys, tinygrad_conv as tg; assert not any('interop' in name for name in sys.modules)\n"
        "assert {'interop', 'from_dlpack'} <= {*dir(tg)}; tg.interop.from_torch\n"
        "assert not {'torch', 'safetensors', 'jax'} & {*sys.modules}\n"
        "print(tg.from_dlpack is tg.interop.from_dlpack, dir(tg.interop))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment())
    assert done.stdout.startswith("True ['from_dlpack', 'from_torch', 'load_torch', "), done.stderr


def test_scripts_that_find_this_package_as_torch():
    program = (
        "import sys, tinygrad_conv as tg; sys.modules['torch'] = tg; import torch\n"
        "net, other = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)\n"
        "optimizer = torch.optim.SGD(net.parameters(), lr=0.5)\n"
        "other.load_state_dict(net.state_dict()); optimizer.load_state_dict(optimizer.state_dict())\n"
        "assert torch.equal(net.weight, other.weight) and optimizer.param_groups[0]['lr'] == 0.5\n"
        "assert torch.interop.from_torch(net.weight) is net.weight\n"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, env=environment()
    )
    assert ran.returncode == 0, ran.stderr
