// The program of a replayed step: its calls, the one that is looked at, and what it reads and writes.

const KINDS = {
  forward: "an op's forward", rule: "a gradient rule", add: "the sum of two gradients", cast: "an operand in another dtype",
  tuple: "several values as one", function: "a function that is no op", deposit: "gradients go to .grad", step: "an optimiser's update",
};
const ORIGINS = { argument: "an argument of the step", outside: "a tensor from outside", constant: "a constant" };

class Program extends Walk {
  constructor(contents) {
    super(contents.calls.length, 0);
    Object.assign(this, { calls: contents.calls, slots: contents.slots });
    this.makers = new Map(this.calls.flatMap((call, number) => call.writes.map((slot) => [slot, number])));
    this.lanes = new Lanes(contents, (at) => this.go(at));
    this.parts.lanes.replaceChildren(this.lanes.svg);
    this.parts.measured.hidden = !this.lanes.timed;
    this.parts.note.textContent = contents.note;
    this.most = Math.max(...this.calls.map((call) => call.microseconds ?? 0));
    this.sum = this.calls.reduce((sum, call) => sum + (call.microseconds ?? 0), 0) || 1;
    this.rows = this.calls.map((call, number) => this.row(call, number));
    this.parts.list.replaceChildren(make("div", { class: `calls${this.lanes.timed ? " timed" : ""}` }, ...this.rows));
    this.listen();
    this.parts.across.addEventListener("change", () => this.fit());
    this.readAddress();
    this.fit();
  }

  // A call in the list.
  row(call, number) {
    const buffer = this.buffersOf(call)[0];
    const cells = [make("span", { class: "dot" }), make("span", { title: call.call }, call.call), make("span", {}, buffer === undefined ? "" : `buffer ${buffer}`)];
    if (this.lanes.timed) {
      const bar = make("i", {});
      bar.style.width = `${100 * call.microseconds / this.most}%`;
      cells.push(make("span", { class: "number" }, timed(call.microseconds)), make("span", { class: "bar", "aria-hidden": "true" }, bar));
    }
    return make("button", { class: `row ${call.way}`, onclick: () => this.go(number) }, ...cells);
  }

  buffersOf(call) {
    return call.writes.map((slot) => this.slots[slot].buffer).filter((buffer) => buffer !== null);
  }

  key(event) {
    if (event.key !== "b") return super.key(event);
    this.goToNextInBuffer();
    return true;
  }

  // The next call that writes into the same buffer, and after the last one the first again.
  goToNextInBuffer() {
    const buffer = this.buffersOf(this.calls[this.at])[0];
    const same = range(this.calls.length).filter((number) => buffer !== undefined && this.buffersOf(this.calls[number]).includes(buffer));
    if (same.length) this.go(same.find((number) => number > this.at) ?? same[0]);
  }

  // `#call=3`: the address of a call.
  readAddress() {
    const number = Number(new URLSearchParams(location.hash.slice(1)).get("call"));
    if (number >= 1 && number <= this.calls.length) this.at = number - 1;
  }

  get address() {
    return `#call=${this.at + 1}`;
  }

  fit() {
    this.lanes.byTime = this.lanes.timed && this.parts.across.value === "time";
    this.lanes.draw(Math.max(300, this.parts.lanes.clientWidth));
    this.show();
  }

  show() {
    this.showPlace(`call ${this.at + 1} of ${this.count}`);
    markRow(this.rows, this.at);
    this.scrollTo(this.rows[this.at]);
    this.lanes.mark(this.at);
    this.showCall(this.calls[this.at]);
  }

  // The list alone moves, not the page.
  scrollTo(row) {
    const { list } = this.parts, top = row.offsetTop; // from the list's own top
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + row.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top + row.offsetHeight - list.clientHeight;
  }

  showCall(call) {
    const heading = make("h2", {}, call.name, call.layer ? make("span", { class: "layer" }, call.layer) : null);
    this.parts.step.replaceChildren(
      heading,
      make("p", { class: "call" }, make("code", {}, call.call)),
      make("p", { class: "where" }, `${KINDS[call.kind]}; ${call.line}`),
      ...(call.source ? [make("pre", { class: "source" }, call.source)] : []),
      ...(this.lanes.timed ? [make("p", { class: "share" }, `${timed(call.microseconds)}, ${(100 * call.microseconds / this.sum).toFixed(1)} % of all calls`)] : []),
      ...this.values("Reads", call.reads),
      ...this.values("Makes", call.writes),
    );
  }

  values(title, slots) {
    if (!slots.length) return [];
    return [make("h3", {}, title), make("ul", {}, ...slots.map((slot) => this.value(slot, title === "Reads")))];
  }

  // A value: what it is, the call that made it, and its memory.
  value(number, linked) {
    const slot = this.slots[number], maker = this.makers.get(number);
    const parts = [make("code", {}, slot.name), slot.name === slot.array ? "" : ` ${slot.array}`];
    if (slot.origin in ORIGINS) parts.push(`, ${ORIGINS[slot.origin]}`);
    else if (linked && maker !== undefined) parts.push(", made by ", this.link(maker));
    if (slot.bytes) parts.push(`; ${this.memoryOf(slot, number)}`);
    return make("li", {}, ...parts);
  }

  memoryOf(slot, number) {
    if (slot.owner !== number) return `it shows the memory of ${this.slots[slot.owner].name}`;
    return `${counted(slot.bytes, "byte")} ${slot.buffer === null ? "of fresh memory" : `in buffer ${slot.buffer}`}`;
  }

  link(number) {
    return make("button", { class: "link", onclick: () => this.go(number) }, `call ${number + 1}, ${this.calls[number].name}`);
  }
}

opened(Program, "calls");
