// The gradient of a convolution's input as a scatter-add, one error after the other: dY[p, q] stamps dY[p, q] · W, not flipped,
// onto the window that Y[p, q] was made from, and the stamps add up to dX.

// Where a tap of the window-th window along an axis comes down: in the padded input, and in the input itself, if it is inside.
function landing(g, axis, window, tap) {
  const padded = window * g.stride[axis] + tap * g.dilation[axis], row = padded - g.padding[axis][0];
  return { padded, row, inside: row >= 0 && row < g.size[axis] };
}

// The stamp of the error at [p, q]: for each weight [a, b] the pixel [m, n] that it comes down on, and whether there is one.
function stampOf(g, p, q) {
  return range(g.kernel[0]).flatMap((a) => range(g.kernel[1]).map((b) => {
    const down = landing(g, 0, p, a), across = landing(g, 1, q, b);
    return { weight: [a, b], pixel: [down.row, across.row], padded: [down.padded, across.padded], inside: down.inside && across.inside };
  }));
}

// The stamps that reach the pixel [m, n], in the order of the errors: { error: [p, q], weight: [a, b] } each.
function stampsOnto(g, [m, n]) {
  return along(g, 0, "X", m).flatMap(([p, a]) => along(g, 1, "X", n).map(([q, b]) => ({ error: [p, q], weight: [a, b] })));
}

// The row (axis 0) or column that most windows lie over; of several the one nearest to the middle.
function mostStamped(g, axis) {
  const middle = (g.size[axis] - 1) / 2, stamps = (at) => along(g, axis, "X", at).length;
  const order = (at, other) => stamps(other) - stamps(at) || Math.abs(at - middle) - Math.abs(other - middle);
  return range(g.size[axis]).sort(order)[0];
}

// One plane of dX as it grows: the stamps of all errors of the output channels `outputs`, one channel after the other. dy(o, p, q)
// and w(o, a, b) are the numbers; what is not on the page is undefined, and stamps nothing.
class StampSum {
  constructor(g, outputs, dy, w) {
    Object.assign(this, { g, outputs, dy, w, count: outputs.length * g.out[0] * g.out[1] });
    this.begin();
  }

  begin() {
    this.stamped = 0;
    this.numbers = new Float64Array(this.g.size[0] * this.g.size[1]);
  }

  // [o, p, q] of the number-th stamp.
  error(number) {
    const [place, p, q] = unravel(number, [this.outputs.length, ...this.g.out]);
    return [this.outputs[place], p, q];
  }

  number(o, p = 0, q = 0) {
    return ravel([this.outputs.indexOf(o), p, q], [this.outputs.length, ...this.g.out]);
  }

  // The sum of the first `count` stamps.
  upTo(count) {
    if (count < this.stamped) this.begin();
    for (; this.stamped < count; this.stamped++) this.stamp(...this.error(this.stamped));
    return this;
  }

  stamp(o, p, q) {
    const error = this.dy(o, p, q);
    for (const { weight, pixel, inside } of stampOf(this.g, p, q)) {
      const factor = this.w(o, ...weight);
      if (inside && error !== undefined && factor !== undefined) this.numbers[ravel(pixel, this.g.size)] += error * factor;
    }
  }

  at(m, n) {
    return this.numbers[ravel([m, n], this.g.size)];
  }
}
