"""The test suite; a package, so that `python -m tests.benchmarks` and the like can be run from the
checkout.
"""
