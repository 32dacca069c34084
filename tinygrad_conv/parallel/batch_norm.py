"""`SyncBatchNorm`: batch norm over the shares of all ranks; batch_norm_op.py has the op."""

from __future__ import annotations

from typing import Any, TypeVar

from ..dtypes import Array
from ..engine.observed import observable
from ..engine.tensor import Tensor
from ..functional import norms
from ..nn.module import Module
from ..nn.norm import BatchNorm
from ..nn.parameter import check_dtype
from .ranks import ranks_of

AnyModule = TypeVar("AnyModule", bound=Module)


class SyncBatchNorm(BatchNorm):
    """Batch norm of x [N, C, ...] over the shares of all ranks, as if they were one batch.

    `convert_sync_batchnorm(net)` makes such layers of a net's batch norms; all ranks convert the same ones,
    and call them equally often. Running statistics are the same on all ranks. weighted: as DataParallel's. It
    can be differentiated once (`create_graph` refuses it). In evaluation, and alone, it is a batch norm.
    """

    ndims: tuple[int, ...] = (2, 3, 4)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        comm: Any = None,
        weighted: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype=dtype)
        self.ranks, self.weighted = ranks_of(comm), weighted

    def forward(self, x: Any) -> Tensor:
        # names of ops are global, so this one is declared where there is such a layer
        from .batch_norm_op import sync_batch_norm

        uses_batch = self.training or self.running_mean is None
        if not uses_batch or self.ranks.size == 1:
            return super().forward(x)
        check_dtype(self, x, self.weight if self.bias is None else self.bias)
        self.check(x)
        statistics = norms.room(3, self.num_features)
        options = {"ranks": self.ranks, "weighted": self.weighted, "eps": self.eps, "statistics": statistics}
        y: Tensor = sync_batch_norm(x, self.weight, self.bias, **options)
        if self.training and self.running_mean is not None:
            follow(self.running_mean, self.running_var, self.num_batches_tracked, statistics, self.momentum)
        return y

    @classmethod
    def convert_sync_batchnorm(cls, module: AnyModule, comm: Any = None, weighted: bool = True) -> AnyModule:
        """A net whose batch norms have become synchronised ones, with the same parameters and buffers.

        The net is changed in place and returned, unless it is a batch norm itself.
        """
        if isinstance(module, BatchNorm) and not isinstance(module, SyncBatchNorm):
            return converted(module, comm, weighted)  # type: ignore[return-value]
        for name, child in list(module.named_children()):
            setattr(module, name, cls.convert_sync_batchnorm(child, comm, weighted))
        return module


def converted(layer: BatchNorm, comm: Any, weighted: bool) -> SyncBatchNorm:
    """A batch norm as a synchronised one, around the same parameters and buffers."""
    made = SyncBatchNorm(
        layer.num_features, layer.eps, layer.momentum, False, False, comm=comm, weighted=weighted
    )
    made.ndims = layer.ndims
    made.affine, made.track_running_stats = layer.affine, layer.track_running_stats
    made.weight, made.bias = layer.weight, layer.bias
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        setattr(made, name, getattr(layer, name))
    return made.train(layer.training)


@observable
def follow(
    mean: Tensor, variance: Tensor | None, count: Tensor | None, statistics: Array, momentum: float | None
) -> None:
    """Move running statistics as functional.norms does, towards `statistics` [3, C]: means, variances, and of
    how many elements they are.
    """
    norms.follow(mean, variance, statistics[:2], statistics[2].max(initial=0), momentum, count)
