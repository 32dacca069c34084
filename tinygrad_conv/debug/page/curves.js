// The curve of a function with one number on it: where it stands, how high, and how steep.

const PLOT = { width: 330, height: 220, left: 44, right: 12, top: 12, bottom: 26 };
const TANGENT = 62; // pixels of it to both sides

class CurvePlot {
  constructor(page, curve) {
    Object.assign(this, { page, curve, low: curve.low, high: curve.high });
    this.at = page.array(curve.at);
    this.height = page.array(curve.height);
    this.slope = page.array(curve.slope);
    this.bases = curve.bases.map(({ values, coefficient }) => ({ values: page.array(values), coefficient }));
    this.drawing = shape("svg", { viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, role: "img", class: "curve" });
    this.said = make("small", {});
    this.element = make("figure", { class: "plot" },
      make("figcaption", {}, make("b", {}, curve.function)), this.drawing, this.said);
  }

  // Whether all of its samples are on the page.
  get known() {
    return this.bases.every(({ values }) => !values.thinned);
  }

  // The samples of the curve on which this number stands; null where its coefficients are not on the page.
  samples(index) {
    const weights = this.bases.map(({ coefficient }) =>
      (coefficient ? this.page.array(coefficient.array).at(factorIndex(this.page, coefficient, index)) : 1));
    if (!this.known || weights.includes(undefined)) return null;
    const count = this.bases[0].values.size;
    const height = (place) => this.bases.reduce((sum, { values }, number) =>
      sum + (weights[number] === 0 ? 0 : weights[number] * values.at([place])), 0);
    return range(count).map((place) => [this.low + ((this.high - this.low) * place) / (count - 1), height(place)]);
  }

  // From where to where is drawn: all of the curve that has numbers, as high as any number of this array stands.
  frame(samples, point) {
    const finite = samples.filter(([, y]) => Number.isFinite(y)), within = (y) => Number.isFinite(y);
    const across = [...finite.map(([x]) => x), point[0]].filter(within);
    const reached = this.height.low === null ? [] : [this.height.low, this.height.high];
    const heights = [0, ...reached, point[1]].filter(within);
    if (Math.max(...heights) === Math.min(...heights)) heights.push(...finite.map(([, y]) => y));
    const margin = 0.12 * (Math.max(...heights) - Math.min(...heights)) || 1;
    return {
      x: [Math.min(...across), Math.max(...across)],
      y: [Math.min(...heights) - margin, Math.max(...heights) + margin],
      heights: [...new Set([Math.min(...heights), Math.max(...heights)])],
    };
  }

  show(index) {
    const point = [this.at.at(index), this.height.at(index)], slope = this.slope.at(index);
    const samples = this.samples(index);
    this.drawing.replaceChildren();
    const text = `at ${this.curve.axis} = ${show(point[0])} it is ${show(point[1])}, with slope ${show(slope)}`;
    this.drawing.setAttribute("aria-label", `${this.curve.function}: ${text}`);
    this.said.textContent = samples ? text : `${text}; the curve is not on this page`;
    this.drawing.classList.toggle("hidden", !samples);
    if (!samples) return;
    const frame = this.frame(samples, point);
    this.x = (x) => PLOT.left + ((x - frame.x[0]) / (frame.x[1] - frame.x[0] || 1)) * (PLOT.width - PLOT.left - PLOT.right);
    this.y = (y) => PLOT.height - PLOT.bottom
      - ((y - frame.y[0]) / (frame.y[1] - frame.y[0] || 1)) * (PLOT.height - PLOT.top - PLOT.bottom);
    this.drawAxes(frame);
    this.draw("path", { d: this.path(samples, frame), class: "function" });
    if (point.every(Number.isFinite)) this.drawPoint(point, slope, frame);
  }

  // Broken where the function has no number, or leaves the frame.
  path(samples, frame) {
    let open = false;
    return samples.map(([x, y]) => {
      const inside = y >= frame.y[0] && y <= frame.y[1], step = `${open ? "L" : "M"}${this.x(x).toFixed(1)},${this.y(y).toFixed(1)}`;
      open = inside;
      return inside ? step : "";
    }).join("");
  }

  drawAxes(frame) {
    const bottom = PLOT.height - PLOT.bottom, right = PLOT.width - PLOT.right;
    const across = frame.y[0] <= 0 && frame.y[1] >= 0 ? this.y(0) : bottom;
    const up = frame.x[0] <= 0 && frame.x[1] >= 0 ? this.x(0) : PLOT.left;
    this.draw("path", { d: `M${PLOT.left},${across}L${right},${across}M${up},${PLOT.top}L${up},${bottom}`, class: "axis" });
    for (const x of frame.x) {
      this.text(show(x, 3), Math.min(right - 8, Math.max(PLOT.left, this.x(x))), PLOT.height - 8, "middle");
    }
    this.text(this.curve.axis, (PLOT.left + right) / 2, PLOT.height - 8, "middle");
    for (const y of frame.heights) this.text(brief(y), PLOT.left - 4, this.y(y) + 4, "end");
  }

  drawPoint([x, y], slope, frame) {
    const [left, top] = [this.x(x), this.y(y)], bottom = PLOT.height - PLOT.bottom;
    this.draw("path", { d: `M${left},${bottom}L${left},${top}L${PLOT.left},${top}`, class: "lead" });
    if (Number.isFinite(slope)) {
      const pixel = (PLOT.width - PLOT.left - PLOT.right) / (frame.x[1] - frame.x[0] || 1);
      const rise = (slope * (PLOT.height - PLOT.top - PLOT.bottom)) / (frame.y[1] - frame.y[0]) / pixel;
      const length = Math.hypot(1, rise), [dx, dy] = [TANGENT / length, (-rise * TANGENT) / length];
      this.draw("path", { d: `M${left - dx},${top - dy}L${left + dx},${top + dy}`, class: "tangent" });
    }
    this.draw("circle", { cx: left, cy: top, r: 5, class: "point" });
  }

  draw(...what) {
    this.drawing.append(shape(...what));
  }

  text(text, x, y, anchor) {
    this.draw("text", { x, y, class: anchor }, text);
  }
}
