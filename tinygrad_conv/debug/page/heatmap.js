// Arrays as coloured cells: blue below 0, white at 0, orange above it, the darker the larger. Blue and orange are told apart
// with every kind of colour vision.

const DIVERGING = ["#053061", "#2166ac", "#4393c3", "#92c5de", "#ffffff", "#fdb863", "#e08214", "#b35806", "#7f3b08"]
  .map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));

const NUMBER_CELL = { width: 48, height: 32 };
const MOST_WRITTEN = 64; // cells of an array whose numbers are written into them
const BEND = 0.65; // below 1: small numbers differ more than large ones
const GAP = 8; // pixels between planes
const ROOM = 4; // pixels around them, for outlines

// Which colour a number has: one rule for all arrays that it was made for. Colours follow a power of a number's size, so that
// small numbers can be told apart too: the more so, the smaller one array's are beside another's.
class Scale {
  constructor(arrays) {
    const reaches = arrays.map((array) => array.reach).filter((reach) => reach > 0);
    this.largest = Math.max(0, ...reaches);
    const ratio = reaches.length ? Math.min(...reaches) / this.largest : 1;
    this.bend = ratio < 1 ? Math.min(BEND, Math.max(0.25, Math.log(0.25) / Math.log(ratio))) : BEND;
  }

  // From -1 to 1.
  place(value) {
    return this.largest ? Math.sign(value) * Math.min(1, Math.abs(value) / this.largest) ** this.bend : 0;
  }

  value(place) {
    return Math.sign(place) * Math.abs(place) ** (1 / this.bend) * this.largest;
  }

  rgb(value) {
    return this.rgbAt(this.place(value));
  }

  // Of a place from -1 to 1.
  rgbAt(at) {
    const place = ((at + 1) / 2) * (DIVERGING.length - 1);
    const below = Math.min(Math.floor(place), DIVERGING.length - 2);
    return DIVERGING[below].map((value, channel) => Math.round(value + (DIVERGING[below + 1][channel] - value) * (place - below)));
  }
}

// Planes of cells in rows of `perRow`. A plane: { rows, columns, value(i, j), index(i, j), hole }; its value is undefined where
// there is no cell, and null where there is a 0 that stands for nothing: `hole` says what it is.
class Heatmap {
  constructor({ name, planes, perRow, scale, available, pick, tell }) {
    Object.assign(this, { name, planes, perRow, scale, pick, tell, marks: [], letters: [], cursor: null });
    this.measure(available);
    this.canvas = make("canvas", {
      tabindex: 0, role: "application", "aria-roledescription": "heatmap",
      onmousemove: (event) => this.point(this.cellAt(event), event),
      onmouseleave: () => this.point(this.cursor),
      onclick: (event) => this.choose(this.cellAt(event)),
      onkeydown: (event) => this.key(event),
      onfocus: () => this.point(this.cursor ?? this.firstCell()),
      onblur: () => { this.cursor = null; this.tell(null); this.draw(); },
    });
    const lines = Math.ceil(planes.length / perRow);
    this.width = Math.min(perRow, planes.length) * (this.planeWidth + GAP) - GAP + 2 * ROOM;
    this.height = lines * (this.planeHeight + GAP) - GAP + 2 * ROOM;
    const ratio = Math.max(1, window.devicePixelRatio || 1);
    this.canvas.width = this.width * ratio;
    this.canvas.height = this.height * ratio;
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.height = `${this.height}px`;
    this.ratio = ratio;
    this.draw();
  }

  // The size of a cell: as large as there is room for, and large enough for its number where there are few.
  measure(available) {
    const { planes, perRow } = this;
    const rows = Math.max(...planes.map((plane) => plane.rows)), columns = Math.max(...planes.map((plane) => plane.columns));
    const across = Math.min(perRow, planes.length), cells = planes.length * rows * columns;
    const gaps = (across - 1) * GAP + 2 * ROOM;
    this.written = cells <= MOST_WRITTEN && across * columns * NUMBER_CELL.width + gaps <= available;
    const side = Math.max(3, Math.min(18, Math.floor((available - gaps) / (across * columns))));
    this.cell = this.written ? NUMBER_CELL : { width: side, height: side };
    this.planeWidth = columns * this.cell.width;
    this.planeHeight = rows * this.cell.height;
  }

