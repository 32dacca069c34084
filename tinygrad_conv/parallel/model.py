"""`DataParallel`: a model that is trained by several processes, each on its share of every batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..engine.commit import Changes
from ..engine.node import tick
from ..engine.observe import follow
from ..engine.tensor import Tensor
from ..errors import RankError, show_array
from ..nn.module import Module
from ..nn.state_dict import IncompatibleKeys
from ..nn.uninitialized import is_uninitialized
from ..options import FLAG, Option, check_option, count, number, optional
from .averaging import Averaging, Forward
from .batch_norm import SyncBatchNorm
from .buckets import BUCKET_BYTES
from .following import Follower
from .ranks import TIMEOUT, Ranks, ranks_of

MODEL = Option("an nn.Module", lambda value: isinstance(value, Module))
TIME = optional(number(0)._replace(expected="a number of seconds from 0, or None"))


class DataParallel(Module):
    """A model of which every rank has a copy, and trains it on its own share of each batch.

        net = tg.parallel.DataParallel(net)             # on every rank, with the same model
        sampler = tg.parallel.ShardedSampler(dataset, batch_size=64)
        loader = data.DataLoader(dataset, batch_sampler=sampler)
        optimizer = optim.SGD(net.parameters(), lr=0.1)
        for images, labels in loader:                   # this rank's share
            optimizer.zero_grad()
            tg.cross_entropy(net(images), labels).backward()
            optimizer.step()

    At the start all parameters and buffers become rank 0's. A backward that reaches any of the parameters
    averages their gradients over all ranks, bucket by bucket, while the sweep still runs; `.grad` is written
    at its end, the same on all ranks, and added to what was there. All ranks must go backward equally often.
    Alone, without mpiexec, it is the model itself.

    bucket_bytes: how many bytes of gradients travel together. weighted: a rank's gradient counts by the
    samples of the forwards that it comes back through (the first size of the first tensor that the model was
    called with), so that for a loss that is a mean over samples the average is the gradient of the joined
    batch, also where shares differ; a rank that has none takes part with an empty batch. With weighted=False
    all ranks count alike.

    sync_batch_norm: batch norms use the statistics of the joined batch (SyncBatchNorm), not of the share.
    timeout: how many seconds to wait for a rank that neither comes nor ends; None: for ever.

    - A model is wrapped when it is complete: dtypes, and what is trained, stay as they are then.
    - A parameter that has no gradient on some ranks counts as 0 there; on all: it gets none.
    - Hooks on parameters see the averaged gradient, as in one process; all ranks must have the same ones.
    - `tg.grad` gives the gradients of this rank alone, for a penalty say, which a backward then averages.
    - `with net.no_sync():` backwards add to `.grad` on this rank alone, and the next one outside averages all
      of it. Batches of an accumulation must be shared out in the same proportions.
    - Running statistics of batch norms are each rank's own; checkpoints have rank 0's, and
      `broadcast_buffers()` gives them to all.
    - Dropout and augmentations draw on each rank by itself: `tg.manual_seed(seed + rank)` lets them differ.
    - The state dict, and the names of parameters, are those of the model: a checkpoint fits a single process.

    Raises RankError on all ranks where models differ, and in a backward where a gradient is not finite; an
    exception that nobody catches ends all ranks. MissingExtraError without mpi4py.
    """

    def __init__(
        self,
        model: Module,
        comm: Any = None,
        bucket_bytes: int = BUCKET_BYTES,
        weighted: bool = True,
        sync_batch_norm: bool = False,
        timeout: float | None = TIMEOUT,
    ) -> None:
        check_option("DataParallel", "model", MODEL, model)
        check_option("DataParallel", "bucket_bytes", count(1), bucket_bytes)
        check_option("DataParallel", "weighted", FLAG, weighted)
        check_option("DataParallel", "sync_batch_norm", FLAG, sync_batch_norm)
        check_option("DataParallel", "timeout", TIME, timeout)
        super().__init__()
        self.ranks = ranks_of(comm)
        self.ranks.timeout = timeout
        self.module = model
        if sync_batch_norm:
            self.module = SyncBatchNorm.convert_sync_batchnorm(model, self.ranks, weighted)
        self.is_synchronizing = True
        self.follower: Follower | None = None
        if self.ranks.size > 1:
            check_models(self.ranks, self.module)
            self.broadcast_state()
            named = list(self.named_parameters())
            self.follower = Follower(Averaging(named, self.ranks, bucket_bytes, weighted))
            follow(self.follower)

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the model makes of this rank's share."""
        first = tick()
        y = self.module(*inputs, **options)
        if self.follower is not None:
            samples = samples_of([*inputs, *options.values()])
            self.follower.averaging.forwards.append(Forward(samples, first, tick()))
        return y

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """Inside, backwards add to `.grad` on this rank alone; the next one outside averages all of it."""
        before = self.is_synchronizing
        self.synchronize(False)
        try:
            yield
        finally:
            self.synchronize(before)

    def synchronize(self, whether: bool) -> None:
        """Whether backwards average."""
        self.is_synchronizing = whether
        if self.follower is not None:
            self.follower.is_synchronizing = whether

    def broadcast_buffers(self) -> None:
        """Give all ranks the buffers of rank 0, such as the running statistics of batch norms."""
        self.broadcast(dict(self.named_buffers()))

    def broadcast_state(self) -> None:
        """Give all ranks the parameters and buffers of rank 0."""
        self.broadcast({**dict(self.named_parameters()), **dict(self.named_buffers())})

    def broadcast(self, tensors: Mapping[str, Tensor]) -> None:
        """Give all ranks these tensors of rank 0."""
        if self.ranks.size == 1:
            return
        changes = Changes()
        for name, tensor in tensors.items():
            numbers = np.array(tensor._data, order="C")
            changes.write(tensor, self.ranks.helpers.broadcast(numbers, f"{name} of rank 0"))
        changes.commit()

    def _named(
        self, own: Callable[[Any], dict[str, Any]], prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        return self.module._named(own, prefix, recurse, remove_duplicate)

    def state_dict(self, **options: Any) -> dict[str, Tensor]:
        """The model's own."""
        return self.module.state_dict(**options)

    def _load(self, state_dict: Mapping[str, Any], changes: Changes, strict: bool = True) -> IncompatibleKeys:
        return self.module._load(state_dict, changes, strict)

    def __getstate__(self) -> Any:
        raise TypeError(
            "a DataParallel cannot be copied or pickled: its communicator is not; take net.module"
        )


def samples_of(values: list[Any]) -> int:
    """How many samples a model is called with: the first size of the first tensor or array."""
    shapes = [value.shape for value in values if isinstance(value, (Tensor, np.ndarray))]
    return next((shape[0] for shape in shapes if shape), 1)


def check_models(ranks: Ranks, model: Module) -> None:
    """Refuse models that differ, on all ranks, before anything is sent between their parameters."""
    own = described(model)
    what = "the comparison of the models"
    first = ranks.helpers.broadcast_bytes("\n".join(own).encode(), what).decode().split("\n")
    problems = ranks.helpers.gather_texts(difference(first, own), what)
    for rank, problem in enumerate(problems):
        if problem:
            raise RankError(f"DataParallel: the model of rank {rank} is not that of rank 0: {problem}")


def described(model: Module) -> list[str]:
    """What must be the same of a model on all ranks: a line for each parameter and buffer."""
    lines = []
    tensors: list[tuple[str, Tensor]] = [*model.named_parameters(), *model.named_buffers()]
    for name, tensor in tensors:
        if is_uninitialized(tensor):
            lines.append(f"{name} without numbers yet (call the model once before)")
            continue
        trained = ", trained" if tensor.requires_grad else ""
        lines.append(f"{name} {show_array(tensor._data)}{trained}")
    return lines


def difference(first: list[str], own: list[str]) -> str:
    """Where a model differs from rank 0's, or cannot be sent; "" where all is well."""
    for line in own:
        if "without numbers yet" in line:
            return line
    for theirs, mine in zip(first, own):
        if theirs != mine:
            return f"it has {mine}, rank 0 has {theirs}"
    if len(first) != len(own):
        longer, owner = (own, "it") if len(own) > len(first) else (first, "rank 0")
        return f"only {owner} has {longer[min(len(first), len(own))]}"
    return ""
