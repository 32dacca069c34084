"""`.pt` files: what `torch.save` wrote comes in, and nothing else does."""

from __future__ import annotations

import io
import pickle
import random
import zipfile

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import CheckpointError, MissingExtraError

from .test_interop_torch import Twins

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")


def written(value, **options):
    """What torch.save writes."""
    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


@pytest.mark.parametrize("zipped", [True, False])
def test_pt_files(zipped, tmp_path):
    twins, path = Twins("Adam", {"amsgrad": True}), tmp_path / "x.pt"
    twins.theirs(3)
    checkpoint = {
        "net": twins.other.state_dict(),
        "optimizer": twins.reference.state_dict(),
        "epoch": 3,
        "w": torch.nn.Parameter(torch.ones(2).bfloat16()),
        "sizes": torch.Size([2, 3]),
    }
    path.write_bytes(written(checkpoint, _use_new_zipfile_serialization=zipped))
    for file in (path, str(path), io.BytesIO(path.read_bytes())):
        read = tg.interop.load_torch(file)
        twins.net.load_state_dict(read["net"])
        twins.optimizer.load_state_dict(read["optimizer"])
        assert read["w"].requires_grad and read["w"].dtype == np.float32
        assert (read["epoch"], read["sizes"]) == (3, (2, 3))
        assert all(tensor.data.flags.owndata for tensor in read["net"].values())
    np.testing.assert_allclose(twins.ours(3), twins.theirs(3), rtol=1e-5)


class Marker:
    """Leaves a mark where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def repacked(content, change=lambda name, member: member, compression=zipfile.ZIP_STORED):
    """The file with other members, or compressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(file, "w", compression) as target:
        for name in source.namelist():
            target.writestr(name, change(name, source.read(name)))
    return file.getvalue()


def more_numbers(name, member):
    """The pickle of a storage of four numbers, which says that it has 2³⁰."""
    return member.replace(b"K\x04tq", b"J\x00\x00\x00\x40tq", 1) if name.endswith("data.pkl") else member


def in_itself():
    around: list = []
    around.append(around)
    return around


HOSTILE = {
    "a module": (lambda mark: written(torch.nn.Linear(2, 1)), "it asks for torch.nn.modules.linear.Linear"),
    "a program": (lambda mark: written({"a": Marker(mark)}), "it asks for "),
    "a bare pickle": (lambda mark: pickle.dumps(Marker(mark), 2), ""),
    "nothing": (lambda mark: b"", "EOFError"),
    "noise": (lambda mark: b"hello world" * 30, ""),
    "many of one number": (lambda mark: written(torch.zeros(1).expand(10**9)), "too much for a file of"),
    "more than there is": (lambda mark: repacked(written({"x": torch.arange(4.0)}), more_numbers), ""),
    "a bomb": (
        lambda mark: repacked(written(torch.zeros(10**6)), compression=zipfile.ZIP_DEFLATED),
        "the archive says that its members have 4,",
    ),
    "a list in itself": (lambda mark: written(in_itself()), "is it in itself"),
    "sparse": (lambda mark: written(torch.eye(2).to_sparse()), "torch.sparse_coo"),
    "meta": (lambda mark: written(torch.zeros(2, device="meta")), "on meta"),
    "a dtype": (lambda mark: written({"a": torch.float32}), r"obj\['a'\]: expected a PyTorch tensor"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused_and_nothing_is_run(kind, tmp_path):
    make, message = HOSTILE[kind]
    path, mark = tmp_path / "x.pt", tmp_path / "mark"
    path.write_bytes(make(mark))
    with pytest.raises(CheckpointError, match="nothing in it was run") as caught:
        tg.interop.load_torch(path)
    assert caught.match(
        rf"^load_torch: {path} has more in it than tensors.*\(.*{message}.*\); of a whole module"
    )
    assert "weights_only" not in str(caught.value) and not mark.exists()


def test_a_file_that_is_cut_off_or_has_other_bits_is_refused(tmp_path):
    path, rng = tmp_path / "x.pt", random.Random(0)
    state = {"w": torch.arange(40.0), "b": torch.arange(3)}
    whole = written(state)
    for length in range(0, len(whole), 101):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError):
            tg.interop.load_torch(path)
    refused = 0
    for _ in range(60):
        content = bytearray(whole)
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
        try:
            read = tg.interop.load_torch(path)
        except CheckpointError:
            refused += 1
        else:  # in what nobody reads
            assert {key: tensor.tolist() for key, tensor in read.items()} == {
                key: tensor.tolist() for key, tensor in state.items()
            }
    assert refused > 20


def test_a_file_without_checksums_is_read():
    torch.serialization.set_crc32_options(False)
    try:
        content = written({"w": torch.ones(2)})
    finally:
        torch.serialization.set_crc32_options(True)
    assert tg.interop.load_torch(io.BytesIO(content))["w"].tolist() == [1, 1]


def test_what_can_be_no_file(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError):
        tg.interop.load_torch(tmp_path / "nothing.pt")
    with pytest.raises(
        TypeError, match="^load_torch: f must be a path or a file open for reading bytes, not int"
    ):
        tg.interop.load_torch(3)
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(MissingExtraError, match=r"PyTorch 2\.5\.1\+cpu might run .* pip install -U torch"):
        tg.interop.load_torch(tmp_path / "nothing.pt")


def test_tg_load_says_how_such_a_file_is_read(tmp_path):
    (tmp_path / "x.pt").write_bytes(written({"w": torch.ones(2)}))
    with pytest.raises(CheckpointError, match=r"load_state_dict\(tg\.interop\.load_torch\(path\)\)$"):
        tg.load(tmp_path / "x.pt")
