// The list of all clusters of a large study: one reaction at a time, searched and filtered,
// as a table or as pictures, each of which leads to the page of its cluster.

const AT_ONCE = 100; // rows or pictures; more on request
const ORDERS = {
  rank: null, // as they are ranked
  name: (row) => row.about.name.toLowerCase(),
  over: (row) => row.over,
  chemical: (row) => row.chemical ?? 0,
  lead: (row) => (row.lead === undefined ? undefined : -row.lead),
};

/** A structure as the still pictures of the page: far atoms first, each after its bonds. */
function stillPicture({ symbols, places, name }, { elements, ball, bond }) {
  const root = draw("svg", { class: "atoms", role: "img", "aria-label": `Balls and sticks: ${name}, lowest isomer` });
  const atoms = symbols.map((symbol, index) => ({
    symbol, radius: 100 * elements[symbol].radius, place: places.slice(3 * index, 3 * index + 3),
  }));
  atoms.forEach((near, rank) => {
    const [x, y] = [near.place[0], -near.place[1]];
    const lines = atoms.slice(0, rank).flatMap((far) => {
      const apart = Math.hypot(...near.place.map((value, axis) => value - far.place[axis]));
      if (apart >= bond * (near.radius + far.radius)) return [];
      const rim = (0.9 * ball * far.radius) / apart;
      const at = far.place.map((value, axis) => Math.round(value + rim * (near.place[axis] - value)));
      return `M${at[0]} ${-at[1]}L${x} ${y}`;
    });
    if (lines.length) root.append(draw("path", { d: lines.join("") }));
    root.append(draw("use", { href: `#ball-${near.symbol}`, x, y }));
  });
  const ends = [0, 1].map((axis) => {
    const sign = axis ? -1 : 1;
    const reach = atoms.map((atom) => [sign * atom.place[axis] - ball * atom.radius, sign * atom.place[axis] + ball * atom.radius]);
    return [Math.min(...reach.map(([low]) => low)) - 30, Math.max(...reach.map(([, high]) => high)) + 30];
  });
  const side = Math.max(580, ...ends.map(([low, high]) => high - low));
  const [left, top] = ends.map(([low, high]) => Math.round((low + high - side) / 2));
  root.setAttribute("viewBox", `${left} ${top} ${Math.round(side)} ${Math.round(side)}`);
  return root;
}

class ClusterList {
  constructor(section, data) {
    Object.assign(this, { section, data, settings: dataOf("elements"), shown: AT_ONCE });
    this.nodes = Object.fromEntries(
      [...section.querySelectorAll("[data-find]")].map((node) => [node.dataset.find, node]),
    );
    const { nodes } = this;
    const several = new Set(data.rankings.map(({ level }) => level)).size > 1;
    nodes.reaction.append(
      ...data.rankings.map(({ reaction, level }, index) =>
        make("option", { value: index }, chem(reaction) + (several ? `, ${level}` : "")),
      ),
    );
    const again = () => {
      this.shown = AT_ONCE;
      this.update();
    };
    section.querySelector(".conditions").addEventListener("input", again);
    nodes.more.addEventListener("click", () => {
      this.shown += AT_ONCE;
      this.update();
    });
    this.update();
  }

  /** Rows of the chosen reaction with what is known of their clusters; without one, all. */
  rows() {
    const { clusters, rankings } = this.data;
    const ranking = rankings[Number(this.nodes.reaction.value)];
    if (!ranking) return clusters.map((about) => ({ about, why: "no reaction profile" }));
    return ranking.rows.map((row, index) => ({ ...row, rank: index + 1, about: clusters[row.cluster] }));
  }

  /** Whether a row is asked for. */
  wants(row, words, least) {
    const { open, usable } = this.nodes;
    if (open.checked && (row.closed || row.median === undefined)) return false;
    if (usable.checked && (row.out || row.median === undefined)) return false;
    if (!Number.isNaN(least) && !(row.median >= least)) return false;
    const { name, words: more } = row.about;
    const text = `${name} ${more} ${row.step ?? ""} ${row.why ?? ""} ${(row.out ?? []).join(" ")}`.toLowerCase();
    return words.every((word) => text.includes(word));
  }

  update() {
    const { nodes } = this;
    const words = nodes.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = this.rows().filter((row) => this.wants(row, words, nodes.least.valueAsNumber));
    const key = ORDERS[nodes.order.value];
    if (key) {
      found.sort((one, other) => {
        const [a, b] = [key(one), key(other)];
        if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
        return typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b;
      });
    }
    const some = found.slice(0, this.shown);
    const pictures = nodes.look.value === "pictures";
    nodes.table.closest(".scroll").hidden = pictures;
    nodes.pictures.hidden = !pictures;
    nodes.table.replaceChildren(...(pictures ? [] : some.map((row) => this.line(row))));
    nodes.pictures.replaceChildren(...(pictures ? some.map((row) => this.card(row)) : []));
    nodes.count.textContent = `${found.length} of ${this.data.clusters.length} clusters${some.length < found.length ? `, the first ${some.length} shown` : ""}`;
    nodes.more.hidden = some.length === found.length;
  }

  /** A cluster as a row of the table. */
  line(row) {
    const number = (value, kind = "n") => make("td", { class: kind }, write(value));
    const link = make("a", { href: row.about.href }, row.about.name);
    const potential = make("td", { class: "n main" }, write(row.median));
    if (row.low !== undefined) potential.append(make("br"), make("small", { class: "quiet" }, `${write(row.low)} to ${write(row.high)}`));
    return make(
      "tr", {},
      make("td", { class: "n" }, row.median === undefined ? "\u2014" : String(row.rank)),
      make("th", { scope: "row" }, link), potential, number(row.estimate),
      make("td", { class: "text" }, row.why ?? chem(row.step ?? "")),
      number(row.chemical), number(row.over), number(row.lead),
      make("td", { class: "text" }, ...(row.out ?? []).map((name) => make("span", { class: "tag flag out" }, name.replaceAll("-", " ")))),
    );
  }

  /** A cluster as a picture. */
  card(row) {
    const { about } = row;
    const picture = about.symbols ? [stillPicture(about, this.settings)] : [];
    const said = row.median === undefined ? "no U_L" : `${write(row.median)} V`;
    return make("figure", {}, make("a", { href: about.href }, ...picture, make("figcaption", {}, make("b", { class: "name" }, chem(about.name)), said)));
  }
}

const found = document.getElementById("clusters");
if (found?.querySelector("[data-find]")) new ClusterList(found, dataOf("clusters-list"));
