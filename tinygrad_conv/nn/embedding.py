"""A table of vectors, looked up by number."""

from __future__ import annotations

from typing import Any

from numpy.typing import DTypeLike

from .. import functional as F
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..foreign import numbers_of
from ..options import checked
from ..randomness.seeds import SEED, Random, random_numbers
from ..spellings import spelled
from . import init
from .module import Module, shown
from .parameter import Parameter, full_parameter


class Embedding(Module):
    """The row of weight [num_embeddings, embedding_dim] for each integer of x [...] → [..., embedding_dim].

    padding_idx: a row that begins as zeros, and gets no gradient. rng: a numpy Generator or a seed for the
    initial weight, which is normal; by default the generator that `tg.manual_seed` resets.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        dtype: DTypeLike | None = None,
        rng: Random = None,
    ) -> None:
        super().__init__()
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(f"Embedding: padding_idx={padding_idx} must be one of the {num_embeddings} rows")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = full_parameter(self, "weight", (num_embeddings, embedding_dim), 0, dtype)
        self.reset_parameters(rng)

    @checked(rng=SEED)
    def reset_parameters(self, rng: Random = None) -> None:
        """Draw the weight anew, as at the beginning."""
        numbers = random_numbers(rng).standard_normal(self.weight.shape)
        if self.padding_idx is not None:
            numbers[self.padding_idx] = 0
        init.fill(self.weight, numbers)

    @classmethod
    @spelled
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None
    ) -> Embedding:
        """A layer with a given table [V, D], which is trained only where freeze is False."""
        table = embeddings.data if isinstance(embeddings, Tensor) else numbers_of(embeddings, "Embedding")
        if table.ndim != 2:
            raise ShapeError(f"Embedding: embeddings must be [V, D], not {show_shape(table.shape)}")
        count, size = table.shape
        layer = cls(count, size, padding_idx, rng=0)
        layer.weight = Parameter(table, requires_grad=not freeze)
        return layer

    def forward(self, x: Any) -> Tensor:
        return F.embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", {shown(self, 'padding_idx')}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
