"""NumPy's BLAS is found, held at one thread inside kernels, and has its own number again after them."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import kernels
from tinygrad_conv.kernels import blas, dispatch, gemm

from .step_programs import environment
from .test_kernels import larger_case, results


def threads_now() -> list[int]:
    return [library.get_threads() for library in blas.libraries()]


@pytest.fixture
def three_of_its_own() -> Any:
    """BLAS has three threads, whatever the machine has."""
    if not blas.libraries():
        pytest.skip("NumPy has a BLAS here that cannot be held")
    before = threads_now()
    for library in blas.libraries():
        library.set_threads(3)
    yield
    for library, threads in zip(blas.libraries(), before):
        library.set_threads(threads)


def test_numpys_wheels_need_nothing_else() -> None:
    """In a fresh interpreter that finds no threadpoolctl."""
    if "openblas" not in str(np.__config__.show("dicts")["Build Dependencies"]["blas"]["name"]):
        pytest.skip("this NumPy is built with another BLAS")
    script = (
        "import sys; sys.modules['threadpoolctl'] = None\n"
        "import tinygrad_conv as tg\n"
        "from tinygrad_conv.kernels import blas\n"
        "tg.set_num_threads(2)\n"
        "print(tg.get_num_threads(), len(blas.libraries()), bool(blas.libraries()[0].architecture))"
    )
    run = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(run, capture_output=True, text=True, env=environment(), timeout=60)
    assert (done.stdout.split(), done.stderr) == (["2", "1", "True"], "")


@pytest.mark.extras
def test_it_is_the_library_that_threadpoolctl_finds_in_numpys_folder() -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl")
    folder = os.path.dirname(os.path.dirname(np.__file__))

    def told() -> dict[str, Any]:
        found = threadpoolctl.threadpool_info()
        return next(each for each in found if each["filepath"].startswith(os.path.join(folder, "numpy")))

    (library,) = blas.openblas()
    assert (library.architecture, library.get_threads()) == (told()["architecture"], told()["num_threads"])
    with blas.blas_held():
        assert told()["num_threads"] == 1
    assert library.get_threads() == told()["num_threads"]
    everyone = [(each, each.get_threads()) for each in blas.by_threadpoolctl()]  # SciPy may have one too
    try:
        for each, _ in everyone:
            each.set_threads(5)
        assert library.get_threads() == 5
    finally:
        for each, threads in everyone:
            each.set_threads(threads)


@pytest.mark.parametrize("name", ["winograd", "stride 2", "lenet", "grouped"])
def test_it_has_one_thread_in_kernels(
    name: str, monkeypatch: pytest.MonkeyPatch, three_of_its_own: None
) -> None:
    seen, multiply = [], dispatch._first_result

    def watched(*arguments: Any) -> Any:
        seen.append(threads_now())
        return multiply(*arguments)

    monkeypatch.setattr(dispatch, "_first_result", watched)
    results(larger_case(name))
    assert seen == [[1]] * 3 and threads_now() == [3]


def test_it_has_one_thread_in_products(monkeypatch: pytest.MonkeyPatch, three_of_its_own: None) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(gemm, "share", lambda work, *_: (seen.append(threads_now()), work(0, 400)))
    a = np.random.default_rng(0).standard_normal((400, 400))
    product = kernels.matmul(a, a)
    assert seen == [[1]] and threads_now() == [3]
    np.testing.assert_allclose(product, np.einsum("ij,jk->ik", a, a), rtol=1e-12, atol=1e-12)


def threads_of_numpys(name: str, compute: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """How many threads BLAS had in each call of a function of NumPy's."""
    function, seen = getattr(np, name), []

    def watched(*arguments: Any, **options: Any) -> Any:
        seen.append(threads_now())
        return function(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(np, name, watched)
        compute()
    return seen


@pytest.mark.parametrize("rows", [64, 3000])  # the latter in pieces
def test_it_has_one_thread_in_sums_of_products(
    rows: int, monkeypatch: pytest.MonkeyPatch, three_of_its_own: None
) -> None:
    a = np.ones((rows, 90))
    seen = threads_of_numpys("einsum", lambda: tg.einsum("ij,ik->jk", a, a), monkeypatch)
    assert seen and seen == [[1]] * len(seen) and threads_now() == [3]


def test_a_norm_of_gradients_is_no_product_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    leaf = tg.nn.Parameter(np.ones(20_000, np.float32))
    leaf.grad = np.full(20_000, 3, np.float32)
    monkeypatch.setattr(np.linalg, "norm", lambda *_: pytest.fail("its dot product would wake the threads"))
    assert tg.nn.utils.clip_grad_norm_(leaf, 1.0).item() == pytest.approx(3 * 20_000**0.5)


def test_it_has_one_thread_where_images_get_another_size(
    monkeypatch: pytest.MonkeyPatch, three_of_its_own: None
) -> None:
    images = np.ones((1, 1, 200, 200), np.float32)
    seen = threads_of_numpys("matmul", lambda: tg.data.transforms.Resize(150)(images), monkeypatch)
    assert seen and seen == [[1]] * len(seen) and threads_now() == [3]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_it_has_its_threads_again_after_an_error(error: Any, three_of_its_own: None) -> None:
    with pytest.raises(error), blas.blas_held(), blas.blas_held():
        assert threads_now() == [1]
        raise error
    assert threads_now() == [3]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_it_has_its_threads_again_in_a_forked_child(three_of_its_own: None) -> None:
    """Even if it was held at that moment, by a thread that the child does not have."""
    with blas.blas_held():
        child = os.fork()
        if child == 0:
            freed = threads_now()
            with blas.blas_held():
                held = threads_now()
            os._exit(0 if (freed, held, threads_now()) == ([3], [1], [3]) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert threads_now() == [1]
    assert threads_now() == [3]


def raising(error: Exception) -> Callable[[], Any]:
    def failing() -> Any:
        raise error

    return failing


@pytest.mark.parametrize("error", [ImportError("no ctypes"), OSError("no such file"), KeyError("no module")])
def test_where_nothing_is_found_nothing_is_said(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "numpys_libraries", raising(error))
    monkeypatch.setattr(blas, "find_spec", lambda name: None)
    assert blas.openblas() == blas.by_threadpoolctl() == ()


class Symbols(SimpleNamespace):
    """A library in which functions are looked up by name."""

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


def library_of(symbol: str, parallel: int) -> Symbols:
    def corename() -> bytes:
        return b"Zen"

    functions = {"get_num_threads": lambda: 8, "set_num_threads": print, "get_corename": corename}
    functions["get_parallel"] = lambda: parallel
    return Symbols(**{symbol.format(name): function for name, function in functions.items()})


@pytest.mark.parametrize("symbol", blas.SYMBOLS)
def test_every_name_that_openblas_goes_by(symbol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "numpys_libraries", lambda: [Symbols(), library_of(symbol, 1)])
    (library,) = blas.openblas()
    assert (library.get_threads(), library.architecture) == (8, "Zen")


def test_threads_of_openmp_are_left_to_threadpoolctl(monkeypatch: pytest.MonkeyPatch) -> None:
    """There the number is one of the thread that asks."""
    monkeypatch.setattr(blas, "numpys_libraries", lambda: [library_of("openblas_{}", blas.OPENMP)])
    assert blas.openblas() == ()


def test_no_library_is_loaded_by_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def opened(path: str) -> Any:
        asked.append(path)
        return Symbols()

    monkeypatch.setattr(ctypes, "CDLL", opened)
    assert blas.openblas() == ()
    loaded = {getattr(module, "__file__", None) for module in [*sys.modules.values()]}
    assert os.name == "nt" or {*asked} <= loaded and len(asked) == 1
