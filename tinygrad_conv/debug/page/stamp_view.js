// The stamps of the errors, one after the other: the error, the kernel, the stamp, and the gradient so far; and below it one pixel,
// with the stamps that reached it. What the numbers are: stamps.js. The tabs and controls around it: windows.js.

const STAMPS = {
  title: "dX: each error stamps the kernel onto it",
  formula: "dX[s·i + d·a − p, s·j + d·b − p] += dY[i, j] · W[a, b]",
  text: "Y[i, j] was made from the pixels under one window. Its error goes back the same way: it stamps dY[i, j] · W, not flipped, " +
    "onto these pixels, and the stamps add up. A weight keeps its letter in all views.",
};

// The same for a transposed convolution, which does in its forward what a convolution does in its backward.
const TRANSPOSED_STAMPS = {
  title: "X: each input stamps the kernel onto it",
  text: "A transposed convolution stamps each number of its input, times W, not flipped, onto a window of its output, and the stamps " +
    "add up: what a convolution does with its errors. A weight keeps its letter in all views.",
};

const KERNEL_SHARE = 0.26, SUM_SHARE = 0.5; // of the room, where not everything fits in one line
const SIGNS = 110, LEAST_ROOM = 110, CAPTION = 136; // pixels: of the signs, of an array, of its caption
const PRODUCTS_SHOWN = 12;
const ROUNDING = 0.01; // of an array's largest number: what half precision may lose

// How far two numbers are from each other; what is not on the page, and NaN beside NaN, is not.
function apart(value, other) {
  return value === undefined || Object.is(value, other) ? 0 : Math.abs(value - other);
}

class StampView {
  constructor(view) {
    Object.assign(this, { view, g: view.g });
    [this.left, this.middle, this.result] = view.operands("X");
    const [error, weight] = [this.left, this.middle].map(({ role, kind }) => view.array(role, kind));
    const at = (o, ...rest) => [...(this.g.batched ? [view.chosen.n] : []), o, ...rest];
    this.dy = (o, p, q) => error.at(at(o, p, q));
    this.w = (o, a, b) => weight.at([o, view.chosen.c, a, b]);
    this.kept = Math.min(error.kept[error.kept.length - 3], weight.kept[0]);
    this.watched = [0, 1].map((axis) => mostStamped(this.g, axis));
    this.renew();
  }

  // Another sample, channel or group is looked at.
  renew() {
    const perGroup = this.g.outputs / this.g.groups, first = Math.floor(this.view.chosen.o / perGroup) * perGroup;
    this.outputs = range(perGroup).map((place) => first + place).filter((o) => o < this.kept);
    this.missing = perGroup - this.outputs.length;
    this.sum = new StampSum(this.g, this.outputs, this.dy, this.w);
  }

  get count() {
    return this.sum.count;
  }

  // The number of the first stamp of the chosen output channel.
  first() {
    return Math.max(0, this.sum.number(this.view.chosen.o));
  }

  letter(weight) {
    return new Letter(weight, this.g.kernel);
  }

  planes() {
    const { kernel, dilation, padding, size, out } = this.g, o = () => this.view.chosen.o, whole = (i, j) => [i, j];
    const spread = kernel.map((taps, axis) => dilation[axis] * (taps - 1) + 1);
    const tap = (i, j) => ([i, j].every((at, axis) => at % dilation[axis] === 0) ? [i / dilation[0], j / dilation[1]] : null);
    const padded = size.map((rows, axis) => rows + padding[axis][0] + padding[axis][1]);
    const pixel = (i, j) => inside([i - padding[0][0], j - padding[1][0]], size);
    const product = (i, j) => (tap(i, j) ? this.dy(...this.error) * this.w(o(), ...tap(i, j)) : null);
    return {
      errors: this.view.plane(this.left, ...out, whole),
      kernel: this.view.plane(this.middle, ...kernel, whole),
      stamp: { rows: spread[0], columns: spread[1], index: (i, j) => tap(i, j) ?? [], value: product, hole: "nothing: the dilation" },
      sum: {
        rows: padded[0], columns: padded[1], hole: "padding, where stamps are lost",
        index: (i, j) => this.view.index("X", ...(pixel(i, j) ?? [0, 0])),
        value: (i, j) => (pixel(i, j) ? this.sum.at(...pixel(i, j)) : null),
      },
      turned: this.view.plane(this.middle, ...kernel, (i, j) => this.turned([i, j])),
      readers: this.view.plane(this.left, ...out, whole),
    };
  }

  // A place in the kernel turned by 180°.
  turned([a, b]) {
    return [this.g.kernel[0] - 1 - a, this.g.kernel[1] - 1 - b];
  }

