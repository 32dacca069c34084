// The film of a training: which frame is looked at, and what is shown of it.

const PLAYING = 450; // milliseconds for a frame
const CURVE = { width: 1000, height: 190, left: 62, right: 12, top: 12, bottom: 26 };
const COLUMNS = [["y", "|y|"], ["zeros", "zeros in y"], ["dy", "|dy|"], ["dw", "|dw|"], ["relative", "|dw| / |w|"], ["progress", "|update| / |w|"]];
const BARS = ["dy", "relative"];
const FLOW_NOTE = "|x| is the root mean square of x; bars are logarithmic, one scale over the whole film";

// A number as the page was given it: those that are not finite are words.
function numeric(value) {
  return typeof value === "string" ? { NaN, Infinity, "-Infinity": -Infinity }[value] : value;
}

// A size in about eight letters.
function sized(value) {
  return Number.isFinite(value) && value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(2) : show(value, 3);
}

// An axis for numbers: logarithmic where they are all above 0 and far apart.
class Axis {
  constructor(values, low, high, logarithmic) {
    const finite = values.filter(Number.isFinite), positive = finite.filter((value) => value > 0);
    const least = Math.min(...finite), most = Math.max(...finite);
    this.logarithmic = logarithmic ?? (positive.length === finite.length && most > 20 * least);
    const shown = this.logarithmic ? positive : finite;
    [this.least, this.most] = shown.length ? [Math.min(...shown), Math.max(...shown)] : [0, 1];
    if (this.least === this.most) [this.least, this.most] = this.logarithmic ? [this.least / 2, this.most * 2] : [this.least - 0.5, this.most + 0.5];
    Object.assign(this, { low, high });
  }

  scaled(value) {
    return this.logarithmic ? Math.log(value) : value;
  }

  // From 0 to 1.
  share(value) {
    const least = this.scaled(this.least), most = this.scaled(this.most);
    return Math.max(0, Math.min(1, (this.scaled(value) - least) / (most - least)));
  }

  place(value) {
    return this.low + this.share(value) * (this.high - this.low);
  }

  // A few round numbers.
  get ticks() {
    if (!this.logarithmic) return [this.least, (this.least + this.most) / 2, this.most];
    const first = Math.ceil(Math.log10(this.least)), last = Math.floor(Math.log10(this.most));
    const every = Math.max(1, Math.ceil((last - first + 1) / 4));
    const powers = range(last - first + 1).filter((number) => number % every === 0).map((number) => 10 ** (first + number));
    return powers.length > 1 ? powers : [this.least, this.most];
  }
}

// The curve of the loss, with a mark at the moment that is looked at.
class Curve {
  constructor(contents, go) {
    const { curve, frames } = contents, { width, height, left, right, top, bottom } = CURVE;
    const losses = curve.losses.map(numeric);
    this.across = new Axis([0, ...curve.steps, ...frames.map((frame) => frame.step)], left, width - right, false);
    this.up = new Axis(losses, height - bottom, top);
    this.frames = frames;
    this.svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img" });
    this.steps = curve.steps;
    this.losses = losses;
    this.go = go;
    this.svg.addEventListener("click", (event) => this.clicked(event));
    this.draw(width);
  }

  // Drawn for a width in pixels, so that letters stay as they are.
  draw(width) {
    this.width = width;
    const { height, left, right, top, bottom } = CURVE, { svg } = this;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.across.high = width - right;
    svg.replaceChildren();
    for (const value of this.up.ticks) {
      const y = this.up.place(value);
      svg.append(shape("line", { class: "grid", x1: left, x2: width - right, y1: y, y2: y }), shape("text", { class: "low", x: left - 6, y: y + 4 }, brief(value)));
    }
    for (const frame of this.frames) {
      const x = this.across.place(frame.step);
      svg.append(shape("line", { class: "frame", x1: x, x2: x, y1: height - bottom, y2: height - bottom + 5 }));
    }
    svg.append(shape("text", { x: left, y: height - 6 }, "step 0"), shape("text", { class: "low", x: width - right, y: height - 6 }, `step ${this.across.most}`));
    for (const points of this.pieces()) svg.append(shape("polyline", { class: "curve", points: points.join(" ") }));
    this.losses.forEach((loss, place) => {
      if (Number.isFinite(loss)) return;
      const x = this.across.place(this.steps[place]);
      svg.append(shape("path", { class: "odd", d: `M${x - 4} ${top}l8 8m0 -8l-8 8` }));
    });
    this.line = shape("line", { class: "now", y1: top, y2: height - bottom });
    this.dot = shape("circle", { class: "dot", r: 5 });
    svg.append(this.line, this.dot);
  }

