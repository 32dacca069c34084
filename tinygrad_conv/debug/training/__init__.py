"""Looking on while a model is trained.

observer.py   what each step was like, layer by layer, in a few numbers
film.py       `tg.debug.film`: pictures of it; sample.py: what the model makes of one sample
watch.py      `tg.debug.watch`: a log
"""

from .film import film
from .watch import watch

__all__ = ["film", "watch"]