  // How wide each array may be: as it likes to be if all fit in one line, else without the numbers of the errors; or dX goes into a
  // line of its own.
  rooms({ errors, kernel, stamp, sum }) {
    const plain = ({ columns }) => columns * 18 + 2 * ROOM;
    const wish = (plane) => (plane.rows * plane.columns <= MOST_WRITTEN ? plane.columns * NUMBER_CELL.width + 2 * ROOM : plain(plane));
    const room = this.view.available - SIGNS;
    const allOf = (widths) => widths.reduce((total, width) => total + Math.max(CAPTION, width), 0);
    const fits = (...widths) => allOf(widths) <= room;
    const [dy, w, product, dx] = [errors, kernel, stamp, sum].map(wish), narrow = KERNEL_SHARE * this.view.available;
    const rooms = (errors, kernel, stamp, sum) => ({ errors, kernel, stamp, sum, turned: kernel, readers: errors });
    const lettered = ({ columns }) => columns * (LEAST_CELL + 1) + 2 * ROOM, small = [kernel, stamp].map(plain);
    const tries = [[dy, w, product, dx], [plain(errors), w, product, plain(sum)], [lettered(errors), w, product, lettered(sum)],
      [plain(errors), ...small, plain(sum)]];
    const whole = tries.find((widths) => fits(...widths));
    if (whole) return rooms(...whole);
    const [left, right] = [Math.min(w, narrow), Math.min(product, narrow)];
    return rooms(Math.min(dy, Math.max(LEAST_ROOM, room - left - right)), left, right, Math.min(dx, SUM_SHARE * this.view.available));
  }

  build() {
    this.error = this.sum.error(this.view.at);
    const planes = this.planes(), rooms = this.rooms(planes), { view } = this;
    const [dy, w, dx] = [this.left, this.middle, this.result].map((operand) => view.name(operand));
    this.names = { errors: dy, kernel: w, stamp: "stamp", sum: `${dx} so far`, turned: w, readers: dy };
    const scale = (operand) => view.scaleOf(view.array(operand.role, operand.kind));
    const scales = { errors: scale(this.left), kernel: scale(this.middle), turned: scale(this.middle), readers: scale(this.left) };
    scales.stamp = scales.sum = scale(this.result);
    const picks = {
      errors: ([...index]) => view.move(this.sum.number(view.chosen.o, ...index.slice(-2))),
      sum: (index) => { this.watch(index.slice(-2)); view.picked("X", index); },
    };
    picks.readers = picks.errors;
    this.maps = Object.fromEntries(Object.entries(planes).map(([key, plane]) => [key, new Heatmap({
      name: this.names[key], planes: [plane], perRow: 1, available: Math.max(LEAST_ROOM, Math.floor(rooms[key])), scale: scales[key],
      tell: view.tell, pick: picks[key] ?? null,
    })]));
    this.captions = Object.fromEntries(Object.keys(planes).map((key) => [key, make("figcaption")]));
    this.reading = make("p", { class: "reading" });
    const figures = Object.fromEntries(Object.entries(this.maps).map(([key, map]) => {
      if (picks[key]) map.canvas.classList.add("clickable");
      return [key, make("figure", { "data-stamps": key }, this.captions[key], make("div", { class: "scroll" }, map.canvas))];
    }));
    this.pixelHeading = make("h4");
    return [
      make("div", { class: "meeting stamps" }, figures.errors,
        view.after("×", figures.kernel), view.after("=", figures.stamp), view.after("→", figures.sum)),
      view.equation,
      make("section", { class: "pixel" }, this.pixelHeading,
        make("div", { class: "meeting stamps" }, figures.readers, view.after("⋆", figures.turned), this.reading)),
    ];
  }

  // Look at the stamps that reach another pixel.
  watch(pixel) {
    this.watched = pixel;
    this.update();
  }

  update() {
    const { view, g } = this, { errors, kernel, stamp, sum } = this.maps;
    this.error = this.sum.error(view.at);
    const [o, p, q] = this.error, landed = stampOf(g, p, q);
    const all = landed.map(({ weight }) => ({ cell: weight, letter: this.letter(weight) }));
    view.chosen.o = o;
    if (view.selected.o) view.selected.o.value = o;
    this.sum.upTo(view.at + 1);
    errors.mark([{ plane: 0, cells: [[p, q]] }]);
    kernel.mark([], all);
    stamp.mark([], all.map(({ cell: [a, b], letter }) => ({ cell: [a * g.dilation[0], b * g.dilation[1]], letter })));
    const watched = [this.watched.map((at, axis) => at + g.padding[axis][0])];
    sum.mark([{ plane: 0, cells: landed.map(({ padded }) => padded) }, { plane: 0, cells: watched, dashed: true }],
      landed.map(({ padded, weight }) => ({ cell: padded, letter: this.letter(weight) })));
    this.caption();
    this.writeEquation(landed);
    this.updatePixel();
  }

