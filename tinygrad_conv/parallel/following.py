"""The follower: it looks on at every backward, and has gradients leave as soon as they are complete.

Before the sweep it counts how often each parameter will be sent a gradient. When the last one has arrived at
all parameters of a bucket, and the buckets before it have left, it leaves. When all rules have run, the
averages are put in the gradients' places, and `.grad` is written from them as in any backward.
"""

from __future__ import annotations

from typing import Any

from ..engine.node import Node, Output, input_edges, nodes_behind
from ..engine.observe import ObservedGradients, Observer
from .averaging import Averaging


class Follower(Observer):
    """The follower of one model."""

    def __init__(self, averaging: Averaging) -> None:
        self.averaging = averaging
        self.is_synchronizing = True  # no_sync switches it off
        self.gradients: Any = None  # of the backward that is followed
        self.expected: dict[Any, int] = {}  # by parameter: how often a gradient will still arrive
        self.missing: list[int] = []  # by bucket: at how many parameters

    def before_sweep(self, gradients: Any) -> None:
        self.gradients = None
        if gradients.wanted_edges is None and gradients.lift is None:
            nodes = nodes_behind(gradients.waiting.values())
            self.begin(gradients, nodes)

    def begin(self, gradients: Any, nodes: list[Node]) -> None:
        """Follow a backward, if it concerns the model."""
        expected = arrivals(nodes, self.averaging.numbers)
        at_once = [leaf for leaf in gradients.arrived if leaf in self.averaging.numbers]
        if not expected and not at_once:
            return
        self.gradients, self.expected = gradients, expected
        self.missing = [sum(leaf in expected for leaf in bucket.leaves) for bucket in self.averaging.buckets]
        used = sorted(self.averaging.numbers[leaf] for leaf in {*expected, *at_once})
        samples = self.averaging.samples_behind(nodes)
        if self.is_synchronizing:
            gradients.exchange(self.averaging.begin, samples=samples, used=tuple(used))
        else:
            gradients.exchange(self.averaging.hold, samples=samples)

    def after_rule(self, gradients: Any, edge: Any, dx: Any, before: Any, after: Any) -> None:
        if gradients is self.gradients and edge in self.expected:
            self.expected[edge] -= 1
            if not self.expected[edge]:
                del self.expected[edge]
                self.missing[self.averaging.bucket_of[edge]] -= 1

    def after_rules(self, gradients: Any, node: Node) -> None:
        if gradients is self.gradients and self.is_synchronizing:
            if not self.start_complete(gradients) and self.averaging.requests:
                gradients.exchange(self.averaging.progress)

    def start_complete(self, gradients: Any) -> bool:
        """Have the next buckets leave, as far as they are complete; whether any did."""
        number = before = len(self.averaging.requests)
        buckets = self.averaging.buckets
        while number < len(buckets) and not self.missing[number]:
            gradients.exchange(self.averaging.start, buckets[number].leaves)
            number += 1
        return number > before

    def before_leaves(self, gradients: ObservedGradients) -> None:
        if self.gradients is not gradients and gradients.wanted_edges is None and gradients.lift is None:
            self.begin(gradients, [])  # nothing but a leaf went backward
        if self.gradients is gradients and self.is_synchronizing:
            self.start_complete(gradients)
            gradients.exchange(self.averaging.finish, self.averaging.leaves)

    def after_sweep(self, gradients: dict[Any, Any]) -> None:
        if self.gradients is not None:
            followed, self.gradients = self.gradients, None
            if self.is_synchronizing:
                followed.exchange(self.averaging.forget)


def arrivals(nodes: list[Node], leaves: dict[Any, int]) -> dict[Any, int]:
    """How often each of the leaves will be sent a gradient by these nodes; those that will not are left
    out.
    """
    counts: dict[Any, int] = {}
    for node in nodes:
        for edge in input_edges(node):
            if edge is not None and type(edge) is not Output and edge in leaves:
                counts[edge] = counts.get(edge, 0) + 1
    return counts
