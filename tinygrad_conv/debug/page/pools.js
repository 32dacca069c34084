// Pooling, window by window (who won it), and place by place (which windows meet there).

class PoolingView {
  constructor(page, view, context, by) {
    Object.assign(this, { page, view, context, by, image: 0 });
    for (const name of ["x", "y", "dy", "result", "winner", "share", "won"]) this[name] = page.array(view[name]);
    this.out = [view.rows.length, view.columns.length];
    this.size = this.result.shape.slice(-2);
    this.leading = this.result.kept.slice(0, -2).map((size, dim) => Math.min(size, this.dy.kept[dim]));
    this.keptOut = this.dy.kept.slice(-2);
    this.keptSize = this.result.kept.slice(-2);
    this.extent = by === "window" ? this.keptOut : this.keptSize;
    this.count = total(this.leading) ? total(this.extent) : 0;
    this.start = by === "place" ? largestOf(range(this.count), (at) => this.won.at(this.index(...unravel(at, this.extent)))) : 0;
    this.equation = make("div", { class: "equation", "aria-live": "polite" });
    this.element = make("div", {});
    if (this.count) this.build();
    else this.element.append(make("p", {}, "There is nothing in it: a size is 0."));
  }

  index(i, j) {
    return [...unravel(this.image, this.leading), i, j];
  }

  name(at) {
    const [array, [i, j]] = [this.by === "window" ? "dy" : "dx", unravel(at, this.extent)];
    return named(array, this.index(i, j));
  }

  build() {
    const figures = [
      this.x ? this.figure("x", this.x, "place", "read") : null,
      this.y ? this.figure("y", this.y, "window", this.winner ? "the largest of each window" : "the mean of each window") : null,
      this.figure("dy", this.dy, "window", "arrived here"),
      this.by === "place" ? this.figure(this.winner ? "won" : "in", this.won, "place", this.winner ? "windows that each place won" : "windows that each place is in") : null,
      this.figure("dx", this.result, "place", "handed on"),
    ].filter(Boolean);
    this.maps = figures;
    const signs = { y: "→", dy: "", won: "", in: "", dx: "→" };
    this.element.replaceChildren(...this.selects(), make("div", { class: "meeting" },
      ...figures.map(({ name, element }) => (signs[name] ? after(signs[name], element) : element))), this.equation);
  }

  figure(name, array, of, label) {
    const [rows, columns] = array.kept.slice(-2), index = (i, j) => this.index(i, j);
    const plane = { rows, columns, index, value: (i, j) => array.at(index(i, j)) };
    const { scaleOf, tell, available } = this.context, across = (this.by === "place" ? 5 : 4) - (this.x ? 0 : 1) - (this.y ? 0 : 1);
    const map = new MarkedHeatmap({ name, planes: [plane], perRow: 1, available: roomFor(rows * columns, columns, Math.max(110, Math.floor(available / across) - 34), available), scale: scaleOf(array), tell,
      pick: of === this.by ? (at) => this.context.move(ravel(at.slice(-2), this.extent)) : null });
    if (of === this.by) map.canvas.classList.add("clickable");
    const leading = this.index(0, 0).slice(0, -2);
    map.canvas.setAttribute("aria-label", `${name}, ${label}`);
    const element = make("figure", {}, make("figcaption", {}, make("b", {}, named(name, [...leading, ":", ":"])), ` ${label}`),
      make("div", { class: "scroll" }, map.canvas), ...(array.remark ? [make("small", {}, array.remark)] : []));
    element.style.maxWidth = `max(${map.width}px + var(--bar), 120px)`;
    return { name, array, of, map, element };
  }

  selects() {
    const names = this.leading.length === 2 ? ["sample", "channel"] : ["channel"];
    const present = unravel(this.image, this.leading);
    return [make("div", { class: "controls" }, ...this.leading.flatMap((size, dim) => {
      if (size < 2) return [];
      const options = range(size).map((one) => make("option", { value: one, selected: one === present[dim] }, String(one)));
      const change = (event) => {
        present[dim] = Number(event.target.value);
        this.image = ravel(present, this.leading);
        this.build();
        this.update(this.at);
      };
      return [make("label", {}, `${names[dim] ?? `dim ${dim}`} `, make("select", { onchange: change }, ...options))];
    }))];
  }

