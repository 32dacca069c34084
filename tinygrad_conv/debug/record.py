"""`Recording`: a backward as data, and all that can be asked of it; how one is made, and read from a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload
from weakref import ref

from ..engine.backward import sweep
from ..engine.node import Output, nodes_behind
from ..engine.observed import unobserved
from ..engine.tensor import Tensor
from . import checking, page
from . import difference as comparing
from . import explain as explaining
from . import rerun as rerunning
from . import trace as tracing
from .checking import Report
from .difference import Difference
from .explain import Explanation
from .explanations import StepExplanation, explain_leaf, explain_step
from .recorded import Copies, Recorded
from .recording_file import saving
from .step import Source, Step
from .stepping import StepRecorder, number_edges, observed
from .trace import Trace


class Recording(Recorded):
    """The steps of a backward, oldest op first: `rec[2]` is `%3` of the tape.

    `reversed(rec)` is the backward's own order. leaves, grads: the values of the leaves, and their gradients
    from this backward alone, by name. Every array is a copy.
    """

    def diff(self, other: Recorded, rtol: float = 1e-5, atol: float = 1e-8) -> Difference | None:
        """The first place at which two runs part, forward first and then backward; None if they do not."""
        return comparing.difference(self, other, rtol, atol)

    def save(self, path: str | Path) -> None:
        """Write everything to a file that `tg.debug.load` reads, on any machine (.npz, no pickle)."""
        saving.save(self, path)

    def rerun(self, from_step: int | Step, grad_output: Any) -> Recording:
        """What if this step's `grad_output` had been another? The backward from there, as a new recording."""
        return rerunning.rerun(self, from_step, grad_output)

    def check(self, seed: int = 0) -> Report:
        """Is every rule right? Each step's gradients beside numerical ones and the literal kernels' own."""
        return checking.check(self, seed)

    @overload
    def explain(self, of: Any, index: None = None) -> StepExplanation: ...
    @overload
    def explain(self, of: Any, index: int | Sequence[int]) -> Explanation: ...
    def explain(self, of: Any, index: int | Sequence[int] | None = None) -> Explanation | StepExplanation:
        """The very products that add up to one number of a gradient, of a leaf or an intermediate result.

        Without an index: how the gradients of a step come about, by its kind of op (the slope of a relu, the
        three terms of a normalisation, p - onehot …), and where the gradients of a leaf meet. Raises what
        debug/explain.py says, and KeyError for what is not in the recording.
        """
        if index is not None:
            return explaining.explain(self, of, index)
        source = self.source(of)
        if isinstance(source, str):
            return explain_leaf(source, self)
        return explain_step(self[source.number - 1], self)

    def trace(self, of: Any, index: int | Sequence[int]) -> Trace:
        """One number followed through the net: where its value comes from, and where its gradient does."""
        return tracing.trace(self, of, index)

    def to_html(self, path: str | Path, title: str = "", size_limit: int = 1_000_000) -> None:
        """Write one self-contained page that shows this in a browser, in about `size_limit` bytes.

        Larger arrays are thinned.
        """
        page.write(self, path, title, size_limit)

    def to_onnx(self, path: str | Path, opset_version: int = 17) -> None:
        """Write the forward, and the ops that its rules apply on the way back, to an ONNX file.

        Netron shows it; run, it gives the recorded gradients. Its initializers are the leaves and what else
        is constant here, such as the places that max-pooling chose. Raises ExportError for what cannot be
        written.
        """
        from ..interop.onnx.writing.recording import export_recording

        export_recording(self, path, opset_version)

    def _repr_html_(self) -> str:
        return page.embedded(self)


def record(tensor: Tensor, gradient: Any = None) -> Recording:
    """Perform the backward of a tensor and keep all of it: nothing is freed, no `.grad` is written.

    Hooks on gradients do run, for they are part of it. Raises what `backward` raises.
    """
    recorder, copies = StepRecorder(), Copies()
    gradients = observed(tensor, gradient, recorder)
    numbering = number_edges(nodes_behind(gradients.waiting.values()), gradients.arrived)
    seeds = {numbering[edge]: copies.of(seed) for edge, seed in gradients.arrived.items()}
    with unobserved():
        arrived = sweep(gradients)
    leaves = {name: leaf for leaf, name in numbering.items() if isinstance(leaf, Tensor)}
    results = {edge: source for edge, source in numbering.items() if isinstance(source, Source)}
    recording = Recording(
        [copies.of_step(step) for step in reversed(recorder.steps)],
        leaves={name: copies.of(leaf.data) for name, leaf in leaves.items()},
        grads={name: copies.of(arrived[leaf]) for name, leaf in leaves.items()},
        seeds=seeds,
    )
    recording.hooked = [name for edge, name in numbering.items() if has_hooks(edge)]
    recording._results = {(edge.node.index, edge.slot): source for edge, source in results.items()}
    recording._leaves = {name: ref(leaf) for name, leaf in leaves.items()}
    return recording


def load(path: str | Path) -> Recording:
    """Read a recording that `rec.save(path)` wrote, here or on another machine.

    Its leaves are found by their names, for the tensors of that program are not here. It may come from
    anybody: nothing in it is run, its sizes are bounded, and what loads can be used to the end. Raises
    RecordingError, which names the member of the file and the place in it, for whatever is wrong.
    """
    return saving.load(path, Recording)


def has_hooks(edge: Any) -> bool:
    """Whether a hook may change the gradient that arrives there."""
    owner, slot = (edge.node, edge.slot) if type(edge) is Output else (edge, 0)
    return owner._listeners is not None and bool(owner._listeners.hooks.get(slot))
