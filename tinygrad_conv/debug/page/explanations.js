// How the gradients of a step come about, as its kind of op has it: one view at a time, number by number.

const VIEW_MADE = {
  sum: (page, view, context) => [new SumView(page, view, context)],
  contraction: (page, view, context) => [new ContractionView(page, view, context)],
  notes: (page, view, context) => [new NotesView(page, view, context)],
  pooling: (page, view, context) => ["window", "place"].map((by) => new PoolingView(page, view, context, by)),
};
const ROOM_OF_FIGURE = 180; // pixels, the least
const LEGIBLE = 6; // pixels of a cell that can be pointed at
const POOLING_TITLES = { window: "window by window", place: "place by place: where windows meet" };

let lastChosen = null; // what the reader wanted to see, here and from now on

// The view of an explanation; null where there is nothing to show. player: the Player.
function explanationView(player, explanation) {
  if (explanation === false) return new LeftOut(player.step);
  if (!explanation) return null;
  const shown = explanation.views.length || explanation.remarks.length;
  return shown || !player.step.window ? new ExplanationView(player, explanation) : null; // a window says it better
}

// A step that there was no room for.
class LeftOut {
  constructor(step) {
    this.element = make("section", { class: "explained" },
      make("p", { class: "unknown" }, "How its gradient comes about was left out to keep this page small. In Python: "),
      make("pre", {}, `print(rec.explain(rec[${step.number - 1}]))`));
    this.at = 0;
  }

  move() {}

  stop() {}
}

class ExplanationView {
  constructor(player, explanation) {
    Object.assign(this, { page: player.page, explanation, at: 0 });
    this.context = {
      scaleOf: player.scaleOf, tell, available: player.available - 28,
      move: (at) => this.move(at),
      link: (number) => {
        const step = player.page.steps.find((one) => one.number === number);
        const go = () => player.go(player.page.steps.indexOf(step));
        return step ? make("button", { class: "link", onclick: go }, `go to %${step.number}`) : "";
      },
    };
    this.views = explanation.views.map((view) => ({ view, by: null }))
      .flatMap(({ view }) => (view.made === "pooling" ? ["window", "place"].map((by) => ({ view, by })) : [{ view, by: null }]));
    this.tabs = this.views.map((one, number) => make("button", {
      role: "tab", "aria-selected": "false", "data-explains": one.by ?? one.view.of, onclick: () => this.choose(number),
    }, this.title(one)));
    this.body = make("div", {});
    this.element = make("section", { class: "explained" }, make("h3", {}, "How the gradient comes about"),
      ...this.words(), ...(this.tabs.length > 1 ? [make("div", { role: "tablist", class: "tabs" }, ...this.tabs)] : []), this.body);
    const wanted = this.views.findIndex((one) => (one.by ?? one.view.of) === lastChosen);
    if (this.views.length) this.show(Math.max(0, wanted));
  }

  title({ view, by }) {
    const title = this.page.texts[view.title];
    return `${view.of}: ${by ? POOLING_TITLES[by] : title}`;
  }

  words() {
    const about = this.page.texts[this.explanation.about];
    return [
      ...(about ? [make("p", { class: "about" }, `${about[0].toUpperCase()}${about.slice(1)}.`.replace(/\.\.$/, "."))] : []),
      ...this.explanation.remarks.map((remark) => make("p", { class: "remark", role: "note" }, remark)),
    ];
  }

  choose(number) {
    lastChosen = this.views[number].by ?? this.views[number].view.of;
    this.show(number);
  }

  show(number) {
    const { view, by } = this.views[number], { texts } = this.page;
    this.tabs.forEach((tab, other) => tab.setAttribute("aria-selected", String(other === number)));
    const made = VIEW_MADE[view.made](this.page, view, this.context);
    this.made = by === "place" ? made[1] : made[0];
    this.at = 0;
    const alone = this.tabs.length < 2 ? [make("p", { class: "alone" }, make("b", {}, this.title(this.views[number])))] : [];
    this.body.replaceChildren(...alone, ...(texts[view.text] ? [make("p", {}, texts[view.text])] : []),
      ...(texts[view.formula] ? [make("p", { class: "formula" }, texts[view.formula])] : []), ...this.controls(), this.made.element);
    this.move(this.made.start ?? 0);
  }

  controls() {
    if (this.made.count < 2) return [];
    this.slider = make("input", { type: "range", min: 0, max: this.made.count - 1, value: 0, "aria-label": "which number is looked at",
      oninput: (event) => this.move(Number(event.target.value)) });
    this.position = make("output", {});
    return [make("div", { class: "controls" },
      make("button", { onclick: () => this.move(this.at - 1), title: "One number back (,)", "aria-label": "one number back" }, "◀\uFE0E"), this.slider,
      make("button", { onclick: () => this.move(this.at + 1), title: "One number on (.)", "aria-label": "one number on" }, "▶\uFE0E"), this.position)];
  }

  move(at) {
    if (!this.made || !this.made.count) return;
    this.at = Math.max(0, Math.min(this.made.count - 1, at));
    if (this.slider && this.made.count > 1) {
      this.slider.value = this.at;
      this.slider.setAttribute("aria-valuetext", this.made.name(this.at));
      this.position.textContent = this.made.name(this.at);
    }
    this.made.update(this.at);
  }

  stop() {}
}

// How wide a figure may be: a small array as wide as its written numbers are, a very wide one up to half of all there is.
function roomFor(size, columns, usual, available, beside = 1) {
  const half = available * 0.46, plane = columns * NUMBER_CELL.width + GAP;
  const written = Math.min(beside, Math.max(1, Math.floor((half - 2 * ROOM) / plane))) * plane + 2 * ROOM;
  if (size <= MOST_WRITTEN && written <= half) return Math.max(usual, written);
  return Math.max(ROOM_OF_FIGURE, usual, columns * LEGIBLE > usual ? half : 0);
}

// Arrays with a word each.
class NotesView {
  constructor(page, view, context) {
    this.count = 0;
    const figures = view.figures.map((figure) => heatmapFigure(page.array(figure.array),
      { name: figure.name, label: page.texts[figure.label], context }).element);
    this.element = make("div", { class: "arrays known" }, ...figures);
  }
}

// An array of the page, or one computed from them, as a figure: { element, map }; map is null for an empty one.
function heatmapFigure(array, { name, label, pick, scale, context }) {
  const caption = make("figcaption", {}, make("b", {}, name), label ? ` ${label}` : "");
  const about = [`[${array.shape.join(", ")}]`, array.range, array.remark].filter(Boolean).join(" · ");
  const figure = make("figure", { "data-array": name }, caption);
  let map = null;
  if (array.kept.every((size) => size > 0)) {
    const [beside, columns] = [array.kept[array.kept.length - 3] ?? 1, array.kept[array.kept.length - 1] ?? 1];
    const room = roomFor(array.size, columns, Math.min(420, context.available / 3 - 44), context.available, beside);
    if (array.kept.length === 0) figure.classList.add("scalar");
    map = new MarkedHeatmap({ name, planes: planesOf(array), perRow: planesPerRow(array, room), scale: scale ?? context.scaleOf(array), available: room,
      pick, tell: context.tell });
    map.canvas.setAttribute("aria-label", `${name} ${label}, ${about}`);
    if (pick) map.canvas.classList.add("clickable");
    figure.append(make("div", { class: "scroll" }, map.canvas));
  }
  figure.append(make("small", {}, about));
  figure.style.maxWidth = `max(${map?.width ?? 0}px + var(--bar), ${ROOM_OF_FIGURE}px)`;
  return { element: figure, map };
}
