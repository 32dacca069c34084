// Of which products a number of a gradient is the sum.

// In T(X, W, dY) three numbers meet, one of each array. All meetings of the one at `index` in the array of that role.
function* meetings(g, role, index) {
  const perGroup = g.channels / g.groups, outputsPerGroup = g.outputs / g.groups;
  const inner = (n, ...rest) => (g.batched ? [n, ...rest] : rest);
  const [samples, rest] = role === "W" ? [null, index] : g.batched ? [[index[0]], index.slice(1)] : [[0], index];
  const outputs = role === "X" ? range(outputsPerGroup).map((o) => o + Math.floor(rest[0] / perGroup) * outputsPerGroup) : [rest[0]];
  for (const n of samples ?? range(g.samples)) {
    for (const o of outputs) {
      const first = Math.floor(o / outputsPerGroup) * perGroup;
      const channels = role === "Y" ? range(perGroup) : [role === "W" ? rest[1] : rest[0] - first];
      for (const [p, a, row] of along(g, 0, role, rest[role === "W" ? 2 : 1])) {
        for (const [q, b, column] of along(g, 1, role, rest[role === "W" ? 3 : 2])) {
          for (const c of channels) {
            yield { X: inner(n, first + c, row, column), W: [o, c, a, b], Y: inner(n, o, p, q) };
          }
        }
      }
    }
  }
}

// (window, tap, row of the input) of every meeting along an axis, of which one is given.
function along(g, axis, role, at) {
  const [stride, dilation, before] = [g.stride[axis], g.dilation[axis], g.padding[axis][0]];
  const windows = role === "Y" ? [at] : range(g.out[axis]);
  const found = [];
  for (const window of windows) {
    for (const tap of role === "W" ? [at] : range(g.kernel[axis])) {
      const row = window * stride + tap * dilation - before;
      if (row >= 0 && row < g.size[axis] && (role !== "X" || row === at)) found.push([window, tap, row]);
    }
  }
  return found;
}

// The products of one step in the gradient of one of its inputs at an index; null if the page does not have them.
// Each: { step, dyIndex, dy, called, factor }; dy or factor is undefined where an array was thinned.
function productsOf(page, step, input, index) {
  const how = input.products;
  if (!how) return null;
  const dys = step.outputs.map((output) => page.array(output.grad)), several = dys.length > 1;
  if (how.kind === "formula") {
    const product = (at, called, by) => ({ step, dyIndex: at, dy: dys[0].at(at), called, factor: by });
    return byFormula(page, step, input, index, product);
  }
  const size = dys.reduce((sum, dy) => sum + (dy ? dy.size : 0), 0);
  const factors = page.array(how.factors), name = calledFactors(step, input, how.factors);
  const product = (number, called, by) => {
    const [slot, at] = elementAt(dys, number);
    return { step, dyIndex: several ? [slot, ...at] : at, dy: dys[slot].at(at), called, factor: by };
  };
  if (how.kind === "dense") {
    const all = range(size).map((number) => product(number, name(index), factors.at([number, ...index])));
    return all.filter((one) => one.factor !== 0);
  }
  const number = size === 1 ? 0 : how.numbers === undefined ? ravel(index, factors.shape) : page.array(how.numbers).at(index);
  if (number === undefined) return [{ step, dyIndex: [], called: name(index), dy: undefined, factor: undefined }];
  return [product(number, name(index), factors.at(index))];
}

// [output, index in it] of the number-th element of all the outputs' gradients, one after the other.
function elementAt(dys, number) {
  let slot = 0;
  for (; !dys[slot] || number >= dys[slot].size; slot++) number -= dys[slot] ? dys[slot].size : 0;
  return [slot, unravel(number, dys[slot].shape)];
}

// What a factor is called: the input whose very numbers they are, or what it is by definition.
function calledFactors(step, input, factors) {
  const same = step.inputs.find((one) => one !== input && one.value === factors) ?? step.inputs.find((one) => one.value === factors);
  if (same && same.value !== null) return (index) => named(same.name, index);
  return () => `∂y/∂${input.name}`;
}

function byFormula(page, step, input, index, product) {
  const value = (name) => page.array(step.inputs.find((one) => one.name === name)?.value);
  if (step.op === "linear") return [...linearProducts(page, step, input, index, product, value)];
  const g = step.window, output = roleOf(g, "output");
  if (input.name === "b") return biasMeetings(g, index[0]).map((at) => product(at, "1", 1));
  const target = roleOf(g, input.name), other = ["X", "W", "Y"].find((role) => role !== target && role !== output);
  const name = g.roles[other], array = value(name);
  return [...meetings(g, target, index)].map((met) => product(met[output], named(name, met[other]), array?.at(met[other])));
}

function roleOf(g, name) {
  return Object.keys(g.roles).find((role) => g.roles[role] === name);
}

