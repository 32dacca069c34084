"""What a step does in Python beside tensors, watched while it is recorded: a replay would not do it.

The interpreter tells of each function that is called (`sys.setprofile`): prints, random numbers that are not
this package's, entries to outside lists; and which modules and which of the user's functions run, for the
guards.
"""

from __future__ import annotations

import _thread
import inspect
import io
import os
import random
import sys
import warnings
from contextvars import Context
from datetime import date
from queue import Queue, SimpleQueue
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

from ..engine.in_place import overwrite
from ..engine.location import PACKAGE_FOLDER, Where, warn_user
from ..engine.observed import BACKWARD, OBSERVATION
from ..engine.tensor import Tensor
from ..kernels import get_num_threads, set_num_threads
from ..nn.module import Module
from ..optim.lr_scheduler.composite import Composite
from ..optim.lr_scheduler.scheduler import LRScheduler
from ..optim.optimizer import Optimizer
from ..randomness.default import get_rng_state, initial_seed, manual_seed, seed
from ..randomness.generator import Generator
from ..randomness.seeds import random_numbers

TALK = (print, input, open)
STOPS = ("set_trace", "breakpoint")  # functions by which pdb and its kin stop where they are called
LISTS = (list, dict, set)
CONVERSIONS = (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray)
HANDED = (*LISTS, tuple, frozenset)  # types of what a function is given, and is no `self`
ENTRIES = {"append", "extend", "insert", "add", "update", "setdefault", "pop", "clear", "remove", "popitem"}
MODULE_CALL = Module.__call__.__code__
UPDATE = Optimizer.computed_step.__code__
SEEDS = (inspect.unwrap(manual_seed), seed, Generator.manual_seed, Generator.seed, Generator.set_state)
DRAWS = "it draws random numbers that a replay does not know of; use tg.rand"
UNTOLD = {
    random_numbers.__code__: DRAWS,
    overwrite.__code__: "it fills a tensor in a way that a replay does not know of; use x.normal_() or such",
    **{function.__code__: "it seeds random numbers" for function in SEEDS},
    Queue.put.__code__: "it puts something into a queue",
    Queue.get.__code__: "it takes something from a queue",
    LRScheduler.commit_step.__code__: "a schedule has a step of its own",
    Module.train.__code__: "it switches between train and eval",
    **{function.__code__: "it asks for the seed" for function in (initial_seed, Generator.initial_seed)},
    **{
        function.__code__: "it asks where random numbers are"
        for function in (get_rng_state, Generator.get_state)
    },
    **{
        getattr(kind, name).__code__: f"it calls {name} of what trains"
        for kind in (Optimizer, LRScheduler, Composite)
        for name in ("state_dict", "load_state_dict")
    },
}
UNTOLD_OF_USERS = {
    np.errstate.__enter__.__code__: "it sets what NumPy does about overflows and the like",
    **{
        inspect.unwrap(function).__code__: "it asks for, or sets, the number of threads"
        for function in (get_num_threads, set_num_threads)
    },
}
STREAMS = {*("write", "writelines", "truncate"), *("read", "readline", "readlines", "readinto", "seek")}
TALKING = ("_csv", "_socket", "sqlite3")  # modules whose objects write, by functions in C, to what they have
SYSTEM = ("posix", "nt")  # modules by which Python calls the operating system …
ANSWERED_ALIKE = {"fspath", "getpid", "cpu_count"}  # … which answers these in the same way each time
QUEUED = ("put", "get", "put_nowait", "get_nowait")
STARTS = {getattr(_thread, name, None) for name in ("start_new_thread", "start_joinable_thread")} - {None}
NOT_THE_USERS = (PACKAGE_FOLDER, os.path.dirname(np.__file__) + os.sep, "<frozen ")
STANDARD = os.path.dirname(os.__file__) + os.sep
INSTALLED = ("site-packages", "dist-packages")  # folders below it in which other libraries are


def is_users_file(file: str) -> bool:
    """Whether code in a file is the user's, or a library's that builds on this package, perhaps."""
    if file.startswith(NOT_THE_USERS):
        return False
    return not file.startswith(STANDARD) or any(folder in file for folder in INSTALLED)


def in_a_rule_on_arrays() -> bool:
    """Whether a rule runs that a replay calls too; one that is recorded itself, it does not."""
    gradients = BACKWARD.get()
    return gradients is not None and gradients.lift is None


def stops_for_a_debugger(frame: FrameType, event: str, called: Any) -> bool:
    """Whether somebody is to look at what runs, and go up to the lines that led there."""
    return called is breakpoint if event == "c_call" else event == "call" and frame.f_code.co_name in STOPS


def is_clock(called: Any, owner: Any) -> bool:
    """Whether a function in C tells the time: `time.time`, `datetime.now`."""
    return getattr(called, "__module__", None) == "time" or (
        isinstance(owner, type) and issubclass(owner, date)
    )


def goes_outside(called: Any, owner: Any) -> bool:
    """Whether a function in C leaves the program: it asks the system for something, or writes to a file."""
    if getattr(called, "__module__", None) in SYSTEM:
        return called.__name__ not in ANSWERED_ALIKE
    return type(owner).__module__ in TALKING or (isinstance(owner, io.IOBase) and called.__name__ in STREAMS)


