"""Names of PyTorch's that are not here: each has a line of what to write instead, however it is asked for.

The table is held against what it is about: the package, which has none of its names, and PyTorch, which has
all of them.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import pydoc
import re
import subprocess
import sys
from fnmatch import fnmatchcase

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import errors, functional
from tinygrad_conv.absent import missing, notes
from tinygrad_conv.absent.instead import INSTEAD, OUR_DATASETS, OUR_TRANSFORMS, write_instead

MODULES = ["tinygrad_conv", "tinygrad_conv.nn", "tinygrad_conv.nn.functional", "tinygrad_conv.nn.init"]
MODULES += ["tinygrad_conv.nn.utils", "tinygrad_conv.optim", "tinygrad_conv.data"]

TUTORIALS = """
torch.save torch.load torch.compile torch.autograd torch.autograd.grad torch.autograd.Function
torch.jit torch.autograd.Variable torch.amp torch.autocast torch.backends.cudnn
torch.accelerator.is_available torch.utils.tensorboard torch.distributed torch.multiprocessing
torch.linalg torch.fft torch.linalg.norm torch.FloatTensor torch.LongTensor torch.bfloat16
torch.channels_last torch.atan2 torch.cdist torch.logspace torch.svd torch.inverse
torch.use_deterministic_algorithms torch.set_default_tensor_type torch.profiler torch.vmap
torch.nn.LSTM torch.nn.GRU torch.nn.RNN torch.nn.LSTMCell torch.nn.Embedding
torch.nn.MultiheadAttention torch.nn.TransformerEncoder torch.nn.TransformerEncoderLayer
torch.nn.DataParallel torch.nn.ParameterList torch.nn.Conv3d torch.nn.BatchNorm3d torch.nn.CTCLoss
torch.nn.TripletMarginLoss torch.nn.CosineEmbeddingLoss torch.nn.ReflectionPad1d
torch.nn.UpsamplingNearest2d torch.nn.RMSNorm torch.nn.parallel torch.nn.functional.embedding
torch.nn.functional.scaled_dot_product_attention torch.nn.functional.gumbel_softmax
torch.nn.functional.grid_sample torch.nn.functional.upsample torch.nn.functional.triplet_margin_loss
torch.nn.init.trunc_normal_ torch.nn.init.xavier_uniform torch.nn.utils.clip_grad_value_
torch.nn.utils.spectral_norm torch.nn.utils.rnn torch.nn.utils.parameters_to_vector
torch.optim.LBFGS torch.Tensor.scatter_ torch.Tensor.random_ torch.Tensor.addcmul_
""".split()
"""Names of official tutorials, textbooks and toy networks that this package lacks."""

PLUMBING = {
    *("LinearCrossEntropyOptions", "ScalingType", "SwizzleType", "assert_int_or_pair", "factory_kwargs"),
    *("grouped_mm", "linear_cross_entropy", "scaled_grouped_mm", "scaled_mm"),
}
"""What PyTorch keeps beside its layers, for itself and for large models."""

INSIDE_TORCH = (
    *("cudnn_*", "miopen_*", "mkldnn_*", "fbgemm_*", "fused_*", "*_copy", "batch_norm_*", "native_*"),
    *("unsafe_*", "import_ir_*", "parse_*", "*_type_*", "grid_sampler*", "affine_grid_generator"),
    *("choose_qparams_optimized", "norm_except_dim", "slice_inverse", "thread_safe_generator"),
)
"""What stands in torch's own list of names for no user to call."""


def ours(name):
    """The part of this package that bears a name of PyTorch's; raises AttributeError where there is none."""
    value = tg
    for part in name.split(".")[1:]:
        value = getattr(value, part)
    return value


def is_here(name):
    try:
        ours(name)
    except (AttributeError, ImportError):
        return False
    return True


def test_no_row_is_stale():
    stale = [name for name in INSTEAD if name.startswith("torch.") and "*" not in name and is_here(name)]
    assert not stale, "the package has these now; take their rows out of absent/instead.py:\n" + "\n".join(
        stale
    )


def test_what_there_is_of_torchvisions_is_said():
    transforms = tg.data.transforms
    assert {*OUR_TRANSFORMS} == {*transforms.__all__} - {"Transform", "RandomTransform"}
    assert {*OUR_DATASETS} <= {*tg.data.__all__}
    assert write_instead("torchvision.transforms.v2.Pad") == "write tg.data.transforms.Pad"
    assert "tg.data.MNIST(root)" in write_instead("torchvision.datasets.MNIST")
    with pytest.raises(AttributeError, match="write it as a function of the array"):
        transforms.ColorJitter  # noqa: B018


