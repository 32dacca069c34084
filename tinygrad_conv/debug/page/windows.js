// A convolution, position by position: the window slides, and the equation has the numbers under it.

const VIEWS = {
  Y: {
    title: "Y: the kernel slides over the input",
    formula: "Y[i, j] = Σ X[s·i + d·a, s·j + d·b] · W[a, b]",
    text: "Each output is the sum of the products of what lies under the window with the kernel, not flipped.",
  },
  W: {
    title: "dW: patches of the input meet the errors",
    formula: "dW[a, b] = Σ X[s·i + d·a, s·j + d·b] · dY[i, j]",
    text: "The weight at [a, b] met the outlined numbers of the input, each for one output: times that output's error, summed. " +
      "So dW is the cross-correlation of X with dY.",
  },
  X: {
    title: "dX: the flipped kernel slides over the errors",
    formula: "dX[m, n] = Σ dY′[m + d·a, n + d·b] · flip(W)[a, b]",
    text: "dY′ is dY with zeros around it (and, for a stride, between): each pixel's gradient is the sum over the outputs that " +
      "the pixel took part in. So dX is the full correlation of dY with the kernel turned by 180°.",
  },
};

VIEWS.stamps = STAMPS;

const MOST_TERMS = 25; // of an equation that is written out whole
const LARGE = [0.42, 0.34, 0.34], BESIDE_EACH_OTHER = [0.33, 0.29, 0.27]; // how much of the room each plane may take
const LARGEST_TERMS = 8; // of one that is not

class WindowView {
  constructor(page, step, { scaleOf, tell, available, picked, chosen }) {
    Object.assign(this, { page, step, g: step.window, scaleOf, tell, available, picked, wasChosen: chosen, timer: null });
    this.output = roleOf(this.g, "output");
    this.roles = ["Y", "W", "stamps", "X"].filter((role) => this.possible(role));
    this.element = make("section", { class: "windows" });
    this.chosen = { n: 0, c: 0, o: 0 };
    this.selected = {};
    this.role = null;
    if (this.roles.length) this.show(this.roles[0]);
  }

  // The array of a role: its value, or its gradient.
  array(role, kind) {
    const name = this.g.roles[role];
    const holder = name === "output" ? this.step.outputs[0] : this.step.inputs.find((input) => input.name === name);
    return this.page.array(holder?.[kind]);
  }

  // What is multiplied, and what comes out: [left, middle, result], each { role, kind }.
  operands(role) {
    const kind = (other) => (role !== this.output && other === this.output ? "grad" : "value");
    if (role === "stamps") return this.operands("X"); // the same sum in another order
    const [left, middle] = { Y: ["X", "W"], W: ["X", "Y"], X: ["Y", "W"] }[role];
    return [{ role: left, kind: kind(left) }, { role: middle, kind: kind(middle) },
      { role, kind: role === this.output ? "value" : "grad" }];
  }

  possible(role) {
    return this.operands(role).every((one) => this.array(one.role, one.kind));
  }

  name({ role, kind }) {
    const name = this.g.roles[role] === "output" ? "y" : this.g.roles[role];
    return kind === "grad" ? `d${name}` : name;
  }

  // The reader wants to see this one, here and from now on.
  choose(role) {
    this.show(role);
    this.wasChosen(role);
    this.element.querySelector("[aria-selected=true]").focus({ preventScroll: true }); // it was drawn anew
  }

  show(role) {
    this.stop();
    this.role = role;
    this.stamps = role === "stamps" ? new StampView(this) : null;
    this.at = this.stamps ? this.stamps.first() : 0;
    this.build();
  }

  // Show the window that makes this number of the result.
  goTo(role, index) {
    if (!this.roles.includes(role)) return;
    const stamps = role === "X" ? this.stamps : null; // which show this too
    this.role = stamps ? "stamps" : role;
    this.stamps = stamps;
    this.wasChosen(this.role);
    const spatial = index.slice(-2), leading = index.slice(0, -2);
    const perGroup = this.g.channels / this.g.groups, outputsPerGroup = this.g.outputs / this.g.groups;
    if (role === "W") [this.chosen.o, this.chosen.c] = leading;
    else if (this.g.batched) this.chosen.n = leading[0];
    const channel = leading[leading.length - 1];
    if (role === "Y") this.chosen.o = channel;
    if (role === "X") {
      this.chosen.c = channel % perGroup;
      const group = Math.floor(channel / perGroup);
      if (Math.floor(this.chosen.o / outputsPerGroup) !== group) this.chosen.o = group * outputsPerGroup;
    }
    this.stop();
    if (stamps) {
      stamps.watched = spatial;
      return this.choosePlane();
    }
    this.at = spatial[0] * this.extent()[1] + spatial[1];
    this.build();
  }

