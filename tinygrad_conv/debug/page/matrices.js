// A matrix product: row × column, or outer products that add up.

// An array read as matrices: some of its dimensions are the rows, some the columns, some the batch.
class MatrixOf {
  constructor(page, { name, array, rows, columns, batch }) {
    Object.assign(this, { name, rows, columns, batch, array: page.array(array) });
    this.turned = rows.length === 1 && columns.length === 1 && rows[0] > columns[0];
  }

  sizes(dims, what) {
    return dims.map((dim) => this.array[what][dim]);
  }

  // The index of a number; of a batch that this one has but one of, or has not, the only one.
  index(batch, row, column) {
    const index = new Array(this.array.shape.length);
    const extra = batch.length - this.batch.length;
    this.batch.forEach((dim, place) => { index[dim] = this.array.shape[dim] === 1 ? 0 : batch[place + extra]; });
    this.rows.forEach((dim, place) => { index[dim] = row[place]; });
    this.columns.forEach((dim, place) => { index[dim] = column[place]; });
    return index;
  }

  get called() {
    return this.turned ? `${this.name}ᵀ` : this.name;
  }
}

class ContractionView {
  constructor(page, view, context) {
    Object.assign(this, { page, view, context, chosen: 0 });
    [this.left, this.right, this.result] = [view.left, view.right, view.result].map((matrix) => new MatrixOf(page, matrix));
    this.bias = page.array(view.bias);
    const kept = (one, dims, other, others) =>
      one.sizes(dims, "kept").map((size, place) => Math.min(size, other.sizes(others, "kept")[place]));
    this.rows = kept(this.left, this.left.rows, this.result, this.result.rows);
    this.columns = kept(this.right, this.right.columns, this.result, this.result.columns);
    this.inner = kept(this.left, this.left.columns, this.right, this.right.rows);
    this.missing = total(this.left.sizes(this.left.columns, "shape")) - total(this.inner);
    this.readBatches();
    this.cell = [0, 0];
    this.count = view.outer ? total(this.inner) : total(this.rows) * total(this.columns);
    this.equation = make("div", { class: "equation", "aria-live": "polite" });
    this.element = make("div", {});
    this.build();
  }

  // Of each batch dimension as many as all three have on the page.
  readBatches() {
    const count = Math.max(this.left.batch.length, this.right.batch.length);
    const along = (matrix, what) => {
      const sizes = matrix.sizes(matrix.batch, what);
      return [...new Array(count - sizes.length).fill(1), ...sizes];
    };
    const all = [this.left, this.right, this.result].map((matrix) => [along(matrix, "shape"), along(matrix, "kept")]);
    this.batches = range(count).map((dim) => Math.min(...all.map(([shape, keep]) => (shape[dim] === 1 ? Infinity : keep[dim]))))
      .map((size) => (size === Infinity ? 1 : size));
    const whole = range(count).map((dim) => Math.max(...all.map(([shape]) => shape[dim])));
    const own = along(this.result, "shape");
    this.others = total(whole.filter((size, dim) => own[dim] === 1)) - 1; // batches that are summed over
  }

  get batch() {
    return unravel(this.chosen, this.batches);
  }

  name(at) {
    if (!this.view.outer) return named(this.view.of, this.indexOf(at));
    return `outer product ${unravel(at, this.inner).join(", ")}`;
  }

  indexOf(at) {
    const columns = total(this.columns);
    return this.resultIndex(Math.floor(at / columns), at % columns);
  }

  resultIndex(row, column) {
    return this.result.index(this.batch, unravel(row, this.rows), unravel(column, this.columns));
  }

  // A matrix as a plane of a heatmap.
  plane(matrix, rows, columns) {
    const index = (i, j) => matrix.index(this.batch, unravel(i, rows), unravel(j, columns));
    return { rows: total(rows), columns: total(columns), index, value: (i, j) => matrix.array.at(index(i, j)) };
  }

  // What one place of the inner dimension adds to the whole result.
  outerPlane() {
    const index = (i, j) => this.resultIndex(i, j);
    return { rows: total(this.rows), columns: total(this.columns), index, value: (i, j) => this.product(i, j, this.at ?? 0) };
  }

  product(row, column, inner) {
    return this.leftAt(row, inner) * this.rightAt(inner, column);
  }

  leftAt(row, inner) {
    return this.left.array.at(this.left.index(this.batch, unravel(row, this.rows), unravel(inner, this.inner)));
  }

  rightAt(inner, column) {
    return this.right.array.at(this.right.index(this.batch, unravel(inner, this.inner), unravel(column, this.columns)));
  }

