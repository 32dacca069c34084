// The tape, as a list and as a graph. Ops of one layer's call are a group, which can be folded in both.

// The steps as a tree of layers: { path, key, steps, children }. A layer that is called twice is two groups.
function treeOf(steps) {
  const root = { path: "", key: "", steps: [], children: [] };
  let open = [root];
  for (const step of steps) {
    const parts = step.layer ? step.layer.split(".") : [];
    const paths = parts.map((_, at) => parts.slice(0, at + 1).join("."));
    let depth = 1;
    while (depth < open.length && open[depth].path === paths[depth - 1]) depth++;
    open = open.slice(0, depth);
    for (const path of paths.slice(depth - 1)) {
      const group = { path, key: `${path} ${step.number}`, steps: [], children: [] };
      open[open.length - 1].children.push(group);
      open.push(group);
    }
    for (const group of open) group.steps.push(step);
    open[open.length - 1].children.push(step);
  }
  return simplified(root);
}

// A group of a single step is that step, which bears the layer's name.
function simplified(group) {
  group.children = group.children.map((child) => {
    if (!child.children) return child;
    if (child.steps.length > 1) return simplified(child);
    return Object.assign(child.steps[0], { tag: child.steps[0].layer.split(".").pop() });
  });
  return group;
}

// What is drawn: steps, and groups that are folded.
function unfolded(group, folded) {
  return group.children.flatMap((child) => (child.children && !folded.has(child.key) ? unfolded(child, folded) : [child]));
}

class TapeList {
  constructor(tree, folded, go, refold) {
    Object.assign(this, { folded, go, refold, rows: new Map(), groups: new Map() });
    this.element = this.listOf(tree);
  }

  listOf(group) {
    return make("ul", {}, ...group.children.map((child) => make("li", {}, child.children ? this.groupOf(child) : this.rowOf(child))));
  }

  groupOf(group) {
    const details = make("details", { open: !this.folded.has(group.key) },
      make("summary", {}, group.path, make("small", {}, ` ${counted(group.steps.length, "op")}`)), this.listOf(group));
    details.addEventListener("toggle", () => this.refold(group.key, !details.open));
    this.groups.set(group.key, details);
    return details;
  }

  rowOf(step) {
    const mark = make("span", { class: "mark", "aria-hidden": "true" });
    const layer = step.tag ? make("small", {}, ` ${step.tag}`) : null;
    const row = make("button", { class: "row", title: `${step.call}\n${step.place}`, onclick: () => this.go(step) },
      mark, make("span", { class: "number" }, `%${step.number}`), ` ${step.op}`, layer);
    this.rows.set(step.number, { row, mark });
    return row;
  }

  // The current step, and those that the backward has passed: those that are newer.
  update(current) {
    for (const [number, { row, mark }] of this.rows) {
      const here = number === current.number, passed = number > current.number;
      mark.textContent = here ? "▶\uFE0E" : passed ? "✓" : "";
      row.classList.toggle("passed", passed);
      if (here) row.setAttribute("aria-current", "step");
      else row.removeAttribute("aria-current");
    }
    const { row } = this.rows.get(current.number);
    const box = row.closest("#list");
    if (box && row.offsetParent) box.scrollTop = row.offsetTop - box.offsetTop - box.clientHeight / 2;
  }
}

const BOW = 90; // by which an edge goes to the left

// Around what stands between two ops.
function bowOf(source, box) {
  return box.rank - source.rank > 1 && !source.leaf ? -BOW : 0;
}

// How far to the left the edge between two boxes goes: three quarters of the way to the points that bend it.
function leftmost(source, box) {
  return Math.min(source.x, box.x) + 0.75 * bowOf(source, box);
}

const RANK = 62, BOX_HEIGHT = 34, LEAF_HEIGHT = 24, SPACE = 14, LOWER = 22; // a leaf stands between two ops
const COLUMN = 4; // leaves one below the other
const LEAST_ZOOM = 0.6; // of a graph that is wider than its place; one that is wider still is scrolled

