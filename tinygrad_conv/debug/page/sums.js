// A gradient as a sum of products: dx = s · g − s · mean(g) − s · x̂ · mean(g · x̂), number by number.

const WHOLE_SUM = 25, LARGEST_OF_SUM = 8; // products of a sum that is written out, and of one that is not
const MOST_MARKED = 4000; // cells that are outlined at once

// Where a factor has its number for a place of the whole: its own dimensions, repeated where it has but one.
function factorIndex(page, factor, whole) {
  const { shape } = page.array(factor.array), extra = whole.length - shape.length;
  return shape.map((size, dim) => (size === 1 ? 0 : whole[factor.dims ? factor.dims[dim] : dim + extra]));
}

// A product of factors over a whole, as an array of the page.
class Product {
  constructor(page, shape, term) {
    Object.assign(this, { page, shape, term, dtype: "product" });
    this.kept = shape.map((size, dim) => Math.min(size, ...term.factors.map((factor) => this.keptBy(factor, dim))));
    this.size = total(shape);
  }

  keptBy(factor, dim) {
    const array = this.page.array(factor.array), extra = this.shape.length - array.shape.length;
    const own = factor.dims ? factor.dims.indexOf(dim) : dim - extra;
    return own >= 0 && array.shape[own] !== 1 ? array.kept[own] : Infinity;
  }

  at(index) {
    let place = 0;
    for (let dim = 0; dim < this.kept.length; dim++) {
      if (!(index[dim] < this.kept[dim])) return undefined;
      place = place * this.kept[dim] + index[dim];
    }
    return this.values[place];
  }

  // Multiplied out when somebody looks.
  get values() {
    if (!this.product) {
      const count = total(this.kept);
      this.product = new Float64Array(count).fill(this.term.sign);
      for (const factor of this.term.factors) {
        const array = this.page.array(factor.array);
        for (let place = 0; place < count; place++) this.product[place] *= array.at(factorIndex(this.page, factor, unravel(place, this.kept)));
      }
    }
    return this.product;
  }

  get thinned() {
    return this.kept.some((size, dim) => size < this.shape[dim]);
  }

  // The largest size of a finite number of it that is on the page.
  get reach() {
    if (this.largest === undefined) {
      this.largest = 0;
      for (const value of this.values) {
        const size = Math.abs(value);
        if (size > this.largest && size < Infinity) this.largest = size;
      }
    }
    return this.largest;
  }
}

// How many numbers an array of these sizes has.
function total(sizes) {
  return sizes.reduce((product, size) => product * size, 1);
}

// Where in its heatmap an array has the number at an index.
function cellOf(array, index) {
  if (array.kept.length < 2) {
    const { columns } = rowsOf(array), place = index[0] ?? 0;
    return { plane: 0, cell: [Math.floor(place / columns), place % columns] };
  }
  return { plane: ravel(index.slice(0, -2), array.kept.slice(0, -2)), cell: index.slice(-2) };
}

function marksOf(array, indices, dashed) {
  const planes = new Map();
  for (const index of indices.slice(0, MOST_MARKED)) {
    if (index.some((place, dim) => place >= array.kept[dim])) continue;
    const { plane, cell } = cellOf(array, index);
    if (!planes.has(plane)) planes.set(plane, new Map());
    planes.get(plane).set(cell.join(), cell);
  }
  return [...planes].map(([plane, cells]) => ({ plane, cells: [...cells.values()], dashed }));
}

// A heatmap whose outlines move: its cells are painted once.
class MarkedHeatmap extends Heatmap {
  draw() {
    const pen = this.canvas.getContext("2d");
    if (!this.ground) {
      const { marks, cursor } = this;
      Object.assign(this, { marks: [], cursor: null });
      super.draw();
      Object.assign(this, { marks, cursor, ground: document.createElement("canvas") });
      Object.assign(this.ground, { width: this.canvas.width, height: this.canvas.height });
      if (this.ground.width && this.ground.height) this.ground.getContext("2d").drawImage(this.canvas, 0, 0);
    }
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.ground.width && this.ground.height) pen.drawImage(this.ground, 0, 0);
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    for (const mark of this.marks) this.drawMark(pen, mark);
    if (this.cursor) this.outline(pen, this.cursor.plane, [[this.cursor.i, this.cursor.j]], [3, 2]);
  }
}

