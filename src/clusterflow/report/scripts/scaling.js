// The free energy of any adsorbate against that of any other, with the line of the table.

class ScalingPlot {
  constructor(figure, data) {
    Object.assign(this, { figure, data });
    this.plot = figure.querySelector(".scroll");
    const template = document.getElementById("axes").content;
    this.plot.addEventListener("click", (event) => explainPoint(event.target));
    this.plot.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      if (explainPoint(event.target)) event.preventDefault();
    });
    figure.prepend(document.importNode(template, true));
    [this.x, this.y] = figure.querySelectorAll("select");
    for (const select of [this.x, this.y]) {
      select.append(...data.species.map((name, index) => make("option", { value: index }, chem(name))));
      select.addEventListener("change", () => this.update());
    }
    this.plot.classList.add("bare");
    [this.x.value, this.y.value] = data.first;
    this.update();
  }

  update() {
    const { data, figure } = this;
    const [i, j] = [Number(this.x.value), Number(this.y.value)];
    const points = data.clusters
      .map((cluster, row) => ({ cluster, x: data.values[row][i], y: data.values[row][j] }))
      .filter((point) => point.x !== null && point.y !== null);
    const line = data.lines[`${i},${j}`];
    this.plot.replaceChildren(scatter(points, line, data.species[i], data.species[j]));
    figure.querySelector("output").textContent = line
      ? `ΔG(${chem(data.species[j])}) = ${write(line.slope, 2, false)} ΔG(${chem(data.species[i])}) ${line.intercept < 0 ? MINUS : "+"} ${Math.abs(line.intercept).toFixed(2)} eV, R² = ${write(line.r_squared, 2, false)}, mean absolute error ${line.mae.toFixed(2)} eV, ${points.length} clusters; 90 % interval of the slope ${line.interval.map((end) => write(end, 2, false)).join(" to ")}${line.few ? `; dashed: fewer than ${line.few} clusters` : ""}`
      : `${points.length} ${points.length === 1 ? "cluster has" : "clusters have"} both; a line needs 3 that differ in x`;
  }
}

function scatter(points, line, x_name, y_name) {
  const [width, height, left, top, size] = [460, 420, 58, 14, 340];
  const root = draw("svg", {
    class: "plot live", viewBox: `0 0 ${width} ${height}`, style: `--natural: ${width}px`,
    role: "group", "aria-label": `ΔG of ${y_name} against ΔG of ${x_name} in eV: ${points.map((p) => `${p.cluster} ${write(p.x)}, ${write(p.y)}`).join("; ")}`,
  });
  const limits = (values) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const half = Math.max(high - low, 0.4) * 0.6;
    return [(low + high) / 2 - half, (low + high) / 2 + half];
  };
  const [x0, x1] = limits(points.length ? points.map((p) => p.x) : [0]);
  const [y0, y1] = limits(points.length ? points.map((p) => p.y) : [0]);
  const x = (value) => left + ((value - x0) / (x1 - x0)) * size;
  const y = (value) => top + ((y1 - value) / (y1 - y0)) * size;
  const step = (low, high) => [0.1, 0.2, 0.5, 1, 2, 5, 10].find((s) => (high - low) / s <= 6) ?? 20;
  const ticks = (low, high) => {
    const by = step(low, high);
    const first = Math.ceil(low / by);
    return Array.from({ length: Math.floor(high / by) - first + 1 }, (_, k) => (first + k) * by);
  };
  for (const tick of ticks(x0, x1)) {
    root.append(
      draw("line", { class: "grid", x1: x(tick), x2: x(tick), y1: top, y2: top + size }),
      draw("text", { class: "axis", x: x(tick), y: top + size + 16 }, write(tick, 1, false)),
    );
  }
  for (const tick of ticks(y0, y1)) {
    root.append(
      draw("line", { class: "grid", x1: left, x2: left + size, y1: y(tick), y2: y(tick) }),
      draw("text", { class: "tick", x: left - 8, y: y(tick) + 4 }, write(tick, 1, false)),
    );
  }
  root.append(
    draw("text", { class: "axis", x: left + size / 2, y: top + size + 38 }, `ΔG(${chem(x_name)}) / eV`),
    draw("text", { class: "axis", transform: `translate(14 ${top + size / 2}) rotate(-90)` }, `ΔG(${chem(y_name)}) / eV`),
  );
  if (line) {
    const ends = [Math.min(...points.map((p) => p.x)), Math.max(...points.map((p) => p.x))];
    const [from, to] = ends.map((value) => line.slope * value + line.intercept);
    const style = line.few ? { "stroke-dasharray": "6 4" } : {};
    root.append(draw("line", { class: "fit", ...style, x1: x(ends[0]), x2: x(ends[1]), y1: y(from), y2: y(to) }));
  }
  const taken = points.map((point) => ({ x: x(point.x), y: y(point.y), half: 6, high: 12 }));
  for (const point of points) {
    const said = `${point.cluster}: ${write(point.x, 3)}, ${write(point.y, 3)} eV`;
    const place = { class: "point", cx: x(point.x), cy: y(point.y), r: 5 };
    const button = { tabindex: "0", role: "button", "aria-label": said, "data-cluster": point.cluster };
    root.append(draw("circle", { ...place, ...button }, draw("title", {}, said)));
    const free = freeBeside(x(point.x), y(point.y), point.cluster, taken);
    if (free) root.append(draw("text", { class: "name", x: free.x, y: free.y + 4 }, point.cluster));
  }
  return root;
}

/** Where the two free energies of a point are from; whether it was one. */
function explainPoint(target) {
  const point = target.closest(".point");
  if (!point) return false;
  showSource(point.getAttribute("aria-label"), [], [`thermo/${point.dataset.cluster}.json`]);
  return true;
}

/** A place for a name beside its point; null where there is none, as the title has it too. */
function freeBeside(x, y, name, taken) {
  const half = 3.5 * name.length;
  const places = [[0, -14], [0, 15], [half + 9, 0], [-half - 9, 0]].map(([dx, dy]) => ({
    x: x + dx, y: y + dy, half, high: 13,
  }));
  const free = places.find((place) =>
    taken.every(
      (other) =>
        Math.abs(place.x - other.x) >= place.half + other.half ||
        Math.abs(place.y - other.y) >= (place.high + other.high) / 2,
    ),
  );
  if (free) taken.push(free);
  return free ?? null;
}

whenIdle("figure[data-scaling]", (figure) => new ScalingPlot(figure, dataOf(figure.dataset.scaling)));
