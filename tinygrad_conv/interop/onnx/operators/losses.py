"""Losses of classifications."""

from __future__ import annotations

from functools import partial
from typing import Any

from .... import functional as F
from ....engine.tensor import Tensor
from ..reading.node import Node
from .table import Function, operator

NOTHING = -(2**62)  # no label, where no label is to be ignored


def options_of(node: Node) -> dict[str, Any]:
    """The reduction, and the label that does not count."""
    return {
        "reduction": node.word("reduction", ("mean", "sum", "none"), "mean"),
        "ignore_index": node.get("ignore_index", NOTHING),
    }


@operator("NegativeLogLikelihoodLoss", (12, 13, 22), constants=(1, 2))
def negative_log_likelihood(node: Node) -> Function:
    """Of log probabilities [N, C, …] and labels [N, …]; a weight for each class."""
    return partial(likelihood_loss, options=options_of(node))


def likelihood_loss(
    x: Tensor, target: Tensor, weight: Tensor | None = None, *, options: dict[str, Any]
) -> Tensor:
    return F.nll_loss(x, target, weight=weight, **options)


@operator("SoftmaxCrossEntropyLoss", (12, 13), constants=(1, 2))
def softmax_cross_entropy(node: Node) -> Function:
    """Of scores [N, C, …] and labels [N, …]; with the log probabilities where they are asked for."""
    return partial(entropy_loss, options=options_of(node), log_prob=node.makes(1))


def entropy_loss(
    scores: Tensor, labels: Tensor, weights: Tensor | None = None, *, options: dict[str, Any], log_prob: bool
) -> Any:
    loss = F.cross_entropy(scores, labels, weight=weights, **options)
    return (loss, F.log_softmax(scores, 1)) if log_prob else loss
