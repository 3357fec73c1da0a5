// Files of what the page holds: figures as SVG and PNG, tables as CSV, structures as XYZ and
// CIF, and all of it as one zip. Nothing leaves the page; the browser saves.

const BOX = 10; // Å of nothing around a cluster in its CIF
const STYLES = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
  "opacity", "paint-order", "font-family", "font-size", "font-weight", "text-anchor", "font-variant-numeric",
];
const PNG_SCALE = 2; // pixels a unit

/** Hands a file to the browser. */
function save(name, content, type = "text/plain") {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const url = URL.createObjectURL(blob);
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A name that every file system takes. */
function slug(text) {
  return text.trim().replace(/[^A-Za-z0-9+.-]+/g, "-").replace(/^[-.]+|-+$/g, "") || "file";
}

function fileName(cluster, { title, note }) {
  return slug(`${cluster} ${title.replace(/^\*/, "") || "bare"} ${note.split(",").at(-1)}`);
}

/** A picture of the page as a file of its own, its styles written out. */
function svgOf(svg) {
  const copy = svg.cloneNode(true);
  const [sources, copies] = [svg, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  sources.forEach((source, index) => {
    const style = getComputedStyle(source);
    const target = copies[index];
    target.removeAttribute("tabindex");
    target.removeAttribute("role");
    target.setAttribute("style", STYLES.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";"));
  });
  const { width, height } = svg.viewBox.baseVal;
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  const { x, y } = svg.viewBox.baseVal;
  const paper = getComputedStyle(document.querySelector("main > section")).backgroundColor;
  copy.prepend(draw("rect", { x, y, width, height, fill: paper }));
  for (const used of new Set([...copy.querySelectorAll("use")].map((use) => use.getAttribute("href")))) {
    const shared = document.querySelector(`svg.balls ${CSS.escape ? used.replace(/^#(.*)/, (_, id) => `#${CSS.escape(id)}`) : used}`);
    if (shared) copy.prepend(draw("defs", {}, shared.cloneNode(true)));
  }
  return new XMLSerializer().serializeToString(copy);
}

/** A picture as pixels. */
function pngOf(svg) {
  const source = svgOf(svg);
  const image = new Image();
  const { width, height } = svg.viewBox.baseVal;
  const scale = PNG_SCALE;
  return new Promise((resolve, reject) => {
    image.onerror = reject;
    image.onload = () => {
      const canvas = make("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(resolve, "image/png");
    };
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  });
}

/** The text of a cell: one line, numbers with a minus that programs read, holes empty. */
function cellText(cell) {
  const text = cell.textContent.replace(/\s+/g, " ").trim();
  if (text === "\u2014") return "";
  const plain = text.replaceAll(MINUS, "-");
  const isNumber = plain !== "" && !Number.isNaN(Number(plain));
  // A spreadsheet would run what begins like a formula.
  return !isNumber && /^[=+\-@\t]/.test(text) ? `'${text}` : isNumber ? plain : text;
}

/** Cells of a row by column, one that spans several in each of them. */
function cellsOf(row) {
  return [...row.cells].flatMap((cell) => Array(cell.colSpan).fill(cell));
}

/** A table as CSV, with all its rows, also those that a filter hides. */
function csvOf(table) {
  const rows = [...table.rows].map((row) =>
    cellsOf(row).map((cell, index, all) => (index && all[index - 1] === cell ? "" : cellText(cell))),
  );
  const quote = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => row.map(quote).join(",")).join("\n") + "\n";
}

/** A structure as extended XYZ, Å to 0.001 as the page has it. */
function xyzOf(structure) {
  const { symbols, roles, charge, multiplicity, energy, title, cell } = structure;
  const lattice = cell ? `Lattice="${cell.flat().join(" ")}" pbc="T T T" ` : 'pbc="F F F" ';
  const told = `total_energy_ev=${energy} charge=${charge} multiplicity=${multiplicity} title="${title.replace(/["\\]/g, "")}"`;
  const atoms = placesOf(structure).map(
    (place, index) => [symbols[index].padEnd(2), ...place.map((value) => value.toFixed(3).padStart(9)), roles[index]].join(" "),
  );
  return [symbols.length, `${lattice}Properties=species:S:1:pos:R:3:role:S:1 ${told}`, ...atoms, ""].join("\n");
}

/** A structure as CIF: in its cell, or in a box with nothing around it. */
function cifOf(structure, name) {
  const places = placesOf(structure);
  const axes = [0, 1, 2].map((axis) => places.map((place) => place[axis]));
  const low = structure.cell ? [0, 0, 0] : axes.map((values) => Math.min(...values) - BOX / 2);
  const sides = axes.map((values) => Math.max(...values) - Math.min(...values) + BOX);
  const cell = structure.cell ?? sides.map((side, row) => [0, 1, 2].map((axis) => (axis === row ? side : 0)));
  const lengths = cell.map((vector) => Math.hypot(...vector));
  const angle = (i, j) => (Math.acos(dot(cell[i], cell[j]) / lengths[i] / lengths[j]) * 180) / Math.PI;
  const volume = dot(cell[0], cross(cell[1], cell[2]));
  // Rows of the reciprocal cell give fractions.
  const reciprocal = [cross(cell[1], cell[2]), cross(cell[2], cell[0]), cross(cell[0], cell[1])];
  const fractions = places.map((place) => {
    const shifted = place.map((value, axis) => value - low[axis]);
    return reciprocal.map((row) => (dot(row, shifted) / volume).toFixed(6));
  });
  return [
    `data_${name}`,
    ...["a", "b", "c"].map((side, index) => `_cell_length_${side} ${lengths[index].toFixed(5)}`),
    `_cell_angle_alpha ${angle(1, 2).toFixed(4)}`,
    `_cell_angle_beta ${angle(0, 2).toFixed(4)}`,
    `_cell_angle_gamma ${angle(0, 1).toFixed(4)}`,
    "_space_group_name_H-M_alt 'P 1'",
    "loop_", "_space_group_symop_operation_xyz", "'x, y, z'",
    "loop_", "_atom_site_label", "_atom_site_type_symbol",
    "_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z",
    ...fractions.map((place, index) => [`${structure.symbols[index]}${index + 1}`, structure.symbols[index], ...place].join(" ")),
    "",
  ].join("\n");
}

function dot(one, other) {
  return one.reduce((sum, value, index) => sum + value * other[index], 0);
}

function cross([a, b, c], [d, e, f]) {
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}

const CRC = Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ CRC[(value ^ byte) & 255];
  return (value ^ 0xffffffff) >>> 0;
}

/** Files as a zip without compression (APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.3.16). */
function zipOf(files) {
  const encoder = new TextEncoder();
  const [parts, entries] = [[], []];
  let offset = 0;
  const fields = (...sizes) => {
    const view = new DataView(new ArrayBuffer(sizes.reduce((sum, [size]) => sum + size, 0)));
    let at = 0;
    for (const [size, value] of sizes) {
      if (size === 2) view.setUint16(at, value, true);
      else view.setUint32(at, value, true);
      at += size;
    }
    return new Uint8Array(view.buffer);
  };
  const UTF8 = 0x0800;
  const NEW_YEAR_1980 = 0x0021; // the first date there is: the same page gives the same zip
  for (const [path, content] of files) {
    const name = encoder.encode(path);
    const bytes = typeof content === "string" ? encoder.encode(content) : content;
    const shared = [[2, 20], [2, UTF8], [2, 0], [2, 0], [2, NEW_YEAR_1980], [4, crc32(bytes)], [4, bytes.length], [4, bytes.length], [2, name.length], [2, 0]];
    parts.push(fields([4, 0x04034b50], ...shared), name, bytes);
    entries.push(fields([4, 0x02014b50], [2, 20], ...shared, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), name);
    offset += 30 + name.length + bytes.length;
  }
  const size = entries.reduce((sum, part) => sum + part.length, 0);
  const n = entries.length / 2;
  const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, n], [2, n], [4, size], [4, offset], [2, 0]);
  return new Blob([...parts, ...entries, end], { type: "application/zip" });
}

