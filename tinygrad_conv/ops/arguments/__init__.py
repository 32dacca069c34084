"""The arguments of ops: refused where they cannot be, and brought into the form that the arithmetic takes.

A function called `check_…` returns nothing, and raises where something does not fit; the others convert
(`window_of`, `reduced_dims`, `parse`). Nothing here computes with the numbers of a tensor, so a debugger may
leave out the whole package: `tinygrad_conv.ops.arguments.*`.
"""