@pytest.mark.parametrize("name", TUTORIALS)
def test_what_tutorials_use_is_here_or_has_a_line(name):
    if is_here(name):
        return
    module, _, last = name.rpartition(".")
    known = {missing.pytorchs_name(ours): ours for ours in MODULES}
    line = missing.hint_for(known[module], last) if module in known else write_instead(name)
    assert (
        line
        and "\n" not in line
        and len(line) < 105
        and "{" not in line.replace("{k: ", "").replace("{i}", "")
    )


def test_a_row_is_one_line():
    for name, line in INSTEAD.items():
        assert line and "\n" not in line and len(line) < 105, name
        write_instead(name)


@pytest.mark.torch
def test_the_rows_are_pytorchs_names():
    torch = pytest.importorskip("torch")
    for name in INSTEAD:
        if name.startswith("torch.") and "*" not in name:
            value = torch
            for part in name.split(".")[1:]:
                if not hasattr(value, part):
                    importlib.import_module(f"{value.__name__}.{part}")
                value = getattr(value, part)


@pytest.mark.torch
@pytest.mark.parametrize("path", ["torch.nn", "torch.nn.functional", "torch.optim", "torch.nn.init"])
def test_all_that_networks_are_made_of_is_here_or_has_a_line(path):
    pytest.importorskip("torch")
    module = importlib.import_module(path)
    names = [
        name
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and value.__module__.startswith(path)
    ]
    unsaid = {name for name in names if not is_here(f"{path}.{name}") and not write_instead(f"{path}.{name}")}
    assert len(names) > 10 and unsaid <= PLUMBING, (
        f"{path} has these, and nobody says what to write: {unsaid}"
    )


@pytest.mark.torch
def test_all_that_torch_itself_has_is_here_or_has_a_line():
    torch = pytest.importorskip("torch")
    names = [name for name in torch.__all__ if inspect.isroutine(getattr(torch, name))]
    unsaid = {
        name for name in names if not is_here(f"torch.{name}") and not missing.hint_for("tinygrad_conv", name)
    }
    ours = {name for name in unsaid if not any(fnmatchcase(name, pattern) for pattern in INSIDE_TORCH)}
    assert len(names) > 500 and not ours, f"torch has these, and nobody says what to write: {ours}"


NOT_OF_TRAINING = """
as_subclass chalf dense_dim dim_order grad_dtype index ipu module_load mtia output_nr qscheme record_stream
reinforce slice_inverse to_mkldnn to_padded_tensor values volatile
""".split()
"""Methods of PyTorch's tensors for other hardware and memory layouts, and some that only raise."""


@pytest.mark.torch
def test_every_method_of_pytorchs_tensors_is_here_or_has_a_line():
    torch = pytest.importorskip("torch")
    names = {name for name in dir(torch.Tensor) if not name.startswith("_") and not hasattr(tg.Tensor, name)}
    unsaid = {name for name in names if not notes.instead_on_tensor(name)}
    assert len(names) > 100 and unsaid <= {*NOT_OF_TRAINING}, f"nobody says what to write: {unsaid}"


@pytest.mark.torch
@pytest.mark.parametrize("place, ours", [("torch.Tensor", tg.Tensor), ("torch.nn.functional", functional)])
def test_what_a_change_in_place_is_of_is_there(place, ours):
    """A row that is taken out is missed, even where another pattern could have served its names."""
    torch = pytest.importorskip("torch")
    theirs = torch.Tensor if place == "torch.Tensor" else torch.nn.functional
    names = [name for name in dir(theirs) if name.endswith("_") and not name.startswith("_")]
    lines = {name: write_instead(f"{place}.{name}") for name in names if not hasattr(ours, name)}
    said = {name: re.match(r"write x = (?:x|F)\.(\w+)\(", line) for name, line in lines.items()}
    wrong = {name: lines[name] for name, stem in said.items() if stem and not hasattr(ours, stem[1])}
    assert lines and not wrong


