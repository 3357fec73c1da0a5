// Free-energy diagrams that follow sliders of potential, pH and temperature.

const COLUMN = 108; // px a state
const PLOT = { left: 58, right: 14, top: 26, height: 320, below: 30 };
const HALF_BAR = 38;
const LABEL_LINE = 15;
const SHOWN_AT_FIRST = 3;
const MOST_COLORS = 5;

/** One reaction on one cluster; `block` holds the still picture that it replaces. */
class Diagram {
  constructor(block, data, chemistry) {
    Object.assign(this, { block, data, chemistry });
    this.plot = block.querySelector(".scroll");
    const [above, ...below] = document.importNode(document.getElementById("controls").content, true).children;
    this.plot.before(above);
    this.plot.after(below[0]);
    block.querySelector("figure").append(...below.slice(1));
    this.controls = Object.fromEntries(
      [...block.querySelectorAll("[data-control]")].map((node) => [node.dataset.control, node]),
    );
    this.shown = new Set();
    this.prepare();
    this.reset();
  }

  prepare() {
    const { controls, data } = this;
    const { temperature } = controls;
    temperature.max = data.temperatures.length - 1;
    temperature.disabled = data.temperatures.length < 2;
    controls.temperatureReason.textContent = data.temperature_reason;
    for (const [one, other] of [["potential", "potentialNumber"], ["ph", "phNumber"]]) {
      controls[one].addEventListener("input", () => (controls[other].value = controls[one].value));
      controls[other].addEventListener("input", () => (controls[one].value = controls[other].value));
    }
    controls.scale.addEventListener("change", () => this.changeScale());
    controls.reset.addEventListener("click", () => this.reset());
    // A scale just chosen does not belong to the number yet: `changeScale` makes it.
    this.block.querySelector(".conditions").addEventListener("input", (event) => {
      if (event.target !== controls.scale) this.update();
    });
    controls.pathways.addEventListener("change", (event) => {
      const { value, checked } = event.target;
      this.shown[checked ? "add" : "delete"](Number(value));
      this.update();
    });
    this.plot.addEventListener("click", (event) => this.explain(event.target));
    this.plot.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.explain(event.target);
    });
  }

  reset() {
    const { controls, data } = this;
    controls.scale.value = this.scale = data.scale;
    controls.potential.value = controls.potentialNumber.value = data.potential;
    controls.ph.value = controls.phNumber.value = data.ph;
    controls.temperature.value = data.temperatures.indexOf(data.temperature);
    this.range = [Infinity, -Infinity];
    const best = this.evaluate().slice(0, SHOWN_AT_FIRST);
    this.shown = new Set(best.map((found) => data.pathways.indexOf(found.pathway)));
    this.update();
  }

  /** Conditions as the controls say; an empty or impossible field counts as the slider. */
  conditions() {
    const { controls, data } = this;
    const read = (number, slider) =>
      controls[number].value !== "" && controls[number].validity.valid
        ? controls[number].valueAsNumber
        : controls[slider].valueAsNumber;
    return {
      potential: read("potentialNumber", "potential"),
      scale: controls.scale.value,
      ph: read("phNumber", "ph"),
      column: controls.temperature.valueAsNumber,
      temperature: data.temperatures[controls.temperature.valueAsNumber],
    };
  }

  /** Another scale for the same electrode: the number changes, the diagram does not. */
  changeScale() {
    const { controls, chemistry } = this;
    const before = { ...this.conditions(), scale: this.scale };
    this.scale = controls.scale.value;
    const potential = potentialOn(this.scale, conditionsAt(before, chemistry.boltzmann));
    controls.potential.value = potential;
    controls.potentialNumber.value = Number(potential.toFixed(4));
    this.update();
  }

  evaluate() {
    return evaluateReaction(this.data, this.conditions(), this.chemistry);
  }

  update() {
    const ranked = this.evaluate();
    const chosen = ranked.filter((found) => this.shown.has(this.data.pathways.indexOf(found.pathway)));
    const conditions = this.conditions();
    this.controls.temperatureText.textContent = `${conditions.temperature} K`;
    this.controls.potential.setAttribute("aria-valuetext", `${write(conditions.potential)} volts`);
    this.plot.replaceChildren(this.picture(chosen, ranked[0]));
    this.controls.verdict.textContent = this.verdict(ranked[0]);
    this.list(ranked);
    this.tabulate(chosen[0] ?? ranked[0]);
  }

  verdict(best) {
    if (!best.complete) return "No pathway is complete, so there is no limiting potential.";
    const high = Math.max(...best.energies);
    const step = best.taken[best.energies.indexOf(high)];
    const limit =
      best.limiting === null
        ? "no electrochemical step"
        : `U_L = ${write(best.limiting, 3)} V vs RHE, set by ${chem(best.determining.name)}`;
    const rest =
      high <= 1e-9
        ? "every step is downhill here"
        : `the steepest step here is ${chem(step.name)} with ${write(high, 3)} eV`;
    return `Best pathway: ${limit}; ${rest}.`;
  }

  /** The choice of pathways, best first. */
  list(ranked) {
    const { controls, data } = this;
    const focused = controls.pathways.contains(document.activeElement)
      ? document.activeElement.value
      : null;
    let rank = 0;
    const rows = ranked.map((found) => {
      const index = data.pathways.indexOf(found.pathway);
      const box = make("input", { type: "checkbox", value: index });
      box.checked = this.shown.has(index);
      const limit = found.complete
        ? found.limiting === null ? "no U_L" : `U_L ${write(found.limiting)} V vs RHE`
        : "incomplete";
      const color = this.shown.has(index) ? colorOf(rank++) : "transparent";
      return make("label", { style: `border-left: 5px solid ${color}` }, box, ` ${chem(found.pathway.states.join(" → "))} `, make("span", { class: "quiet" }, limit));
    });
    controls.pathways.replaceChildren(...rows);
    controls.count.textContent = `${this.shown.size} of ${rows.length} shown`;
    if (focused !== null) controls.pathways.querySelector(`[value="${focused}"]`).focus();
  }

  /** The steps of a pathway at the conditions, as a table. */
  tabulate(found) {
    const { cluster_records } = dataOf(this.block.closest("section").dataset.block);
    const rows = found.taken.map((step, index) =>
      make(
        "tr",
        { "data-record": cluster_records.join("|") },
        make("td", { class: "text" }, chem(step.name)),
        make("td", { class: "n" }, write(step.dg0, 3)),
        make("td", { class: "n main", "data-dg-ev": found.energies[index] ?? "" }, write(found.energies[index], 3)),
      ),
    );
    this.controls.steps.replaceChildren(...rows);
    reachByTab(this.controls.steps);
  }

  /** Everything drawn: bars, intervals, connectors, names, axis. */
  picture(chosen, best) {
    const columns = Math.max(2, ...chosen.map((found) => found.pathway.states.length));
    const bars = barsOf(chosen, this.controls.intervals.checked);
    this.fit(bars);
    const width = PLOT.left + PLOT.right + columns * COLUMN;
    const height = PLOT.top + PLOT.height + PLOT.below;
    const [low, high] = this.range;
    const y = (level) => PLOT.top + ((high - level) / (high - low)) * PLOT.height;
    const x = (column) => PLOT.left + (column + 0.5) * COLUMN;
    const root = draw("svg", {
      class: "plot live",
      viewBox: `0 0 ${width} ${height}`,
      style: `--natural: ${width}px`,
      role: "group",
      "aria-label": `Free energies of ${this.data.reaction} in eV at the chosen conditions`,
    });
    root.append(...axis(low, high, y, width), ...connectors(chosen, best, x, y));
    const holes = holesOf(chosen[0]);
    root.prepend(...holes.map((hole) => holePicture(hole, x)));
    for (const bar of bars) root.append(barPicture(bar, x(bar.column), y));
    root.append(...names(bars, holes, x, y));
    return root;
  }

  /** The axis grows with what it has to hold and does not shrink, so that levels move. */
  fit(bars) {
    const ends = bars.flatMap((bar) => [bar.level - bar.half, bar.level + bar.half]);
    const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
    const room = Math.max(0.12 * (high - low), 0.15);
    this.range = [Math.min(this.range[0], low - room), Math.max(this.range[1], high + room)];
  }

  /** Where a bar or a connector comes from. */
  explain(target) {
    const mark = target.closest("[data-state], [data-step]");
    if (!mark) return;
    const { species, cluster_records } = dataOf(this.block.closest("section").dataset.block);
    const name = mark.dataset.state ?? mark.dataset.step;
    const terms = name.split(/ \+ | -> /).map((term) => term.replace(/^\d+ /, ""));
    const known = [...new Set(terms)].filter((term) => species[term]);
    const lines = [
      `${write(Number(mark.dataset.ev), 3)} eV at the chosen conditions`,
      ...known.map((term) => {
        const { formation, status } = species[term];
        const value = formation === null ? status : `ΔG_f = ${write(formation, 3)} eV at ${this.data.temperature} K`;
        return `${chem(term)}: ${value}`;
      }),
    ];
    const records = [...cluster_records, ...known.flatMap((term) => species[term].records)];
    showSource(chem(name), lines, [...new Set(records)]);
  }
}

