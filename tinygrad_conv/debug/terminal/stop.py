"""Recording a backward while the program performs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...engine.backward import Gradients
from ...engine.node import Node, input_edges
from ...engine.tensor import Tensor
from ...members import members_of
from ..record import Recording
from ..recorded import Copies
from ..rerun import sources_in_order
from ..step import Source, Step
from ..stepping import StepObserver

Prompt = Callable[[Recording, int], bool]


class Stop(StepObserver):
    """Hands the n-th backward of what runs inside to a prompt, recorded, before any `.grad` is written.

    The prompt is given its number too.

    What the prompt returns says whether it wants to see the next backward too.
    """

    def __init__(self, nth: int, prompt: Prompt) -> None:
        self.count, self.stopped = 0, False
        self._nth, self._prompt = nth, prompt
        self._again = False
        self._last = 0  # index of the node that was passed last: a larger one begins another backward

    @property
    def wanted(self) -> bool:
        """Whether the backward that is going on is to be recorded."""
        return self._again or self.count + 1 == self._nth

    def before_sweep(self, gradients: Gradients) -> None:
        super().before_sweep(gradients)
        self._seeds = {self.numbering[edge]: seed for edge, seed in gradients.arrived.items()}

    def before_step(self, step: Step, node: Node) -> None:
        if not self.wanted or any(isinstance(dy, Tensor) for dy in members_of(step.grad_output)):
            return  # the gradients of create_graph are a program, not data
        if not self._last or node.index > self._last:
            self._steps: list[Step] = []
            self._leaves: dict[Tensor, str] = {}
            self._copies = Copies()
            step.output  # noqa: B018 (collects what the tape knows, before the backward frees it)
        self._last = node.index
        inputs = zip(input_edges(node), sources_in_order(step))
        self._leaves.update({edge: name for edge, name in inputs if isinstance(edge, Tensor)})

    def after_step(self, step: Step) -> None:
        if self._last:
            self._steps.append(self._copies.of_step(step))

    def after_sweep(self, arrived: dict[Any, Any]) -> None:
        recording = self.recording(arrived) if self._last else None
        self.count, self._last = self.count + 1, 0
        if recording is not None:
            self.stopped = True
            self._again = self._prompt(recording, self.count)

    def recording(self, arrived: dict[Any, Any]) -> Recording:
        """The backward that has ended."""
        seeds = {edge: self._copies.of(seed) for edge, seed in self._seeds.items() if type(edge) is Source}
        values = {name: self._copies.of(leaf.data) for leaf, name in self._leaves.items()}
        reached = {name: leaf for leaf, name in self._leaves.items() if leaf in arrived}
        grads = {name: self._copies.of(arrived[leaf]) for name, leaf in reached.items()}
        return Recording(self._steps[::-1], values, grads, seeds)
