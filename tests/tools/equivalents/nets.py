"""Mutants of the rules of networks' ops that change no result, each with the reason why no test can notice
it.
"""

from __future__ import annotations

EQUIVALENT: dict[str, dict[str, str]] = {
    "ops/activations.py bounded": {
        "hardtanh(x, min_val=-64.0, max_val=64.0) → hardtanh(x, min_val=-65.0, max_val=64.0)": (
            "σ(u(x)) is 0 or 1 to the last bit from |x| = 22 on, so any bound above that does."
        ),
        "hardtanh(x, min_val=-64.0, max_val=64.0) → hardtanh(x, min_val=-64.0, max_val=65.0)": (
            "σ(u(x)) is 0 or 1 to the last bit from |x| = 22 on, so any bound above that does."
        ),
        "hardtanh(x, min_val=-64.0, max_val=64.0) → hardtanh(x, min_val=-63.0, max_val=64.0)": (
            "σ(u(x)) is 0 or 1 to the last bit from |x| = 22 on, so any bound above that does."
        ),
        "hardtanh(x, min_val=-64.0, max_val=64.0) → hardtanh(x, min_val=-64.0, max_val=63.0)": (
            "σ(u(x)) is 0 or 1 to the last bit from |x| = 22 on, so any bound above that does."
        ),
    },
    "ops/loss.py binary_cross_entropy_dtarget": {
        "clamp_min(log(1 - x), -100.0) → clamp_min(-100.0, log(1 - x))": (
            "The order matters at a tie alone, and ln(1 - x) is never -100: 1 - x is 0, or no less "
            "than the dtype's epsilon / 2."
        ),
    },
    "ops/classification.py wanted_classes": {
        "max(classes, 1) → max(classes, 2)": (
            "The 1 of max(classes, 1): where there is one class, its probability is 1 and the loss 0 "
            "with a gradient of 0, whatever is wanted."
        ),
    },
}
