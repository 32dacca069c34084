"""The test suite. It is a package, so that its commands run from the checkout: `python -m tests.benchmarks`
and those of `tests.tools`.
"""