  corner(number) {
    const across = number % this.perRow, down = Math.floor(number / this.perRow);
    return [ROOM + across * (this.planeWidth + GAP), ROOM + down * (this.planeHeight + GAP)];
  }

  firstCell() {
    return this.planes.length ? { plane: 0, i: 0, j: 0 } : null;
  }

  cellAt(event) {
    const bounds = this.canvas.getBoundingClientRect();
    const x = event.clientX - bounds.left - ROOM, y = event.clientY - bounds.top - ROOM;
    const across = Math.floor(x / (this.planeWidth + GAP)), down = Math.floor(y / (this.planeHeight + GAP));
    const j = Math.floor((x - across * (this.planeWidth + GAP)) / this.cell.width);
    const i = Math.floor((y - down * (this.planeHeight + GAP)) / this.cell.height);
    const plane = this.planes[down * this.perRow + across];
    const inside = x >= 0 && y >= 0 && across < this.perRow && plane && i < plane.rows && j < plane.columns;
    return inside ? { plane: down * this.perRow + across, i, j } : null;
  }

  // A cell is looked at, by mouse or keyboard.
  point(cell, event) {
    if (!cell) return this.tell(null);
    const plane = this.planes[cell.plane], value = plane.value(cell.i, cell.j), index = plane.index(cell.i, cell.j);
    if (value === undefined) return this.tell(null);
    const text = value === null ? `${plane.hole ?? "padding"}: 0` : `${named(this.name, index)} = ${show(value, 7)}${this.lettered(cell)}`;
    if (!event) { this.cursor = cell; this.draw(); }
    this.tell(text, event ?? this.middle(cell));
  }

  middle(cell) {
    const bounds = this.canvas.getBoundingClientRect(), [left, top] = this.corner(cell.plane);
    return {
      clientX: bounds.left + left + (cell.j + 0.5) * this.cell.width,
      clientY: bounds.top + top + (cell.i + 0.5) * this.cell.height,
    };
  }

  choose(cell) {
    if (!cell || !this.pick) return;
    const plane = this.planes[cell.plane];
    if (typeof plane.value(cell.i, cell.j) === "number") this.pick(plane.index(cell.i, cell.j));
  }

