// Free-energy diagrams that follow the control of the page: one reaction on several clusters,
// the best pathway of each, or on one cluster with all its pathways.

const PLOT = { left: 52, right: 10, top: 18, height: 206, alone: 320 };
const LINE = 14; // px of a line of text
const LABEL_LINE = 15;
const SHOWN_AT_FIRST = 3;
const MOST_COLORS = 5;
const WIDE = 780; // px from which letters in half of the page would be too small

/** One figure; `block` holds the still picture that it replaces. */
class Diagram {
  /** Each track is a cluster: its name, its reaction, the id of its data, its colour. */
  constructor(block, tracks) {
    Object.assign(this, { block, tracks, chemistry: dataOf("chemistry") });
    this.alone = !block.dataset.diagram;
    this.plot = block.querySelector(".scroll");
    const parts = document.importNode(document.getElementById("diagram-parts").content, true);
    block.querySelector("figure").append(...parts.children);
    this.parts = Object.fromEntries(
      [...block.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]),
    );
    if (!this.alone) this.parts.steps.closest("details").remove();
    this.parts.choice.addEventListener("change", (event) => {
      const { value, checked } = event.target;
      this.shown[checked ? "add" : "delete"](value);
      this.update();
    });
    this.plot.addEventListener("click", (event) => this.explain(event.target));
    this.plot.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.explain(event.target);
    });
    this.reset();
    controls.follow(this);
  }

  reset() {
    this.range = [Infinity, -Infinity];
    const most = this.alone ? SHOWN_AT_FIRST : MOST_COLORS;
    this.shown = new Set(this.lines().slice(0, most).map((line) => line.key));
  }

  /** What can be drawn at the conditions: pathways, best first, or clusters in their order. */
  lines() {
    const conditions = controls.read();
    const found = this.tracks.map((track) => {
      const column = track.data.temperatures.indexOf(conditions.temperature);
      const ranked = column < 0 ? [] : evaluateReaction(track.data, { ...conditions, column }, this.chemistry);
      return { track, column, ranked };
    });
    if (this.alone) {
      const [{ track, column, ranked }] = found;
      return ranked.map((found) => ({
        key: String(track.data.pathways.indexOf(found.pathway)),
        name: chem(found.pathway.states.join(" → ")),
        track, column, found,
      }));
    }
    return found.map(({ track, column, ranked }) => ({
      key: track.cluster, name: track.cluster, track, column, found: ranked[0] ?? null,
    }));
  }

  update() {
    const all = this.lines();
    let rank = 0;
    for (const line of all) {
      line.color = !this.shown.has(line.key) || !line.found ? "transparent" : line.track.color ?? colorOf(rank);
      if (line.color !== "transparent") line.rank = rank++;
    }
    const lines = all.filter((line) => line.rank !== undefined);
    this.plot.replaceChildren(this.picture(lines));
    this.list(all);
    if (this.alone) this.tell(all, lines);
  }

  /** What a diagram of one cluster says below it: the best pathway, and a table of steps. */
  tell(all, lines) {
    const best = all[0]?.found;
    this.parts.verdict.textContent = best
      ? verdictOn(best)
      : `No values at this temperature: ${this.tracks[0].data.temperature_reason || "not computed"}.`;
    const chosen = (lines[0] ?? all[0])?.found;
    if (chosen) this.tabulate(chosen);
  }

  /** The choice of pathways or clusters, with the potential of each. */
  list(all) {
    const { choice, count } = this.parts;
    const focused = choice.contains(document.activeElement) ? document.activeElement.value : null;
    const rows = all.map((line) => {
      const box = make("input", { type: "checkbox", value: line.key });
      box.checked = this.shown.has(line.key);
      const color = line.color === "transparent" ? "var(--line)" : line.color;
      return make("label", { style: `--color: ${color}` }, box, ` ${line.name} `, make("span", { class: "quiet" }, limitOf(line)));
    });
    choice.replaceChildren(...rows);
    count.textContent = `${this.shown.size} of ${rows.length} shown`;
    if (focused !== null) choice.querySelector(`[value="${CSS.escape(focused)}"]`).focus();
  }

  /** The steps of a pathway at the conditions, as a table. */
  tabulate(found) {
    const { cluster_records } = dataOf(this.tracks[0].block);
    const rows = found.taken.map((step, index) =>
      make(
        "tr",
        { "data-record": cluster_records.join("|") },
        make("td", { class: "text" }, chem(step.name)),
        make("td", { class: "n" }, write(step.dg0, 3)),
        make("td", { class: "n main", "data-dg-ev": found.energies[index] ?? "" }, write(found.energies[index], 3)),
      ),
    );
    this.parts.steps.replaceChildren(...rows);
    reachByTab(this.parts.steps);
  }

  /** Everything drawn: bars, intervals, connectors, names, axes. */
  picture(lines) {
    const conditions = controls.read();
    const columns = columnsOf(lines);
    const one = this.alone || lines.length === 1;
    const dotted = conditions.limits && one ? levelsAtLimit(lines[0], conditions, this.chemistry) : [];
    const bars = barsOf(lines, columns, conditions.intervals, this.alone);
    this.fit(bars, dotted);
    const size = sizesOf(this.alone, columns, lines);
    this.block.classList.toggle("wide", size.width > WIDE);
    const [low, high] = this.range;
    const y = (level) => PLOT.top + ((high - level) / (high - low)) * size.height;
    const x = (column) => PLOT.left + (column + 0.5) * size.column;
    const root = draw("svg", {
      class: "plot live",
      viewBox: `0 0 ${size.width} ${size.full}`,
      style: `--natural: ${size.width}px`,
      role: "group",
      "aria-label": `Free energies of ${this.tracks[0].data.reaction} in eV at the chosen conditions`,
    });
    const holes = this.alone ? holesOf(lines[0], columns) : [];
    root.append(
      ...holes.map((hole) => holePicture(hole, x, size)),
      ...axis(low, high, y, size),
      draw("text", { class: "at", x: size.width - PLOT.right, y: PLOT.top - 4 }, sayConditions(conditions)),
      ...numbers(columns, x, size, this.tracks[0].data.axis),
      ...dottedLevels(dotted, lines[0], columns, x, y, size),
      ...connectors(lines, columns, x, y, size, this.alone),
    );
    for (const bar of bars) root.append(barPicture(bar, x(bar.column), y, size, lines.length));
    root.append(...(this.alone ? names(bars, holes, x, y) : namesBelow(columns, lines, x, size)));
    if (!this.alone) root.append(...values(bars, x, y));
    return root;
  }

  /** The axis grows with what it has to hold and does not shrink, so that levels move. */
  fit(bars, dotted) {
    const ends = [...bars.flatMap((bar) => [bar.level - bar.half, bar.level + bar.half]), ...dotted];
    const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
    const room = Math.max((this.alone ? 0.12 : 0.06) * (high - low), 0.15);
    this.range = [Math.min(this.range[0], low - room), Math.max(this.range[1], high + room)];
  }

  /** Where a bar or a connector comes from. */
  explain(target) {
    const mark = target.closest("[data-state], [data-step]");
    if (!mark) return;
    const track = this.tracks.find((one) => one.cluster === mark.dataset.cluster);
    const { species, cluster_records } = dataOf(track.block);
    const name = mark.dataset.state ?? mark.dataset.step;
    const terms = name.split(/ \+ | -> /).map((term) => term.replace(/^\d+ /, ""));
    const known = [...new Set(terms)].filter((term) => species[term]);
    const lines = [
      `${write(Number(mark.dataset.ev), 3)} eV on ${track.cluster} at the chosen conditions`,
      ...known.map((term) => {
        const { formation, status } = species[term];
        const value = formation === null ? status : `ΔG_f = ${write(formation, 3)} eV at ${track.data.temperature} K`;
        return `${chem(term)}: ${value}`;
      }),
    ];
    const records = [...cluster_records, ...known.flatMap((term) => species[term].records)];
    showSource(chem(name), lines, [...new Set(records)]);
  }
}

