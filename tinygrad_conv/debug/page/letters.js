// The letters of a kernel's weights, a b c … row by row. A weight keeps its letter and its colour wherever it is seen: in the
// kernel, in the kernel turned by 180°, in a stamp. The letter alone says which weight it is; the colour is for quick eyes.

const ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const ROOMY = 17, LEAST_CELL = 12, LEAST_CORNER = 6; // pixels of a cell with room for a letter and outlines, a letter, a coloured corner

// What the weight at [a, b] of a kernel with so many rows and columns is called, and its colour.
class Letter {
  constructor([a, b], [rows, columns]) {
    const number = a * columns + b, round = Math.floor(number / ALPHABET.length);
    this.text = ALPHABET[number % ALPHABET.length] + (round || "");
    this.hue = Math.round((360 * number) / (rows * columns));
    this.dark = number % 2 === 1; // neighbours differ in lightness too
  }

  get ground() {
    return `hsl(${this.hue} 70% ${this.dark ? 27 : 80}%)`;
  }

  get ink() {
    return this.dark ? "#fff" : "#000";
  }

  // As a part of a text.
  get element() {
    const letter = make("b", { class: "letter" }, this.text);
    Object.assign(letter.style, { background: this.ground, color: this.ink });
    return letter;
  }
}

// Draw a letter into the corner of a heatmap's cell: [x, y] is the cell's own.
function drawLetter(pen, letter, x, y, { width, height }) {
  const side = Math.min(width, height);
  if (side < LEAST_CORNER) return;
  if (side >= ROOMY) [x, y] = [x + 2, y + 2]; // beside an outline
  const square = side < LEAST_CELL ? Math.ceil(side / 2) : Math.min(13, Math.max(10, Math.round(0.6 * side)));
  pen.fillStyle = letter.ground;
  pen.fillRect(x, y, square, square);
  if (side < LEAST_CELL) return;
  pen.strokeStyle = letter.ink;
  pen.lineWidth = 1;
  pen.strokeRect(x + 0.5, y + 0.5, square - 1, square - 1);
  pen.fillStyle = letter.ink;
  pen.font = `bold ${square - 2}px ui-monospace, Menlo, Consolas, monospace`;
  pen.fillText(letter.text, x + square / 2, y + square / 2 + 0.5, square - 2);
}
