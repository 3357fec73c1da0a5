// Tables that are sorted by a click on a heading, filtered by what is typed, and saved.

const FEW_ROWS = 6; // so many need no filter

/** The number in a cell, or its text in small letters; null for a hole. */
function sortKey(cell) {
  const text = cell ? cellText(cell).replace(/^'/, "") : "";
  if (text === "") return null;
  const number = Number.parseFloat(text);
  return cell.matches(".n") && !Number.isNaN(number) ? number : text.toLowerCase();
}

function compareKeys(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  if (typeof one === "number" || typeof other === "number") return typeof one === "number" ? -1 : 1;
  return one.localeCompare(other, "en", { numeric: true });
}

/** Sorts by a column, up and then down; holes stay last. */
function sortTable(table, head) {
  const down = head.getAttribute("aria-sort") === "ascending";
  const column = [...head.parentElement.cells].indexOf(head);
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => [sortKey(cellsOf(row)[column]), row]);
  keyed.sort(([one], [other]) => {
    if (one === null || other === null) return (one === null) - (other === null);
    return down ? compareKeys(other, one) : compareKeys(one, other);
  });
  body.append(...keyed.map(([, row]) => row));
  for (const cell of head.parentElement.cells) cell.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
}

/** Shows only rows that hold each word. */
function filterTable(table, typed) {
  const words = typed.toLowerCase().replaceAll("-", MINUS).split(/\s+/).filter(Boolean);
  for (const row of table.tBodies[0].rows) {
    const text = `${row.textContent} ${chem(row.textContent)}`.toLowerCase().replaceAll("-", MINUS);
    row.hidden = !words.every((word) => text.includes(word) || text.includes(chem(word)));
  }
}

/** The buttons above a table, and headings that sort, made when it is first seen. */
function equipTable(table) {
  // The table of the scaling plot makes room for the plot.
  if (table.dataset.equipped || !table.isConnected) return;
  table.dataset.equipped = "yes";
  const tools = make("div", { class: "tools" });
  const label = table.closest("[aria-label]").getAttribute("aria-label");
  if (table.tBodies[0].rows.length > FEW_ROWS) {
    const field = make("input", { type: "search", placeholder: "Filter", "aria-label": `Filter: ${label}` });
    field.addEventListener("input", () => filterTable(table, field.value));
    tools.append(field);
  }
  tools.append(make("button", { type: "button", "data-save": "csv", "aria-label": `CSV of ${label}` }, "CSV"));
  table.closest(".scroll").before(tools);
  // Where a row goes on in the next, as steps do, the order is part of what is said.
  if (table.closest("[data-fixed]")) return;
  for (const head of table.tHead.rows[0].cells) {
    head.tabIndex = 0;
    head.title ||= "Sort";
  }
  table.tHead.addEventListener("click", (event) => sortTable(table, event.target.closest("th")));
  table.tHead.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    sortTable(table, event.target.closest("th"));
  });
}

whenIdle(".scroll > table", (table) => {
  if (!table.closest("details:not([open])")) equipTable(table);
});
document.addEventListener("toggle", (event) => {
  for (const table of event.target.querySelectorAll(".scroll > table")) {
    if (!table.closest("details:not([open])")) equipTable(table);
  }
}, true);

// On paper everything is open: what is folded away cannot be unfolded there.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("main details:not([open])")];
  for (const part of folded) part.open = true;
  document.querySelectorAll(".profile-block").forEach(startDiagram);
});
addEventListener("afterprint", () => folded.forEach((part) => (part.open = false)));