class Graph {
  constructor(tree, folded, go, goToLeaf, refold) {
    Object.assign(this, { tree, folded, go, goToLeaf, refold });
    this.element = shape("svg", { role: "group", "aria-label": "The graph of the ops" });
    this.layout();
  }

  // Boxes in rows: an op stands below all that it reads.
  layout() {
    const boxes = this.boxes();
    const ranks = [];
    for (const box of boxes.values()) {
      const above = box.from.filter((one) => !one.leaf).map((one) => one.rank);
      box.rank = Math.max(0, ...above) + (above.length || box.from.length ? 1 : 0);
    }
    for (const box of boxes.values()) {
      for (const leaf of box.from.filter((one) => one.leaf && one.rank === undefined)) {
        leaf.rank = box.rank - 1;
        leaf.reader = box;
      }
    }
    const all = [...boxes.values(), ...new Set([...boxes.values()].flatMap((box) => box.from.filter((one) => one.leaf)))];
    for (const box of all) (ranks[box.rank] ??= []).push(box);
    for (const row of ranks) if (row) this.placeOps(row.filter((box) => !box.leaf));
    ranks.forEach((row, rank) => this.placeLeaves(row, ranks[rank + 1] ?? []));
    this.shift(all, ranks);
    this.drawAll([...boxes.values()], all);
  }

  boxes() {
    const boxes = new Map(), leaves = new Map(), holder = new Map();
    for (const item of unfolded(this.tree, this.folded)) {
      const steps = item.children ? item.steps : [item];
      const box = { item, steps, from: [], text: item.children ? item.path : item.op, width: 0 };
      box.note = item.children ? `${counted(steps.length, "op")} ▸` : `%${item.number}${item.tag ? ` ${item.tag}` : ""}`;
      box.width = 18 + 7.2 * Math.max(box.text.length, box.note.length);
      for (const step of steps) holder.set(step.number, box);
      boxes.set(box, box);
    }
    for (const box of boxes.values()) {
      for (const input of box.steps.flatMap((step) => step.inputs)) {
        const source = this.sourceOf(input.source, leaves, holder);
        if (source && source !== box && !box.from.includes(source)) box.from.push(source);
      }
    }
    return boxes;
  }

  sourceOf(source, leaves, holder) {
    if (Array.isArray(source)) return holder.get(source[0]);
    if (source === null || source === undefined) return null;
    if (!leaves.has(source)) {
      const text = source.length > 22 ? `…${source.slice(-21)}` : source;
      leaves.set(source, { leaf: source, text, from: [], steps: [], width: 16 + 6.6 * text.length });
    }
    return leaves.get(source);
  }

  // Below what they read, without touching each other.
  placeOps(row) {
    for (const box of row) {
      const above = box.from.filter((one) => !one.leaf);
      box.wish = above.reduce((sum, one) => sum + one.x, 0) / (above.length || 1);
    }
    let free = -Infinity;
    for (const box of row.sort((one, other) => one.wish - other.wish)) {
      box.x = Math.max(box.wish, free + box.width / 2);
      free = box.x + box.width / 2 + SPACE;
    }
  }

  // Leaves at the right of the ops in their row and the next, up to four one below the other; the lines of the next ones run
  // between them.
  placeLeaves(row, next) {
    const leaves = row.filter((box) => box.leaf), ops = [...row, ...next].filter((box) => !box.leaf);
    let free = Math.max(...ops.map((box) => box.x + box.width / 2)) + SPACE;
    for (let first = 0; first < leaves.length; first += COLUMN) {
      const column = leaves.slice(first, first + COLUMN), width = Math.max(...column.map((box) => box.width));
      const lower = (first / COLUMN) % 2 ? 0.5 : 0;
      column.forEach((box, place) => Object.assign(box, { x: free + width / 2, below: LOWER + (place + lower) * (LEAF_HEIGHT + 3) }));
      free += width + SPACE;
    }
  }

