// The player: which step is looked at, and what is shown of it.

const BESIDE = 45; // pixels for the sign before an array and its scroll bar
const PLAYING = 1600; // milliseconds for a step

class Page {
  constructor(contents) {
    this.steps = contents.steps;
    this.leaves = contents.leaves;
    this.seeds = contents.seeds;
    this.leftOut = contents.left_out;
    this.texts = contents.texts;
    this.arrays = contents.arrays.map((stored) => new Numbers(stored));
  }

  array(number) {
    return number === null || number === undefined ? null : this.arrays[number];
  }
}

class Player extends Walk {
  constructor(contents) {
    const page = new Page(contents);
    super(page.steps.length, page.steps.length - 1);
    Object.assign(this, { page, leaf: null, folded: new Set(), view: null, role: null });
    this.tree = treeOf(page.steps);
    this.drawTape();
    this.listen({ play: () => this.toggle(PLAYING), net: () => this.toggleOverview() }, { " ": "play", o: "net" });
    this.parts.scaling.addEventListener("change", () => this.show());
    if (page.leftOut) this.parts["left-out"].textContent = `Not on this page: ${counted(page.leftOut, "older op")}.`;
    this.readAddress();
    this.show();
  }

  // From the newest step to the oldest.
  get place() {
    return this.count - this.at;
  }

  goTo(place, playing) {
    this.go(this.count - place, playing);
  }

  get step() {
    return this.page.steps[this.at];
  }

  drawTape() {
    const go = (step) => this.go(this.page.steps.indexOf(step));
    const refold = (key, folded) => this.refold(key, folded);
    this.list = new TapeList(this.tree, this.folded, go, refold);
    this.graph = new Graph(this.tree, this.folded, go, (name) => this.goToLeaf(name), refold);
    this.parts.list.replaceChildren(this.list.element);
    this.parts.graph.replaceChildren(this.graph.element);
  }

  refold(key, folded) {
    if (this.folded.has(key) === folded) return;
    if (folded) this.folded.add(key);
    else this.folded.delete(key);
    const details = this.list.groups.get(key);
    if (details.open === folded) details.open = !folded;
    this.graph.layout();
    this.graph.update(this.step, this.leaf);
  }

  fit() {
    if (this.width !== this.parts.step.clientWidth) this.show();
  }

  key(event) {
    const { key } = event;
    if (key === "Escape" && this.overview) this.toggleOverview();
    else if ((key === "," || key === ".") && this.view) this.view.move(this.view.at + (key === "." ? 1 : -1));
    else return super.key(event);
    return true;
  }

  go(at, playing) {
    this.leaf = this.overview = null;
    super.go(at, playing);
  }

  // The net as pictures instead of a step, and back.
  toggleOverview() {
    this.stop();
    this.overview = this.overview ? null : { opened: true };
    this.show();
    this.writeAddress();
  }

  goToLeaf(name) {
    this.stop();
    this.leaf = name;
    this.overview = null;
    this.show();
  }

  // `#step=4&view=W&at=3`: the address of a step, and of a position of its window.
  readAddress() {
    const address = new URLSearchParams(location.hash.slice(1));
    const found = this.page.steps.findIndex((step) => step.number === Number(address.get("step")));
    if (found >= 0) this.at = found;
    this.role = address.get("view") ?? this.role;
    this.overview = address.has("overview") ? { opened: true } : null;
    this.wanted = address;
  }

  get address() {
    return this.overview ? "#overview" : `#step=${this.step.number}${this.role ? `&view=${this.role}` : ""}`;
  }

  show() {
    tell(null);
    if (this.view) this.view.stop();
    this.view = null;
    const text = `step ${this.place} of ${this.count}`;
    this.showPlace(text, `${text}, ${this.step.call}`);
    this.list.update(this.step);
    this.graph.update(this.step, this.leaf);
    this.width = this.parts.step.clientWidth;
    this.available = Math.max(200, this.width - 40);
    this.parts.net.setAttribute("aria-pressed", String(Boolean(this.overview)));
    if (this.overview) this.showOverview();
    else if (this.leaf) this.showLeaf();
    else if (this.step.outputs[0].grad === undefined) this.showLine();
    else this.showStep();
  }