  // The curve without what is not finite.
  pieces() {
    const pieces = [[]];
    this.losses.forEach((loss, place) => {
      if (Number.isFinite(loss)) pieces[pieces.length - 1].push(`${this.across.place(this.steps[place])},${this.up.place(loss)}`);
      else pieces.push([]);
    });
    return pieces.filter((points) => points.length);
  }

  // The loss at a step, as far as the curve knows it.
  at(step) {
    const place = this.steps.indexOf(step);
    return place < 0 ? undefined : this.losses[place];
  }

  mark(frame) {
    const x = this.across.place(frame.step), loss = numeric(frame.loss) ?? this.at(frame.step);
    this.line.setAttribute("x1", x);
    this.line.setAttribute("x2", x);
    const known = Number.isFinite(loss);
    this.dot.setAttribute("visibility", known ? "visible" : "hidden");
    if (known) {
      this.dot.setAttribute("cx", x);
      this.dot.setAttribute("cy", this.up.place(loss));
    }
    const text = loss === undefined || loss === null ? "" : show(loss);
    this.svg.setAttribute("aria-label", `the loss over the steps; step ${frame.step}: ${text || "not known"}`);
    return text;
  }

  clicked(event) {
    const bounds = this.svg.getBoundingClientRect();
    const share = ((event.clientX - bounds.left) / bounds.width * this.width - this.across.low) / (this.across.high - this.across.low);
    const step = this.across.least + share * (this.across.most - this.across.least);
    const distances = this.frames.map((frame) => Math.abs(frame.step - step));
    this.go(distances.indexOf(Math.min(...distances)));
  }
}

// An array at each frame, as one picture that changes.
class Track {
  constructor(film, { name, arrays, type }) {
    Object.assign(this, { film, name, type, numbers: arrays.map((number) => film.array(number)) });
    this.whole = new Scale(this.numbers.filter(Boolean));
    this.caption = make("figcaption", {}, make("b", {}, name));
    this.box = make("div", { class: "scroll" });
    this.about = make("small", {});
    this.element = make("figure", { "data-array": name }, this.caption, this.box, this.about);
  }

  build(available) {
    this.available = available;
    this.map = null;
  }

  show(at) {
    const array = this.numbers[at], before = this.numbers[at - 1];
    if (!array) {
      this.box.replaceChildren(make("p", { class: "unknown" }, "not recorded at this moment"));
      this.about.textContent = this.type;
      this.map = null;
      return;
    }
    const scale = this.film.fixed ? this.whole : new Scale([array]), planes = planesOf(array);
    if (this.map && this.map.planes.length === planes.length) {
      Object.assign(this.map, { planes, scale });
      this.map.draw();
      if (this.map.cursor) this.map.point(this.map.cursor);
    } else {
      this.map = new Heatmap({ name: this.name, planes, perRow: planesPerRow(array, this.available), scale, available: this.available, tell });
      this.box.replaceChildren(this.map.canvas);
    }
    const change = before ? changeBetween(before, array) : null;
    const words = [this.type, array.range, array.remark, change === null ? "" : `changed by ${sized(change)}`].filter(Boolean);
    this.about.textContent = words.join(" · ");
    this.map.canvas.setAttribute("aria-label", `${this.name} ${this.type}, ${words.slice(1).join(", ")}`);
  }
}

// The root mean square of what has changed; null where that cannot be said.
function changeBetween(before, after) {
  const [old, now] = [before.values, after.values];
  if (old.length !== now.length || !now.length) return null;
  const squares = now.reduce((sum, value, place) => sum + (value - old[place]) ** 2, 0);
  return Math.sqrt(squares / now.length);
}

