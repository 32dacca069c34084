"""`backends.cudnn`: switches of NVIDIA's library. Setting them changes nothing."""

deterministic = True
benchmark = False
enabled = False


def is_available() -> bool:
    """Whether it is used: no."""
    return False


def version() -> None:
    """Which one is used: none."""