class SumView {
  constructor(page, view, context) {
    Object.assign(this, { page, view, context, shown: [] });
    this.result = page.array(view.result);
    this.products = view.terms.map((term) => new Product(page, view.shape, term));
    this.kept = this.result.kept.map((size, dim) => Math.min(size, ...this.products.map((product) => (view.dims ? Infinity : product.kept[dim]))));
    this.count = total(this.kept);
    this.start = largestOf(range(Math.min(this.count, MOST_MARKED)), (at) => Math.abs(this.result.at(unravel(at, this.kept))));
    this.summed = (view.dims ?? []).flatMap((dim, whole) => (dim === -1 && view.shape[whole] !== 1 ? [whole] : []));
    this.equation = make("div", { class: "equation", "aria-live": "polite" });
    this.curve = view.curve ? new CurvePlot(page, view.curve) : null;
    this.element = make("div", {}, ...this.rows(), this.equation);
  }

  name(at) {
    return named(this.view.of, unravel(at, this.kept));
  }

  rows() {
    const own = this.view.figures.map((figure) => this.part(figure, this.page.array(figure.array), figure.name));
    const curve = this.curve ? [this.curve.element] : [];
    const single = this.view.terms.length === 1;
    const parts = single ? this.factors(this.view.terms[0]) : this.terms();
    const shared = single ? null : new Scale([this.result, ...this.products]);
    const sums = this.summed.length ? `Σ over ${dimsInWords(this.summed)} =` : "=";
    const result = after(sums, this.part({ name: this.view.of, label: "" }, this.result, this.view.of, shared));
    const terms = make("div", { class: "arrays" }, ...parts, result);
    if (!curve.length) return [...(own.length ? [make("div", { class: "arrays known" }, ...own)] : []), terms];
    return [make("div", { class: "beside-curve" }, ...curve, make("div", {}, ...(own.length ? [make("div", { class: "arrays" }, ...own)] : []), terms))];
  }

  // One product: its factors beside each other.
  factors(term) {
    return term.factors.map((factor, number) => {
      const figure = this.part(factor, this.page.array(factor.array), factor.name, null, factor);
      return number || term.sign < 0 ? after(number ? "·" : "−", figure) : figure;
    });
  }

  // Several: each as what it adds.
  terms() {
    const shared = new Scale([this.result, ...this.products]);
    return this.view.terms.map((term, number) => {
      const called = this.page.texts[term.called], sign = term.sign < 0 ? "−" : number ? "+" : "";
      const product = this.products[number], unsigned = { ...term, sign: 1 };
      const shownTerm = new Product(this.page, product.shape, unsigned);
      const figure = this.part({ name: called, label: "" }, shownTerm, called, shared);
      if (term.step) figure.append(this.context.link(term.step));
      return sign ? after(sign, figure) : figure;
    });
  }

  // An array, whose numbers are outlined as the position moves, and which moves it when clicked.
  part(figure, array, name, scale, factor) {
    const pick = (index) => this.pick(array, factor, index);
    const label = typeof figure.label === "number" ? this.page.texts[figure.label] : figure.label;
    const drawn = heatmapFigure(array, { name, label, pick, scale, context: this.context });
    if (drawn.map) this.shown.push({ array, map: drawn.map, factor });
    return drawn.element;
  }

  // All places of the whole whose products make the result at an index.
  places(index) {
    const { dims, shape } = this.view;
    if (!dims) return [index];
    const sizes = shape.map((size, dim) => (dims[dim] === -1 ? size : 1));
    const count = total(sizes);
    return range(count).map((number) =>
      unravel(number, sizes).map((place, dim) => (dims[dim] === -1 ? place : index[dims[dim]])));
  }

  pick(array, factor, index) {
    const present = this.places(unravel(this.at, this.kept))[0] ?? [];
    const extra = present.length - index.length;
    const whole = array === this.result ? null : [...present];
    if (whole) {
      index.forEach((place, dim) => {
        const into = factor?.dims ? factor.dims[dim] : dim + extra;
        if (array.shape[dim] !== 1 && into >= 0) whole[into] = place;
      });
    }
    const target = whole ? this.resultIndex(whole) : index;
    if (target.every((place, dim) => place < this.kept[dim])) this.context.move(ravel(target, this.kept));
  }

  resultIndex(whole) {
    if (!this.view.dims) return whole;
    const index = this.result.shape.map(() => 0);
    this.view.dims.forEach((dim, place) => { if (dim !== -1) index[dim] = whole[place]; });
    return index;
  }