  caption() {
    const { view, g, captions, error: [o] } = this, index = (role) => [...view.index(role, 0, 0).slice(0, -2), ":", ":"];
    const [dy, w, dx] = [this.names.errors, this.names.kernel, view.name(this.result)];
    const stamped = named(dy, view.index("Y", ...this.error.slice(1))), padded = g.padding.flat().some(Boolean) ? ", with its padding" : "";
    const texts = {
      errors: named(dy, index("Y")), kernel: `${named(w, index("W"))}, not flipped`, stamp: `the stamp, ${stamped} · ${w}`,
      sum: `${named(dx, index("X"))} after stamp ${view.at + 1} of ${this.count}${padded}`,
      readers: `${named(dy, index("Y"))}, by which weight each reached it`, turned: `${w} turned by 180°`,
    };
    for (const [key, text] of Object.entries(texts)) {
      captions[key].textContent = text;
      this.maps[key].canvas.setAttribute("aria-label", text);
    }
    view.slider.setAttribute("aria-valuetext", `${stamped}, stamp ${view.at + 1} of ${this.count}, output channel ${o}`);
  }

  // dy[0, 0, 0, 1] = 2 stamps a 2·1 + … ; after the last one, whether that is the gradient that the engine has.
  writeEquation(landed) {
    const { view, error: [o, p, q] } = this, dy = this.dy(o, p, q);
    const name = named(this.names.errors, view.index("Y", p, q)), caught = landed.filter((stamp) => stamp.inside);
    const products = caught.slice(0, PRODUCTS_SHOWN).map(({ weight, pixel }) => make("span", { class: "product" },
      this.letter(weight).element, ` ${factor(dy)}·${factor(this.w(o, ...weight))} → [${pixel.join(", ")}]`));
    const rest = caught.length - products.length, lost = landed.length - caught.length;
    const more = [rest ? `${rest} more` : "", lost ? `${lost} into the padding, lost` : ""].filter(Boolean).join(", ");
    const head = `${name} = ${show(dy)} stamps onto ${view.name(this.result)}: `;
    const written = make("code", {}, head, ...products.flatMap((product) => [product, " "]), more && `${products.length ? "and " : ""}${more}`);
    view.equation.replaceChildren(written, ...(view.at === this.count - 1 ? [this.verdict()] : []));
  }

  // What the sum of all stamps is beside the recorded gradient.
  verdict() {
    const { view, g, result } = this, recorded = view.array("X", result.kind), name = view.name(result);
    const cells = range(g.size[0]).flatMap((m) => range(g.size[1]).map((n) => [m, n]));
    const gaps = cells.map((cell) => apart(recorded.at(view.index("X", ...cell)), this.sum.at(...cell))), gap = Math.max(...gaps, 0);
    const what = this.missing ? `Output channels that are not on this page: ${this.missing}. Without them` : "These were all stamps:";
    const why = this.missing ? "" : gap <= ROUNDING * recorded.reach ? ", by rounding" : ", more than rounding does";
    const where = gap === 0 ? `exactly the recorded ${name}` : `up to ${show(gap, 2)} beside the recorded ${name}${why}`;
    return make("p", { class: "verdict" }, make("strong", {}, `${what} the sum is ${where}.`));
  }

  // One pixel: the errors whose stamps reached it, and the letters, which come in the order of the kernel turned by 180°.
  updatePixel() {
    const { view, g, error: [o] } = this, stamps = stampsOnto(g, this.watched), { readers, turned } = this.maps;
    const name = named(view.name(this.result), view.index("X", ...this.watched));
    this.pixelHeading.textContent = `One pixel, ${name}: the stamps that reach it`;
    readers.mark([{ plane: 0, cells: stamps.map(({ error }) => error), dashed: true }],
      stamps.map(({ error, weight }) => ({ cell: error, letter: this.letter(weight) })));
    const every = range(g.kernel[0]).flatMap((a) => range(g.kernel[1]).map((b) => [a, b]));
    turned.mark([{ plane: 0, cells: stamps.map(({ weight }) => this.turned(weight)), dashed: true }],
      every.map((weight) => ({ cell: this.turned(weight), letter: this.letter(weight) })));
    this.reading.replaceChildren(...this.sentence(stamps, o, name));
  }

  sentence(stamps, o, name) {
    if (!stamps.length) return [`No window lay over this pixel: no stamp reaches it, and its gradient is 0.`];
    const term = ({ error, weight }) => make("span", { class: "product" },
      `${factor(this.dy(o, ...error))}·`, this.letter(weight).element, ` ${factor(this.w(o, ...weight))}`);
    const total = stamps.reduce((sum, { error, weight }) => sum + this.dy(o, ...error) * this.w(o, ...weight), 0);
    const shown = stamps.slice(0, PRODUCTS_SHOWN).map(term), rest = stamps.length - shown.length;
    const of = this.outputs.length + this.missing > 1 ? ` from output channel ${o}` : "";
    return [
      `From here the stamps are seen the other way round: the window that begins farthest up and left reaches the pixel with the weight ` +
        `farthest down and right. In the order of ${this.names.errors} the letters are those of the kernel turned by 180°: ` +
        `that is where the flip comes from, and the next view slides the flipped kernel over ${this.names.errors}.`,
      make("br"), make("code", {}, `${name}${of} = `, ...shown.flatMap((product, at) => (at ? [" + ", product] : [product])),
        rest ? ` + ${rest} more` : "", ` = ${show(total, 6)}`),
    ];
  }
}
