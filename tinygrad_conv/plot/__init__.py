"""Pictures of a training, with matplotlib: axes in, axes out, for a notebook or as panels of a figure.

    fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    tg.plot.curves(left, {"training": losses, "validation": validation_losses})
    tg.plot.kernels(right, net.conv1.weight)

The first argument is the Axes to draw into, or None to have some made; what comes back is the Axes, whose
titles, labels and limits are yours to change. Tensors, arrays and lists of numbers are taken, of every dtype.
Numbers that are not finite are left out of lines and crossed out in pictures. Colours can be told apart by
colour-blind readers, and no line by its colour alone. matplotlib is imported when something is drawn.

kernels.py     the kernels of a convolution, white where they are 0
curves.py      losses, accuracies, learning rates, by epoch
confusion.py   which class was taken for which
images.py      images with captions, misclassified ones say
axes.py        what they share: axes, and arrays out of what was given
"""

from __future__ import annotations

from ..absent.missing import public_names
from .confusion import confusion
from .curves import curves
from .images import images
from .kernels import kernels

__all__ = ["confusion", "curves", "images", "kernels"]

__getattr__, __dir__ = public_names(__name__)