@pytest.mark.parametrize(
    "names, words",
    [
        ("squeeze_ unsqueeze_ t_ transpose_ swapaxes_ swapdims_", r"^write x = x.\w+\(…\)$"),  # another shape
        ("resize_ resize_as_ set_", r"^write x = x.reshape\(…\)$"),
        ("index_copy_ masked_scatter_ fill_diagonal_", r"^write x\[index\] = value$"),
        ("random_ log_normal_", "numbers of NumPy's$"),
        ("apply_", "a function of x.data$"),
        ("arccos_", r"^write x\[...\] = … under tg.no_grad\(\); arccos: write tg.acos$"),
        ("map2_", r"^write x\[...\] = … under tg.no_grad\(\)$"),
    ],
)
def test_methods_in_place_have_a_line_that_serves_them(names, words):
    for name in names.split():
        assert re.search(words, notes.instead_on_tensor(name)), name


def names_in(module):
    """What a part of PyTorch has, the modules in it included."""
    part = pydoc.locate(module)
    inside = pkgutil.iter_modules(getattr(part, "__path__", []))
    return [f"{module}.{name}" for name in {*dir(part), *(each.name for each in inside)}]


def serves(row, name):
    """Whether it is this pattern, and none before it, that a name gets its line from."""
    rows = (each for each in INSTEAD if fnmatchcase(name, each))
    return name not in INSTEAD and next(rows, None) == row


@pytest.mark.torch
def test_each_pattern_serves_a_name_that_is_not_here():
    pytest.importorskip("torch")
    stale = []
    for row in INSTEAD:
        module, _, last = row.rpartition(".")
        if "*" in last and "*" not in module and row.startswith("torch."):
            if not any(serves(row, name) and not is_here(name) for name in names_in(module)):
                stale.append(row)
    assert not stale, f"these serve no name of PyTorch's: {stale}"


@pytest.mark.parametrize("name", sorted({*re.findall(r"\btg\.(\w+(?:\.\w+)*)", " ".join(INSTEAD.values()))}))
def test_what_is_to_be_written_instead_is_there(name):
    assert is_here(f"torch.{name}")


@pytest.mark.parametrize(
    "module, name, words",
    [
        ("tinygrad_conv", "linalg", "tg.norm"),
        ("tinygrad_conv", "arccos", "write tg.acos$"),
        ("tinygrad_conv", "sqrt_", r"write x = tg.sqrt\(x\), or x.sqrt_\(…\)"),
        ("tinygrad_conv", "rms_norm", r"write x / \(x \* x\).mean"),
        ("tinygrad_conv", "triu_indices", r"np.stack\(np.triu_indices\(rows"),
        ("tinygrad_conv", "compile", "leave it out"),
        ("tinygrad_conv", "sinc", r"np.sinc\(x.data\)"),
        ("tinygrad_conv", "conv3d", "no volumes"),
        ("tinygrad_conv", "argmx", "did you mean argmax"),
        ("tinygrad_conv.nn", "LSTM", "a loop over"),
        ("tinygrad_conv.nn", "Conv3d", "no volumes"),
        ("tinygrad_conv.nn.functional", "gumbel_softmax", r"F.softmax\(\(x"),
        ("tinygrad_conv.nn.init", "xavier_normal", "write nn.init.xavier_normal_$"),
        ("tinygrad_conv.nn.utils", "clip_grad_norm", "write nn.utils.clip_grad_norm_"),
        ("tinygrad_conv.optim", "LBFGS", "take SGD"),
        ("tinygrad_conv.optim.lr_scheduler", "_LRScheduler", "LRScheduler$"),
        ("tinygrad_conv.optim.lr_scheduler", "CosineLR", "write optim.lr_scheduler.LambdaLR"),
        ("tinygrad_conv.utils", "checkpoint", "rules keep only what they read"),
        ("tinygrad_conv.utils.data", "DistributedSampler", "ShardedSampler"),
        ("tinygrad_conv.data", "DataLoadr", "did you mean DataLoader"),
    ],
)
def test_attributes_and_imports_give_the_same_hint(module, name, words):
    with pytest.raises(AttributeError, match=f"^module '{module}' has no attribute '{name}'.*{words}"):
        getattr(importlib.import_module(module), name)
    with pytest.raises(ImportError, match=f"^cannot import name '{name}' from '{module}'.*{words}") as caught:
        exec(f"from {module} import {name}")
    assert not isinstance(caught.value, ModuleNotFoundError)
    assert not hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize(
    "module, words",
    [
        ("tinygrad_conv.amp", "no automatic precision"),
        ("tinygrad_conv.utils.tensorboard", "keep the numbers in a list"),
        ("tinygrad_conv.distributed.rpc", "leave it out"),
        ("tinygrad_conv.nn.modules.conv", "take it from nn itself"),
        ("tinygrad_conv.cuda.amp", "no automatic precision"),
        ("tinygrad_conv.nn.utils.rnn", "pad sequences"),
        ("tinygrad_conv.utils.model_zoo", "nothing is downloaded"),
    ],
)
def test_modules_that_are_not_here_give_one_too(module, words):
    with pytest.raises(ModuleNotFoundError, match=f"^No module named 'tinygrad_conv.*{words}"):
        exec(f"import {module}")
    with pytest.raises(ModuleNotFoundError, match=words):
        exec(f"from {module} import something")