  // The colours: one scale for everything in sight, or one for each array.
  setScale(numbers) {
    const arrays = numbers.map((number) => this.page.array(number)).filter(Boolean);
    const apart = this.parts.scaling.value === "array", shared = new Scale(arrays);
    this.scaleOf = (array) => (apart ? new Scale([array]) : shared);
    this.parts.legend.parentElement.hidden = !arrays.length;
    drawLegend(this.parts.legend, apart ? null : shared);
  }

  // `overview` is what has been chosen in it. Opened, it is where the keyboard goes on; drawn anew, nothing moves.
  showOverview() {
    const choice = document.activeElement.dataset.choice, { opened, ...chosen } = this.overview, scrolled = window.scrollY;
    this.shown = new Overview(this.page, {
      ...chosen, setScale: (numbers) => this.setScale(numbers), scaleOf: (array) => this.scaleOf(array), available: this.available,
      step: this.step, go: (step) => this.go(this.page.steps.indexOf(step)), goToLeaf: (name) => this.goToLeaf(name),
      redraw: (chosen) => { this.overview = chosen; this.show(); },
    });
    this.parts.step.replaceChildren(this.shown.element);
    this.shown.place();
    this.overview = chosen;
    if (opened) return this.shown.focus(this.shown.current);
    window.scrollTo(0, scrolled);
    this.parts.step.querySelector(`[data-choice="${choice}"]`)?.focus({ preventScroll: true });
  }

  showStep() {
    const { step, page } = this, { inputs, outputs } = step;
    this.setScale([...inputs, ...outputs].flatMap((one) => [one.value, one.grad, one.after]));
    const forward = inputs.map((input) => this.figure(input.name, input.value, input.label));
    const results = outputs.map((output) => this.figure(output.name, output.value, output.type));
    const arrived = outputs.map((output, slot) => this.figure(`d${output.name}`, output.grad, "arrived here",
      (index) => this.explain(`d${output.name}`, output.grad, index, usersOf(page, [step.number, slot]), `rec[${step.number - 1}]`, [step.number, slot])));
    const passed = inputs.filter((input) => input.grad !== null).flatMap((input) => this.contribution(input));
    this.why = make("section", { class: "why", "aria-live": "polite" });
    const heading = [
      make("h2", {}, `%${step.number} ${step.op}`, step.layer ? make("span", { class: "layer" }, step.layer) : null),
      make("p", { class: "where" }, make("code", {}, step.text || step.call), make("small", {}, ` ${step.place}`)),
      ...(step.text ? [make("p", { class: "call" }, make("code", {}, step.call))] : []),
    ];
    this.view = step.window ? this.windowView() : null;
    const explained = explanationView(this, step.explanation), views = [this.view, explained].filter(Boolean);
    this.view ??= explained;
    const hint = make("small", {}, " click a cell of a gradient for the products behind it");
    this.parts.step.replaceChildren(...heading, ...views.map((view) => view.element),
      make("div", { class: "sections" },
        make("section", {}, make("h3", {}, "Forward"), this.row(forward, "→", results)),
        make("section", {}, make("h3", {}, "Backward", hint), this.row(arrived, "→", passed))), this.why);
  }

  // A line of a tape, which has no arrays.
  showLine() {
    const { step } = this, from = step.inputs.map((input) => make("li", {}, input.label));
    this.setScale([]);
    this.parts.step.replaceChildren(make("h2", {}, `%${step.number} ${step.op}`), make("p", { class: "where" }, make("code", {}, step.call)),
      make("p", {}, step.layer ? `${step.place} in ${step.layer}` : step.place), make("h3", {}, "reads"), make("ul", {}, ...from),
      make("h3", {}, "makes"), make("ul", {}, ...step.outputs.map((output) => make("li", {}, output.type))));
  }

  windowView() {
    const view = new WindowView(this.page, this.step, {
      scaleOf: this.scaleOf, tell, available: this.available,
      picked: (role, index) => this.explainRole(role, index),
      chosen: (role) => { this.role = role; this.writeAddress(); },
    });
    if (!view.roles.length) return null;
    if (view.roles.includes(this.role)) view.show(this.role);
    if (Number(this.wanted.get("step")) === this.step.number) view.move(Number(this.wanted.get("at") ?? 0));
    return view;
  }

