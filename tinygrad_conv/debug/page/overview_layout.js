// Where the cards of the overview stand, and how the arrows between them run: no elements, only numbers.

const CARD = { least: 140, most: 330, gap: 14, between: 48 }; // pixels: widths, and the space between cards and between lines
const LANE = 12, MOST_LANES = 8; // pixels between arrows that pass lines by; how many run beside each other

// What the overview draws: the steps, and the inputs of the net, { step or input, from: [{ node, slot }], readers } each.
function overviewNodes(page) {
  const steps = new Map(), inputs = new Map();
  for (const step of page.steps) {
    const node = { step, from: [], readers: [] };
    step.inputs.forEach((input, place) => {
      const source = Array.isArray(input.source) ? steps.get(input.source[0]) : place === 0 ? inputNode(page, step, input, inputs) : null;
      const slot = Array.isArray(input.source) ? input.source[1] : 0;
      if (!source || node.from.some((edge) => edge.node === source && edge.slot === slot)) return;
      node.from.push({ node: source, slot });
      source.readers.push(node);
    });
    steps.set(step.number, node);
  }
  const nodes = [...inputs.values(), ...steps.values()];
  rankNodes(nodes);
  return nodes;
}

// The images, or whatever an op reads first that no op has made; a single number is no picture.
function inputNode(page, step, input, inputs) {
  const array = page.array(input.value);
  if (Array.isArray(input.source) || (array && array.size <= 1)) return null;
  const key = typeof input.source === "string" ? input.source : array ? `array ${input.value}` : `${step.number} ${input.label}`;
  if (!inputs.has(key)) inputs.set(key, { input, from: [], readers: [] });
  return inputs.get(key);
}

// An op stands below all that it reads; an input right above the first op that reads it.
function rankNodes(nodes) {
  for (const node of nodes.filter((node) => node.step)) {
    node.rank = 1 + Math.max(0, ...node.from.filter((edge) => edge.node.step).map((edge) => edge.node.rank));
  }
  for (const node of nodes.filter((node) => node.input)) node.rank = Math.min(...node.readers.map((reader) => reader.rank)) - 1;
}

// The nodes in lines, each with its x and width; below each other as far as there is no room beside each other.
function linesOf(nodes, room) {
  const ranks = [];
  for (const node of nodes) (ranks[node.rank] ??= []).push(node);
  const perLine = Math.max(1, Math.floor((room + CARD.gap) / (CARD.least + CARD.gap))), lines = [];
  for (const rank of ranks.filter(Boolean)) {
    const wish = (node) => (node.from.length ? node.from.reduce((sum, edge) => sum + middleOf(edge.node), 0) / node.from.length : room / 2);
    const wishes = new Map(rank.map((node) => [node, wish(node)]));
    const row = [...rank].sort((node, other) => wishes.get(node) - wishes.get(other));
    for (let first = 0; first < row.length; first += perLine) lines.push(lineOf(row.slice(first, first + perLine), room, lines.length));
  }
  return lines;
}

// In the middle of the room.
function lineOf(nodes, room, number) {
  const gaps = CARD.gap * (nodes.length - 1), width = Math.min(CARD.most, Math.floor((room - gaps) / nodes.length));
  let x = Math.floor((room - gaps - width * nodes.length) / 2);
  for (const node of nodes) {
    Object.assign(node, { x, width, line: number });
    x += width + CARD.gap;
  }
  return nodes;
}

function middleOf(node) {
  return node.x + node.width / 2;
}

// The arrows, { from, slot, to, lane }: one that passes lines by runs in a lane, which all arrows of its result share.
function arrowsOf(lines) {
  const ends = []; // of each lane the last line that it is in use up to
  const arrows = lines.flat().flatMap((to) => to.from.map(({ node, slot }) => ({ from: node, slot, to, lane: null })));
  const passing = arrows.filter(({ from, to }) => to.line - from.line > 1).sort((one, other) => one.from.line - other.from.line);
  const shared = new Map();
  for (const arrow of passing) {
    const key = arrow.from, last = Math.max(...passing.filter(({ from }) => from === key).map(({ to }) => to.line));
    if (!shared.has(key)) {
      const free = ends.findIndex((end) => end < arrow.from.line), lane = free >= 0 ? free : ends.length;
      ends[lane] = last - 1;
      shared.set(key, lane % MOST_LANES);
    }
    arrow.lane = shared.get(key);
  }
  return { arrows, lanes: Math.min(ends.length, MOST_LANES) };
}

// Everything in a width, with room for the lanes at the right.
function overviewLayout(nodes, available) {
  const { lanes } = arrowsOf(linesOf(nodes, available)), room = Math.max(CARD.least, available - LANE * (lanes + 1));
  const lines = linesOf(nodes, room), { arrows } = arrowsOf(lines);
  return { lines, arrows };
}

// The y of every card, when they know their heights; the height of it all.
function placeLines(lines) {
  let y = 4;
  for (const line of lines) {
    for (const node of line) node.y = y;
    y += Math.max(...line.map((node) => node.height)) + CARD.between;
  }
  return y - CARD.between + 4;
}

// The ways of the arrows as paths, when the cards are placed.
function drawnArrows({ lines, arrows }) {
  const passing = arrows.filter(({ lane }) => lane !== null), ends = entries(arrows);
  const passed = lines.filter((_, number) => passing.some(({ from, to }) => number >= from.line && number <= to.line));
  const right = Math.max(0, ...passed.flat().map((node) => node.x + node.width));
  return arrows.map((arrow) => {
    const { from, to, slot, lane } = arrow, begin = { x: stemOf(from, slot), y: from.y + from.height };
    const end = { x: ends.get(arrow), y: to.y };
    const path = lane === null ? curve(begin, end) : detour(begin, end, right + LANE * (lane + 1), lineBottom(lines[from.line]), lane);
    return { ...arrow, begin, end, path };
  });
}

function lineBottom(line) {
  return Math.max(...line.map((node) => node.y + node.height));
}

// Where the arrow of an output begins: several outputs beside each other.
function stemOf(node, slot) {
  const count = node.step ? node.step.outputs.length : 1;
  return node.x + (node.width * (Math.min(slot, count - 1) + 1)) / (count + 1);
}

// Where the arrows of a card come in: in the order in which they come, those from a lane at the right.
function entries(arrows) {
  const ends = new Map(), targets = new Map();
  for (const arrow of arrows) targets.set(arrow.to, [...(targets.get(arrow.to) ?? []), arrow]);
  for (const [to, coming] of targets) {
    const order = ({ from, lane }) => (lane === null ? middleOf(from) : 1e6 + lane);
    coming.sort((arrow, other) => order(arrow) - order(other));
    coming.forEach((arrow, place) => ends.set(arrow, to.x + (to.width * (place + 1)) / (coming.length + 1)));
  }
  return ends;
}

function curve(begin, end) {
  const half = (end.y - begin.y) / 2;
  return `M${begin.x},${begin.y} C${begin.x},${begin.y + half} ${end.x},${end.y - half} ${end.x},${end.y}`;
}

// Down below the line, to the lane, along it, and back above the line that it leads to.
function detour(begin, end, x, bottom, lane) {
  const down = bottom + 22 + 3 * lane, back = end.y - 12 - lane, r = 6;
  return [`M${begin.x},${begin.y} V${down - r} q0,${r} ${r},${r} H${x - r} q${r},0 ${r},${r}`,
    `V${back - r} q0,${r} ${-r},${r} H${end.x + r} q${-r},0 ${-r},${r} V${end.y}`].join(" ");
}