  // Another sample or channel has been chosen.
  choosePlane() {
    if (this.stamps) {
      this.stamps.renew();
      this.at = this.stamps.first();
    }
    this.build();
  }

  // Rows and columns of the result.
  extent() {
    return { Y: this.g.out, W: this.g.kernel, X: this.g.size }[this.role];
  }

  get channel() {
    const outputsPerGroup = this.g.outputs / this.g.groups, perGroup = this.g.channels / this.g.groups;
    return Math.floor(this.chosen.o / outputsPerGroup) * perGroup + this.chosen.c;
  }

  index(role, i, j) {
    const { n, c, o } = this.chosen;
    if (role === "W") return [o, c, i, j];
    const channel = role === "X" ? this.channel : o;
    return this.g.batched ? [n, channel, i, j] : [channel, i, j];
  }

  plane({ role, kind }, rows, columns, place, hole) {
    const array = this.array(role, kind);
    const index = (i, j) => { const found = place(i, j); return found ? this.index(role, ...found) : []; };
    return { rows, columns, index, hole, value: (i, j) => (place(i, j) ? array.at(index(i, j)) : null) };
  }

  // The three planes of a view.
  planes() {
    const { size, kernel, out, padding, stride, dilation } = this.g, [left, middle, result] = this.operands(this.role);
    const same = (i, j) => [i, j];
    const padded = (i, j) => inside([i - padding[0][0], j - padding[1][0]], size);
    const before = [0, 1].map((axis) => dilation[axis] * (kernel[axis] - 1) - padding[axis][0]);
    const spread = (i, j) => {
      const at = [i - before[0], j - before[1]];
      return at.every((one, axis) => one % stride[axis] === 0) ? inside(at.map((one, axis) => one / stride[axis]), out) : null;
    };
    const flipped = (i, j) => [kernel[0] - 1 - i, kernel[1] - 1 - j];
    if (this.role === "X") {
      const rows = size.map((one, axis) => one + dilation[axis] * (kernel[axis] - 1));
      return [this.plane(left, ...rows, spread, "a zero put around or between the errors"),
        this.plane(middle, ...kernel, flipped), this.plane(result, ...size, same)];
    }
    const rows = size.map((one, axis) => one + padding[axis][0] + padding[axis][1]);
    const [middleSize, resultSize] = this.role === "Y" ? [kernel, out] : [out, kernel];
    return [this.plane(left, ...rows, padded), this.plane(middle, ...middleSize, same), this.plane(result, ...resultSize, same)];
  }

  // For each cell of the middle plane the cell of the left one that it meets, at the present position.
  pairs() {
    const { stride, dilation, kernel, out } = this.g, [i, j] = this.place();
    const [rows, columns] = this.role === "W" ? out : kernel;
    const pairs = [];
    for (let a = 0; a < rows; a++) {
      for (let b = 0; b < columns; b++) {
        const met = {
          Y: [i * stride[0] + a * dilation[0], j * stride[1] + b * dilation[1]],
          W: [a * stride[0] + i * dilation[0], b * stride[1] + j * dilation[1]],
          X: [i + a * dilation[0], j + b * dilation[1]],
        }[this.role];
        pairs.push({ left: met, middle: [a, b] });
      }
    }
    return pairs;
  }

  place() {
    const [, columns] = this.extent();
    return [Math.floor(this.at / columns), this.at % columns];
  }

  build() {
    const view = this.wording(this.role);
    this.equation = make("div", { class: "equation", "aria-live": "polite" });
    this.slider = make("input", { type: "range", min: 0, max: this.count() - 1, value: this.at, "aria-label": "position of the window",
      oninput: (event) => this.move(Number(event.target.value)) });
    this.player = make("button", { onclick: () => this.toggle(), title: "Let the window slide" }, "Slide");
    this.element.replaceChildren(
      make("h3", {}, "How the numbers meet"), this.tabs(), make("p", {}, view.text), make("p", { class: "formula" }, view.formula),
      make("p", { class: "symbols" }, this.symbols()),
      make("div", { class: "controls" }, this.player,
        make("button", { onclick: () => this.move(this.at - 1), title: "One position back (,)", "aria-label": "one position back" }, "◀\uFE0E"),
        this.slider,
        make("button", { onclick: () => this.move(this.at + 1), title: "One position on (.)", "aria-label": "one position on" }, "▶\uFE0E"),
        ...this.selects()),
      ...(this.stamps ? this.stamps.build() : this.meeting()));
    this.update();
  }