  key(event) {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (event.key === "Enter" || event.key === " ") {
      this.choose(this.cursor);
      this.point(this.cursor); // the page may have scrolled
    } else if (event.key in moves && this.cursor) this.move(...moves[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Over the edge of a plane the cursor goes on in the next one.
  move(down, right) {
    let { plane, i, j } = this.cursor;
    const { rows, columns } = this.planes[plane];
    i += down;
    j += right;
    if (j < 0 || j >= columns) [plane, j] = [plane + Math.sign(right), j < 0 ? columns - 1 : 0];
    if (i < 0 || i >= rows) [plane, i] = [plane + Math.sign(down) * this.perRow, i < 0 ? rows - 1 : 0];
    if (this.planes[plane] && this.planes[plane].value(i, j) !== undefined) this.point({ plane, i, j });
  }

  // Outlined cells, and the letters of weights in some: { cell, letter }.
  mark(marks, letters = []) {
    Object.assign(this, { marks, letters });
    this.draw();
  }

  // How far the numbers make room for letters.
  get lower() {
    return this.letters.length ? 7 : 0;
  }

  lettered({ i, j }) {
    const here = this.letters.find(({ cell }) => cell[0] === i && cell[1] === j);
    return here ? `, weight ${here.letter.text}` : "";
  }

  draw() {
    const pen = this.canvas.getContext("2d");
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    this.planes.forEach((plane, number) => this.drawPlane(pen, plane, number));
    for (const { cell: [i, j], letter } of this.letters) drawLetter(pen, letter, ROOM + j * this.cell.width, ROOM + i * this.cell.height, this.cell);
    for (const mark of this.marks) this.drawMark(pen, mark);
    if (this.cursor) this.outline(pen, this.cursor.plane, [[this.cursor.i, this.cursor.j]], [3, 2]);
  }

  drawPlane(pen, plane, number) {
    const [left, top] = this.corner(number), { width, height } = this.cell;
    const line = width >= 6 ? 1 : 0;
    this.drawGround(pen, plane, left, top, line);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.font = "13px ui-monospace, Menlo, Consolas, monospace";
    for (let i = 0; i < plane.rows; i++) {
      for (let j = 0; j < plane.columns; j++) {
        const value = plane.value(i, j);
        if (value === undefined) continue;
        const x = left + j * width, y = top + i * height;
        this.drawCell(pen, value, x, y, width - line, height - line);
      }
    }
  }

  // What is seen between the cells and around them: zeros are white, and so may the page be.
  drawGround(pen, plane, left, top, line) {
    const { width, height } = this.cell;
    pen.fillStyle = "rgba(128,128,128,0.4)";
    for (let i = 0; i < plane.rows; i++) {
      const columns = range(plane.columns).filter((j) => plane.value(i, j) !== undefined).length;
      if (columns) pen.fillRect(left - 1, top + i * height - 1, columns * width + 2 - line, height + 2 - line);
    }
  }

  drawCell(pen, value, x, y, width, height) {
    if (value === null) return this.drawHole(pen, x, y, width, height);
    if (!Number.isFinite(value)) return this.drawOdd(pen, value, x, y, width, height);
    const [red, green, blue] = this.scale.rgb(value);
    pen.fillStyle = `rgb(${red},${green},${blue})`;
    pen.fillRect(x, y, width, height);
    if (!this.written) return;
    pen.fillStyle = 0.3 * red + 0.59 * green + 0.11 * blue > 105 ? "#000" : "#fff";
    pen.fillText(brief(value), x + width / 2, y + height / 2 + this.lower, width - 2);
  }

  // Padding, and zeros put between: an empty cell with a dot.
  drawHole(pen, x, y, width, height) {
    pen.clearRect(x, y, width, height);
    pen.fillStyle = "rgba(128,128,128,0.18)";
    pen.fillRect(x, y, width, height);
    pen.fillStyle = "rgba(128,128,128,0.9)";
    if (this.written) return pen.fillText("0", x + width / 2, y + height / 2 + this.lower);
    if (width >= 6) pen.fillRect(x + width / 2 - 1, y + height / 2 - 1, 2, 2);
  }

  // NaN and infinities: crossed out.
  drawOdd(pen, value, x, y, width, height) {
    pen.fillStyle = "#fff";
    pen.fillRect(x, y, width, height);
    pen.fillStyle = pen.strokeStyle = "#b3005e";
    if (this.written) return pen.fillText(show(value), x + width / 2, y + height / 2, width - 2);
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x + width, y + height);
    pen.moveTo(x + width, y);
    pen.lineTo(x, y + height);
    pen.stroke();
  }

  // Cells outlined together, and one by one where there are gaps between them.
  drawMark(pen, { plane, cells, dashed }) {
    if (!cells.length) return;
    const rows = cells.map(([i]) => i), columns = cells.map(([, j]) => j);
    const box = [[Math.min(...rows), Math.min(...columns)], [Math.max(...rows), Math.max(...columns)]];
    const gaps = (box[1][0] - box[0][0] + 1) * (box[1][1] - box[0][1] + 1) > cells.length;
    this.outline(pen, plane, box, dashed ? [5, 3] : []);
    if (gaps && this.cell.width >= 6) for (const cell of cells) this.outline(pen, plane, [cell], [], 1.5);
  }

  outline(pen, plane, cells, dashes, thickness = 3) {
    const [left, top] = this.corner(plane), { width, height } = this.cell;
    const [first, last] = [cells[0], cells[cells.length - 1]];
    const x = left + first[1] * width, y = top + first[0] * height;
    const across = (last[1] - first[1] + 1) * width, down = (last[0] - first[0] + 1) * height;
    for (const [colour, extra, pattern] of [["#fff", 2, []], ["#c2185b", 0, dashes]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = thickness + extra;
      pen.setLineDash(pattern);
      pen.strokeRect(x - 0.5, y - 0.5, across, down);
    }
    pen.setLineDash([]);
  }
}

// The planes of an array: its last two dimensions; a vector in rows.
function planesOf(array) {
  const dims = array.kept.length, value = (index) => array.at(index);
  if (dims < 2) return [rowsOf(array)];
  const [rows, columns] = array.kept.slice(-2), leading = array.kept.slice(0, -2);
  const count = leading.reduce((product, size) => product * size, 1);
  return Array.from({ length: count }, (_, number) => {
    const before = unravel(number, leading);
    return { rows, columns, value: (i, j) => value([...before, i, j]), index: (i, j) => [...before, i, j] };
  });
}

const ROW = 24; // numbers of a vector in a row

function rowsOf(array) {
  const count = array.kept.length ? array.kept[0] : 1;
  const columns = count <= 1.5 * ROW ? Math.max(count, 1) : ROW;
  const index = (i, j) => (array.kept.length ? [i * columns + j] : []);
  const exists = (i, j) => i * columns + j < count;
  return { rows: Math.ceil(count / columns), columns, index, value: (i, j) => (exists(i, j) ? array.at(index(i, j)) : undefined) };
}

// How many planes stand beside each other: a sample's channels, as far as there is room.
function planesPerRow(array, available) {
  const inner = array.kept.slice(0, -2).reverse().find((size) => size > 1) ?? 1;
  const columns = array.kept[array.kept.length - 1] || 1;
  const least = array.size <= MOST_WRITTEN ? NUMBER_CELL.width : 3;
  const most = Math.max(1, Math.floor((available - 2 * ROOM + GAP) / (columns * least + GAP)));
  if (inner <= most) return inner;
  const even = range(most).map((fewer) => most - fewer).find((count) => inner % count === 0);
  return 2 * even >= most ? even : most; // lines of one length, if that wastes little
}

// The legend: the colours, with the numbers of a scale that they stand for; without one, with what they are of each array.
function drawLegend(canvas, scale) {
  const width = 230, height = 40, ratio = Math.max(1, window.devicePixelRatio || 1), margin = 22;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const shown = scale ?? new Scale([]);
  const pen = canvas.getContext("2d"), span = width - 2 * margin;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  for (let x = 0; x < span; x++) {
    pen.fillStyle = `rgb(${shown.rgbAt((2 * x) / (span - 1) - 1).join(",")})`;
    pen.fillRect(margin + x, 2, 1.5, 16);
  }
  pen.fillStyle = getComputedStyle(canvas).color;
  pen.font = "12px system-ui, sans-serif";
  pen.textAlign = "center";
  const places = scale ? [-1, -0.5, 0, 0.5, 1] : [-1, 0, 1];
  for (const place of places) {
    const x = margin + ((place + 1) / 2) * span;
    pen.fillRect(x - 0.5, 18, 1, 4);
    pen.fillText(scale ? brief(scale.value(place)) : { "-1": "−max", 0: "0", 1: "max" }[place], x, 34);
  }
  const [least, largest] = scale ? [show(-scale.largest), show(scale.largest)] : ["the most negative", "the largest of each array"];
  canvas.setAttribute("aria-label", `colours from ${least}, dark blue, over 0, white, to ${largest}, dark orange`);
}
