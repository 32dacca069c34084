"""Losses as layers: `loss(x, target)`. The formulas stand with the functions.

reduction: 'mean' or 'sum' of the elements' (or examples') losses, or 'none' for all of them.
"""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..engine.tensor import Tensor
from ..foreign import numbers_of
from .module import Module


class Loss(Module):
    """What the losses share: a reduction."""

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def keep(self, name: str, weight: Any) -> None:
        """A weight as a buffer: it is saved with the net, and not trained."""
        given = weight is None or isinstance(weight, Tensor)
        self.register_buffer(name, weight if given else Tensor(numbers_of(weight, type(self).__name__)))


class MSELoss(Loss):
    """(x - target)²."""

    def forward(self, x: Any, target: Any) -> Tensor:
        return F.mse_loss(x, target, reduction=self.reduction)


class L1Loss(Loss):
    """|x - target|."""

    def forward(self, x: Any, target: Any) -> Tensor:
        return F.l1_loss(x, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """½ d² / beta where |d| < beta, |d| - ½ beta elsewhere, for d = x - target."""

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta

    def forward(self, x: Any, target: Any) -> Tensor:
        return F.smooth_l1_loss(x, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """½ d² where |d| < delta, delta (|d| - ½ delta) elsewhere, for d = x - target."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, x: Any, target: Any) -> Tensor:
        return F.huber_loss(x, target, reduction=self.reduction, delta=self.delta)


class BCELoss(Loss):
    """-(t ln x + (1 - t) ln(1 - x)) for probabilities x.

    weight: a factor for each element, or one that broadcasts.
    """

    weight: Tensor | None

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.keep("weight", weight)

    def forward(self, x: Any, target: Any) -> Tensor:
        return F.binary_cross_entropy(x, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(Loss):
    """As BCELoss of σ(x), without its overflow. pos_weight: a factor on the term of the positive class."""

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction=reduction)
        self.keep("weight", weight)
        self.keep("pos_weight", pos_weight)

    def forward(self, x: Any, target: Any) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            x, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class NLLLoss(Loss):
    """-x[target], for log-probabilities x [N, C, …] and class numbers target [N, …].

    weight: a factor for each class.
    """

    weight: Tensor | None

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.ignore_index = ignore_index
        self.keep("weight", weight)

    def forward(self, x: Any, target: Any) -> Tensor:
        return F.nll_loss(x, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class CrossEntropyLoss(Loss):
    """NLLLoss of log_softmax(x), for scores x [N, C, …] and class numbers [N, …] or probabilities as x."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction=reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing
        self.keep("weight", weight)

    def forward(self, x: Any, target: Any) -> Tensor:
        return F.cross_entropy(
            x,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class KLDivLoss(Loss):
    """t (ln t - x) for log-probabilities x and probabilities t, or with log_target their logarithms.

    reduction: also 'batchmean', the sum divided by the number of samples, which is the divergence.
    """

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__()
        self.reduction, self.log_target = reduction, log_target

    def forward(self, x: Any, target: Any) -> Tensor:
        return F.kl_div(x, target, reduction=self.reduction, log_target=self.log_target)


class MarginRankingLoss(Loss):
    """max(0, margin - t (x₁ - x₂)), for targets of 1 and -1."""

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, x1: Any, x2: Any, target: Any) -> Tensor:
        return F.margin_ranking_loss(x1, x2, target, self.margin, reduction=self.reduction)


class HingeEmbeddingLoss(Loss):
    """x, a distance, where the target is 1, and max(0, margin - x) where it is -1."""

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, x: Any, target: Any) -> Tensor:
        return F.hinge_embedding_loss(x, target, self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(Loss):
    """1 - cos(x₁, x₂) where the target is 1, and max(0, cos(x₁, x₂) - margin) where it is -1."""

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, x1: Any, x2: Any, target: Any) -> Tensor:
        return F.cosine_embedding_loss(x1, x2, target, self.margin, reduction=self.reduction)


class TripletMarginLoss(Loss):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), d the distance of order p.

    swap: the negative's distance from the positive counts instead where it is smaller.
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Tensor:
        return F.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, reduction=self.reduction
        )


class SoftMarginLoss(Loss):
    """ln(1 + exp(-t x)), for targets of 1 and -1."""

    def forward(self, x: Any, target: Any) -> Tensor:
        return F.soft_margin_loss(x, target, reduction=self.reduction)


class GaussianNLLLoss(Loss):
    """½ (ln v + (x - t)² / v), for means x and variances v = max(var, eps). full: with ½ ln 2π."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, x: Any, target: Any, var: Any) -> Tensor:
        return F.gaussian_nll_loss(x, target, var, self.full, self.eps, reduction=self.reduction)


class PoissonNLLLoss(Loss):
    """exp(x) - t x, for logarithms x of the rates of counts t; without log_input x - t ln(x + eps)."""

    def __init__(
        self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, x: Any, target: Any) -> Tensor:
        return F.poisson_nll_loss(x, target, self.log_input, self.full, self.eps, reduction=self.reduction)