def hands_on(called: Any, owner: Any) -> bool:
    """Whether a function in C starts a thread, hands something to one, or runs a function in a context that
    nobody watches.
    """
    if isinstance(owner, Context):
        return called.__name__ == "run" and owner.get(OBSERVATION) is None
    return called in STARTS or (isinstance(owner, SimpleQueue) and called.__name__ in QUEUED)


def is_of_standard(file: str) -> bool:
    """Whether code in a file is the standard library's; importing, which nobody asks for, counts as none."""
    if file.startswith("<frozen "):
        return "importlib" not in file
    return file.startswith(STANDARD) and not any(folder in file for folder in INSTALLED)


def is_of_users(frame: FrameType | None) -> bool:
    """Whether the user's own code does something."""
    return frame is not None and is_users_file(frame.f_code.co_filename)


def is_for_the_user(frame: FrameType | None) -> bool:
    """Whether the standard library does something because the user's code asked for it, not this package."""
    while frame is not None and is_of_standard(frame.f_code.co_filename):
        frame = frame.f_back
    return is_of_users(frame)


def is_users_module(module: ModuleType) -> bool:
    """Whether a module is the user's own, not a library's; whatever stands for it among the modules."""
    file = getattr(module, "__file__", None) or ""
    return (
        getattr(module, "__name__", "") not in sys.builtin_module_names
        and is_users_file(file)
        and not any(folder in file for folder in INSTALLED)
    )


LOGGING = "logging/__init__.py"


class SideEffects:
    """A `with` block in which a step is recorded."""

    def __init__(self) -> None:
        self.modules: dict[int, Module] = {}
        self.frames: dict[CodeType, dict[str, Any]] = {}  # the user's, with their globals
        self.owners: dict[int, Any] = {}  # what is `self` in them, by id
        self.entries: list[tuple[Any, str, Where]] = []  # lists that something was put in
        self.conversions: list[Where] = []  # where the user's code has NumPy make an array of something
        self.fault: tuple[str, Where] | None = None
        self.updates = 0  # that optimisers have begun to compute
        self.updating: FrameType | None = None

    def __enter__(self) -> SideEffects:
        sys.setprofile(self.see)
        return self

    def __exit__(self, *exception: object) -> None:
        sys.setprofile(None)

    def see(self, frame: FrameType, event: str, called: Any) -> None:
        """The interpreter calls a function. What ops, rules, optimisers and functions of this package do, a
        replay does too; but nobody who stops in there would find the step's lines around it.
        """
        if stops_for_a_debugger(frame, event, called):
            self.refuse("it stops for a debugger", frame)
        if self.updating is not None:
            if event == "return" and frame is self.updating:
                self.updating = None
            return
        if OBSERVATION.get() is None or in_a_rule_on_arrays():
            return
        if event == "call":
            self.see_function(frame)
        elif event == "c_call":
            self.see_builtin(frame, called)

    def see_function(self, frame: FrameType) -> None:
        """A function in Python."""
        code = frame.f_code
        if code is MODULE_CALL:
            module = frame.f_locals["self"]
            self.modules[id(module)] = module
        elif code is UPDATE:
            self.updating, self.updates = frame, self.updates + 1
        elif code in UNTOLD:
            self.refuse(UNTOLD[code], frame)
        elif code in UNTOLD_OF_USERS and is_of_users(frame.f_back):
            self.refuse(UNTOLD_OF_USERS[code], frame)
        elif code.co_filename.replace("\\", "/").endswith(LOGGING):
            self.refuse("it logs", frame)
        elif code in self.frames or is_users_file(code.co_filename):
            self.frames[code] = frame.f_globals
            own = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
            if not isinstance(own, (Tensor, np.ndarray)) and type(own) not in HANDED:
                self.owners[id(own)] = own

    def see_builtin(self, frame: FrameType, called: Any) -> None:
        """A function in C."""
        owner = getattr(called, "__self__", None)
        if called in TALK or (isinstance(owner, io.TextIOBase) and called.__name__ == "write"):
            self.refuse(f"it calls {called.__name__}", frame)
        elif isinstance(owner, LISTS) and called.__name__ in ENTRIES:
            if is_of_users(frame):
                self.entries.append((owner, called.__name__, (frame.f_code, frame.f_lasti)))
        elif called in CONVERSIONS and is_of_users(frame):
            self.conversions.append((frame.f_code, frame.f_lasti))
        elif is_clock(called, owner) and is_of_users(frame):
            self.refuse("it reads the clock", frame)
        elif called in (globals, warnings.warn) and is_of_users(frame):
            self.refuse(f"it calls {called.__name__}()", frame)
        elif isinstance(owner, random.Random) or called is os.urandom:
            self.refuse(DRAWS, frame)
        elif hands_on(called, owner) and is_for_the_user(frame):
            self.refuse("it has work done elsewhere, in a thread, by a queue or in another context", frame)
        elif goes_outside(called, owner) and is_for_the_user(frame):
            self.refuse(f"it asks the operating system, or a file, by {called.__name__}", frame)

    def refuse(self, reason: str, frame: FrameType) -> None:
        """The step cannot be replayed; the first reason counts. A warning of this package's is none."""
        place: FrameType | None = frame
        while place is not None and not is_users_file(place.f_code.co_filename):
            if place.f_code is warn_user.__code__:
                return
            place = place.f_back
        place = place or frame
        if self.fault is None:
            self.fault = (reason, (place.f_code, place.f_lasti))
