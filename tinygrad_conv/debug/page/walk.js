// What all pages share: one place after another is looked at, by buttons, slider, keys and address.

const PAUSE = 150; // milliseconds without another change of the window's size, before what is shown is fitted to it
const TYPING = ["INPUT", "SELECT", "TEXTAREA"], PRESSED = ["BUTTON", "SUMMARY"]; // keys are theirs, and space is

// A page has the `address` of the place it is `at` and `readAddress()`, and `show()`; some have a button `play`.
class Walk {
  constructor(count, at) {
    Object.assign(this, { count, at, timer: null });
    this.parts = Object.fromEntries([...document.querySelectorAll("#player [id]")].map((element) => [element.id, element]));
    this.parts.slider.max = count;
  }

  // Where `at` is on the way, from 1 to `count`; and back.
  get place() {
    return this.at + 1;
  }

  goTo(place, playing) {
    this.go(place - 1, playing);
  }

  // buttons: what others do than those of all pages; keys: which keys press them.
  listen(buttons = {}, keys = {}) {
    this.keys = { ArrowRight: "next", ArrowLeft: "previous", Home: "first", End: "last", ...keys };
    this.actions = {
      first: () => this.goTo(1), previous: () => this.goTo(this.place - 1), next: () => this.goTo(this.place + 1), last: () => this.goTo(this.count), ...buttons,
    };
    for (const [name, action] of Object.entries(this.actions)) this.parts[name].addEventListener("click", action);
    this.parts.slider.addEventListener("input", (event) => this.goTo(Number(event.target.value)));
    document.addEventListener("keydown", (event) => {
      const typing = TYPING.includes(event.target.tagName) && event.target.type !== "checkbox";
      if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && this.key(event)) event.preventDefault();
    });
    window.addEventListener("resize", () => { clearTimeout(this.resizing); this.resizing = setTimeout(() => this.fit(), PAUSE); });
    window.addEventListener("hashchange", () => { this.readAddress(); this.show(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.show());
  }

  // What is shown fits the window again.
  fit() {
    this.show();
  }

  // Whether a key is one of the page's.
  key({ key, target }) {
    const name = this.keys[key === " " && PRESSED.includes(target.tagName) ? null : key];
    if (name) this.actions[name]();
    return Boolean(name);
  }

  // From here to the last place, or all the way once more.
  toggle(pause) {
    if (this.timer) return this.stop();
    if (this.place === this.count) this.goTo(1);
    this.timer = setInterval(() => (this.place < this.count ? this.goTo(this.place + 1, true) : this.stop()), pause);
    this.parts.play.textContent = "Stop";
  }

  stop() {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = null;
    this.parts.play.textContent = "Play";
  }

  go(at, playing = false) {
    if (!playing) this.stop();
    this.at = Math.max(0, Math.min(this.count - 1, at));
    this.show();
    this.writeAddress();
  }

  writeAddress() {
    if (window.top === window && location.protocol !== "about:") history.replaceState(null, "", this.address);
  }

  // The place in words: beside the slider, and as it is read out.
  showPlace(text, told = text) {
    const { slider, position, first, previous, next, last } = this.parts;
    slider.value = this.place;
    slider.setAttribute("aria-valuetext", told);
    position.textContent = text;
    previous.disabled = first.disabled = this.place === 1;
    next.disabled = last.disabled = this.place === this.count;
  }
}

// The row of a list that is looked at, among all.
function markRow(rows, at) {
  rows.forEach((row, number) => {
    if (number === at) row.setAttribute("aria-current", "step");
    else row.removeAttribute("aria-current");
  });
}

// A page takes the place of the plain list; where it has nothing to show, the list says so.
function opened(Shown, places) {
  const contents = JSON.parse(document.getElementById("contents").textContent);
  if (!contents[places].length) return;
  document.getElementById("plain").hidden = true;
  document.getElementById("player").hidden = false;
  return new Shown(contents);
}