  wording(role) {
    return { ...VIEWS[role], ...(role === "stamps" && this.output === "X" ? TRANSPOSED_STAMPS : {}) };
  }

  // The three planes, and the equation.
  meeting() {
    const operands = this.operands(this.role);
    this.drawn = this.planes();
    this.maps = this.mapsFor(operands);
    const [left, middle, result] = this.maps.map((map, at) => this.figure(map, operands[at], at));
    return [make("div", { class: "meeting" }, left, this.after("⋆", middle), this.after("=", result)), this.equation];
  }

  // The three planes as large as they may be, or beside each other if that costs no written numbers.
  mapsFor(operands) {
    const maps = (shares) => this.drawn.map((plane, at) => new Heatmap({
      name: this.name(operands[at]), planes: [plane], perRow: 1, available: Math.max(128, Math.floor(this.available * shares[at])),
      scale: this.scaleOf(this.array(operands[at].role, operands[at].kind)), tell: this.tell,
      pick: at === 2 ? (index) => this.pick(index) : null,
    }));
    const large = maps(LARGE), beside = maps(BESIDE_EACH_OTHER);
    return large.some((map, at) => map.written && !beside[at].written) ? large : beside;
  }

  // A number of the result is chosen; who chose it by keyboard goes on from there.
  pick(index) {
    const byKey = document.activeElement === this.maps[2].canvas;
    this.goTo(this.role, index);
    this.picked(this.role, index);
    const [i, j] = index.slice(-2), [, , result] = this.maps;
    if (!byKey) return;
    result.cursor = { plane: 0, i, j };
    result.canvas.focus({ preventScroll: true });
  }

  after(sign, figure) {
    return make("div", { class: "after" }, make("span", { class: "sign" }, sign), figure);
  }

  // What the letters of the formula stand for, with their values here.
  symbols() {
    const pair = ([rows, columns]) => (rows === columns ? String(rows) : `${rows} for rows, ${columns} for columns`);
    const dilation = `dilation (here ${pair(this.g.dilation)})`;
    if (this.role === "X") return `d is the ${dilation}`;
    const padding = this.g.padding.flat().some(Boolean) ? "; X has its padding around it" : "";
    const before = pair(this.g.padding.map(([first]) => first));
    if (this.stamps) return `s is the stride (here ${pair(this.g.stride)}), d the ${dilation}, p the padding in front (here ${before})`;
    return `s is the stride (here ${pair(this.g.stride)}), d the ${dilation}${padding}`;
  }

  figure(map, operand, at) {
    const spread = this.g.stride.some((one) => one > 1) ? ", zeros around and between" : ", zeros around it";
    const extra = this.role === "X" && at === 0 ? spread : this.role === "X" && at === 1 ? ", flipped"
      : at === 0 && this.g.padding.flat().some(Boolean) ? ", padded" : "";
    const index = this.index(operand.role, 0, 0).slice(0, -2);
    map.canvas.setAttribute("aria-label", `${this.name(operand)}${extra}`);
    return make("figure", {}, make("figcaption", {}, `${named(this.name(operand), [...index, ":", ":"])}${extra}`), make("div", { class: "scroll" }, map.canvas));
  }

  tabs() {
    const tab = (role) => make("button", { role: "tab", "data-view": role, "aria-selected": String(role === this.role), onclick: () => this.choose(role) },
      this.wording(role).title.replace(/^d?[XWY]/, this.name(this.operands(role)[2])));
    return make("div", { role: "tablist", class: "tabs" }, ...this.roles.map(tab));
  }

  // Which sample and channels are looked at, where there is a choice.
  selects() {
    const kept = (role, dim) => Math.min(...["value", "grad"].flatMap((kind) => this.array(role, kind)?.kept.slice(dim)[0] ?? []));
    const counts = {
      n: ["sample", this.g.batched ? Math.min(kept("X", 0), kept("Y", 0)) : 1],
      c: [this.g.groups > 1 ? "input channel of the group" : "input channel", Math.min(this.g.channels / this.g.groups, kept("W", 1))],
      o: ["output channel", Math.min(kept("Y", -3), kept("W", 0))],
    };
    return Object.entries(counts).filter(([, [, count]]) => count > 1).map(([key, [label, count]]) => {
      const options = range(count).map((one) => make("option", { value: one, selected: one === this.chosen[key] }, String(one)));
      const choose = (event) => { this.chosen[key] = Number(event.target.value); this.choosePlane(); this.selected[key].focus({ preventScroll: true }); };
      this.selected[key] = make("select", { onchange: choose }, ...options);
      return make("label", {}, `${label} `, this.selected[key]);
    });
  }

