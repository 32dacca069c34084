// Arrays as small pictures for the overview: nothing to click in them, so many fit on a page.

const PICTURE = { side: 38, most: 76, gap: 4, lines: 2 }; // pixels of a plane: about, at most; between planes; lines of planes
const KERNEL = { side: 13, most: 40, gap: 4, lines: 3 };
const CELL = 10; // pixels of a number of a vector or a matrix, at most
const STRIP = 32; // numbers of a vector in a row

// The planes of an array: of the sample, if its first dimension counts `samples`.
function planesOfSample(array, sample, samples) {
  const sampled = array.kept.length > 1 && array.shape[0] === samples;
  const lead = sampled ? [Math.min(sample, array.kept[0] - 1)] : [], dims = array.kept.slice(lead.length);
  if (dims.length < 2) {
    const count = dims[0] ?? 1, columns = Math.min(count, STRIP), at = (i, j) => (dims.length ? [...lead, i * columns + j] : lead);
    return [{ rows: Math.ceil(count / columns), columns, value: (i, j) => (i * columns + j < count ? array.at(at(i, j)) : undefined) }];
  }
  const [rows, columns] = dims.slice(-2), leading = dims.slice(0, -2), count = leading.reduce((product, size) => product * size, 1);
  return range(count).map((number) => {
    const before = [...lead, ...unravel(number, leading)];
    return { rows, columns, value: (i, j) => array.at([...before, i, j]) };
  });
}

// How large the cells of a picture are, and how many of the array's it leaves out between them, for rows and for columns. Cells
// are squares, but for a vector and a matrix that is much wider than high, or higher than wide.
function cellsOf({ rows, columns }, alone, width, size) {
  const wide = alone && (rows === 1 || rows * 4 < columns || columns * 4 < rows || columns === STRIP);
  const most = [wide ? size.most : Math.min(size.most, width), wide ? Math.min(width, 3 * size.most) : Math.min(size.most, width)];
  const steps = [rows, columns].map((count, axis) => Math.ceil(count / most[axis]));
  const shown = [rows, columns].map((count, axis) => Math.ceil(count / steps[axis]));
  const fit = shown.map((count, axis) => Math.max(1, Math.min(CELL, Math.floor(most[axis] / count))));
  if (wide) return { steps, shown, cells: fit };
  const step = Math.max(...steps), whole = [rows, columns].map((count) => Math.ceil(count / step));
  const side = Math.max(1, Math.floor(Math.min(size.side, most[1]) / Math.max(...whole)));
  return { steps: [step, step], shown: whole, cells: [side, side] };
}

// A canvas with as many planes as there is room for, which is painted by `paint` when somebody sees it; null without numbers.
function smallPicture(array, { sample, samples, width, scale, size }) {
  if (!array || array.kept.some((count) => count === 0)) return null;
  const planes = planesOfSample(array, sample, samples), form = cellsOf(planes[0], planes.length === 1, width, size), { gap } = size;
  const [down, across] = form.shown.map((count, axis) => count * form.cells[axis]);
  const fit = Math.max(1, Math.floor((width + gap - 2) / (across + gap))), shown = planes.slice(0, fit * size.lines);
  const lines = Math.ceil(shown.length / fit), perRow = Math.ceil(shown.length / lines), canvas = make("canvas", { "aria-hidden": "true" });
  canvas.width = perRow * (across + gap) - gap + 2;
  canvas.height = lines * (down + gap) - gap + 2;
  canvas.paint = () => {
    const pen = canvas.getContext("2d");
    shown.forEach((plane, number) => {
      const x = 1 + (number % perRow) * (across + gap), y = 1 + Math.floor(number / perRow) * (down + gap);
      paintPlane(pen, plane, { x, y, scale, ...form });
    });
  };
  return { canvas, left: planes.length - shown.length };
}

// With a thin frame: zeros are white, and so may the page be.
function paintPlane(pen, plane, { x, y, steps, shown, cells, scale }) {
  const [height, width] = cells;
  for (let row = 0; row < shown[0]; row++) {
    const line = range(shown[1]).map((column) => plane.value(row * steps[0], column * steps[1])).filter((value) => value !== undefined);
    pen.fillStyle = "rgba(128,128,128,0.6)";
    if (line.length) pen.fillRect(x - 1, y - 1 + row * height, line.length * width + 2, height + 2);
  }
  for (let row = 0; row < shown[0]; row++) {
    for (let column = 0; column < shown[1]; column++) {
      const value = plane.value(row * steps[0], column * steps[1]);
      if (value === undefined) continue;
      pen.fillStyle = Number.isFinite(value) ? `rgb(${scale.rgb(value).join(",")})` : "#b3005e";
      pen.fillRect(x + column * width, y + row * height, width, height);
    }
  }
}