/** One bar for each state of the chosen pathways, the first of them with intervals. */
function barsOf(chosen, intervals) {
  const bars = new Map();
  chosen.forEach((found, rank) =>
    found.pathway.states.forEach((state, column) => {
      const level = found.levels[column];
      const key = `${column} ${state} ${level?.toFixed(3)}`;
      if (level === null || bars.has(key)) return;
      const half = intervals && rank === 0 ? (found.pathway.half_widths[column] ?? 0) : 0;
      bars.set(key, { column, state, level, half, rank });
    }),
  );
  return [...bars.values()];
}

function colorOf(rank) {
  return rank === 0 ? "var(--plot-best)" : rank < MOST_COLORS ? `var(--plot-${rank})` : "var(--faint)";
}

function axis(low, high, y, width) {
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10].find((size) => (high - low) / size <= 8) ?? 20;
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high; k += 1) ticks.push(k * step);
  const digits = step < 1 ? 1 : 0;
  return [
    ...ticks.map((tick) =>
      draw("line", { class: tick === 0 ? "zero" : "grid", x1: PLOT.left, x2: width - PLOT.right, y1: y(tick), y2: y(tick) }),
    ),
    ...ticks.map((tick) =>
      draw("text", { class: "tick", x: PLOT.left - 8, y: y(tick) + 4 }, write(tick, digits, false)),
    ),
    draw("text", { class: "axis", transform: `translate(14 ${y((low + high) / 2)}) rotate(-90)` }, "Free energy ΔG / eV"),
    draw("text", { class: "axis", x: (PLOT.left + width) / 2, y: PLOT.top + PLOT.height + 22 }, "reaction coordinate"),
  ];
}

