"""Names of PyTorch's that are not here, and what to write instead: one table, by PyTorch's dotted names.

Errors about missing names quote it (missing.py), and so does `python -m tinygrad_conv port`. A name may be a
pattern; what stands first serves. In a line `{name}` is the name that was asked for, without what is before
its last dot, and `{stem}` is that without its last character.

A name that the package has got since needs no row: tests/test_instead.py lists such rows.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from typing import Any

from ..foreign import PACKAGE

COMPOSE = "make it of what there is (dir(tg) lists it), or as an op of your own: @tg.primitive"
IN_NUMPY = "without a gradient write tg.tensor(np.{name}(x.data)); with one, declare it: @tg.primitive"
NO_GRADIENT = (
    "without a gradient write tg.tensor(np.linalg.{name}(x.data)); with one, declare it: @tg.primitive"
)
LEAVE_OUT = "leave it out"
NO_GRADIENT_OF_MATRICES = (
    "without a gradient take it from np.linalg, of x.data; with one, declare it: @tg.primitive"
)
NO_SPARSE = "there are no sparse tensors: write the dense product, x @ y"
NO_VOLUMES = "there are sequences and images, no volumes: fold the depth into the batch or the channels"
RECURRENT = "no recurrent layers: write the cell with nn.Linear, and a loop over x[:, t]"
ATTENTION = "write F.scaled_dot_product_attention(q, k, v), with nn.Linear for q, k and v"
LOOK_UP = "write weight = nn.Parameter(tg.randn(count, size)), and weight[ids]"
LOSS = "compose it of tg functions, with .mean() at the end"
NO_DOWNLOAD = "nothing is downloaded: write net.load_state_dict(tg.interop.load_torch(path))"
ONE_PROCESS = "one process computes it all: leave it out"
SEVERAL_PROCESSES = "leave it out: tg.parallel trains on several processes, started by mpiexec"
SHARDED = "write DataLoader(dataset, batch_sampler=tg.parallel.ShardedSampler(dataset, batch_size))"
NO_COMPLEX = "there are no complex numbers"
AUTOCAST = "there is no automatic precision: leave it out, or write net.half()"
RENAMED = "write tg.{stem}"
PARAMETRIZED = "compute the weight in forward, from a parameter: F.linear(x, weight / …)"
DATASETS = "bring the images as arrays: tg.data.mnist_5k(), tg.data.digits(), or np.load and tg.from_numpy"
DATASET = "write tg.data.{name}(root): it reads files that are there, and downloads nothing"
TRANSFORM = "write tg.data.transforms.{name}"
TRANSFORMS = "write from tinygrad_conv.data import transforms: dir(transforms) lists what there is"
OWN_TRANSFORM = "write it as a function of the array, for tg.data.transforms.Compose"

TORCH: dict[str, str] = {
    "autograd.gradgradcheck": "write tg.gradcheck(f, x, order=2)",
    "autograd.*detect_anomaly": "write with tg.detect_anomaly():",
    "autograd.profiler*": "write with tg.profile() as p:",
    "autograd.*": "write tg.grad(…, create_graph=True), entry by entry where it is a matrix",
    "profiler*": "write with tg.profile() as p:",
    "compile": "there is nothing to compile: leave it out",
    **dict.fromkeys(("jit", "jit.*", "fx", "fx.*", "export", "export.*", "_dynamo*"), LEAVE_OUT),
    "onnx.*": "write tg.onnx.export(model, args, f): its help lists the options that there are",
    **dict.fromkeys(("amp", "amp.*", "autocast", "GradScaler", "cuda.amp", "cuda.amp.*"), AUTOCAST),
    "cuda.*": "there is no GPU: leave it out",
    "backends.*": "there is the CPU alone: leave it out, or write False",
    **dict.fromkeys(("accelerator.*", "mps.*", "xpu", "xpu.*"), "there is the CPU alone: write 'cpu'"),
    "distributed.get_rank": "write tg.parallel.rank()",
    "distributed.get_world_size": "write tg.parallel.world_size()",
    "distributed.barrier": "write tg.parallel.barrier()",
    "distributed.all_reduce": "write tg.parallel.average(number, count)",
    **dict.fromkeys(("distributed", "distributed.*"), SEVERAL_PROCESSES),
    **dict.fromkeys(("multiprocessing", "multiprocessing.*"), ONE_PROCESS),
    **dict.fromkeys(("hub.load_state_dict_from_url", "hub", "utils.model_zoo*"), NO_DOWNLOAD),
    **dict.fromkeys(("quantization", "quantization.*", "ao", "ao.*", "hub.*"), "there is none of it"),
    **dict.fromkeys(("func", "func.*", "vmap"), "write tg.grad, and a batch dimension instead of vmap"),
    **dict.fromkeys(
        ("distributions", "distributions.*"), "draw with tg.randn or NumPy, and write the density"
    ),
    **dict.fromkeys(("fft", "fft.*", "sparse", "sparse.*", "special", "special.*"), COMPOSE),
    "linalg.norm": "write tg.norm",
    "linalg.vector_norm": "write tg.norm",
    "linalg.matmul": "write tg.matmul",
    "linalg": "write tg.norm and tg.matmul; without a gradient np.linalg",
    "linalg.*": NO_GRADIENT,
    **dict.fromkeys(("inverse", "pinverse"), "without a gradient write tg.tensor(np.linalg.inv(x.data))"),
    **dict.fromkeys(("det", "svd", "qr", "cholesky", "slogdet", "matrix_power"), NO_GRADIENT),
    "utils.tensorboard*": "keep the numbers in a list, and plot it",
    "utils.checkpoint*": "leave it out: rules keep only what they read",
    **dict.fromkeys(("utils.data.distributed*", "utils.data.DistributedSampler"), SHARDED),
    **dict.fromkeys(
        ("use_deterministic_algorithms", "are_deterministic_algorithms_enabled"), "it is: leave it out"
    ),
    **dict.fromkeys(("set_float32_matmul_precision", "set_default_device", "channels_last"), LEAVE_OUT),
    **dict.fromkeys(("contiguous_format", "preserve_format", "strided"), LEAVE_OUT),
    **dict.fromkeys(("set_num_interop_threads", "set_flush_denormal"), LEAVE_OUT),
    "set_default_tensor_type": "write tg.set_default_dtype(tg.float32)",
    **dict.fromkeys(("random", "random.*"), "write tg.manual_seed"),
    "bfloat16": "write tg.float16 or tg.float32",
    **dict.fromkeys(("complex*", "cfloat", "cdouble", "polar", "view_as_*"), NO_COMPLEX),
    "*Tensor": "write tg.tensor(…, dtype=…), or tg.empty(…) for sizes",
    **dict.fromkeys(("promote_types", "result_type", "can_cast"), "write np.{name}"),
    **dict.fromkeys(("index_copy", "index_put"), "write tg.scatter_add, or x[index] = …"),
    **dict.fromkeys(("tensordot", "inner", "kron", "chain_matmul", "ger", "vdot"), "write tg.einsum, or @"),
    **dict.fromkeys(("addbmm", "addr"), "write b + x @ y"),
    "logit": "write tg.log(x / (1 - x))",
    "hypot": "write tg.sqrt(x * x + y * y)",
    "atan2": "there is no op of it: declare it, @tg.primitive",
    **dict.fromkeys(("erfinv", "lgamma", "digamma"), "there is no op of it: declare it, @tg.primitive"),
    "dist": "write tg.norm(x - y)",
    "cdist": "write tg.norm(x[:, None] - y[None], dim=-1)",
    "cross": "write x.roll(-1, -1) * y.roll(-2, -1) - x.roll(-2, -1) * y.roll(-1, -1)",
    "aminmax": "write x.amin(dim), x.amax(dim)",
    "nanmean": "write x[~(x != x)].mean()",
    **dict.fromkeys(
        ("mode", "histc"), "without a gradient take it from NumPy: np.sort, np.unique, np.histogram"
    ),
    "poisson": "write tg.tensor(np.random.default_rng(seed).poisson(rate))",
    "logspace": "write tg.tensor(np.logspace(…))",
    "overrides": LEAVE_OUT,
    "Storage": LEAVE_OUT,
    "fill": "write tg.full_like(x, value)",
    **{f"arc{stem}": f"write tg.a{stem}" for stem in ("cos", "cosh", "sin", "sinh", "tan", "tanh")},
    "arctan2": "there is no op of it: declare it, @tg.primitive",
    "asarray": "write tg.as_tensor",
    **dict.fromkeys(("frombuffer", "from_file"), "write tg.from_numpy of what NumPy reads"),
    "scalar_tensor": "write tg.tensor",
    "fix": "write tg.trunc",
    "range": "write tg.arange: it ends before `end`",
    "row_stack": "write tg.vstack",
    "msort": "write tg.sort(x, dim=0).values",
    **dict.fromkeys(("hsplit", "vsplit", "dsplit"), "write tg.tensor_split(x, parts, dim=…)"),
    "split_with_sizes": "write tg.split",
    "rsub": "write y - x",
    **dict.fromkeys(("positive", "conj", "real", "resolve_conj", "resolve_neg", "conj_physical"), "write x"),
    "detach": "write x.detach()",
    "adjoint": "write x.mT",
    "float_power": "write x.double() ** power",
    **dict.fromkeys(("deg2rad", "rad2deg"), "write x * (tg.pi / 180), or x * (180 / tg.pi) the other way"),
    "broadcast_shapes": "write np.broadcast_shapes",
    **dict.fromkeys(
        ("tril_indices", "triu_indices"), "write tg.tensor(np.stack(np.{name}(rows, offset, columns)))"
    ),
    "unravel_index": "write np.unravel_index(x.data, shape)",
    "unique_consecutive": "write x[tg.cat([tg.ones(1).bool(), x[1:] != x[:-1]])]",
    "nansum": "write tg.where(tg.isnan(x), 0, x).sum()",
    "*_window": "write tg.tensor(np.hanning(n)), or another of NumPy's windows",
    "constant_pad_nd": "write F.pad(x, sides, value=…)",
    **dict.fromkeys(("fmax", "fmin"), "write tg.where(tg.isnan(x), y, tg.maximum(x, y)), or minimum"),
    "heaviside": "write tg.where(x == 0, value, (x > 0).float())",
    "logaddexp2": "write tg.log2(2 ** x + 2 ** y)",
    "renorm": "write x * (most / tg.norm(x, dim=1, keepdim=True)).clamp(max=1)",
    "is_nonzero": "write bool(x)",
    **dict.fromkeys(("is_complex", "is_conj", "is_neg", "is_inference", "is_distributed"), "write False"),
    "is_same_size": "write x.shape == y.shape",
    "is_inference_mode_enabled": "write not tg.is_grad_enabled()",
    "is_signed": "write x.dtype != tg.uint8",
    **dict.fromkeys(("index_reduce", "segment_reduce"), "write tg.scatter_reduce"),
    **dict.fromkeys(("frobenius_norm", "nuclear_norm"), "write tg.norm; a nuclear norm is np.linalg.norm's"),
    "sgn": "write tg.sign",
    "nonzero_static": "write tg.nonzero(x)[:count]",
    "cumulative_trapezoid": "write tg.cumsum((y[1:] + y[:-1]) / 2, dim=0)",
    **dict.fromkeys(("set_warn_always", "*deterministic*", "fork", "wait", "init_num_threads"), LEAVE_OUT),
    "masked_scatter": "write x[mask] = values",
    **dict.fromkeys(("*_scatter",), "write x[index] = values"),
    **dict.fromkeys(("lstm*", "gru*", "rnn_*"), RECURRENT),
    **dict.fromkeys(("cond", "while_loop", "sym_*"), "write Python's own if, while and numbers"),
    **dict.fromkeys(
        ("lu", "lstsq", "solve", "eig", "symeig", "cholesky_*", "lu_*", "matrix_*", "logdet", "lobpcg"),
        NO_GRADIENT_OF_MATRICES,
    ),
    **dict.fromkeys(
        ("triangular_solve", "geqrf", "orgqr", "ormqr", "pca_lowrank", "svd_lowrank", "trapz"),
        NO_GRADIENT_OF_MATRICES,
    ),
    **dict.fromkeys(("stft", "istft"), "without a gradient take np.fft.rfft of the frames, x.unfold(…)"),
    **dict.fromkeys(("polygamma", "mvlgamma", "igamma*"), "there is no op of it: declare it, @tg.primitive"),
    **dict.fromkeys(("quantize*", "fake_quantize*", "dequantize", "int_repr", "q_*"), "there is none of it"),
    **dict.fromkeys(("sparse_*", "hspmm", "smm", "spmm", "dsmm", "hsmm", "sspaddmm", "saddmm"), NO_SPARSE),
    "*autocast*": AUTOCAST,
    **dict.fromkeys(("get_device*", "get_default_device", "is_vulkan_available"), "there is the CPU alone"),
    **dict.fromkeys(("get_num_interop_threads", "get_float32_matmul_precision"), LEAVE_OUT),
    **dict.fromkeys(("set_anomaly_enabled", "is_anomaly_*"), "write with tg.detect_anomaly():"),
    **dict.fromkeys(("as_strided*", "empty_strided", "empty_permuted"), "write x[…], x.unfold, x.expand"),
    "binomial": "write tg.tensor(np.random.default_rng(seed).binomial(n, p))",
    "hash_tensor": "write hash(x.data.tobytes())",
}

NN: dict[str, str] = {
    **dict.fromkeys(
        ("nn.init.normal", "nn.init.uniform", "nn.init.constant", "nn.init.orthogonal", "nn.init.eye")
        + (
            "nn.init.dirac",
            "nn.init.sparse",
            "nn.init.xavier_uniform",
            "nn.init.kaiming_normal",
            "nn.init.kaiming_uniform",
            "nn.init.xavier_normal",
        ),
        "write nn.init.{name}_",
    ),
    "nn.utils.clip_grad_norm": "write nn.utils.clip_grad_norm_",
    **dict.fromkeys(("nn.utils.spectral_norm", "nn.utils.weight_norm", "nn.utils.remove_*"), PARAMETRIZED),
    "nn.utils.param*": PARAMETRIZED,
    **dict.fromkeys(("nn.utils.rnn", "nn.utils.rnn.*"), "pad sequences with np.pad, and mask the loss"),
    **dict.fromkeys(("nn.utils.prune", "nn.utils.prune.*"), "write w.data *= mask"),
    **dict.fromkeys(("nn.modules", "nn.modules.*"), "take it from nn itself"),
    "nn.parallel.DistributedDataParallel": "write tg.parallel.DataParallel(net), and start it by mpiexec",
    **dict.fromkeys(("nn.parallel", "nn.parallel.*", "nn.DataParallel"), ONE_PROCESS),
    "nn.SyncBatchNorm": "write tg.parallel.SyncBatchNorm",
    **dict.fromkeys(("nn.*3d", "conv*3d", "*_pool3d"), NO_VOLUMES),
    "nn.functional.*3d_with_indices": NO_VOLUMES,
    **dict.fromkeys(("nn.LSTM*", "nn.GRU*", "nn.RNN*"), RECURRENT),
    **dict.fromkeys(("nn.Transformer*", "nn.MultiheadAttention"), ATTENTION),
    "nn.functional.multi_head*": ATTENTION,
    **dict.fromkeys(("nn.Embedding*", "nn.functional.embedding*"), LOOK_UP),
    "nn.Buffer": "write self.register_buffer(name, tensor)",
    **dict.fromkeys(("nn.Module.compile", "nn.Module.share_memory", "nn.Module.to_empty"), LEAVE_OUT),
    "nn.Module.type": "write net.to(dtype)",
    "nn.Module.bfloat16": "write net.half(), or net.float()",
    "nn.Module.register_state_dict_*hook": "change the dict that net.state_dict() returns",
    "nn.Module.*register_load_state_dict_p*_hook": "change the dict before net.load_state_dict(state)",
    "nn.PixelUnshuffle": "write F.pixel_unshuffle in forward",
    **dict.fromkeys(
        ("nn.ChannelShuffle", "nn.functional.channel_shuffle"), "write x.reshape, .transpose(1, 2), .reshape"
    ),
    **dict.fromkeys(("nn.ConstantPad1d", "nn.ZeroPad1d"), "write F.pad(x, sides, value=…) in forward"),
    **dict.fromkeys(
        ("nn.ReflectionPad1d", "nn.ReplicationPad1d", "nn.CircularPad1d"),
        "write F.pad(x, sides, mode=…) in forward",
    ),
    **dict.fromkeys(("nn.UpsamplingNearest2d", "nn.UpsamplingBilinear2d"), "write nn.Upsample(…, mode=…)"),
    "nn.functional.upsample*": "write F.interpolate(x, …, mode=…)",
    "nn.UninitializedBuffer": "give the sizes",
    **dict.fromkeys(("nn.Fractional*", "nn.functional.fractional*"), COMPOSE),
    **dict.fromkeys(
        ("nn.LPPool*", "nn.functional.lp_pool*"), "write (F.avg_pool2d(x ** p, k) * k * k) ** (1 / p)"
    ),
    "nn.CrossMapLRN2d": "write F.local_response_norm in forward",
    **dict.fromkeys(
        ("nn.RMSNorm", "nn.functional.rms_norm"), "write x / (x * x).mean(-1, keepdim=True).sqrt() * weight"
    ),
    **dict.fromkeys(
        ("nn.Bilinear", "nn.functional.bilinear"), "write tg.einsum('ni,oij,nj->no', x, weight, y)"
    ),
    **dict.fromkeys(("nn.RReLU", "nn.functional.rrelu*"), "write F.leaky_relu(x, slope)"),
    **dict.fromkeys(
        ("nn.AlphaDropout", "nn.FeatureAlphaDropout", "nn.functional.*alpha_dropout"), "write nn.Dropout"
    ),
    "nn.functional.gumbel_softmax": "write F.softmax((x - tg.log(-tg.log(tg.rand_like(x)))) / tau, dim)",
    "nn.functional.pdist": "write tg.norm(x[:, None] - x[None], dim=-1)",
    **dict.fromkeys(
        ("nn.CTCLoss", "nn.functional.ctc_loss", "nn.AdaptiveLogSoftmaxWithLoss"), "there is none of it"
    ),
    "nn.NLLLoss2d": "write nn.NLLLoss",
    **dict.fromkeys(("nn.MultiLabel*Loss", "nn.functional.multilabel_*"), "write nn.BCEWithLogitsLoss"),
    "nn.*Loss": LOSS,
    "nn.functional.*_loss": LOSS,
    "nn.functional.*_with_indices": "write F.max_pool2d(…, return_indices=True)",
    "nn.Container": "write nn.Module",
    "nn.attention*": ATTENTION,
}

OTHERS: dict[str, str] = {
    "optim.lr_scheduler._LRScheduler": "write optim.lr_scheduler.LRScheduler",
    "optim.lr_scheduler.*": "write optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: factor)",
    "optim.swa_utils*": "keep a copy of the state_dict, and average it",
    "optim.*": "take SGD, Adam, AdamW or RMSprop, or write a subclass of optim.Optimizer",
    **dict.fromkeys(("Tensor.pin_memory", "Tensor.share_memory_"), LEAVE_OUT),
    **dict.fromkeys(
        ("Tensor.storage", "Tensor.untyped_storage", "Tensor.data_ptr"), "look at x.data, an ndarray"
    ),
    **dict.fromkeys(("Tensor.bernoulli", "Tensor.multinomial"), "write tg.{name}(x, …)"),
    **dict.fromkeys(("Tensor.H", "Tensor.mH"), "write x.mT"),
    "Tensor.is_cpu": "write True",
    "Tensor.is_set_to": "write np.shares_memory(x.data, y.data)",
    **dict.fromkeys(
        ("Tensor.*sparse*", "Tensor.to_dense", "Tensor.*coalesce*", "Tensor.*_indices"), NO_SPARSE
    ),
    **dict.fromkeys(("Tensor.is_*", "Tensor.layout"), "write False: there is one kind of tensor"),
    **dict.fromkeys(("Tensor.storage_*", "Tensor.const_data_ptr"), "look at x.data, an ndarray"),
    "Tensor.new_empty_strided": "write x.new_empty(…)",
    "Tensor.resize_as": "write x.reshape(y.shape)",
    "Tensor.narrow_copy": "write x.narrow(…).clone()",
    "Tensor.unsafe_*": "write x.chunk, x.split",
    "Tensor.new": "write tg.tensor(…, dtype=x.dtype)",
    "Tensor.bfloat16": "write x.half(), or x.float()",
    **dict.fromkeys(
        ("Tensor.squeeze_", "Tensor.unsqueeze_", "Tensor.t_", "Tensor.transpose_"), "write x = x.{stem}(…)"
    ),
    **dict.fromkeys(("Tensor.swapaxes_", "Tensor.swapdims_"), "write x = x.{stem}(…)"),
    **dict.fromkeys(
        ("Tensor.resize_", "Tensor.set_", "resize_as_", "resize_as_sparse_"), "write x = x.reshape(…)"
    ),
    **dict.fromkeys(("Tensor.index_copy_", "Tensor.index_put_", "Tensor.put_"), "write x[index] = value"),
    **dict.fromkeys(("Tensor.masked_scatter_", "Tensor.fill_diagonal_"), "write x[index] = value"),
    **dict.fromkeys(
        ("Tensor.random_", "Tensor.log_normal_", "Tensor.cauchy_", "Tensor.geometric_"),
        "write x.data[...] = numbers of NumPy's",
    ),
    "Tensor.apply_": "write x.data[...] = a function of x.data",
    "Tensor.sum_to_size": "write x.sum(dim, keepdim=True)",
}

OUR_DATASETS = ("MNIST", "FashionMNIST", "KMNIST", "CIFAR10", "CIFAR100", "ImageFolder")
OUR_TRANSFORMS = (
    *("CenterCrop", "Compose", "InterpolationMode", "Lambda", "Normalize", "Pad", "RandomAffine"),
    *("RandomCrop", "RandomErasing", "RandomHorizontalFlip", "RandomRotation", "RandomVerticalFlip"),
    *("Resize", "ToTensor"),
)
"""Names of torchvision's that this package has."""

