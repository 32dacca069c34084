// The net as pictures: a card for each op with what it makes, the shapes on the arrows between them. A card leads to its step.

class Overview {
  constructor(page, { setScale, scaleOf, available, step, go, goToLeaf, kind = "value", sample = 0, redraw }) {
    Object.assign(this, { page, scaleOf, available, go, goToLeaf, kind, sample });
    this.nodes = overviewNodes(page);
    this.layout = overviewLayout(this.nodes, available);
    this.order = this.layout.lines.flat();
    setScale(this.nodes.map((node) => this.shown(node)));
    this.samples = this.batch();
    this.pane = make("div", {
      class: "overview", role: "group", "aria-label": "The net, layer by layer", onkeydown: (event) => this.key(event),
    });
    this.element = make("section", {}, this.heading(redraw), this.pane);
    for (const node of this.order) this.pane.append(this.card(node));
    const last = page.steps[page.steps.length - 1]; // where the page opens: there an overview begins at the top
    this.current = this.order.find((node) => node.step === step && step !== last) ?? this.order[0];
  }

  // Place everything, once the cards are on the page and have heights.
  place() {
    for (const node of this.order) {
      Object.assign(node.card.style, { left: `${node.x}px`, width: `${node.width}px` });
      node.height = node.card.offsetHeight;
    }
    const height = placeLines(this.layout.lines);
    for (const node of this.order) node.card.style.top = `${node.y}px`;
    this.pane.style.height = `${height}px`;
    this.pane.prepend(this.drawArrows(height));
    this.watchPictures();
    this.current.card.tabIndex = 0;
  }

  // The number of an array that a node shows.
  shown({ step, input }) {
    if (input && typeof input.source === "string") return this.page.leaves[input.source]?.[this.kind];
    return step ? step.outputs[0][this.kind] : this.kind === "value" ? input.value : null;
  }

  // How many samples the net was given: the first dimension of its first input that has several.
  batch() {
    const arrays = this.order.map(({ step, input }) => this.page.array(input ? input.value : step.outputs[0].value));
    return arrays.find((array) => array && array.shape.length > 1)?.shape[0] ?? 1;
  }

  heading(redraw) {
    const option = (value, text, chosen) => make("option", { value, selected: value === chosen }, text);
    const kinds = make("select", { "data-choice": "kind", onchange: (event) => redraw({ kind: event.target.value, sample: this.sample }) },
      option("value", "what each op made", this.kind), option("grad", "the gradients that arrived", this.kind));
    const kept = Math.min(this.samples, ...this.nodes.flatMap((node) => {
      const array = this.page.array(this.shown(node));
      return array && array.kept.length > 1 && array.shape[0] === this.samples ? [array.kept[0]] : [];
    }));
    const samples = make("select", { "data-choice": "sample", onchange: (event) => redraw({ kind: this.kind, sample: Number(event.target.value) }) },
      ...range(kept).map((number) => option(number, String(number), this.sample)));
    return make("div", {},
      make("h2", {}, "Overview"),
      make("div", { class: "controls" },
        make("label", {}, "pictures of ", kinds), ...(kept > 1 ? [make("label", {}, "sample ", samples)] : []),
        make("small", {}, "click or Enter: to the step · arrows: along the net · Esc: back")));
  }

  card(node) {
    const { step, input } = node, name = step ? `%${step.number} ${step.op}` : "input";
    const note = step ? step.tag ?? step.layer : input.label;
    const type = step ? step.outputs.map((output) => output.type).join(", ") : this.page.array(input.value)?.type ?? "";
    const attributes = { class: input ? "card input" : "card", tabindex: -1, "data-node": step ? step.number : "input" };
    node.card = make("button", { ...attributes, onclick: () => this.enter(node) },
      make("span", { class: "title" }, make("b", {}, name), note ? make("small", {}, ` ${note}`) : null), this.pictures(node));
    const from = node.from.map((edge) => (edge.node.step ? `%${edge.node.step.number}` : edge.node.input.label)).join(", ");
    node.card.setAttribute("aria-label", `${name}${note ? ` ${note}` : ""}, ${type}${from ? `, reads ${from}` : ""}`);
    return node.card;
  }

