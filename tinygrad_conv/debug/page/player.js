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

class Player {
  constructor(page) {
    Object.assign(this, { page, at: page.steps.length - 1, leaf: null, folded: new Set(), view: null, role: null, timer: null });
    this.parts = Object.fromEntries([...document.querySelectorAll("#player [id]")].map((one) => [one.id, one]));
    this.tree = treeOf(page.steps);
    this.drawTape();
    this.listen();
    if (page.leftOut) this.parts["left-out"].textContent = `Not on this page: ${counted(page.leftOut, "older op")}.`;
    this.parts.slider.max = page.steps.length;
    this.readAddress();
    this.show();
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

  listen() {
    const last = this.page.steps.length - 1;
    const actions = {
      first: () => this.go(last), previous: () => this.go(this.at + 1), next: () => this.go(this.at - 1), last: () => this.go(0),
      play: () => this.toggle(), net: () => this.toggleOverview(),
    };
    for (const [name, action] of Object.entries(actions)) this.parts[name].addEventListener("click", action);
    this.parts.slider.addEventListener("input", (event) => this.go(last + 1 - Number(event.target.value)));
    this.parts.scaling.addEventListener("change", () => this.show());
    document.addEventListener("keydown", (event) => this.key(event, actions));
    window.addEventListener("resize", () => { clearTimeout(this.resizing); this.resizing = setTimeout(() => this.resize(), 150); });
    window.addEventListener("hashchange", () => { this.readAddress(); this.show(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.show());
  }

  resize() {
    if (this.width !== this.parts.step.clientWidth) this.show();
  }

  key(event, actions) {
    const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = { ArrowRight: "next", ArrowLeft: "previous", Home: "first", End: "last", o: "net" };
    if (event.key === "Escape" && this.overview) this.toggleOverview();
    else if (event.key in keys) actions[keys[event.key]]();
    else if (event.key === " " && !["BUTTON", "SUMMARY"].includes(event.target.tagName)) actions.play();
    else if ((event.key === "," || event.key === ".") && this.view) this.view.move(this.view.at + (event.key === "." ? 1 : -1));
    else return;
    event.preventDefault();
  }

  toggle() {
    if (this.timer) return this.stop();
    if (this.at === 0) this.go(this.page.steps.length - 1);
    this.timer = setInterval(() => (this.at > 0 ? this.go(this.at - 1, true) : this.stop()), PLAYING);
    this.parts.play.textContent = "Stop";
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.parts.play.textContent = "Play";
  }

  go(at, playing = false) {
    if (!playing) this.stop();
    this.at = Math.max(0, Math.min(this.page.steps.length - 1, at));
    this.leaf = this.overview = null;
    this.show();
    this.writeAddress();
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

  writeAddress() {
    const address = this.overview ? "#overview" : `#step=${this.step.number}${this.role ? `&view=${this.role}` : ""}`;
    if (window.top === window && location.protocol !== "about:") history.replaceState(null, "", address);
  }

  show() {
    tell(null);
    if (this.view) this.view.stop();
    this.view = null;
    const steps = this.page.steps.length, place = steps - this.at;
    this.parts.slider.value = place;
    this.parts.slider.setAttribute("aria-valuetext", `step ${place} of ${steps}, ${this.step.call}`);
    this.parts.position.textContent = `step ${place} of ${steps}`;
    this.parts.previous.disabled = this.parts.first.disabled = this.at === steps - 1;
    this.parts.next.disabled = this.parts.last.disabled = this.at === 0;
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

let player; // for the console

function start() {
  const page = new Page(JSON.parse(document.getElementById("contents").textContent));
  if (!page.steps.length) return; // the plain list says so
  document.getElementById("plain").hidden = true;
  document.getElementById("player").hidden = false;
  player = new Player(page);
}

start();
