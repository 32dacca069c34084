"use strict";
// The arrays of the page: of large ones only a leading corner, `kept` of the whole `shape`.

const TYPED_ARRAYS = { i1: Int8Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };

class Numbers {
  constructor(stored) {
    const { shape, kept, dtype, low, high, nonfinite } = stored;
    Object.assign(this, { shape, kept, dtype, low, high, nonfinite, stored });
    this.size = shape.reduce((product, size) => product * size, 1);
  }

  // Decoded when somebody looks.
  get values() {
    if (!this.decoded) {
      const bytes = Uint8Array.from(atob(this.stored.data), (letter) => letter.charCodeAt(0));
      this.decoded = new TYPED_ARRAYS[this.stored.kind](bytes.buffer);
    }
    return this.decoded;
  }

  // The number at an index; undefined where it was left out.
  at(index) {
    let place = 0;
    for (let dim = 0; dim < this.kept.length; dim++) {
      if (!(index[dim] >= 0 && index[dim] < this.kept[dim])) return undefined;
      place = place * this.kept[dim] + index[dim];
    }
    return this.values[place];
  }

  get thinned() {
    return this.kept.some((size, dim) => size < this.shape[dim]);
  }

  // The largest size of a finite number in it.
  get reach() {
    return this.low === null ? 0 : Math.max(Math.abs(this.low), Math.abs(this.high));
  }

  get type() {
    return `${this.dtype} [${this.shape.join(", ")}]`;
  }

  get range() {
    const odd = this.nonfinite ? `, ${this.nonfinite.toLocaleString("en")} not finite` : "";
    if (this.low === null) return this.size ? `no finite number${odd}` : "empty";
    return (this.low === this.high ? `${show(this.low)}` : `${show(this.low)} … ${show(this.high)}`) + odd;
  }

  // What was left out, in words.
  get remark() {
    if (!this.thinned) return "";
    const parts = this.kept.flatMap((size, dim) =>
      size < this.shape[dim] ? [`${size} of ${this.shape[dim].toLocaleString("en")} along dim ${dim}`] : []);
    return `on this page: the first ${parts.join(", the first ")}`;
  }
}

// The index of the number-th element of an array of this shape, counted row by row.
function unravel(number, shape) {
  const index = new Array(shape.length);
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    index[dim] = number % shape[dim];
    number = Math.floor(number / shape[dim]);
  }
  return index;
}

function ravel(index, shape) {
  return index.reduce((number, at, dim) => number * shape[dim] + at, 0);
}

// A number with at most so many digits that matter.
function show(value, digits = 4) {
  if (value === undefined || value === null) return "?";
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return "0";
  return String(Number(value.toPrecision(Number.isInteger(value) && Math.abs(value) < 1e6 ? 7 : digits)));
}

// A number in about five letters, as it is written into a cell.
function brief(value) {
  const size = Math.abs(value), text = size > 0 && (size < 0.001 || size >= 1e5) ? value.toExponential(0) : show(value, size < 0.1 ? 2 : 3);
  return text.replace("e+", "e").replaceAll("-", "−");
}

// The same in a sum of products: negative ones in brackets.
function factor(value) {
  return value < 0 ? `(${show(value)})` : show(value);
}

// `1 op`, `1,204 ops`.
function counted(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

function named(name, index) {
  return index.length ? `${name}[${index.join(", ")}]` : name;
}

// An element with attributes, children and listeners: make("button", { type: "button", onclick: … }, "text").
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// The same of a drawing.
function shape(tag, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function range(count) {
  return Array.from({ length: Math.max(0, count) }, (_, number) => number);
}
