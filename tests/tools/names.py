"""The README's list of layers and functions, made of what the package exports:

python -m tests.tools.names     writes it into README.md
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import tinygrad_conv as tg

README = Path(__file__).resolve().parent.parent.parent / "README.md"
LIST = re.compile(
    r"(<!-- names: python -m tests.tools.names writes them -->\n).*?(<!-- end of names -->)", re.DOTALL
)


def names() -> str:
    """A line for each part of the package, with every public name in it."""
    functional = {*tg.functional.__all__}
    rest = {*tg.__all__} - functional - {"data", "functional", "nn", "ops", "optim"}
    parts = {
        "Layers and losses, `nn.…`": public(tg.nn, tg.nn.__all__, ("functional", "init", "utils")),
        "Initialisation, `nn.init.…`": [
            name for name in public(tg.nn.init, dir(tg.nn.init)) if name.endswith("_")
        ],
        "Optimisers, `optim.…`": public(tg.optim, tg.optim.__all__, ("lr_scheduler",)),
        "Schedules, `optim.lr_scheduler.…`": schedules(),
        "Data, `data.…`": public(tg.data, tg.data.__all__),
        "Functions, `tg.…` and `nn.functional.…`": functional,
        "Tensors, dtypes, modes, `tg.…`": rest,
        "Debugging, `tg.debug.…`": public(tg.debug, tg.debug.__all__),
        "Other libraries, `tg.interop.…`": public(tg.interop, tg.interop.__all__),
        "Several processes, `tg.parallel.…`": public(tg.parallel, tg.parallel.__all__),
        "Pictures, `tg.plot.…`": public(tg.plot, tg.plot.__all__),
        "ONNX files, `tg.onnx.…`": public(tg.onnx, tg.onnx.__all__),
    }
    return "\n".join(
        f"- {title}: {', '.join(f'`{name}`' for name in sorted(part))}\n" for title, part in parts.items()
    )


def public(module: object, exported: Iterable[str], without: Iterable[str] = ()) -> list[str]:
    return [
        name
        for name in exported
        if not name.startswith("_") and name not in without and hasattr(module, name)
    ]


def schedules() -> list[str]:
    module = tg.optim.lr_scheduler
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and name.endswith(("LR", "Plateau", "Restarts", "Scheduler"))
    ]


def rewritten(readme: str) -> str:
    """The README with the names there are now."""
    return LIST.sub(lambda match: f"{match[1]}\n{names()}\n{match[2]}", readme)


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
