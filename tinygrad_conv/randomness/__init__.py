"""Random numbers: their generators, what one is made of (seeds.py), and what is drawn (sampling.py)."""