OTHER_PACKAGES: dict[str, str] = {
    **{f"torchvision.datasets.{name}": DATASET for name in OUR_DATASETS},
    **{f"torchvision.transforms.{name}": TRANSFORM for name in OUR_TRANSFORMS},
    **{f"torchvision.transforms.v2.{name}": TRANSFORM for name in OUR_TRANSFORMS},
    "torchvision.datasets*": DATASETS,
    **dict.fromkeys(("torchvision.transforms", "torchvision.transforms.v2"), TRANSFORMS),
    "torchvision.transforms*": OWN_TRANSFORM,
    "torchvision.models*": "write the net out, with nn.Module",
    "torchvision.utils*": "show the arrays with matplotlib: plt.imshow",
    "torchvision*": DATASETS,
    "torchaudio*": "bring the sequences as arrays, and tg.from_numpy",
    "torchtext*": "bring the tokens as arrays, and tg.from_numpy",
    "torchsummary*": "write print(net.summary((N, C, H, W)))",
    "torchinfo*": "write print(net.summary((N, C, H, W)))",
    "torchmetrics*": "write (y.argmax(1) == target).float().mean()",
    "torchviz*": "write print(loss.tape()), or loss.record().to_html(path)",
    "pytorch_lightning*": "write the loop out",
    "lightning*": "write the loop out",
}