  build() {
    const { outer } = this.view, planes = [this.plane(this.left, this.rows, this.inner), this.plane(this.right, this.inner, this.columns)];
    const result = this.plane(this.result, this.rows, this.columns);
    if (planes.some((plane) => !plane.rows || !plane.columns) || !result.rows || !result.columns) {
      this.element.replaceChildren(make("p", {}, "There is nothing in it: a size is 0."));
      this.maps = null;
      return;
    }
    const pickInner = (along) => (index, i, j) => this.context.move(along === "row" ? i : j);
    const share = outer ? 0.24 : 0.32;
    const left = this.figure(planes[0], this.left.called, this.left.array, share, outer ? pickInner("column") : (_, i) => this.pickCell(i, this.cell[1]));
    const right = this.figure(planes[1], this.right.called, this.right.array, share, outer ? pickInner("row") : (_, i, j) => this.pickCell(this.cell[0], j));
    const sum = this.figure(result, this.result.called, this.result.array, share, (_, i, j) => this.pickCell(i, j));
    const middle = outer ? [this.figure(this.outerPlane(), "this outer product", this.result.array, share, (_, i, j) => this.pickCell(i, j))] : [];
    this.maps = [left, right, ...middle, sum].map((one) => one.map);
    for (const { map } of middle) map.changing = true; // with the position
    this.element.replaceChildren(...this.selects(), make("div", { class: "meeting" }, left.element, after(outer ? "⊗" : "×", right.element),
      ...middle.map((one) => after("=", one.element)), after(outer ? "Σ =" : "=", sum.element)), this.equation);
  }

  figure(plane, name, array, share, pick) {
    const { scaleOf, tell, available } = this.context;
    const map = new MarkedHeatmap({
      name, planes: [plane], perRow: 1, available: roomFor(plane.rows * plane.columns, plane.columns, Math.floor(available * share) - 20, available), scale: scaleOf(array), tell,
      pick: null,
    });
    map.choose = (cell) => { if (cell && typeof plane.value(cell.i, cell.j) === "number") pick(plane.index(cell.i, cell.j), cell.i, cell.j); };
    map.canvas.classList.add("clickable");
    map.canvas.setAttribute("aria-label", `${name}, ${counted(plane.rows, "row")}, ${counted(plane.columns, "column")}`);
    const element = make("figure", {}, make("figcaption", {}, make("b", {}, name)), make("div", { class: "scroll" }, map.canvas),
      make("small", {}, [`${plane.rows} × ${plane.columns}`, array.remark].filter(Boolean).join(" · ")));
    return { map, element };
  }

  selects() {
    if (total(this.batches) < 2) return [];
    const options = range(total(this.batches)).map((one) => make("option", { value: one, selected: one === this.chosen }, unravel(one, this.batches).join(", ")));
    const select = make("select", { onchange: (event) => { this.chosen = Number(event.target.value); this.build(); this.update(this.at); } }, ...options);
    return [make("label", {}, "of the batch ", select)];
  }

  pickCell(row, column) {
    this.cell = [row, column];
    if (this.view.outer) this.update(this.at);
    else this.context.move(row * total(this.columns) + column);
  }

  update(at) {
    this.at = at;
    if (!this.maps) return;
    const { outer } = this.view, columns = total(this.columns), rows = total(this.rows), inner = total(this.inner);
    if (!outer) this.cell = [Math.floor(at / columns), at % columns];
    const [row, column] = this.cell, [left, right, ...rest] = this.maps;
    const wholeRow = (i, count) => ({ plane: 0, cells: range(count).map((j) => [i, j]) });
    const wholeColumn = (j, count) => ({ plane: 0, cells: range(count).map((i) => [i, j]) });
    left.mark([outer ? wholeColumn(at, rows) : wholeRow(row, inner)]);
    right.mark([outer ? wholeRow(at, columns) : wholeColumn(column, inner)]);
    for (const map of rest) {
      if (map.changing) map.ground = null;
      map.mark([{ plane: 0, cells: [[row, column]] }]);
    }
    this.writeEquation(row, column);
  }

  writeEquation(row, column) {
    const index = this.resultIndex(row, column), value = this.result.array.at(index), at = this.view.outer ? this.at : -1;
    const all = range(total(this.inner)).map((place) => ({ place, left: this.leftAt(row, place), right: this.rightAt(place, column) }));
    const sum = all.reduce((so, one) => so + one.left * one.right, 0), added = this.bias ? this.bias.at(index.slice(-1)) : 0;
    const sorted = all.length <= WHOLE_SUM ? all
      : [...all].sort((one, other) => (other.place === at) - (one.place === at) || Math.abs(other.left * other.right) - Math.abs(one.left * one.right));
    const first = sorted.slice(0, all.length <= WHOLE_SUM ? WHOLE_SUM : LARGEST_OF_SUM);
    const parts = first.flatMap((one, number) => [number ? " + " : "",
      make(one.place === at ? "mark" : "span", {}, `${factor(one.left)}·${factor(one.right)}`)]);
    const more = (number, text) => parts.push(`${parts.length ? " + " : ""}${factor(number)} (${text})`);
    const rest = sorted.length - first.length;
    if (rest) more(sum - first.reduce((so, one) => so + one.left * one.right, 0), counted(rest, "smaller product"));
    if (this.missing || this.others) more(value - sum - added, this.missing ? `${counted(this.missing, "product")} not on this page, by difference` : "of the rest of the batch");
    if (this.bias) more(added, "bias");
    this.equation.replaceChildren(make("code", {}, `${named(this.view.of, index)} = `, ...parts, " = ", make("strong", {}, show(value, 6))));
  }
}