  count() {
    if (this.stamps) return this.stamps.count;
    const [rows, columns] = this.extent();
    return rows * columns;
  }

  move(at) {
    this.at = Math.max(0, Math.min(this.count() - 1, at));
    this.update();
  }

  toggle() {
    if (this.timer) return this.stop();
    if (this.at === this.count() - 1) this.move(0);
    this.timer = setInterval(() => (this.at < this.count() - 1 ? this.move(this.at + 1) : this.stop()), this.count() > 100 ? 120 : 900);
    this.player.textContent = "Stop";
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    if (this.player) this.player.textContent = "Slide";
  }

  update() {
    this.slider.value = this.at;
    if (this.stamps) return this.stamps.update();
    const pairs = this.pairs(), [left, middle, result] = this.maps;
    const letters = this.role === "X" ? pairs.map((pair) => this.letterOf(pair.middle)) : [];
    const lettered = (side) => letters.map((letter, at) => ({ cell: pairs[at][side], letter }));
    left.mark([{ plane: 0, cells: pairs.map((pair) => pair.left) }], lettered("left"));
    middle.mark([{ plane: 0, cells: pairs.map((pair) => pair.middle), dashed: true }], lettered("middle"));
    result.mark([{ plane: 0, cells: [this.place()] }]);
    this.slider.setAttribute("aria-valuetext", named(this.name(this.operands(this.role)[2]), this.place()));
    this.writeEquation(pairs);
  }

  // Of the weight at a place of the flipped kernel: the one that it has in the kernel.
  letterOf([i, j]) {
    const { kernel } = this.g;
    return new Letter([kernel[0] - 1 - i, kernel[1] - 1 - j], kernel);
  }

  // The sum with its numbers: the terms of the planes that are seen, and what everything else adds.
  writeEquation(pairs) {
    const [left, middle] = this.drawn, result = this.operands(this.role)[2];
    const index = this.index(this.role, ...this.place()), value = this.array(this.role, result.kind).at(index);
    const terms = pairs.map((pair) => ({ x: left.value(...pair.left) ?? 0, w: middle.value(...pair.middle) ?? 0 }));
    const sum = terms.reduce((all, one) => all + one.x * one.w, 0);
    const written = (some) => some.map((one) => `${factor(one.x)}·${factor(one.w)}`).join(" + ");
    const parts = [];
    if (terms.length <= MOST_TERMS) parts.push(written(terms));
    else {
      const sorted = [...terms].sort((one, other) => Math.abs(other.x * other.w) - Math.abs(one.x * one.w));
      const largest = sorted.slice(0, LARGEST_TERMS).filter((one, at) => at === 0 || one.x * one.w !== 0);
      const rest = sum - largest.reduce((all, one) => all + one.x * one.w, 0);
      parts.push(written(largest), `${factor(rest)} (${counted(terms.length - largest.length, "smaller product")})`);
    }
    parts.push(...this.others(value - sum, index));
    const name = named(this.name(result), index);
    this.equation.replaceChildren(make("code", {}, `${name} = ${parts.join(" + ")} = `, make("strong", {}, show(value, 6))));
  }

  // What is added besides: the other channels or samples of the sum, and the bias.
  others(rest, index) {
    const bias = this.role === "Y" && this.output === "Y" ? this.page.array(this.step.inputs.find((one) => one.name === "b")?.value) : null;
    const added = bias ? bias.at([index[index.length - 3]]) : 0;
    const [word, count] = {
      Y: ["channel", this.g.channels / this.g.groups], W: ["sample", this.g.samples], X: ["output channel", this.g.outputs / this.g.groups],
    }[this.role];
    const parts = [];
    if (count > 1) parts.push(`${factor(rest - added)} (the other ${count > 2 ? `${count - 1} ${word}s` : word})`);
    if (bias) parts.push(`${factor(added)} (bias)`);
    return parts;
  }
}

function inside(at, size) {
  return at.every((one, axis) => one >= 0 && one < size[axis]) ? at : null;
}