INSTEAD: dict[str, str] = {
    **{f"torch.{name}": line for name, line in {**NN, **OTHERS, **TORCH}.items()},
    **OTHER_PACKAGES,
}
"""By PyTorch's dotted name, or a pattern of such: what to write."""


IN_PLACE = {
    "torch": "write x = tg.{stem}(x), or x.{name}(…) where Tensor has it",
    "torch.nn.functional": "write x = F.{stem}(x)",
    "torch.Tensor": "write x = x.{stem}(…), or x[...] = … under tg.no_grad()",
}
"""By where a change in place is, `x.exp_()` for one: what to write where the package has what it is of."""

ELSEWHERE = {"torch": ["torch.nn.functional"], "torch.Tensor": ["torch", "torch.nn.functional"]}
"""Where else a function may be that PyTorch has in several places: a row for one of them serves all."""


def write_instead(name: str) -> str:
    """What to write in the place of one of PyTorch's names; "" where nobody knows."""
    module, _, last = name.rpartition(".")
    names = [name, *(f"{place}.{last}" for place in ELSEWHERE.get(module, ()))]
    line = next(filter(None, map(line_for, names)), "")
    if line:
        return line.format(name=last, stem=last[:-1]) if "{name}" in line or "{stem}" in line else line
    if module in IN_PLACE and last.endswith("_") and not last.startswith("_"):
        return in_place_instead(module, last)
    if module in ("torch", "torch.Tensor") and is_numpys_function(last):
        return IN_NUMPY.format(name=last)
    return ""


def in_place_instead(module: str, name: str) -> str:
    """The same for a change in place, by what it is of: that is here, or something may be said of it."""
    stem = name[:-1]
    if stem in dir(ours(module)):
        return IN_PLACE[module].format(name=name, stem=stem)
    instead = write_instead(f"{module}.{stem}")
    return "write x[...] = … under tg.no_grad()" + (f"; {stem}: {instead}" if instead else "")


def ours(module: str) -> Any:
    """What this package has for a part of PyTorch's."""
    package: Any = sys.modules[PACKAGE]
    parts = {"torch.nn.functional": "functional", "torch.Tensor": "Tensor"}
    return getattr(package, parts[module]) if module in parts else package


def is_numpys_function(name: str) -> bool:
    """Whether NumPy has a function of that name, which may be what computes it."""
    value = getattr(sys.modules["numpy"], name, None)
    return callable(value) and not isinstance(value, type)


def line_for(name: str) -> str:
    """The line of the row that a name matches."""
    return INSTEAD.get(name) or next((INSTEAD[row] for row in INSTEAD if fnmatchcase(name, row)), "")