  update(at) {
    this.at = at;
    const index = unravel(at, this.kept), places = this.places(index);
    for (const { array, map, factor } of this.shown) {
      const fits = this.fits(array);
      const indices = array === this.result ? [index]
        : factor ? places.map((place) => factorIndex(this.page, factor, place))
          : fits ? places.map((place) => array.shape.map((size, dim) => (size === 1 ? 0 : place[dim + place.length - array.shape.length]))) : [];
      map.mark(marksOf(array, indices, array !== this.result && this.summed.length > 0));
    }
    if (this.curve) this.curve.show(index);
    this.writeEquation(index, places);
  }

  // Whether an array stands beside the whole, so that it has a number for each place.
  fits(array) {
    const { shape } = this.view, extra = shape.length - array.shape.length;
    return extra >= 0 && array.shape.every((size, dim) => size === 1 || size === shape[dim + extra]);
  }

  writeEquation(index, places) {
    const name = named(this.view.of, index), value = this.result.at(index), several = this.view.terms.length > 1;
    const terms = this.view.terms.map((term) => this.page.texts[term.called]);
    const formula = terms.map((term, number) => signed(term, this.view.terms[number].sign, number)).join("");
    const sum = this.summed.length ? `Σ ${several ? `(${formula})` : formula}` : formula;
    const numbers = this.summed.length ? this.addedUp(places, value)
      : this.products.map((product, number) => this.written(product, places[0], number, several)).join("");
    this.equation.replaceChildren(make("code", {}, `${name} = ${sum} = ${numbers} = `, make("strong", {}, show(value, 6))));
  }

  // A product with the numbers of its factors, or, among several, what it comes to.
  written(product, place, number, several) {
    const value = product.at(place), { term } = product;
    if (several) return signed(show(value === undefined ? value : term.sign * value), term.sign, number, value * term.sign < 0);
    const factors = term.factors.map((factor) => this.page.array(factor.array).at(factorIndex(this.page, factor, place)));
    return `${term.sign < 0 ? "−" : ""}${factors.map((one) => factorText(one)).join(" · ")}`;
  }

  // The largest products, and the rest in one: what is not on the page is known by difference.
  addedUp(places, value) {
    const all = places.map((place) => ({
      place, value: this.products.reduce((sum, product) => sum + (product.at(place) ?? NaN), 0),
      missing: this.products.some((product) => product.at(place) === undefined),
    }));
    const known = all.filter((one) => !one.missing).sort((one, other) => Math.abs(other.value) - Math.abs(one.value));
    const first = known.slice(0, known.length <= WHOLE_SUM ? WHOLE_SUM : LARGEST_OF_SUM);
    const rest = known.slice(first.length), parts = first.map((one) => this.factorsText(one));
    if (rest.length) parts.push(`${factorText(rest.reduce((sum, one) => sum + one.value, 0))} (${counted(rest.length, "smaller product")})`);
    const missing = all.length - known.length;
    if (missing) {
      const left = value - known.reduce((sum, one) => sum + one.value, 0);
      parts.push(`${factorText(left)} (${counted(missing, "product")} not on this page, by difference)`);
    }
    return parts.join(" + ") || "0";
  }

  factorsText({ place, value }) {
    if (this.products.length > 1 || this.view.terms[0].factors.length < 2) return factorText(value);
    const written = this.written(this.products[0], place, 0, false);
    return written.startsWith("−") ? `(${written})` : written;
  }
}

// The one with the largest number; the first if none is finite.
function largestOf(all, numberOf) {
  return all.reduce((best, one) => (numberOf(one) > numberOf(best) ? one : best), all[0] ?? 0);
}

function factorText(value) {
  return value === undefined ? "?" : factor(value);
}

// Among the terms of a sum: `a`, ` − b`, ` + (−c)`.
function signed(text, sign, number, negative) {
  const inner = negative ? `(${text})` : text;
  return `${sign < 0 ? (number ? " − " : "−") : number ? " + " : ""}${inner}`;
}

function after(sign, figure) {
  return make("div", { class: "after" }, make("span", { class: sign === "·" ? "sign dot" : "sign" }, sign), figure);
}

// `dim 0`, `dims 0, 2 and 3`.
function dimsInWords(dims) {
  return dims.length === 1 ? `dim ${dims[0]}` : `dims ${dims.slice(0, -1).join(", ")} and ${dims[dims.length - 1]}`;
}
