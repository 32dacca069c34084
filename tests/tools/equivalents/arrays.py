"""Mutants of the array ops' rules that change no result, each with the reason why no test can notice it."""

from __future__ import annotations

EQUIVALENT: dict[str, dict[str, str]] = {
    "ops/elementary.py sign_dx": {
        "return zeros_for(dy) → return -zeros_for(dy)": "Zero has no sign that a gradient depends on.",
        "return zeros_for(dy) → return 2 * zeros_for(dy)": "Twice zero is zero.",
    },
    "ops/roots.py std_dx": {
        "where(y, 1.0, condition=y != 0) → where(y, 2.0, condition=y != 0)": (
            "Stands for √var only where the quotient is then replaced by 0; any number but 0 does."
        ),
    },
    "ops/reduce.py prod_dx": {
        "products_of_others(reshape(x, shape=(-1,)), 0) → products_of_others(reshape(x, shape=(-1,)), -1)": (
            "The line has one dimension: 0 and -1 both name it."
        ),
    },
    "ops/reduce.py logsumexp_dx": {
        "where(y, 0.0, condition=y != -math.inf) → where(y, 1.0, condition=y != -math.inf)": (
            "Where y is -inf every x is: exp(-inf - total) is 0 for any finite total."
        ),
        "where(y, 0.0, condition=y != -math.inf) → where(y, -1.0, condition=y != -math.inf)": (
            "Where y is -inf every x is: exp(-inf - total) is 0 for any finite total."
        ),
    },
    "ops/roots.py vector_norm_dx": {
        "return zeros_for(dy) → return -zeros_for(dy)": (
            "A count of elements that aren't 0 has the gradient 0; -0.0 is the same number."
        ),
        "return zeros_for(dy) → return 2 * zeros_for(dy)": (
            "A count of elements that aren't 0 has the gradient 0, and so has twice that."
        ),
        "where(y, 1.0, condition=positive) → where(y, 2.0, condition=positive)": (
            "Stands for a norm or ratio of 0, where dy or sign(x) is 0; any number above 0 does."
        ),
        "where(ratio, 1.0, condition=positive) → where(ratio, 2.0, condition=positive)": (
            "Stands for a norm or ratio of 0, where dy or sign(x) is 0; any number above 0 does."
        ),
        "where(abs(wide(x)) / wide(y), 1.0, condition=x != 0)"
        " → where(abs(wide(x)) / wide(y), 2.0, condition=x != 0)": (
            "Stands for a norm or ratio of 0, where dy or sign(x) is 0; any number above 0 does."
        ),
    },
    "ops/norm.py normalization_dx": {
        "max(1, math.prod([x.shape[dim] for dim in dims])) → max(2, math.prod([x.shape[dim] for dim in "
        "dims]))": "A group of a single number does not deviate from its mean.",
    },
    "ops/linalg.py matmul_db": {
        "a[None, :] if row else a → a[None, :]": "A leading dimension of 1 more is summed away by sum_to.",
    },
    "ops/linalg.py as_rows": {
        "x if x.ndim == 2 else reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1])) → reshape(x, "
        "shape=(math.prod(x.shape[:-1]), x.shape[-1]))": "A matrix is reshaped into the shape that it has.",
    },
    "ops/pool.py divisors": {
        "int(counts.flat[0]) if counts.size and (counts == counts.flat[0]).all() else "
        "counts.astype(dtype) → counts.astype(dtype)": (
            "The number is there for speed: the array that holds it everywhere divides to the same."
        ),
        "counts == counts.flat[0] → counts != counts.flat[0]": "Always the array, which divides to the same.",
        "counts.flat[0] → counts.flat[-1]": (
            "Where all counts agree, the last is the first; where they do not, no one of them equals all."
        ),
    },
}