// A bias takes part in every output of its channel.
function biasMeetings(g, o) {
  const all = [];
  for (let n = 0; n < g.samples; n++) {
    for (let p = 0; p < g.out[0]; p++) {
      for (let q = 0; q < g.out[1]; q++) all.push(g.batched ? [n, o, p, q] : [o, p, q]);
    }
  }
  return all;
}

// y[…, o] = Σ_i x[…, i] · w[o, i] + b[o]
function* linearProducts(page, step, input, index, product, value) {
  const x = value("x"), w = value("w"), dy = page.array(step.outputs[0].grad);
  if (input.name === "x") {
    const rows = index.slice(0, -1), i = index[index.length - 1];
    for (let o = 0; o < w.shape[0]; o++) yield product([...rows, o], named("w", [o, i]), w.at([o, i]));
    return;
  }
  const leading = dy.shape.slice(0, -1), count = leading.reduce((all, size) => all * size, 1);
  for (let row = 0; row < count; row++) {
    const rows = unravel(row, leading), at = [...rows, index[0]];
    if (input.name === "b") yield product(at, "1", 1);
    else yield product(at, named("x", [...rows, index[1]]), x?.at([...rows, index[1]]));
  }
}

// The inputs whose contributions add up to the gradient of a result or a leaf: [step, input] each.
function usersOf(page, source) {
  const wanted = JSON.stringify(source);
  return page.steps.flatMap((step) =>
    step.inputs.filter((input) => input.grad !== null && JSON.stringify(input.source) === wanted).map((input) => [step, input]));
}

const FIRST_SHOWN = 12;

// Why a number of a gradient is what it is: `of` says what is asked about, `users` what contributes to it.
function explanation(page, { name, array, index, users, began, command, goTo }) {
  const value = array.at(index), found = users.map(([step, input]) => productsOf(page, step, input, index));
  const heading = make("h3", {}, `${named(name, index)} = ${show(value, 7)}`);
  const box = make("div", {}, heading);
  if (began) {
    box.append(make("p", {}, "The backward began here: this gradient was given to it."));
    if (!users.length) return box;
  }
  if (!users.length) {
    box.append(make("p", {}, "No op on this page contributes to it."));
    return box;
  }
  if (found.some((one) => one === null)) {
    box.append(make("p", {}, "Its products are too many for this page. In Python:"), make("pre", {}, command));
    return box;
  }
  const all = found.flat(), known = all.filter((one) => one.dy !== undefined && one.factor !== undefined);
  const sorted = known.sort((one, other) => Math.abs(other.dy * other.factor) - Math.abs(one.dy * one.factor));
  const total = sorted.reduce((sum, one) => sum + one.dy * one.factor, 0);
  const missing = all.length - known.length;
  box.append(make("p", {}, sentence(all.length, missing)), productTable(sorted, missing, value, total, goTo));
  return box;
}

function sentence(all, missing) {
  const count = counted(all, "product");
  if (!missing) return `is the sum of ${count}${all > 1 ? ", the largest first" : ""}:`;
  return `is the sum of ${count}; of ${(all - missing).toLocaleString("en")} the numbers are on this page, the largest first:`;
}

function productTable(products, missing, value, total, goTo) {
  const body = make("tbody");
  const rowOf = (one) => make("tr", {},
    make("td", { class: "number" }, show(one.dy * one.factor, 5)), make("td", {}, "="),
    make("td", {}, named("dy", one.dyIndex)), make("td", { class: "number" }, show(one.dy, 5)), make("td", {}, "×"),
    make("td", {}, one.called), make("td", { class: "number" }, show(one.factor, 5)),
    make("td", {}, make("button", { class: "link", onclick: () => goTo(one.step) }, `%${one.step.number} ${one.step.op}`)));
  const sumRow = (number, text) => make("tr", { class: "sum" }, make("td", { class: "number" }, number), make("td", { colspan: 7 }, text));
  const fill = (shown) => {
    const rest = products.slice(shown);
    body.replaceChildren(...products.slice(0, shown).map(rowOf));
    if (rest.length) {
      const sum = rest.reduce((all, one) => all + one.dy * one.factor, 0);
      const more = make("button", { class: "link", onclick: () => fill(shown + 200) }, "show more");
      body.append(make("tr", { class: "sum" }, make("td", { class: "number" }, show(sum, 5)),
        make("td", { colspan: 7 }, `${rest.length.toLocaleString("en")} more `, more)));
    }
    if (missing) body.append(sumRow(show(value - total, 5), `${missing.toLocaleString("en")} that are not on this page, by difference`));
    body.append(sumRow(show(missing ? value : total, 7), "the sum"));
  };
  fill(FIRST_SHOWN);
  return make("table", { class: "products" }, body);
}
