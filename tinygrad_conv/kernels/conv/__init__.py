"""Correlation and its two gradients, in several ways; `kernels.dispatch` has the table of who serves what.

The ways, in reading order:

    im2col.py       small pictures: one copy of all their patches, one product
    prepared.py     the same for many calls on arrays of the same shapes
    lowering.py     patches, lowered along the width only
    mec.py          correlation and weight gradient over lowered patches; it serves every shape
    kept_rows.py    what mec lowers, kept from one call to the next
    prepared_mec.py mec for many calls on arrays of the same shapes
    mec_columns.py  the same correlation, with products of single output places
    scatter_add.py  input gradient by shifted additions (col2im along the width); it serves every shape
    prepared_scatter.py    the same for many calls on arrays of the same shapes
    grouped.py      the same as mec for groups, one after another
    depthwise.py    groups of one channel, with rows that are padded but not lowered
    depthwise_bands.py  the same by products, while a channel is in the cache
    bands.py        several rows at once, where the product of one is too low
    winograd.py     three taps high, for half the multiplications
    not_a_number.py where every result is NaN: no multiplications

and what leads to them:

    identities.py   what turns a problem into others: mirror, phases, dilation, exchange, places, and more
    problem.py      what a choice of kernel may depend on, and the questions of the tables
    plans.py        what im2col works out once for a shape
    dynamic_range.py whether numbers are near enough in size for Winograd to mix them
"""