  // The kernels and other arrays that the op reads beside the net's, and what it makes.
  pictures(node) {
    const { step } = node, width = node.width - 22, made = this.picture(this.shown(node), width, PICTURE);
    const read = (step?.inputs ?? []).filter((input, place) => place > 0 && !Array.isArray(input.source) && this.worthSeeing(input));
    const kernels = read.map((input) => make("span", { class: "kernel" }, make("small", {}, input.name),
      this.picture(this.numberOf(input), width - 40, KERNEL, this.isParameter(input) ? null : this.samples)));
    return make("span", { class: "pictures" }, ...kernels, made);
  }

  // A parameter's first dimension counts no samples, even where it is as many.
  isParameter(input) {
    return typeof input.source === "string" || input.name === "w";
  }

  worthSeeing(input) {
    const array = this.page.array(this.numberOf(input));
    return array && array.shape.length > 1 && array.size > 1;
  }

  numberOf(input) {
    return this.kind === "value" ? input.value : input.grad;
  }

  picture(number, width, size, samples = this.samples) {
    const array = this.page.array(number);
    if (!array) return null;
    if (array.size === 1) return make("span", { class: "scalar" }, show(array.at(array.kept.map(() => 0))));
    const picture = smallPicture(array, { sample: this.sample, samples, width, scale: this.scaleOf(array), size });
    if (!picture) return null;
    const more = picture.left ? make("small", {}, `and ${picture.left.toLocaleString("en")} more`) : null;
    return make("span", { class: "picture" }, picture.canvas, more);
  }

  // Pictures are painted when they come into sight: there may be many.
  watchPictures() {
    const observer = new IntersectionObserver((seen) => {
      for (const { isIntersecting, target } of seen) {
        if (!isIntersecting) continue;
        target.paint();
        observer.unobserve(target);
      }
    }, { rootMargin: "600px" });
    for (const canvas of this.pane.querySelectorAll("canvas")) observer.observe(canvas);
  }

  drawArrows(height) {
    const svg = shape("svg", { width: this.available, height, "aria-hidden": "true", class: "arrows" });
    const draw = (...what) => svg.append(shape(...what));
    const arrows = drawnArrows(this.layout), labelled = new Set();
    for (const { path, begin, end, lane } of arrows) {
      draw("path", { d: path, class: lane === null ? "edge" : "edge passing" });
      const tip = this.kind === "value" ? `M${end.x - 4},${end.y - 7} h8 l-4,7 z` : `M${begin.x - 4},${begin.y + 7} h8 l-4,-7 z`;
      draw("path", { d: tip, class: "tip" });
    }
    for (const { from, slot, begin } of arrows) {
      const key = `${this.order.indexOf(from)} ${slot}`;
      if (!labelled.has(key)) draw("text", { x: begin.x + 6, y: begin.y + 14, class: "shape" }, this.shapeOf(from, slot));
      labelled.add(key);
    }
    return svg;
  }

  shapeOf({ step, input }, slot) {
    const array = input && this.page.array(input.value), type = step ? step.outputs[slot].type : array ? array.shape.join("×") : "";
    return type.replace(/^\w+\[(.*)\]$/, "$1").replaceAll(",", "×") || "scalar";
  }

  enter({ step, input }) {
    if (step) this.go(step);
    else if (typeof input.source === "string") this.goToLeaf(input.source);
    else this.go(this.order.find((node) => node.from.some((edge) => edge.node.input === input)).step);
  }

  // One card can be reached by the Tab key; arrows lead from it to others.
  focus(node) {
    if (!node) return;
    this.current.card.tabIndex = -1;
    this.current = node;
    node.card.tabIndex = 0;
    node.card.focus({ preventScroll: true });
    node.card.scrollIntoView({ block: "center" });
  }

  key(event) {
    const { current, order } = this, line = this.layout.lines[current.line];
    const beside = line[line.indexOf(current) + (event.key === "ArrowRight" ? 1 : -1)];
    const moves = {
      ArrowDown: () => current.readers[0], ArrowUp: () => current.from[0]?.node, ArrowLeft: () => beside, ArrowRight: () => beside,
      Home: () => order[0], End: () => order[order.length - 1],
    };
    if (!(event.key in moves)) return;
    this.focus(moves[event.key]());
    event.preventDefault();
    event.stopPropagation();
  }
}
