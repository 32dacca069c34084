"""Mutants of the array ops' rules that change no result, each with the reason why no test can notice it."""

from __future__ import annotations

EQUIVALENT: dict[str, str] = {
    "functions.py sign_dx: return OPS['where'](dy, 0.0, condition=False) → "
    "return -OPS['where'](dy, 0.0, condition=False)": "Zero has no sign that a gradient depends on.",
    "functions.py sign_dx: return OPS['where'](dy, 0.0, condition=False) → "
    "return 2 * OPS['where'](dy, 0.0, condition=False)": "Twice zero is zero.",
    "reduce.py std_dx: 1.0 → 2.0": "Stands for 2 √var only where the quotient is then replaced by 0; any number but 0 does.",
    "reduce.py prod_dx: 0 → -1": "The line has one dimension: 0 and -1 both name it.",
    "reduce.py logsumexp_dx: 0.0 → 1.0": "Where y is -inf every x is: exp(-inf - total) is 0 for any finite total.",
    "reduce.py logsumexp_dx: 0.0 → -1.0": "Where y is -inf every x is: exp(-inf - total) is 0 for any finite total.",
    "reduce.py vector_norm_dx: 1.0 → 2.0": "Stands for a norm or ratio of 0, where dy or sign(x) is 0; any number above 0 does.",
    "norm.py normalization_dx: 1 → 2": "A group of a single number does not deviate from its mean.",
    "linalg.py matmul_db: a[None, :] if row else a → a[None, :]": "A leading dimension of 1 more is summed away by sum_to.",
    "linalg.py as_rows: x if x.ndim == 2 else reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1])) → "
    "reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))": "A matrix is reshaped into the shape that it has.",
    "windows.py window_of: return _window(op, size, kernel_size, stride, padding, dilation, out, ceil_mode) → "
    "return -_window(op, size, kernel_size, stride, padding, dilation, out, ceil_mode)": "The TypeError of negating a "
    "geometry leads to computing it again without the cache.",
    "windows.py pool_window: return _pool_window(op, size, kernel_size, stride, padding, dilation, ceil_mode) → "
    "return -_pool_window(op, size, kernel_size, stride, padding, dilation, ceil_mode)": "The TypeError of negating a geometry "
    "leads to computing it again without the cache.",
    "pool.py divisors: int(counts.flat[0]) if counts.size and (counts == counts.flat[0]).all() else counts.astype(dtype) → "
    "counts.astype(dtype)": "The number is there for speed: the array that holds it everywhere divides to the same.",
    "pool.py divisors: counts == counts.flat[0] → counts != counts.flat[0]": "Always the array, which divides to the same.",
    "pool.py divisors: 0 → -1": "Where all counts agree, the last is the first; where they do not, no one of them equals all.",
}