/** A line for each step, once though several pathways take it; the first of them on top. */
function connectors(chosen, best, x, y) {
  const seen = new Set();
  const found = chosen.flatMap((pathway, rank) =>
    pathway.taken.flatMap((step, column) => {
      const [from, to] = [pathway.levels[column], pathway.levels[column + 1]];
      const key = `${column} ${step.name} ${from?.toFixed(3)}`;
      if (from === null || to === null || seen.has(key)) return [];
      seen.add(key);
      const decisive = pathway === best && step === pathway.determining;
      const color = decisive ? "var(--plot-determining)" : colorOf(rank);
      const ends = { x1: x(column) + HALF_BAR, x2: x(column + 1) - HALF_BAR, y1: y(from), y2: y(to) };
      return draw(
        "g",
        { class: "step", "data-step": step.name, "data-ev": pathway.energies[column] },
        draw("line", { ...ends, class: "reach" }),
        draw("line", { ...ends, class: "connector", style: `stroke: ${color}; stroke-width: ${decisive ? 2.6 : 1.4}` }),
        draw("title", {}, `${chem(step.name)}: ${write(pathway.energies[column], 3)} eV`),
      );
    }),
  );
  return found.reverse();
}

/** The states of a pathway that have no value, with the reason. */
function holesOf(found) {
  if (!found) return [];
  return found.pathway.states.flatMap((state, column) =>
    found.levels[column] === null
      ? [{ column, state, reason: found.pathway.reasons[column] || "no value" }]
      : [],
  );
}