class Film extends Walk {
  constructor(contents) {
    super(contents.frames.length, contents.frames.length - 1);
    Object.assign(this, { contents, frames: contents.frames });
    this.numbers = contents.arrays.map((stored) => new Numbers(stored));
    this.curve = new Curve(contents, (at) => this.go(at));
    this.parts.loss.replaceChildren(this.curve.svg);
    this.parts["loss-part"].hidden = !contents.curve.steps.length;
    this.tracks = { kernels: this.tracksOf("kernels"), maps: this.tracksOf("maps") };
    this.axes = Object.fromEntries(BARS.map((name) => [name, this.axisOf(name)]));
    this.parts["left-out"].textContent = contents.note;
    this.listen({ play: () => this.toggle(PLAYING) }, { " ": "play" });
    this.parts.scaling.addEventListener("change", () => this.show());
    this.readAddress();
    this.fit();
  }

  array(number) {
    return number === null || number === undefined ? null : this.numbers[number];
  }

  get fixed() {
    return this.parts.scaling.value === "film";
  }

  tracksOf(name) {
    const tracks = this.contents[name].map((track) => new Track(this, track));
    this.parts[name].replaceChildren(...tracks.map((track) => track.element));
    this.parts[`${name}-part`].hidden = !tracks.length;
    return tracks;
  }

  axisOf(name) {
    return new Axis(this.contents.layers.flatMap((layer) => layer[name].map(numeric)).filter((value) => value > 0), 0, 1, true);
  }

  // `#step=20`: the address of a moment.
  readAddress() {
    const step = new URLSearchParams(location.hash.slice(1)).get("step");
    const at = step === null ? -1 : this.frames.findIndex((frame) => frame.step === Number(step));
    if (at >= 0) this.at = at;
  }

  get address() {
    return `#step=${this.frames[this.at].step}`;
  }

  fit() {
    const width = this.parts.film.clientWidth - 76;
    this.curve.draw(Math.max(300, width));
    for (const track of this.tracks.kernels) track.build(Math.min(width, 620));
    for (const track of this.tracks.maps) track.build(Math.min(width, 460));
    this.show();
  }

  show() {
    const frame = this.frames[this.at], frames = `frame ${this.at + 1} of ${this.count}`;
    this.showPlace(`step ${frame.step} (${frames})`, `step ${frame.step}, ${frames}`);
    const loss = this.curve.mark(frame), rate = frame.lr === null ? "" : `, learning rate ${[].concat(frame.lr).map((value) => show(numeric(value))).join(", ")}`;
    this.parts["loss-now"].textContent = frame.step === 0 ? "before the first step" : `step ${frame.step}: ${loss || "not known"}${rate}`;
    for (const track of [...this.tracks.kernels, ...this.tracks.maps]) track.show(this.at);
    this.showFlow();
    drawLegend(this.parts.legend, null);
  }

  // A line for each layer: numbers, and bars for what is compared from layer to layer.
  showFlow() {
    const { layers } = this.contents;
    this.parts["flow-part"].hidden = !layers.length;
    this.parts["flow-note"].textContent = layers.some((layer) => layer.dy[this.at] !== null || layer.dw[this.at] !== null) ? FLOW_NOTE : "No gradients were recorded at this moment.";
    const head = make("tr", {}, make("th", { scope: "col" }, "layer"), ...COLUMNS.map(([name, words]) => make("th", { scope: "col", class: BARS.includes(name) ? "bars" : null }, words)));
    this.parts.flow.replaceChildren(head, ...layers.map((layer) => make("tr", {}, make("td", { title: layer.name }, layer.name), ...COLUMNS.map(([name]) => this.cell(layer, name)))));
  }

  cell(layer, name) {
    const value = numeric(layer[name][this.at]);
    if (value === null) return make("td", {});
    const text = name === "zeros" ? `${show(100 * value, 2)} %` : sized(value);
    if (!BARS.includes(name)) return make("td", {}, text);
    const bar = make("i", {});
    bar.style.width = value > 0 ? `${Number.isFinite(value) ? 3 + 97 * this.axes[name].share(value) : 100}%` : "0";
    return make("td", {}, make("span", { class: "bar", "aria-hidden": "true" }, bar), text);
  }
}

opened(Film, "frames");
