"""A convolution and its gradients, number by number, in the order of the derivation.

That derivation is what the project calls the article: a convolution's backward pass consists of
cross-correlations too, shown on one 3×3 input.

    python examples/article.py
    python examples/article.py --html        writes article.html too: the same, to step through in a browser

One sum runs through it: a cross-correlation. The forward pass is one, of X with W. The weight gradient is
one, of X with the output error dY. The input gradient is one too, of the padded dY with the flipped W. So one
function prints them all.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

import tinygrad_conv as tg

X = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])
W = np.array([[1.0, 0.0], [0.0, 1.0]])
TARGET = np.ones((2, 2))
LEARNING_RATE = 0.1

# W is its own flip. This kernel is not, and so shows where one is flipped.
K = np.array([[1.0, 2.0], [3.0, 4.0]])

EXPECTED_Y = np.array([[2.0, 3.0], [0.0, 2.0]])
EXPECTED_DY = np.array([[1.0, 2.0], [-1.0, 1.0]])
EXPECTED_DW = np.array([[6.0, 2.0], [1.0, 4.0]])
EXPECTED_DX = np.array([[1.0, 2.0, 0.0], [-1.0, 2.0, 2.0], [0.0, -1.0, 1.0]])
EXPECTED_DX_OF_K = np.array([[1.0, 4.0, 4.0], [2.0, 9.0, 10.0], [-3.0, -1.0, 4.0]])
EXPECTED_NEW_W = np.array([[0.4, -0.2], [-0.1, 0.6]])


def main() -> None:
    options = parse_options()
    two_operations()
    y = forward()
    dy = loss_and_its_gradient(y)
    dw = weight_gradient(dy)
    input_gradient(dy)
    input_gradient_of_a_kernel_that_is_not_its_own_flip(dy)
    update(dw)
    three_ways_agree()
    if options.html:
        write_page(options.html)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A convolution and its gradients, number by number.")
    parser.add_argument(
        "--html", nargs="?", const="article.html", metavar="FILE", help="write a page (default: article.html)"
    )
    return parser.parse_args()


def two_operations() -> None:
    heading("1. Two operations that share a name")
    print("Cross-correlation slides the kernel over the input as it is. True convolution")
    print("first flips the kernel by 180°. One input, one kernel K, both operations")
    print("(⋆ below stands for cross-correlation):\n")
    flipped = flip(K)
    correlation, convolution = correlate(X, K), correlate(X, flipped)
    print_matrices(X=X, K=K, K_flipped=flipped, correlation=correlation, convolution=convolution)
    print("They differ. A CNN's layer computes the first one, and so does all that follows.")
    print("(The W of this example is its own flip, so for W alone the two would agree.)")


def forward() -> np.ndarray:
    heading("2. Forward: Y = X ⋆ W")
    print("    Y[i,j] = Σ_a Σ_b  X[i+a, j+b] · W[a,b]\n")
    y = correlate(X, W)
    print_matrices(X=X, W=W, Y=y)
    print_sums("Y", X, W)
    assert np.array_equal(y, EXPECTED_Y)
    return y


def loss_and_its_gradient(y: np.ndarray) -> np.ndarray:
    heading("3. Loss: L = ½ Σ (Y - Y*)²")
    dy = y - TARGET
    loss = 0.5 * np.sum(dy**2)
    print("Its derivative with respect to an output is that output's error: dY = Y - Y*.\n")
    print_matrices(Y=y, Y_target=TARGET, dY=dy)
    print(f"    L = ½ · ({' + '.join(f'{number(error)}²' for error in dy.flat)}) = {loss:g}")
    assert np.array_equal(dy, EXPECTED_DY)
    return dy


def weight_gradient(dy: np.ndarray) -> np.ndarray:
    heading("4. Weight gradient: dW = X ⋆ dY")
    print("W[a,b] met X[i+a, j+b] when it made Y[i,j]. So by the chain rule Y[i,j] brings")
    print("it X[i+a, j+b] · dY[i,j]. The sum over all outputs is a cross-correlation again.\n")
    print("    dW[a,b] = Σ_i Σ_j  X[i+a, j+b] · dY[i,j]\n")
    dw = correlate(X, dy)
    print_matrices(X=X, dY=dy, dW=dw)
    print_sums("dW", X, dy)
    assert np.array_equal(dw, EXPECTED_DW)
    return dw


def input_gradient(dy: np.ndarray) -> None:
    heading("5. Input gradient: dX = full correlation of dY with the flipped W")
    print("X[m,n] took part in Y[m-a, n-b], with the weight W[a,b]:\n")
    print("    dX[m,n] = Σ_a Σ_b  dY[m-a, n-b] · W[a,b],  where dY is 0 outside its range\n")
    print("The minus signs are the flip. Full: dY is padded by one less than the kernel's")
    print("size, so that each overlap counts. With W flipped it is the same sum again.\n")
    padded, flipped = np.pad(dy, len(W) - 1), flip(W)
    dx = correlate(padded, flipped)
    print_matrices(dY_padded=padded, W_flipped=flipped, dX=dx)
    print_sums("dX", padded, flipped)
    assert np.array_equal(dx, EXPECTED_DX)


def input_gradient_of_a_kernel_that_is_not_its_own_flip(dy: np.ndarray) -> None:
    print("\nW is its own flip, so a rule that forgets to flip finds the same dX. With the")
    print("kernel K and the same dY, it does not:\n")
    padded, flipped = np.pad(dy, len(K) - 1), flip(K)
    dx, not_flipped = correlate(padded, flipped), correlate(padded, K)
    print_matrices(K=K, K_flipped=flipped, dX_of_K=dx, without_the_flip=not_flipped)
    print_sums("dX_of_K", padded, flipped)
    assert np.array_equal(dx, EXPECTED_DX_OF_K) and not np.array_equal(dx, not_flipped)


def update(dw: np.ndarray) -> None:
    heading(f"6. One step of gradient descent: W ← W - {LEARNING_RATE} · dW")
    new_w = W - LEARNING_RATE * dw
    print_matrices(W=W, dW=dw, new_W=new_w, new_Y=correlate(X, new_w))
    before, after = loss_of(X, W), loss_of(X, new_w)
    print(f"    L before: {before:g}     L after: {after:g}")
    assert np.allclose(new_w, EXPECTED_NEW_W, rtol=0, atol=1e-15) and after < before


def three_ways_agree() -> None:
    heading("7. Engine, literal formula and finite differences")
    for dtype in (np.float32, np.float64):
        engine_dw, engine_dx = engine_gradients(dtype)
        with tg.use_kernels("reference"):
            literal_dw, literal_dx = engine_gradients(dtype)
        assert np.array_equal(engine_dw, EXPECTED_DW) and np.array_equal(engine_dx, EXPECTED_DX)
        assert np.array_equal(literal_dw, EXPECTED_DW) and np.array_equal(literal_dx, EXPECTED_DX)
    numeric_dw = finite_differences(lambda w: loss_of(X, w), W)
    numeric_dx = finite_differences(lambda x: loss_of(x, W), X)
    assert np.allclose(numeric_dw, EXPECTED_DW, atol=1e-8) and np.allclose(numeric_dx, EXPECTED_DX, atol=1e-8)
    print_matrices(engine_dW=engine_dw, literal_dW=literal_dw, numeric_dW=numeric_dw)
    print_matrices(engine_dX=engine_dx, literal_dX=literal_dx, numeric_dX=numeric_dx)
    print("All three agree, the first two exactly, in float32 and in float64.")
    the_input_gradient_of_k_agrees()


def the_input_gradient_of_k_agrees() -> None:
    print("They agree for K, too, which a rule without the flip gets wrong:\n")
    engine_dx = engine_input_gradient(K)
    with tg.use_kernels("reference"):
        literal_dx = engine_input_gradient(K)
    numeric_dx = finite_differences(lambda x: float(np.sum(correlate(x, K) * EXPECTED_DY)), X)
    assert np.array_equal(engine_dx, EXPECTED_DX_OF_K) and np.array_equal(literal_dx, EXPECTED_DX_OF_K)
    assert np.allclose(numeric_dx, EXPECTED_DX_OF_K, atol=1e-8)
    print_matrices(engine_dX_of_K=engine_dx, literal_dX_of_K=literal_dx, numeric_dX_of_K=numeric_dx)


def engine_gradients(dtype: type) -> tuple[np.ndarray, np.ndarray]:
    """dW and dX as the engine computes them. Its images are [N, C, H, W]: here one image of one channel."""
    x = tg.tensor(X[None, None], dtype, requires_grad=True, name="X")
    w = tg.tensor(W[None, None], dtype, requires_grad=True, name="W")
    y = tg.conv2d(x, w)
    loss = 0.5 * ((y - TARGET.astype(dtype)) ** 2).sum()
    loss.backward()
    return w.grad[0, 0], x.grad[0, 0]


def engine_input_gradient(kernel: np.ndarray) -> np.ndarray:
    """dX of this kernel as the engine computes it, for the dY of this example."""
    x = tg.tensor(X[None, None], requires_grad=True)
    tg.conv2d(x, tg.tensor(kernel[None, None])).backward(EXPECTED_DY[None, None])
    return x.grad[0, 0]


def write_page(path: str) -> None:
    """The same forward and backward, recorded, as a page for the browser; and beside it the kernel K, which
    is not its own flip: dY arrives at its outputs too, for they are multiplied by it and summed.
    """
    x = tg.tensor(X[None, None], requires_grad=True, name="x")
    w = tg.tensor(W[None, None], requires_grad=True, name="w")
    y = tg.conv2d(x, w)
    loss = tg.mse_loss(y, TARGET[None, None], reduction="sum") / 2
    x_of_k = tg.tensor(X[None, None], requires_grad=True, name="x beside k")
    k = tg.tensor(K[None, None], requires_grad=True, name="k")
    paired_with_dy = (tg.conv2d(x_of_k, k) * EXPECTED_DY[None, None]).sum()
    (loss + paired_with_dy).record().to_html(path, title="A convolution and its gradients")
    print(f"\nwrote {path}: open it in a browser")


def correlate(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """X ⋆ W, as the formula has it: the kernel is not flipped."""
    rows, columns = x.shape[0] - w.shape[0] + 1, x.shape[1] - w.shape[1] + 1
    y = np.zeros((rows, columns))
    for i, j in np.ndindex(rows, columns):
        for a, b in np.ndindex(*w.shape):
            y[i, j] += x[i + a, j + b] * w[a, b]
    return y


def flip(kernel: np.ndarray) -> np.ndarray:
    """The kernel turned by 180°."""
    return kernel[::-1, ::-1]


def loss_of(x: np.ndarray, w: np.ndarray) -> float:
    """½ Σ (X ⋆ W - Y*)²."""
    return float(0.5 * np.sum((correlate(x, w) - TARGET) ** 2))


def finite_differences(
    function: Callable[[np.ndarray], float], at: np.ndarray, step: float = 1e-4
) -> np.ndarray:
    """The slope of the function in each entry, from its values a small step above and below."""
    slopes = np.zeros_like(at)
    for index in np.ndindex(*at.shape):
        above, below = at.copy(), at.copy()
        above[index] += step
        below[index] -= step
        slopes[index] = (function(above) - function(below)) / (2 * step)
    return slopes


def heading(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}\n")


def number(value: float) -> str:
    """3, 0.4, and negative numbers in brackets."""
    text = f"{rounded(value):g}"
    return f"({text})" if value < 0 else text


def rounded(value: float) -> float:
    """Without the last digits of finite differences, and 0 for -0."""
    return round(value, 6) + 0.0


def print_matrices(**matrices: np.ndarray) -> None:
    """Matrices beside each other, each under its name."""
    blocks = []
    for name, matrix in matrices.items():
        rows = ["  ".join(f"{rounded(value):4g}" for value in row) for row in matrix]
        width = max(len(name), len(rows[0]))
        blocks.append([line.ljust(width) for line in [name.replace("_", " "), *rows]])
    height = max(map(len, blocks))
    for line in range(height):
        cells = [block[line] if line < len(block) else " " * len(block[0]) for block in blocks]
        print(("    " + "    ".join(cells)).rstrip())
    print()


def print_sums(name: str, x: np.ndarray, w: np.ndarray) -> None:
    """Every entry of X ⋆ W, written out as products and their sum."""
    for (i, j), total in np.ndenumerate(correlate(x, w)):
        products = [f"{number(x[i + a, j + b])}·{number(w[a, b])}" for a, b in np.ndindex(*w.shape)]
        print(f"    {name}[{i},{j}] = {' + '.join(products)} = {total:g}")


if __name__ == "__main__":
    main()
