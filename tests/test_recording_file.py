"""The file of a recording: whatever is in it, it is refused by name, or can be used to the end.

More of it, at random: `python -m tests.attack files`.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import archive, debug
from tinygrad_conv.debug.terminal.stop import Stop
from tinygrad_conv.errors import RecordingError

from .attack.hostile.archives import array_file, unpacked
from .attack.hostile.recordings import RECORDINGS, honest
from .attack.hostile.usage import use_to_the_end
from .debug_nets import article


def load(contents, path):
    """Load what is left of a file after a mutation."""
    path.write_bytes(contents.packed())
    return debug.load(path)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", RECORDINGS)
def test_honest_recordings_of_every_kind_can_be_used_to_the_end(name, tmp_path):
    recording, file = honest(name)
    (tmp_path / "run").write_bytes(file)
    loaded = debug.load(tmp_path / "run")
    assert recording.diff(loaded) is None and loaded.hooked == recording.hooked
    use_to_the_end(loaded, recording, tmp_path)


def put(structure, place, value):
    """Put a value at a place, which is a list of keys and positions."""
    *way, last = place
    for key in way:
        structure = structure[key]
    structure[last] = value


FALSE = [
    (("steps",), None, r"steps is None; it must be a list"),
    (("steps", 0, "number"), -1, r"steps\[0\]\.number is -1; it must lie from 1"),
    (("steps", 1, "number"), 7, r"steps\[1\]\.number is 7, not 2"),
    (("steps", 0, "number"), float("nan"), r"steps\[0\]\.number is nan; it must be a whole number"),
    (("steps", 0, "number"), True, r"steps\[0\]\.number is True; it must be a whole number"),
    (("steps", 0, "op"), "", r"steps\[0\]\.op is ''; it must be a name"),
    (("steps", 0, "op"), "add", r"op 'add', as it is declared here, has the inputs \['a', 'b'\]"),
    (("steps", 0, "where"), ["Place", "f.py", "1", "", ""], r"where\.line is '1'; it must be a whole number"),
    (("steps", 0, "where"), ["Place", "f.py", 10**12, "", ""], r"where\.line is 1000000000000; it must lie"),
    (("steps", 0, "where"), ["Place", "f.py"], r"steps\[0\]\.where is a Place of 1, not 4 parts"),
    (("steps", 0, "where"), ["Place", "\ud800", 1, "", ""], r"where\.file is a text with half a character"),
    (("steps", 0, "params"), ["dict", ["stride", 1], ["stride", 2]], r"params has 'stride' twice"),
    (("steps", 0, "params"), ["dict", ["stride", 1]], r"op 'conv2d', .* has the params \['stride', 'pad"),
    (("steps", 0, "sources", 1, 1), "nobody", r"sources\['x'\] is 'nobody', which is no leaf"),
    (("steps", 0, "sources", 1, 1), ["Source", 1, 0], r"sources\['x'\] is %1, which is no step before %1"),
    (("steps", 0, "sources", 1, 1), ["Source", 10**6, 0], r"sources\['x'\] is %1000000, which is no step"),
    (("steps", 1, "sources", 1, 1), ["Source", 1, 3], r"sources\['a'\] is output 3 of %1, which has 1"),
    (("steps", 0, "shapes"), ["tuple"], r"shapes are not as many as the gradients"),
    (("steps", 0, "grad_output"), None, r"grad_output, slot 0, is None; it must be float32\[1,1,2,2\]"),
    (("steps", 0, "grad_output"), ["array", 10**9], r"grad_output is 1000000000; it must lie from 0"),
    (("steps", 0, "grad_output"), ["eval", "1"], r"grad_output is a 'eval', which no recording has"),
    (("steps", 0, "grad_output"), {"array": 0}, r"grad_output is \{'array': 0\}, which is no value"),
    (("steps", 0, "rule"), ["dict"], r"steps\[0\]\.rule is of \[\]"),
    (("steps", 0, "read"), ["dict"], r"has a rule that reads \['w', 'x_shape'\]"),
    (("steps", 0, "grad_inputs"), ["dict"], r"steps\[0\]\.grad_inputs is of \[\]"),
    (("steps", 0, "shapes", 1, 2), ["dtype", "|O"], r"shapes\[0\]\[1\] is the dtype \['\|O'\]"),
    (("steps", 4), {}, r"steps\[4\] has other keys than it must have"),
    (("leaves",), ["dict"], r"grads has 'x', which is no leaf"),
    (("seeds",), ["list"], r"seeds are empty"),
    (("hooked",), ["list", "nobody"], r"hooked\[0\] is 'nobody', which is no leaf"),
    (("format",), 1, r"format is 1; this version reads"),
    (("more",), 1, r" has other keys than it must have: \['more'\]"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "value", "message"), FALSE)
def test_what_is_false_is_named(place, value, message, tmp_path):
    contents = unpacked(honest("article").file)
    put(contents.structure, place, value)
    with pytest.raises(RecordingError, match=rf"no recording that can be read: structure.*{message}"):
        load(contents, tmp_path / "run")


@pytest.mark.parametrize("text", ["", "{", "null", "[" * 100_000, "9" * 5000, '{"format": 1, "format": 2}'])
def test_what_is_no_json(text, tmp_path):
    contents = unpacked(honest("article").file)
    contents.text = text
    with pytest.raises(RecordingError, match="structure"):
        load(contents, tmp_path / "run")


def test_values_nested_too_deep(tmp_path):
    contents = unpacked(honest("article").file)
    nested = ["dict"]
    for _ in range(100):
        nested = ["list", nested]
    contents.structure["steps"][0]["params"] = ["dict", ["stride", nested]]
    with pytest.raises(RecordingError, match="nested more than 32 deep"):
        load(contents, tmp_path / "run")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"'<f4'", b"'|O' "),
        (b"'<f4'", b"'<c8'"),
        (b"'shape': (", b"'shape': (-1, "),
        (b"'shape': (", b"'shape': (1000000000000, "),
        (b"'shape': (", b"'shape': (0, 9000000000000000000, "),
        (b"'shape': (", b"'shape': " + b"(" * 200),
        (b"{", b"__import__('os').abort() or {"),
        (b"\x93NUMPY\x01", b"\x93NUMPY\x03"),
    ],
)
def test_headers_of_arrays(old, new, tmp_path):
    contents = unpacked(honest("article").file)
    name, content = contents.members[1]
    spare = b" " * max(0, len(new) - len(old))
    contents.members[1] = name, content.replace(old, new, 1).replace(spare + b"\n", b"\n", 1)
    with pytest.raises(RecordingError, match=r"'array0\.npy' (has a header|is )"):
        load(contents, tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda members: members.pop(2), r"'array1\.npy' is missing"),
        (lambda members: members.pop(0), r"'structure\.npy' is missing"),
        (lambda members: members.append(members[1]), r"'array0\.npy' is there twice"),
        (lambda members: members.append(("notes.txt", b"hello")), r"in its place is 'notes\.txt'"),
        (lambda members: members.append((f"array{len(members) - 1}.npy", members[1][1])), "is used nowhere"),
    ],
)
def test_members_that_are_missing_or_too_many(change, message, tmp_path):
    contents = unpacked(honest("article").file)
    change(contents.members)
    with pytest.raises(RecordingError, match=message):
        load(contents, tmp_path / "run")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(compression, tmp_path):
    contents = unpacked(honest("article").file)
    contents.compression = compression
    with pytest.raises(RecordingError, match="compressed in another way"):
        load(contents, tmp_path / "run")


@pytest.mark.exhaustive
def test_a_bomb_is_refused_before_it_goes_off(tmp_path):
    contents = unpacked(honest("article").file)
    contents.members[1] = "array0.npy", array_file(np.zeros(2**25))  # 256 MB, of which the file has 0.3
    (tmp_path / "run").write_bytes(contents.packed())
    tracemalloc.start()
    try:
        with pytest.raises(RecordingError, match=r"members have 268,\d+,\d+ bytes"):
            debug.load(tmp_path / "run")
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def test_a_member_that_is_larger_than_it_says(tmp_path):
    contents = unpacked(honest("article").file)
    contents.sizes = 1, 10**6
    with pytest.raises(RecordingError, match=r"array0\.npy"):
        load(contents, tmp_path / "run")


@pytest.mark.parametrize("param", [["padding", 10**9], ["stride", 0], ["groups", 3], ["dilation", "a"]])
def test_params_that_the_op_cannot_have_had(param, tmp_path):
    contents = unpacked(honest("article").file)
    params = contents.structure["steps"][0]["params"]
    params[:] = [param if pair[0] == param[0] else pair for pair in params]
    tracemalloc.start()
    try:
        with pytest.raises(RecordingError, match=r"steps\[0\] is no conv2d that could have run: "):
            load(contents, tmp_path / "run")
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


def test_labels_that_are_no_classes(tmp_path):
    contents = unpacked(honest("classes").file)
    for place, (name, content) in enumerate(contents.members[1:], 1):
        array = np.load(io.BytesIO(content))
        if array.dtype == np.int64:
            contents.members[place] = name, array_file(array + 10**6)
    with pytest.raises(RecordingError, match="is no cross_entropy that could have run"):
        load(contents, tmp_path / "run")


def test_an_op_that_is_not_declared_here_is_looked_at_all_the_same(tmp_path):
    (tmp_path / "run").write_bytes(honest("foreign").file)
    loaded = debug.load(tmp_path / "run")
    assert [step.op for step in loaded] == ["relu", "thrice", "mul", "sum"]
    with pytest.raises(KeyError, match="import the module that declares it"):
        loaded.check()


def test_a_rule_that_fails_now_is_its_authors_to_see(scratch_ops, tmp_path):
    @tg.primitive
    def thrice(x):
        return x * 3

    @thrice.grad("x")
    def thrice_dx(dy):
        if broken:
            raise ZeroDivisionError("mine")
        return dy * 3

    broken = False
    thrice(tg.tensor([1.0], requires_grad=True)).sum().record().save(tmp_path / "run")
    broken = True
    loaded = debug.load(tmp_path / "run")
    with pytest.raises(ZeroDivisionError, match="mine"):
        loaded.check()


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        debug.load(tmp_path / "nothing")
    for content in (b"", b"PK", b"hello", os.urandom(1000)):
        (tmp_path / "run").write_bytes(content)
        with pytest.raises(RecordingError, match=r"run is no recording that can be read: the archive"):
            debug.load(tmp_path / "run")


def test_mostly_zeros_are_no_bomb(monkeypatch, tmp_path):
    monkeypatch.setattr(archive, "CONTENTS_LIMIT", 2**16)
    x = tg.tensor(np.zeros(2**18), requires_grad=True, name="x")
    recording = (x * 2).sum().record()
    recording.save(tmp_path / "run")
    assert recording.diff(debug.load(tmp_path / "run")) is None


def test_an_interrupted_save_leaves_the_older_file(monkeypatch, tmp_path):
    path, recording = tmp_path / "run", article().loss.record()
    recording.save(path)
    before = path.read_bytes()
    written = []

    def interrupted(*arguments, **options):
        written.append(arguments)
        if len(written) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(np.lib.format, "write_array", interrupted)
    with pytest.raises(KeyboardInterrupt):
        recording.save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["run"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "run")
    article().loss.record().save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and len(debug.load(tmp_path / "run")) == 5


@pytest.mark.parametrize("value", [np.array([None]), 10**30, {1, 2}, np.array(["text"])])
def test_what_could_not_be_read_again_is_not_written(value, tmp_path):
    recording = article().loss.record()
    recording[0].params["odd"] = value
    with pytest.raises(TypeError, match="a recording cannot be saved with"):
        recording.save(tmp_path / "run")
    assert os.listdir(tmp_path) == []


def test_a_backward_for_one_leaf_alone(tmp_path):
    """At the prompt of `step`: the gradient of x is wanted by nobody, and there is none."""
    loss, leaves = article()
    recordings = []
    with Stop(1, lambda recording, number: recordings.append(recording) or False):
        tg.grad(loss, [leaves["w"]])
    (recording,) = recordings
    assert list(recording.grads) == ["w"] and list(recording.leaves) == ["x", "w"]
    recording.save(tmp_path / "run")
    loaded = debug.load(tmp_path / "run")
    use_to_the_end(loaded, recording, tmp_path)


def test_an_output_without_gradient_is_rerun():
    recording = honest("outputs").recording
    (step,) = recording.find("max")
    again = recording.rerun(step, step.grad_output)
    assert recording.diff(again) is None
    with pytest.raises(ValueError, match="pass None in its place"):
        recording.rerun(step, (step.grad_output[0], np.zeros(6)))


def test_products_that_are_infinite_are_explained():
    x = tg.tensor([1.0, 2.0], requires_grad=True, name="x")
    with np.errstate(invalid="ignore"):
        y = x.sum() * np.inf - x.sum() * np.inf
        explanation = y.record().explain("x", 0)
    assert np.isnan(explanation.total) and "the sum of 2 products" in repr(explanation)


def test_nothing_in_a_file_runs(tmp_path):
    """Loading imports nothing that it did not have, and opens nothing but the file."""
    (tmp_path / "run").write_bytes(honest("indices").file)
    code = (
        "import sys, tinygrad_conv as tg\n"
        "tg.debug.load(sys.argv[1])\n"
        "ran = []\n"
        "sys.addaudithook(lambda event, _: ran.append(event))\n"
        "tg.debug.load(sys.argv[1])\n"
        "print(*sorted({*ran} & {'exec', 'compile', 'import', 'pickle.find_class', 'os.system'}))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "run")]
    root = os.path.dirname(os.path.dirname(tg.__file__))
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=120, check=True)
    assert done.stdout.strip() == ""
