"""What a choice of kernel may depend on, everything but the numbers, and what the tables of `dispatch` ask.

A question either says which shapes a kernel can serve at all, or where it is the fastest. The bounds of the
latter were found by trial, in float32 on two cores with AVX2 or AVX-512 and OpenBLAS 0.3.31: on both sides of
them the results are the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..blas import blas_multiplies_unpacked
from ..gemm import LARGEST_UNPACKED, NARROWEST_PIECE
from ..window import Window
from .identities import interleaved, mirrored
from .winograd import TILE_ROWS

FEW_PATCHES = 1 << 18  # numbers of all patches: a megabyte in float32, which fits into the second cache
MOST_PATCHES = 1 << 22  # the same where products of single rows would be narrow
NARROW_COLUMNS = 40  # of the product of a row, samples times Q: up to here all rows at once are faster
NARROW_COLUMNS_FOR_WINOGRAD = 16  # the same where Winograd is the other choice
SMALL_GROUP_BYTES = 1 << 23  # of a group, lowered as a whole
SMALL_CHANNEL_BYTES = 1 << 20  # of one channel, lowered: a loop over channels keeps it in the second cache
LONG_RUN = 500  # numbers, samples times Q: from here on adding them up outweighs what einsum does in between
PRODUCTS_PER_TRANSFORM = 40  # from here on Winograd is faster: for 3x3, with 27 channels and 27 outputs
# The same of y and dX where BLAS multiplies as fast as it does with AVX-512: for 3x3, with 44 and 44.
PRODUCTS_PER_TRANSFORM_UNPACKED = 65
MANY_CHANNELS = 24  # with which Winograd beats scatter-add whatever the outputs
LARGE_WIDTH = 7  # columns of a kernel, so many copies of everything if it is lowered
LEAST_SAMPLES, LEAST_PATCH = 32, 64  # numbers of a patch: with fewer a single place has too small a product
LEAST_SAMPLES_OF_FLAT = 8  # the same of a kernel one tap high
FEW_MULTIPLICATIONS = 1_500_000  # of an input gradient: with fewer lowering dY is faster than scatter-add


class Problem(NamedTuple):
    """The shapes and types of a correlation or of one of its gradients."""

    samples: int
    channels: int  # C / groups
    outputs: int  # O / groups
    groups: int
    window: Window
    dtype: np.dtype[Any]  # that is computed in
    result: np.dtype[Any]

    @property
    def real(self) -> bool:
        """Whether there are fractions."""
        return self.dtype.kind in "fc"

    @property
    def empty(self) -> bool:
        """Whether some axis has no length."""
        return 0 in (*self[:4], *self.window.size, *self.window.out)

    @property
    def multiplications(self) -> int:
        """How many the definition takes."""
        return self.patches * self.outputs

    @property
    def patches(self) -> int:
        """How many numbers all patches of the input are, side by side."""
        rows, columns = self.window.out
        return self.samples * self.channels * self.groups * self.window.taps * rows * columns

    @property
    def error_patches(self) -> int:
        """How many numbers those of dY are that every place of the input gets its gradient from."""
        rows, columns = self.window.size
        return self.samples * self.outputs * self.groups * self.window.taps * rows * columns

    @property
    def group_bytes(self) -> int:
        """How much memory the input of one group takes, lowered along the width."""
        row = self.window.kernel[1] * self.channels * self.window.out[1] * self.samples
        return self.window.size[0] * row * self.dtype.itemsize


def always(problem: Problem) -> bool:
    """Every shape."""
    return True


def never(problem: Problem) -> bool:
    """No shape, unless `use_kernels` asks for the kernel by name."""
    return False


def real_numbers(problem: Problem) -> bool:
    """There may be a NaN among them."""
    return problem.real


def empty(problem: Problem) -> bool:
    """Some axis has no length."""
    return problem.empty


def one_group(problem: Problem) -> bool:
    """The product is a single one."""
    return problem.groups == 1


def one_group_back(problem: Problem) -> bool:
    """The same of an input gradient that is a correlation."""
    return one_group(problem) and stride_one(problem)


def several_groups(problem: Problem) -> bool:
    """There are independent products."""
    return problem.groups > 1


def small_groups(problem: Problem) -> bool:
    """None of them takes up too much memory when it is lowered as a whole."""
    return several_groups(problem) and problem.group_bytes <= SMALL_GROUP_BYTES


def small_groups_back(problem: Problem) -> bool:
    """The same, where lowering dY copies no more than there would be to add up."""
    return small_groups(problem) and problem.outputs <= problem.channels


def depthwise_rows(problem: Problem) -> bool:
    """One channel in and one out, and the windows of a row are neighbours."""
    return several_groups(problem) and problem.channels == problem.outputs == problem.window.stride[1] == 1


def small_depthwise_rows(problem: Problem) -> bool:
    """The same, with little memory for one channel."""
    return depthwise_rows(problem) and small_groups(problem)


def depthwise_rows_back(problem: Problem) -> bool:
    """The same, for the correlation that the input gradient is."""
    return depthwise_rows(problem) and stride_one(problem)


def long_depthwise(problem: Problem) -> bool:
    """The same, with rows that are worth a step of their own for each tap."""
    return depthwise_rows(problem) and problem.samples * problem.window.out[1] >= LONG_RUN


def long_depthwise_back(problem: Problem) -> bool:
    """The same, for the input gradient."""
    return depthwise_rows_back(problem) and problem.samples * problem.window.size[1] >= LONG_RUN


def small_depthwise(problem: Problem) -> bool:
    """Channels that fit into the second cache, lowered, where BLAS multiplies unpacked matrices."""
    return (
        depthwise_rows(problem) and problem.group_bytes <= SMALL_CHANNEL_BYTES and blas_multiplies_unpacked()
    )


def small_depthwise_back(problem: Problem) -> bool:
    """The same, for the input gradient."""
    return depthwise_rows_back(problem) and small_depthwise(problem)


def few_patches(problem: Problem) -> bool:
    """They fit into the cache; or a row of the output, with all samples, is too narrow for a product."""
    return one_group(problem) and (problem.patches <= FEW_PATCHES or narrow(problem))


def few_patches_back(problem: Problem) -> bool:
    """The same, for the patches of dY that the input gradient needs: with a stride most of them are zeros."""
    few = problem.error_patches <= FEW_PATCHES or (stride_one(problem) and narrow(problem))
    return one_group(problem) and few


def narrow(problem: Problem) -> bool:
    """Mostly single samples of deep layers."""
    columns = problem.samples * problem.window.out[1]
    narrow_columns = NARROW_COLUMNS_FOR_WINOGRAD if many_channels(problem) else NARROW_COLUMNS
    return columns <= narrow_columns and problem.patches <= MOST_PATCHES


def stride_one(problem: Problem) -> bool:
    """An input gradient is a correlation, and the other way round: see `identities`."""
    return problem.window.stride == (1, 1)


def three_taps_high(problem: Problem) -> bool:
    """What F(4, 3) was made for."""
    return problem.real and makes_tiles(problem.window)


def three_taps_high_mirrored(problem: Problem) -> bool:
    """The same, for the correlation that the input gradient is."""
    return problem.real and stride_one(problem) and makes_tiles(mirrored(problem.window))


def makes_tiles(window: Window) -> bool:
    """Height 3, at least a full tile, and no stride but what dilation makes up for; any width."""
    classes = [part.window for part in interleaved(window)]
    tall = all(part.stride[0] == 1 and part.out[0] >= TILE_ROWS for part in classes)
    return window.kernel[0] == 3 and window.stride[1] == 1 and tall


def worth_transforming(problem: Problem, least: int = PRODUCTS_PER_TRANSFORM) -> bool:
    """Winograd saves products, kw * C * O of them, and pays with transforms, C + O of them."""
    products = problem.window.kernel[1] * problem.channels * problem.outputs
    return products >= least * (problem.channels + problem.outputs)


def worth_a_few_calls(problem: Problem) -> bool:
    """The same where the other kernels do with fewer and longer calls, so that threads get on better.

    Where products are quick that weighs more than how many there are.
    """
    quick = one_group(problem) and blas_multiplies_unpacked()
    return worth_transforming(problem, PRODUCTS_PER_TRANSFORM_UNPACKED if quick else PRODUCTS_PER_TRANSFORM)


def many_channels(problem: Problem) -> bool:
    """Enough of them for Winograd."""
    return worth_transforming(problem) and three_taps_high(problem)


def many_channels_forward(problem: Problem) -> bool:
    """The same, for y."""
    return worth_a_few_calls(problem) and three_taps_high(problem)


def many_channels_mirrored(problem: Problem) -> bool:
    """The same, for the input gradient, whose other kernel is good at making few channels of many outputs."""
    enough = problem.channels >= MANY_CHANNELS or few_outputs(problem)
    return enough and worth_a_few_calls(problem) and three_taps_high_mirrored(problem)


def large_kernel(problem: Problem) -> bool:
    """Lowering would copy everything many times over, while there are few outputs to shift and add."""
    kh, kw = problem.window.kernel
    return stride_one(problem) and kw >= LARGE_WIDTH and kh > 3 and few_outputs(problem)


def many_samples(problem: Problem) -> bool:
    """BLAS multiplies a patch of all samples as it lies, and it has several rows, in one piece only so."""
    inner = problem.window.taps * problem.channels
    large = problem.samples >= LEAST_SAMPLES and inner >= LEAST_PATCH and problem.window.kernel[0] > 1
    return one_group(problem) and large and blas_multiplies_unpacked() and small_patch(problem)


def many_samples_back(problem: Problem) -> bool:
    """The same of a patch of dY, if that has no more channels than there would be rows to shift and add."""
    exchanged = problem._replace(channels=problem.outputs, outputs=problem.channels)
    return stride_one(problem) and problem.outputs <= problem.channels and many_samples(exchanged)


def small_patch(problem: Problem) -> bool:
    """A product of it is small enough to be left as it lies."""
    weights = problem.window.taps * problem.channels * problem.outputs
    return weights * min(problem.samples, NARROWEST_PIECE) <= LARGEST_UNPACKED


def some_samples(problem: Problem) -> bool:
    """Enough of them where patches cost hardly anything: of a kernel one tap high, x is copied once."""
    enough = problem.samples >= LEAST_SAMPLES_OF_FLAT and small_patch(problem)
    return one_group(problem) and flat_kernel(problem) and enough


def by_columns(problem: Problem) -> bool:
    """Products of single places are worth it, for y."""
    flat = some_samples(problem) and (few_outputs(problem) or blas_multiplies_unpacked())
    return many_samples(problem) or flat


def by_columns_back(problem: Problem) -> bool:
    """The same, for the input gradient, if there are no more copies of dY than there would be of products."""
    flat = stride_one(problem) and some_samples(problem) and few_outputs(problem)
    return many_samples_back(problem) or flat


def flat_kernel(problem: Problem) -> bool:
    """One tap high."""
    kh, kw = problem.window.kernel
    return kh == 1 and kw > 1


def few_outputs(problem: Problem) -> bool:
    """Not many more than there are channels, the rows that are shifted and added."""
    return problem.outputs <= 2 * problem.channels


def cheap_to_lower(problem: Problem) -> bool:
    """Shifting and adding products costs more than lowering dY, which a single tap does not need at all."""
    flat = flat_kernel(problem) and few_outputs(problem)
    return stride_one(problem) and (flat or problem.window.taps == 1 or few_multiplications(problem))


def few_multiplications(problem: Problem) -> bool:
    """So few that a call more costs more than they do."""
    return problem.multiplications < FEW_MULTIPLICATIONS


def given_up_back(problem: Problem) -> bool:
    """A kernel that wants the input gradient may have given it up, for a weight that is not finite."""
    groups = small_depthwise_back, long_depthwise_back, small_groups_back
    kernels = few_patches_back, many_channels_mirrored, *groups, by_columns_back, cheap_to_lower
    return problem.real and any(wants(problem) for wants in kernels)
