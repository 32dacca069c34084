"""`backends.cuda`: whether this package can use GPUs."""


def is_built() -> bool:
    """Whether it can: no."""
    return False