/** What a figure or a table is called, from the headings it stands under. */
function titleOf(node) {
  if (node.closest("[data-file]")) return slug(node.closest("[data-file]").dataset.file);
  const section = node.closest("section");
  const heading = section.querySelector("h2")?.textContent ?? "";
  const label = node.closest("[aria-label]")?.getAttribute("aria-label") ?? "";
  return slug(label.includes(heading.trim()) ? label : `${heading} ${label}`);
}

/** Every figure, table and structure of the page, by path. */
async function everything() {
  const files = new Map();
  const add = (folder, name, suffix, content) => {
    let path = `${folder}/${name}.${suffix}`;
    for (let k = 2; files.has(path); k += 1) path = `${folder}/${name}-${k}.${suffix}`;
    files.set(path, content);
  };
  document.querySelectorAll(".profile-block").forEach(startDiagram);
  for (const svg of document.querySelectorAll("main figure svg.plot, main figure svg.strip")) {
    const name = titleOf(svg);
    add("figures", name, "svg", svgOf(svg));
    add("figures", name, "png", new Uint8Array(await (await pngOf(svg)).arrayBuffer()));
  }
  for (const table of document.querySelectorAll("main table")) add("tables", titleOf(table), "csv", csvOf(table));
  for (const section of document.querySelectorAll("section[data-block]")) {
    for (const structure of dataOf(section.dataset.block).structures) {
      const name = fileName(section.dataset.cluster, structure);
      add(`structures/${slug(section.dataset.cluster)}`, name, "xyz", xyzOf(structure));
      add(`structures/${slug(section.dataset.cluster)}`, name, "cif", cifOf(structure, name));
    }
  }
  return files;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-save]");
  if (!button) return;
  const kind = button.dataset.save;
  if (kind === "zip") {
    button.disabled = true;
    save(`${slug(document.querySelector("h1").textContent)}.zip`, zipOf(await everything()));
    button.disabled = false;
    return;
  }
  if (kind === "csv") {
    const table = button.closest(".tools").nextElementSibling.querySelector("table");
    save(`${titleOf(table)}.csv`, csvOf(table), "text/csv");
    return;
  }
  const svg = button.closest("figure").querySelector("svg.plot, svg.strip");
  if (kind === "svg") save(`${titleOf(svg)}.svg`, svgOf(svg), "image/svg+xml");
  else save(`${titleOf(svg)}.png`, await pngOf(svg));
});
