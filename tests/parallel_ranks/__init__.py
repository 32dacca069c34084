"""What ranks do in tests/test_parallel.py: `mpiexec -n 2 python -m tests.parallel_ranks [NAME …]`.

Each program asserts on every rank; rank 0 prints its name where all ranks have come to its end. The name of a
failure has rank 1 fail in the middle of a training.
"""