  showLeaf() {
    const leaf = this.page.leaves[this.leaf];
    this.setScale([leaf.value, leaf.grad]);
    this.why = make("section", { class: "why", "aria-live": "polite" });
    const users = usersOf(this.page, this.leaf), steps = [...new Set(users.map(([step]) => `%${step.number} ${step.op}`))];
    this.view = explanationView(this, leaf.explanation);
    const explain = (index) => this.explain(`d${this.leaf}`, leaf.grad, index, users, JSON.stringify(this.leaf), this.leaf);
    this.parts.step.replaceChildren(
      make("h2", {}, this.leaf, make("span", { class: "layer" }, "leaf")), make("p", {}, `read by ${steps.join(", ")}`),
      ...(this.view ? [this.view.element] : []),
      make("section", {}, this.row([this.figure(this.leaf, leaf.value, "value")], "", [this.figure("its gradient", leaf.grad, "the sum of all contributions", explain)])),
      this.why);
  }

  // The sign stays with what follows it.
  row(before, sign, [first, ...after]) {
    return make("div", { class: "arrays" }, ...before, first ? make("div", { class: "after" }, make("span", { class: "sign" }, sign), first) : null, ...after);
  }

  // What the step contributes to the gradient of an input, and what it adds up to with what came before.
  contribution(input) {
    const name = `d${input.name}`, index = (at) => this.explainInput(input, at);
    const figures = [this.figure(name, input.grad, `for ${input.label}`, index, input.rule)];
    if (input.after !== null) figures.push(this.figure(`${name} so far`, input.after, `the sum with what ${input.label} had before`));
    return figures;
  }

  figure(name, number, label, pick, rule) {
    const array = this.page.array(number);
    const caption = make("figcaption", {}, make("b", {}, name), label === name ? "" : ` ${label}`);
    if (!array) return make("figure", {}, caption, make("p", { class: "unknown" }, "not known: no rule reads it"));
    const about = [array.type, array.range, array.remark].filter(Boolean);
    const room = this.available < 700 ? this.available : Math.min(520, 0.46 * this.available);
    const available = room - BESIDE, figure = make("figure", { "data-array": name }, caption);
    if (array.kept.length === 0 && array.size) figure.classList.add("scalar");
    if (array.kept.every((size) => size > 0)) {
      const map = new Heatmap({
        name, planes: planesOf(array), perRow: planesPerRow(array, available), scale: this.scaleOf(array), available,
        pick, tell,
      });
      map.canvas.setAttribute("aria-label", `${name} ${label}, ${about.join(", ")}`);
      if (pick) map.canvas.classList.add("clickable");
      figure.append(make("div", { class: "scroll" }, map.canvas));
    }
    figure.append(make("small", {}, about.join(" · ")), ...(rule ? [make("small", { class: "rule" }, rule)] : []));
    return figure;
  }

  explain(name, number, index, users, of, source) {
    const began = source !== undefined && this.page.seeds.some((seed) => JSON.stringify(seed) === JSON.stringify(source));
    const command = `rec.explain(${of}, (${index.join(", ")}${index.length === 1 ? "," : ""}))`;
    const goTo = (step) => this.go(this.page.steps.indexOf(step));
    const array = this.page.array(number);
    this.why.replaceChildren(explanation(this.page, { name, array, index, users, began, command, goTo }));
    this.why.scrollIntoView({ block: "nearest" });
  }

  explainInput(input, index) {
    const of = typeof input.source === "string" ? JSON.stringify(input.source) : `rec[${input.source[0] - 1}]`;
    this.explain(`d${input.name}`, input.grad, index, [[this.step, input]], of);
    if (this.view?.goTo && roleOf(this.step.window, input.name)) this.view.goTo(roleOf(this.step.window, input.name), index);
  }

  // A cell of the sliding window's result: the same question as in the figure above.
  explainRole(role, index) {
    const input = this.step.inputs.find((one) => one.name === this.step.window.roles[role]);
    if (input && input.grad !== null) this.explain(`d${input.name}`, input.grad, index, [[this.step, input]], JSON.stringify(input.label));
  }
}

const player = opened(Player, "steps"); // for the console