  // The places of a window that lie in the image.
  cells(p, q) {
    const along = ([first, step, count], size) => range(count).map((tap) => first + tap * step).filter((place) => place >= 0 && place < size);
    const columns = along(this.view.columns[q], this.size[1]);
    return along(this.view.rows[p], this.size[0]).flatMap((row) => columns.map((column) => [row, column]));
  }

  // Where a window's winner is; undefined where that is not on the page.
  winnerOf(p, q) {
    const place = this.winner.at(this.index(p, q));
    return place === undefined ? undefined : [Math.floor(place / this.size[1]), place % this.size[1]];
  }

  windowsOver(i, j) {
    const covering = (windows, place) => range(windows.length).filter((number) => {
      const [first, step, count] = windows[number], tap = (place - first) / step;
      return Number.isInteger(tap) && tap >= 0 && tap < count;
    });
    const columns = covering(this.view.columns, j);
    return covering(this.view.rows, i).flatMap((p) => columns.map((q) => [p, q]));
  }

  update(at) {
    this.at = at;
    if (!this.count) return;
    if (this.by === "window") this.showWindow(unravel(at, this.extent));
    else this.showPlace(unravel(at, this.extent));
  }

  mark(places, windows) {
    for (const { map, of, array } of this.maps) {
      const inside = ([i, j]) => i < array.kept[array.kept.length - 2] && j < array.kept[array.kept.length - 1];
      map.mark((of === "place" ? places : windows)
        .map(({ cells, dashed }) => ({ plane: 0, cells: cells.filter(inside), dashed })).filter(({ cells }) => cells.length));
    }
  }

  showWindow([p, q]) {
    const cells = this.cells(p, q), winner = this.winner ? this.winnerOf(p, q) : null;
    this.mark([{ cells, dashed: true }, ...(winner ? [{ cells: [winner] }] : [])], [{ cells: [[p, q]] }]);
    const dy = this.dy.at(this.index(p, q)), given = this.x ? cells.map(([i, j]) => (this.winner ? show : factorText)(this.x.at(this.index(i, j)))) : null;
    const y = this.y?.at(this.index(p, q)), name = named("y", this.index(p, q));
    const shown = given && given.length > WHOLE_SUM ? [...given.slice(0, LARGEST_OF_SUM), "…"] : given;
    const lines = this.winner ? [
      shown ? `${name} = max(${shown.join(", ")}) = ${show(y, 6)}` : `${name} = ${show(y, 6)}`,
      winner ? `it stands at ${named("x", this.index(...winner))}, so ${named("dx", this.index(...winner))} gets ${named("dy", this.index(p, q))} = ${show(dy, 6)}`
        : "where it stands is not on this page",
    ] : [
      shown ? `${name} = ${show(this.share.at([p, q]))} · (${shown.join(" + ")}) = ${show(y, 6)}` : `${name} = ${show(y, 6)}`,
      `so each of these places gets ${show(this.share.at([p, q]))} · ${named("dy", this.index(p, q))} ${factorText(dy)} = ${show(this.share.at([p, q]) * dy, 6)}`,
    ];
    this.equation.replaceChildren(...lines.map((line) => make("div", {}, make("code", {}, line))));
  }

  showPlace([i, j]) {
    const over = this.windowsOver(i, j), known = over.filter(([p, q]) => this.dy.at(this.index(p, q)) !== undefined);
    const won = this.winner ? known.filter(([p, q]) => String(this.winnerOf(p, q)) === String([i, j])) : known;
    this.mark([{ cells: [[i, j]] }], [{ cells: over, dashed: true }, ...won.map((cell) => ({ cells: [cell] }))]);
    const weight = ([p, q]) => (this.share ? `${show(this.share.at([p, q]))} · ` : "");
    const terms = won.map((cell) => `${weight(cell)}${factorText(this.dy.at(this.index(...cell)))}`);
    const value = this.result.at(this.index(i, j)), missing = over.length - known.length;
    const sum = won.reduce((so, cell) => so + (this.share ? this.share.at(cell) : 1) * this.dy.at(this.index(...cell)), 0);
    if (missing) terms.push(`${factorText(value - sum)} (of ${counted(missing, "window")} not on this page)`);
    const where = this.winner ? `in ${counted(over.length, "window")}, won ${won.length}` : `in ${counted(over.length, "window")}`;
    const written = terms.length > 1 || (terms.length && this.share) ? `${terms.join(" + ")} = ` : "";
    this.equation.replaceChildren(make("code", {}, `${named("dx", this.index(i, j))} = ${written}`, make("strong", {}, show(value, 6)), ` (${where})`));
  }
}
