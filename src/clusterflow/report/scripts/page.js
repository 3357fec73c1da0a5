"use strict";
// What all parts of the page share: making elements, the data, and where a number is from.

document.documentElement.classList.add("js");

const SVG = document.querySelector("svg").namespaceURI;
const parsed = new Map();

/** The content of a block of data, read when it is first asked for. */
function dataOf(id) {
  if (!parsed.has(id)) {
    const block = document.getElementById(id);
    parsed.set(id, block ? JSON.parse(block.textContent) : null);
  }
  return parsed.get(id);
}

/** An HTML element; text never becomes markup. */
function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Does something with each element, a few at a time, once the page has been painted. */
function whenIdle(selector, action) {
  const waiting = [...document.querySelectorAll(selector)];
  const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 20));
  const work = () => {
    const end = performance.now() + 30;
    while (waiting.length && performance.now() < end) action(waiting.shift());
    if (waiting.length) idle(work);
  };
  requestAnimationFrame(() => idle(work));
}

/** Shows what a number is and the records behind it, at the foot of the screen. */
function showSource(title, lines, records) {
  const sources = dataOf("sources") || {};
  const items = records.map((name) => {
    const known = sources[name] || {};
    const item = make("li", {}, make("b", {}, name));
    if (known.level) item.append(` level ${known.level}`);
    item.append(make("br"));
    const hash = known.sha256 ? `SHA-256 ${known.sha256}` : "its file was not at hand";
    item.append(make("code", {}, hash));
    if (known.created) item.append(make("br"), `protocol ${known.protocol}, ${known.created}`);
    return item;
  });
  const panel = document.getElementById("source");
  panel.hidden = false; // first: what is hidden is not read out
  panel.querySelector("h2").textContent = title;
  panel
    .querySelector("div")
    .replaceChildren(...lines.map((line) => make("p", {}, line)), make("ul", {}, ...items));
}

function hideSource() {
  document.getElementById("source").hidden = true;
}

/** What stands in a cell, in words: its row, its column and its value. */
function showCell(cell) {
  const row = cell.closest("tr");
  const table = cell.closest("table");
  const head = table.tHead.rows[0].cells[cell.cellIndex];
  const name = row.querySelector("th") || row.cells[0];
  const records = cell.closest("[data-record]").dataset.record.split("|");
  const column = head ? head.innerText.replace(/\s+/g, " ") : "";
  showSource(`${name.innerText.trim()}: ${cell.innerText.trim()}`, [column], records);
}

/** Arrow keys walk over the numbers of a table, of which one is in the order of tabs. */
function walk(cell, key) {
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const [down, along] = steps[key];
  let row = cell.parentElement;
  let index = cell.cellIndex;
  do {
    index += along;
    row = down < 0 ? row.previousElementSibling : down > 0 ? row.nextElementSibling : row;
  } while (row && row.cells[index] && !row.cells[index].matches("td.n"));
  const next = row && row.cells[index];
  if (!next) return;
  cell.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

const CELL = "[data-record] td.n";

/** Puts the first number of a table in the order of tabs. */
function reachByTab(table) {
  const first = table.querySelector(CELL);
  if (first) first.tabIndex = 0;
}

document.querySelectorAll("table").forEach(reachByTab);
document.addEventListener("click", (event) => {
  const cell = event.target.closest(CELL);
  if (cell && !event.target.closest("a, button")) showCell(cell);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideSource();
  const cell = event.target.closest && event.target.closest(CELL);
  if (!cell) return;
  if (event.key === "Enter" || event.key === " ") showCell(cell);
  else if (event.key.startsWith("Arrow")) walk(cell, event.key);
  else return;
  event.preventDefault();
});
document.querySelector("#source button").addEventListener("click", hideSource);