  // Where each row begins: below a row with more than two leaves in a column there is room for them.
  rowTops(ranks) {
    let top = 0;
    return ranks.map((row) => {
      const began = top, most = Math.min(COLUMN, (row ?? []).filter((box) => box.leaf).length);
      top += RANK + Math.max(0, most - 2) * (LEAF_HEIGHT + 3);
      return began;
    });
  }

  shift(all, ranks) {
    const left = Math.min(...all.flatMap((box) => [box.x - box.width / 2, ...box.from.map((source) => leftmost(source, box))]));
    const tops = this.rowTops(ranks), down = (box) => tops[box.rank] + (box.below ?? 0), top = Math.min(...all.map(down));
    for (const box of all) {
      box.x += 8 - left;
      box.y = 8 + down(box) - top;
    }
    this.width = Math.max(...all.map((box) => box.x + box.width / 2)) + 8;
    this.height = Math.max(...all.map((box) => box.y)) + BOX_HEIGHT + 8;
  }

  drawAll(ops, all) {
    this.element.replaceChildren();
    this.element.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.element.style.maxWidth = `${this.width}px`;
    this.element.style.minWidth = `${LEAST_ZOOM * this.width}px`;
    this.edges = ops.flatMap((box) => box.from.map((source) => ({ box, source, path: this.edge(source, box) })));
    this.drawn = all.map((box) => ({ box, group: this.box(box) }));
  }

  draw(tag, attributes, parent = this.element, text) {
    return parent.appendChild(shape(tag, attributes, text));
  }

  edge(source, box) {
    if (source.leaf) {
      const left = source.x - source.width / 2, middle = source.y + LEAF_HEIGHT / 2;
      return this.draw("path", { d: `M${left},${middle} C${left - SPACE},${middle} ${box.x},${middle} ${box.x},${box.y}`, class: "edge" });
    }
    const top = source.y + BOX_HEIGHT, half = (box.y - top) / 2;
    const bow = bowOf(source, box);
    const d = `M${source.x},${top} C${source.x + bow},${top + half} ${box.x + bow},${box.y - half} ${box.x},${box.y}`;
    return this.draw("path", { d, class: "edge" });
  }

  box(box) {
    const group = this.draw("g", { role: "button", tabindex: 0, class: box.leaf ? "leaf" : box.item.children ? "group" : "op" });
    const height = box.leaf ? LEAF_HEIGHT : BOX_HEIGHT;
    this.draw("rect", { x: box.x - box.width / 2, y: box.y, width: box.width, height, rx: box.leaf ? 12 : 6 }, group);
    this.draw("text", { x: box.x, y: box.y + (box.leaf ? 16 : 14) }, group, box.text);
    if (!box.leaf) this.draw("text", { x: box.x, y: box.y + 28, class: "note" }, group, box.note);
    group.setAttribute("aria-label", box.leaf ? `leaf ${box.leaf}` : `${box.text}, ${box.note}`);
    const act = () => (box.leaf ? this.goToLeaf(box.leaf) : box.item.children ? this.refold(box.item.key, false) : this.go(box.item));
    group.addEventListener("click", act);
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      act();
    });
    return group;
  }

  update(current, leaf) {
    for (const { box, group } of this.drawn) {
      const here = leaf ? box.leaf === leaf : box.steps.some((step) => step === current);
      group.classList.toggle("current", here);
      group.classList.toggle("passed", !here && box.steps.length > 0 && box.steps.every((step) => step.number > current.number));
      if (here) this.reveal(box);
    }
    for (const { box, path } of this.edges) {
      path.classList.toggle("passed", box.steps.some((step) => step.number >= current.number));
    }
  }

  reveal(box) {
    const frame = this.element.parentElement;
    if (!frame) return;
    const zoom = this.element.clientWidth / this.width || 1;
    frame.scrollTop = zoom * box.y - frame.clientHeight / 2;
    frame.scrollLeft = zoom * box.x - frame.clientWidth / 2;
  }
}
