"""Random numbers.

default.py      the generator of this context, which `manual_seed` resets, and who draws from it; generators
                made of others, which do not move
generator.py    what one is: NumPy's, with PyTorch's methods
state.py        where one is, as plain numbers
seeds.py        what `generator`, `rng` and `seed` may be
sampling.py     what is drawn
"""
