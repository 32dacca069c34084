"""`backends.mps`: whether the GPU of a Mac is used."""


def is_available() -> bool:
    """Whether there is a GPU of Apple's: no."""
    return False


def is_built() -> bool:
    """Whether it can be: no."""
    return False