function holePicture({ column, reason }, x) {
  const place = { x: x(column) - COLUMN / 2, y: PLOT.top, width: COLUMN, height: PLOT.height };
  return draw("rect", { class: "hole", ...place }, draw("title", {}, reason));
}

function barPicture(bar, x, y) {
  const level = y(bar.level);
  const group = draw(
    "g",
    {
      class: "level",
      tabindex: "0",
      role: "button",
      "aria-label": `${bar.state} ${write(bar.level, 3)} eV${bar.half ? `, plus or minus ${write(bar.half, 2, false)}` : ""}`,
      "data-state": bar.state,
      "data-column": bar.column,
      "data-ev": bar.level,
      "data-half-width": bar.half,
      style: `--color: ${colorOf(bar.rank)}`,
    },
    draw("rect", { class: "reach", x: x - HALF_BAR, y: level - 9, width: 2 * HALF_BAR, height: 18 }),
  );
  if (bar.half) {
    const [top, bottom] = [y(bar.level + bar.half), y(bar.level - bar.half)];
    const aside = x + HALF_BAR - 7; // beside the name
    group.append(draw("path", { class: "interval", d: `M${aside} ${top}V${bottom}M${aside - 5} ${top}h10M${aside - 5} ${bottom}h10` }));
  }
  const thick = bar.rank === 0 ? 5 : 3;
  group.append(draw("rect", { class: "bar", x: x - HALF_BAR, y: level - thick / 2, width: 2 * HALF_BAR, height: thick }));
  return group;
}

/** Names and values beside their bars, where none covers another name or a bar. */
function names(bars, holes, x, y) {
  const texts = [];
  for (const column of new Set([...bars, ...holes].map((one) => one.column))) {
    const here = bars.filter((bar) => bar.column === column).sort((one, other) => one.rank - other.rank);
    const taken = here.map((bar) => [y(bar.level) - 4, y(bar.level) + 4]);
    const label = (state, value, near, kind) => {
      const lines = [...wrap(chem(state)), value];
      const top = freePlace(near, lines.length * LABEL_LINE, taken);
      taken.push([top, top + lines.length * LABEL_LINE]);
      texts.push(
        ...lines.map((line, index) =>
          draw("text", { class: index === lines.length - 1 ? "value" : kind, x: x(column), y: top + (index + 0.8) * LABEL_LINE }, line),
        ),
      );
    };
    for (const bar of here) label(bar.state, write(bar.level), y(bar.level), bar.rank === 0 ? "name best" : "name");
    for (const hole of holes.filter((one) => one.column === column)) label(hole.state, "no value", PLOT.top + PLOT.height / 2, "name best");
  }
  return texts;
}

/** The top of the free place nearest to a bar, above before below. */
function freePlace(bar, height, taken) {
  for (let shift = 0; ; shift += 3) {
    for (const top of [bar - 5 - shift - height, bar + 5 + shift]) {
      if (taken.every(([from, to]) => top >= to || top + height <= from)) return top;
    }
  }
}

/** A state broken at its plus signs where it is too long for its column. */
function wrap(state) {
  const lines = [""];
  for (const part of state.split(/ (?=\+ )/)) {
    const joined = `${lines.at(-1)} ${part}`.trim();
    if (joined.length <= 12 || !lines.at(-1)) lines[lines.length - 1] = joined;
    else lines.push(part);
  }
  return lines;
}

whenIdle(".profile-block[data-reaction]", (block) => {
  const { reactions } = dataOf(block.closest("section").dataset.block);
  const data = reactions[Number(block.dataset.reaction)];
  if (data.pathways.length) new Diagram(block, data, dataOf("chemistry"));
});