/** Conditions as a figure states them. */
function sayConditions({ potential, scale, ph, temperature }) {
  const at = scale === "she" ? `, pH ${write(ph, 1, false)}` : "";
  return `U = ${write(potential, 2, false)} V vs ${scale.toUpperCase()}${at}; ${temperature} K`;
}

function limitOf({ found, track }) {
  if (!found) return track.data.temperature_reason || "no values at this temperature";
  if (!found.complete) return "incomplete";
  return found.limiting === null ? "no U_L" : `U_L ${write(found.limiting)} V vs RHE`;
}

function verdictOn(best) {
  if (!best.complete) return "No pathway is complete, so there is no limiting potential.";
  const high = Math.max(...best.energies);
  const step = best.taken[best.energies.indexOf(high)];
  const limit =
    best.limiting === null
      ? "no electrochemical step"
      : `U_L = ${write(best.limiting, 3)} V vs RHE, set by ${[best.determining, ...best.determiningWith].map(({ name }) => chem(name)).join(" after ")}`;
  const rest =
    high <= 1e-9
      ? "every step is downhill here"
      : `the steepest step here is ${chem(step.name)} with ${write(high, 3)} eV`;
  return `Best pathway: ${limit}; ${rest}.`;
}

/** Places that some line takes, from left to right: electrons, then chemical steps. */
function columnsOf(lines) {
  const places = lines.flatMap(({ found }) => found.pathway.places);
  const unique = new Map(places.map((place) => [place.join(), place]));
  return [...unique.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

function columnOf(columns, place) {
  return columns.findIndex(([electrons, chemical]) => electrons === place[0] && chemical === place[1]);
}

/** How large a diagram is; one of several clusters fits half of a wide page. */
function sizesOf(alone, columns, lines) {
  const n = Math.max(2, columns.length);
  const column = alone ? 108 : Math.max(60, Math.floor((630 - PLOT.left - PLOT.right) / n));
  const height = alone ? PLOT.alone : PLOT.height;
  const below = alone ? 40 : 36 + LINE * Math.max(1, ...namesOf(columns, lines, column).map((one) => one.length));
  const width = PLOT.left + PLOT.right + n * column;
  return { alone, column, height, width, half: 0.36 * column, full: PLOT.top + height + below };
}

/** One bar for each state, once though several pathways pass through it. */
function barsOf(lines, columns, intervals, alone) {
  const bars = new Map();
  for (const { found, rank, color, track } of lines) {
    found.pathway.states.forEach((state, index) => {
      const level = found.levels[index];
      const column = columnOf(columns, found.pathway.places[index]);
      const [electrons] = found.pathway.places[index];
      const name = found.pathway.names[index];
      const key = `${column} ${name} ${level?.toFixed(3)} ${alone ? "" : track.cluster}`;
      if (level === null || bars.has(key)) return;
      const half = intervals && (rank === 0 || !alone) ? (found.pathway.half_widths[index] ?? 0) : 0;
      bars.set(key, { column, electrons, state, name, level, half, rank, color, cluster: track.cluster });
    });
  }
  return [...bars.values()];
}

function colorOf(rank) {
  return rank === 0 ? "var(--plot-best)" : rank < MOST_COLORS ? `var(--plot-${rank})` : "var(--faint)";
}

function axis(low, high, y, { width, height }) {
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
    draw("text", { class: "axis", transform: `translate(12 ${PLOT.top + height / 2}) rotate(-90)` }, "ΔG / eV"),
  ];
}

/** Under the axis, how many electrons each group of columns has taken up. */
function numbers(columns, x, size, label) {
  const marks = [];
  const bottom = PLOT.top + size.height;
  for (const count of new Set(columns.map(([electrons]) => electrons))) {
    const at = columns.flatMap(([electrons], column) => (electrons === count ? [column] : []));
    const [first, last] = [at[0], at.at(-1)];
    if (first) marks.push(draw("line", { class: "part", x1: x(first - 0.5), x2: x(first - 0.5), y1: PLOT.top, y2: bottom }));
    marks.push(draw("text", { class: "count", "data-electrons": count, x: (x(first) + x(last)) / 2, y: bottom + 14 }, write(count, 0, false)));
  }
  marks.push(draw("text", { class: "axis", x: (PLOT.left + size.width) / 2, y: size.full - 6 }, label));
  return marks;
}

/** Levels of a line at its own limiting potential, eV; none where it has no such. */
function levelsAtLimit(line, conditions, { boltzmann }) {
  if (!line || line.found.limiting === null) return [];
  const at = conditionsAt({ ...conditions, potential: line.found.limiting, scale: "rhe" }, boltzmann);
  return levelsOf(line.found.taken.map((step) => stepEnergy(step, step.dg0, at)));
}

function dottedLevels(dotted, line, columns, x, y, { half }) {
  const at = (index) => x(columnOf(columns, line.found.pathway.places[index]));
  return dotted.flatMap((level, index) => [
    draw("line", { class: "limit", "data-limit-ev": level, x1: at(index) - half, x2: at(index) + half, y1: y(level), y2: y(level) }),
    ...(index ? [draw("line", { class: "limit thin", x1: at(index - 1) + half, x2: at(index) - half, y1: y(dotted[index - 1]), y2: y(level) })] : []),
  ]);
}

/** A line for each step, once though several pathways take it; the first of them on top. */
function connectors(lines, columns, x, y, { half }, alone) {
  const seen = new Set();
  const found = lines.flatMap(({ found, rank, color, track }) =>
    found.taken.flatMap((step, index) => {
      const [from, to] = [found.levels[index], found.levels[index + 1]];
      const [left, right] = [index, index + 1].map((k) => columnOf(columns, found.pathway.places[k]));
      const key = `${left} ${step.name} ${from?.toFixed(3)} ${alone ? "" : track.cluster}`;
      if (from === null || to === null || seen.has(key)) return [];
      seen.add(key);
      const decisive = step === found.determining && (rank === 0 || !alone);
      const stroke = decisive && alone ? "var(--plot-determining)" : color;
      const ends = { x1: x(left) + half, x2: x(right) - half, y1: y(from), y2: y(to) };
      return draw(
        "g",
        { class: "step", "data-step": step.name, "data-cluster": track.cluster, "data-ev": found.energies[index] },
        draw("line", { ...ends, class: "reach" }),
        draw("line", { ...ends, class: "connector", style: `stroke: ${stroke}; stroke-width: ${decisive ? 2.6 : 1.2}` }),
        draw("title", {}, `${alone ? "" : `${track.cluster}: `}${chem(step.name)}: ${write(found.energies[index], 3)} eV`),
      );
    }),
  );
  return found.reverse();
}

/** The states of a pathway that have no value, with the reason. */
function holesOf(line, columns) {
  if (!line) return [];
  const { pathway, levels } = line.found;
  return pathway.states.flatMap((_, index) =>
    levels[index] === null
      ? [{ column: columnOf(columns, pathway.places[index]), name: pathway.names[index], reason: pathway.reasons[index] || "no value" }]
      : [],
  );
}

function holePicture({ column, reason }, x, size) {
  const place = { x: x(column) - size.column / 2, y: PLOT.top, width: size.column, height: size.height };
  return draw("rect", { class: "hole", ...place }, draw("title", {}, reason));
}

function barPicture(bar, x, y, { alone, half }, n) {
  const level = y(bar.level);
  const said = `${bar.cluster}, ${bar.name} ${write(bar.level, 3)} eV${bar.half ? `, plus or minus ${write(bar.half, 2, false)}` : ""}`;
  const group = draw(
    "g",
    {
      class: "level",
      tabindex: "0",
      role: "button",
      "aria-label": said,
      "data-cluster": bar.cluster,
      "data-state": bar.state,
      "data-column": bar.column,
      "data-electrons": bar.electrons,
      "data-ev": bar.level,
      "data-half-width": bar.half,
      style: `--color: ${bar.color}`,
    },
    draw("rect", { class: "reach", x: x - half, y: level - 9, width: 2 * half, height: 18 }),
  );
  if (bar.half) {
    const [top, bottom] = [y(bar.level + bar.half), y(bar.level - bar.half)];
    // Beside the name; those of several clusters side by side.
    const aside = x + half - 7 - (alone ? 0 : (bar.rank * (2 * half - 10)) / Math.max(n, 3));
    const cap = alone ? 5 : 2;
    group.append(draw("path", { class: "interval", d: `M${aside} ${top}V${bottom}M${aside - cap} ${top}h${2 * cap}M${aside - cap} ${bottom}h${2 * cap}` }));
  }
  const thick = bar.rank === 0 ? 5 : 3;
  group.append(
    draw("rect", { class: "bar", x: x - half, y: level - thick / 2, width: 2 * half, height: thick }),
    draw("title", {}, said),
  );
  return group;
}

/** Names and values beside their bars, where none covers another name or a bar. */
function names(bars, holes, x, y) {
  const texts = [];
  for (const column of new Set([...bars, ...holes].map((one) => one.column))) {
    const here = bars.filter((bar) => bar.column === column).sort((one, other) => one.rank - other.rank);
    const taken = here.map((bar) => [y(bar.level) - 4, y(bar.level) + 4]);
    const label = (name, value, near, kind) => {
      const lines = [...wrap(chem(name), 12), value];
      const top = freePlace(near, lines.length * LABEL_LINE, taken);
      taken.push([top, top + lines.length * LABEL_LINE]);
      texts.push(
        ...lines.map((line, index) =>
          draw("text", { class: index === lines.length - 1 ? "value" : kind, x: x(column), y: top + (index + 0.8) * LABEL_LINE }, line),
        ),
      );
    };
    for (const bar of here) label(bar.name, write(bar.level), y(bar.level), bar.rank === 0 ? "name best" : "name");
    for (const hole of holes.filter((one) => one.column === column)) label(hole.name, "no value", PLOT.top + PLOT.alone / 2, "name best");
  }
  return texts;
}

/** The names of the states in each column, in lines. */
function namesOf(columns, lines, width) {
  return columns.map((place) => {
    const here = new Set();
    for (const { found } of lines) {
      found.pathway.places.forEach((other, index) => {
        if (other[0] === place[0] && other[1] === place[1]) here.add(found.pathway.names[index]);
      });
    }
    return [...here].flatMap((name) => wrap(chem(name), Math.floor(width / 6.5)));
  });
}

function namesBelow(columns, lines, x, size) {
  return namesOf(columns, lines, size.column).flatMap((texts, column) =>
    texts.map((text, index) =>
      draw("text", { class: "name", x: x(column), y: PLOT.top + size.height + 14 + LINE * (index + 1) }, text),
    ),
  );
}

/** The free energies of the first cluster on its levels. */
function values(bars, x, y) {
  return bars
    .filter((bar) => bar.rank === 0)
    .map((bar) => draw("text", { class: "value", x: x(bar.column) - 6, y: y(bar.level) - 6 }, write(bar.level)));
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
function wrap(state, most) {
  const lines = [""];
  for (const part of state.split(/ (?=\+ )/)) {
    const joined = `${lines.at(-1)} ${part}`.trim();
    if (joined.length <= most || !lines.at(-1)) lines[lines.length - 1] = joined;
    else lines.push(part);
  }
  return lines;
}

/** The diagram of a block, made when it is first seen. */
function startDiagram(block) {
  if (block.dataset.started) return;
  block.dataset.started = "yes";
  if (block.dataset.diagram) {
    const tracks = dataOf("tracks")[Number(block.dataset.diagram)];
    const data = (one) => dataOf(one.block).reactions.find(({ reaction }) => reaction === one.reaction);
    if (tracks.length) new Diagram(block, tracks.map((one) => ({ ...one, data: data(one) })));
    return;
  }
  const { cluster, block: id } = block.closest("[data-block]").dataset;
  const track = { cluster, block: id, data: dataOf(id).reactions[Number(block.dataset.reaction)] };
  if (track.data.pathways.length) new Diagram(block, [track]);
}

whenIdle(".profile-block", (block) => {
  if (!block.closest("details:not([open])")) startDiagram(block);
});
document.addEventListener("toggle", (event) => event.target.querySelectorAll(".profile-block").forEach(startDiagram), true);
