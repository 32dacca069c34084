from .arithmetic import *  # noqa: F403  (transitional: import from arithmetic, functions, comparisons)
from .comparisons import *  # noqa: F403
from .functions import *  # noqa: F403