@pytest.mark.torch
@pytest.mark.parametrize("name", ["utils.data.dataset", "utils.data.sampler"])
def test_modules_that_scripts_import_from_have_what_the_package_has(name):
    pytest.importorskip("torch")
    theirs = importlib.import_module(f"torch.{name}")
    ours, package = (
        importlib.import_module(f"tinygrad_conv.{path}") for path in (name, name.rpartition(".")[0])
    )
    public = [known for known in vars(theirs) if known in package.__all__]
    assert public and all(getattr(ours, known) is getattr(package, known) for known in public)


def test_asking_whether_a_module_is_there_is_no_import():
    assert importlib.util.find_spec("tinygrad_conv.amp") is None
    with pytest.raises(ModuleNotFoundError, match="^No module named 'tinygrad_conv.qqq'$"):
        exec("import tinygrad_conv.qqq")
    with pytest.raises(ImportError, match="^cannot import name 'qqq' from 'tinygrad_conv' "):
        exec("from tinygrad_conv import qqq")
    with pytest.raises(ModuleNotFoundError, match="^No module named 'of_somebody_else'$"):
        exec("import of_somebody_else")


def test_parts_of_the_package_are_still_imported_by_name():
    exec("from tinygrad_conv import checks, creation, data, debug, dtypes, nn")
    exec("from tinygrad_conv.nn import init")


def test_the_table_costs_nothing_while_nobody_asks():
    program = (
        "import sys, tinygrad_conv, tinygrad_conv.nn; print('tinygrad_conv.absent.instead' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "False"


def test_help_fits_a_screen_and_points_on():
    shown = pydoc.plain(pydoc.render_doc(tg)).splitlines()
    assert len(shown) < 68 and max(map(len, shown)) < 125
    for way_on in ("dir(tg)", "print(tg.ops)", "help(tg.conv2d)", "python -m tinygrad_conv"):
        assert any(way_on in line for line in shown)
    assert len(tg.__all__) > 100


@pytest.mark.parametrize("module", ["nn", "nn.functional", "optim", "data"])
def test_parts_list_what_is_public(module):
    part = importlib.import_module(f"tinygrad_conv.{module}")
    assert dir(part) == sorted(part.__all__)


def test_the_package_lists_what_is_public_and_all_of_it_is_there():
    names = dir(tg)
    assert names == sorted({*tg.__all__, *tg.LATER, "errors", "kernels"})
    assert all(hasattr(tg, name) for name in names)
    assert not {"DOORS", "annotations", "importlib", "partial", "LATER", "Any", "sys"} & {*names}
    assert tg.errors is errors


def test_a_pattern_serves_what_it_matches():
    assert write_instead("torch.nn.MaxPool3d") == write_instead("torch.nn.functional.conv3d")
    assert write_instead("torch.nn.LSTMCell") == INSTEAD["torch.nn.LSTM*"]
    assert write_instead("torch.nn.init.normal") == "write nn.init.normal_"
    assert write_instead("torch.Tensor.squeeze_") == "write x = x.squeeze(…)"
    assert write_instead("torch.no_such_thing") == ""
    assert all(fnmatchcase(name.replace("*", "x"), name) for name in INSTEAD)


def test_distances_and_products_as_the_table_writes_them():
    x, y = (
        tg.tensor(np.random.default_rng(seed).standard_normal((4, 3)), requires_grad=True) for seed in (0, 1)
    )
    cross = eval(write_instead("torch.cross").removeprefix("write "), {"x": x, "y": y})
    np.testing.assert_allclose(cross.data, np.cross(x.data, y.data), atol=1e-12)
    distances = eval(write_instead("torch.cdist").removeprefix("write "), {"tg": tg, "x": x, "y": x})
    distances.sum().backward()  # a point is at distance 0 of itself
    steps = x.data[:, None] - x.data[None]
    lengths = np.linalg.norm(steps, axis=-1, keepdims=True) + np.eye(4)[..., None]
    np.testing.assert_allclose(x.grad, 2 * (steps / lengths).sum(1), atol=1e-12)
