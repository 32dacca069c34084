"""Names of PyTorch's that are not here: instead.py has what to write, missing.py says it to who asks."""
