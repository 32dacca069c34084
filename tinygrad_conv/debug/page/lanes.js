// The memory of a program as lanes from left to right: a bar for each value, while somebody will read it.

const LANE = { height: 14, gap: 4, left: 76, right: 10, times: 54 };

class Lanes {
  constructor(contents, go) {
    const { calls, lanes, slots } = contents;
    Object.assign(this, { calls, lanes, slots, go, timed: contents.step !== null, byTime: false, at: 0 });
    this.svg = shape("svg", { role: "img" });
    this.svg.addEventListener("click", (event) => this.clicked(event));
  }

  // Where each call begins, and the last one ends, from 0 to 1.
  get edges() {
    const widths = this.calls.map((call) => (this.byTime ? call.microseconds : 1));
    const whole = widths.reduce((sum, width) => sum + width, 0) || 1;
    let sum = 0;
    return [0, ...widths.map((width) => (sum += width) / whole)];
  }

  // Drawn for a width in pixels, so that letters stay as they are.
  draw(width) {
    const { height, gap, left, right, times } = LANE, top = this.timed ? times : gap;
    const tall = top + this.lanes.length * (height + gap);
    this.width = width;
    this.places = this.edges.map((share) => left + share * (width - left - right));
    this.svg.setAttribute("height", tall);
    this.svg.replaceChildren(...(this.timed ? this.times(times - 2 * gap) : []));
    this.bars = new Map();
    this.lanes.forEach((lane, row) => this.drawLane(lane, top + row * (height + gap)));
    this.now = shape("rect", { class: "now", y: 0, height: tall });
    this.svg.append(this.now);
    this.mark(this.at);
  }

  // A column for each call, as high as it takes long.
  times(tall) {
    const most = Math.max(...this.calls.map((call) => call.microseconds));
    const columns = this.calls.map((call, number) => {
      const height = Math.max(1, tall * call.microseconds / most);
      const x = this.places[number], width = Math.max(1, this.places[number + 1] - x - 1);
      return shape("rect", { class: `time ${call.way}`, x, width, y: tall - height, height });
    });
    return [shape("text", { x: LANE.left - 8, y: 11 }, most < 1000 ? timed(most) : `${show(most / 1000, 3)} ms`), ...columns];
  }

  drawLane(lane, y) {
    const { left, right, height } = LANE, fresh = lane.buffer === null;
    this.svg.append(shape("text", { x: left - 8, y: y + 11 }, fresh ? "fresh" : `buffer ${lane.buffer}`));
    this.svg.append(shape("rect", { class: "lane", x: left, width: this.width - left - right, y, height }));
    for (const value of lane.values) {
      const end = Math.min(value.last + 1, this.calls.length);
      const x = this.places[value.first] + 0.5, width = Math.max(1.5, this.places[end] - x - 0.5);
      const way = this.calls[value.first].way;
      const bar = shape("rect", { class: `value ${way}${fresh ? " fresh" : ""}`, x, width, y, height, rx: 2 });
      bar.append(shape("title", {}, this.told(value)));
      this.svg.append(bar);
      if (fresh) this.svg.append(shape("path", { class: `stripes ${way}`, d: stripes(x, width, y, height) }));
      this.bars.set(value.slot, bar);
    }
  }

  told({ slot, first, last }) {
    const until = last >= this.calls.length ? "to the end: it is returned" : `to call ${last + 1}`;
    return `${this.slots[slot].name} ${this.slots[slot].array}, from call ${first + 1} ${until}`;
  }

  // The call that is looked at, and the values that it reads and writes.
  mark(at) {
    this.at = at;
    const call = this.calls[at], used = [...call.reads, ...call.writes].map((slot) => this.slots[slot].owner);
    this.now.setAttribute("x", this.places[at]);
    this.now.setAttribute("width", Math.max(2, this.places[at + 1] - this.places[at]));
    for (const [slot, bar] of this.bars) bar.classList.toggle("used", used.includes(slot));
    this.svg.setAttribute("aria-label", `${this.lanes.length} lanes of memory; call ${at + 1}: ${call.call}`);
  }

  clicked(event) {
    const x = event.clientX - this.svg.getBoundingClientRect().left;
    const call = this.places.findIndex((place, number) => number > 0 && x < place) - 1;
    if (x >= LANE.left) this.go(call < 0 ? this.calls.length - 1 : call);
  }
}

// Microseconds.
function timed(value) {
  return `${value.toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} µs`;
}

function stripes(x, width, y, height) {
  const lines = range(Math.floor(width / 7)).map((number) => `M${x + 7 * number + 1} ${y + height - 1}l5 ${2 - height}`);
  return lines.join("") || `M${x} ${y}`;
}
