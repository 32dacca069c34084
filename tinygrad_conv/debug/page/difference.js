// Two recordings side by side: which pair of steps is looked at, and what is shown of it.

const SIGNS = { agrees: "=", parts: "≠" };
const BESIDE = 34; // pixels for the sign before an array

class Comparison extends Walk {
  constructor(contents) {
    super(contents.rows.length, contents.first);
    Object.assign(this, { contents, rows: contents.rows });
    this.arrays = contents.arrays.map((stored) => new Numbers(stored));
    this.parting = ["op", "number of ops"].includes(contents.what) ? "the first op that is another" : "the first place at which they part";
    this.parts.verdict.textContent = `${this.parting[0].toUpperCase()}${this.parting.slice(1)}: ${contents.verdict}`;
    if (contents.left_out) this.parts["left-out"].textContent = `Not on this page: ${counted(contents.left_out, "further op")}.`;
    this.buttons = this.rows.map((row, at) => this.button(row, at));
    this.parts.list.replaceChildren(...this.buttons);
    this.listen({ parting: () => this.go(contents.first) }, { p: "parting" });
    this.parts.all.addEventListener("change", () => this.show());
    this.readAddress();
    this.show();
  }

  button(row, at) {
    const sign = row.only ? { mine: "1st", other: "2nd" }[row.only] : `${SIGNS[row.forward]} ${SIGNS[row.backward]}`;
    const parts = !row.only && (row.forward === "parts" || row.backward === "parts");
    const first = at === this.contents.first, remark = first ? " ◀\uFE0E first" : "";
    return make("button", { class: `row${parts ? " parts" : ""}${row.only ? " only" : ""}${first ? " first" : ""}`, title: this.words(row), onclick: () => this.go(at) },
      make("span", { class: "signs" }, sign), make("span", { class: "name" }, `%${row.number} ${row.op}`, make("small", {}, ` ${row.layer}`), remark));
  }

  words(row) {
    if (row.only) return `in the ${{ mine: "first", other: "second" }[row.only]} run alone`;
    return `forward ${row.forward}, backward ${row.backward}`;
  }

  // `#op=4`: the fourth line of the list.
  readAddress() {
    const at = Number(new URLSearchParams(location.hash.slice(1)).get("op")) - 1;
    if (this.rows[at]) this.at = at;
  }

  get address() {
    return `#op=${this.at + 1}`;
  }

  show() {
    tell(null);
    const row = this.rows[this.at], place = `op ${this.at + 1} of ${this.count}`;
    this.showPlace(place, `${place}, %${row.number} ${row.op}, ${this.words(row)}`);
    markRow(this.buttons, this.at);
    const { list } = this.parts, button = this.buttons[this.at];
    list.scrollTop = Math.max(0, button.offsetTop - list.offsetTop - list.clientHeight / 2);
    this.available = Math.max(200, this.parts.step.clientWidth - 60);
    drawLegend(this.parts.legend, null);
    const apart = row.values.filter((value) => value.apart), all = this.parts.all.checked || !apart.length;
    const shown = all ? row.values : apart, hidden = row.values.length - shown.length;
    this.parts.step.replaceChildren(
      make("h2", {}, `%${row.number} ${row.op}`, row.layer ? make("span", { class: "layer" }, row.layer) : null),
      make("p", { class: "where" }, make("code", {}, row.text), make("small", {}, ` ${row.place}`)),
      make("dl", { class: "runs" }, make("dt", {}, "first run"), make("dd", {}, row.mine || "has no such op here"), make("dt", {}, "second run"), make("dd", {}, row.other || "has no such op here")),
      make("p", {}, this.sentence(row)),
      ...shown.map((value) => this.value(value)),
      ...(hidden ? [make("p", { class: "unknown" }, `${counted(hidden, "value")} of this op agree${hidden === 1 ? "s" : ""}; tick “what agrees, too” to see ${hidden === 1 ? "it" : "them"}.`)] : []));
  }

  sentence(row) {
    const here = this.at === this.contents.first ? ` This is ${this.parting}.` : "";
    if (row.only) return `This op ran ${this.words(row)}.${here}`;
    if (row.forward === "agrees" && row.backward === "agrees") return `Both runs agree here, forward and backward.${here}`;
    return `The forward ${row.forward}, the backward ${row.backward}.${here}`;
  }

  value(value) {
    const largest = value.largest === null ? "" : `, the largest difference is ${show(value.largest)}`;
    const words = !value.apart ? "agrees" : value.count === undefined ? "differs" : `${value.count.toLocaleString("en")} of ${counted(value.size, "number")} differ${largest}`;
    const heading = make("h3", {}, `${value.name} ${value.apart ? "≠" : "="} `, make("small", {}, words));
    return make("section", { class: `value${value.apart ? " parts" : ""}` }, heading, value.arrays ? this.pictures(value) : this.texts(value));
  }

  texts(value) {
    return make("dl", { class: "runs" }, make("dt", {}, "first run"), make("dd", {}, value.words[0]), make("dt", {}, "second run"), make("dd", {}, value.words[1]));
  }

  pictures(value) {
    const [mine, other, gap] = value.arrays.map((number) => this.arrays[number]), both = new Scale([mine, other]);
    const marked = this.at === this.contents.first && value.name === this.contents.what ? this.contents.index : null;
    return make("div", { class: "beside" },
      this.figure("first run", value.name, mine, both, marked), this.signed("−", this.figure("second run", value.name, other, both, marked)),
      this.signed("=", this.figure("difference", `${value.name}, difference`, gap, new Scale([gap]), marked)));
  }

  signed(sign, figure) {
    return make("div", { class: "after" }, make("span", { class: "sign" }, sign), figure);
  }

  figure(caption, name, array, scale, marked) {
    const room = window.innerWidth <= 640 ? this.available : this.available / 3, planes = planesOf(array);
    const available = Math.max(90, Math.min(room - BESIDE, 420));
    const map = new Heatmap({ name, planes, perRow: planesPerRow(array, available), scale, available, tell });
    const about = [array.type, array.range, array.remark].filter(Boolean).join(" · ");
    map.canvas.setAttribute("aria-label", `${caption}: ${name}, ${about}`);
    if (marked) this.mark(map, marked, array);
    return make("figure", { "data-array": `${name} ${caption}` }, make("figcaption", {}, make("b", {}, caption)), make("div", { class: "scroll" }, map.canvas), make("small", {}, about));
  }

  // Outlines the number that differs most, if it is on the page.
  mark(map, index, array) {
    if (array.at(index) === undefined) return;
    for (const [plane, cells] of map.planes.entries()) {
      for (const i of range(cells.rows)) {
        const j = range(cells.columns).find((column) => cells.index(i, column).join() === index.join());
        if (j !== undefined) return map.mark([{ plane, cells: [[i, j]] }]);
      }
    }
  }
}

opened(Comparison, "rows");
