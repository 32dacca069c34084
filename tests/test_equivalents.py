"""The lists of mutants that change nothing say what is so."""

from __future__ import annotations

from .mutation import EQUIVALENT, kernel_functions, mutants, rule_functions


def test_every_mutant_known_to_be_equivalent_is_one_of_a_rule_or_a_kernel():
    # a function that has changed must not keep its excuses
    every = [*rule_functions(), *kernel_functions()]
    functions = [one for one in every if any(f" {one.__name__}: " in key for key in EQUIVALENT)]
    assert EQUIVALENT.keys() <= {mutant.key for function in functions for mutant in mutants(function)}
