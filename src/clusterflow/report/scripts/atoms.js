// Structures as balls and sticks on a canvas, painted from the far side to the near one.

const TURN = 0.01; // radians a pixel
const KEY_TURN = 0.12; // radians a key
const CLICK_PX = 4; // a pointer that moves less has clicked

/** A view of one structure at a time; `onPick` is told which atom, or null. */
class AtomsView {
  constructor(canvas, settings, onPick) {
    Object.assign(this, { canvas, settings, onPick });
    this.labels = false;
    this.pointers = new Map();
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.lift(event));
    canvas.addEventListener("pointercancel", (event) => this.pointers.delete(event.pointerId));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    new ResizeObserver(() => this.paint()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  show(structure) {
    const { elements, bond } = this.settings;
    this.structure = structure;
    const places = placesOf(structure);
    const middle = [0, 1, 2].map((axis) => places.reduce((sum, place) => sum + place[axis], 0) / places.length);
    this.atoms = structure.symbols.map((symbol, index) => ({
      index,
      symbol,
      role: structure.roles[index],
      radius: elements[symbol].radius,
      color: elements[symbol].color,
      place: places[index].map((value, axis) => value - middle[axis]),
    }));
    this.bonds = this.atoms.flatMap((one) =>
      this.atoms
        .slice(0, one.index)
        .filter((other) => distance(one, other) < bond * (one.radius + other.radius))
        .map((other) => [other, one]),
    );
    this.reset();
  }

  reset() {
    this.turned = this.structure.turn;
    this.zoom = 1;
    this.pick(null);
  }

  pick(atom) {
    this.picked = atom;
    this.onPick(atom, this.atoms);
    this.paint();
  }

  /** Turns by angles about the vertical and the horizontal of the screen. */
  turn(about_y, about_x) {
    const [c, s, d, t] = [Math.cos(about_y), Math.sin(about_y), Math.cos(about_x), Math.sin(about_x)];
    const step = [c, 0, s, t * s, d, -t * c, -d * s, t, d * c];
    this.turned = multiply(step, this.turned);
    this.paint();
  }

  scale(factor) {
    this.zoom = Math.min(8, Math.max(0.3, this.zoom * factor));
    this.paint();
  }

  press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, path: 0 });
  }

  move(event) {
    const known = this.pointers.get(event.pointerId);
    if (!known) return;
    const before = this.spread();
    const [dx, dy] = [event.clientX - known.x, event.clientY - known.y];
    const path = known.path + Math.hypot(dx, dy);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, path });
    if (this.pointers.size === 2) this.scale(this.spread() / before);
    else if (path >= CLICK_PX) this.turn(dx * TURN, dy * TURN);
  }

  lift(event) {
    const known = this.pointers.get(event.pointerId);
    this.pointers.delete(event.pointerId);
    if (known && known.path < CLICK_PX) this.pick(this.atomAt(event.offsetX, event.offsetY));
  }

  /** How far two fingers are apart. */
  spread() {
    const [one, other] = this.pointers.values();
    return other ? Math.max(Math.hypot(one.x - other.x, one.y - other.y), 1) : 1;
  }

  wheel(event) {
    event.preventDefault();
    this.scale(Math.exp(-event.deltaY * 0.0015));
  }

  key(event) {
    const next = (by) => {
      const n = this.atoms.length;
      const from = this.picked ? this.picked.index : by > 0 ? -1 : n;
      this.pick(this.atoms[(from + by + n) % n]);
    };
    const actions = {
      ArrowLeft: () => this.turn(-KEY_TURN, 0),
      ArrowRight: () => this.turn(KEY_TURN, 0),
      ArrowUp: () => this.turn(0, -KEY_TURN),
      ArrowDown: () => this.turn(0, KEY_TURN),
      "+": () => this.scale(1.2),
      "=": () => this.scale(1.2),
      "-": () => this.scale(1 / 1.2),
      0: () => this.reset(),
      n: () => next(1),
      p: () => next(-1),
    };
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  }

  /** The nearest atom under a point of the canvas, or null. */
  atomAt(x, y) {
    const hit = this.placed.filter((p) => Math.hypot(p.x - x, p.y - y) <= p.r);
    return hit.reduce((best, p) => (!best || p.z > best.z ? p : best), null)?.atom ?? null;
  }

  /** Where each atom is on the canvas, pixels; z, Å, points to the eye. */
  place(width, height) {
    const size = (atom) => atom.radius * this.settings.ball;
    const reach = Math.max(...this.atoms.map((a) => Math.hypot(...a.place) + size(a)), 1.5);
    const perA = (this.zoom * Math.min(width, height)) / 2 / (reach * 1.05);
    this.placed = this.atoms.map((atom) => {
      const [x, y, z] = apply(this.turned, atom.place);
      return { atom, x: width / 2 + perA * x, y: height / 2 - perA * y, z, r: perA * size(atom) };
    });
    return perA;
  }

  paint() {
    const { canvas, atoms } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!atoms || !width) return;
    const dense = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [width * dense, height * dense];
    const context = canvas.getContext("2d");
    context.scale(dense, dense);
    const style = getComputedStyle(canvas);
    const colors = { ink: style.color, paper: style.backgroundColor, accent: style.outlineColor };
    const perA = this.place(width, height);
    const depths = this.placed.map((p) => p.z);
    const [far, near] = [Math.min(...depths), Math.max(...depths)];
    const haze = (z) => 0.45 * ((near - z) / Math.max(near - far, 2));
    const parts = [
      ...this.placed.map((p) => ({ z: p.z, paint: () => paintBall(context, p, haze(p.z), colors, this) })),
      ...this.bonds.flatMap(([a, b]) =>
        halves(this.placed[a.index], this.placed[b.index], perA).map((half) => ({
          z: half.z,
          paint: () => paintStick(context, half, perA * 0.13, haze(half.z), colors),
        })),
      ),
    ];
    for (const part of parts.sort((one, other) => one.z - other.z)) part.paint();
  }
}

function paintBall(context, { atom, x, y, r }, haze, colors, view) {
  const shade = context.createRadialGradient(x - 0.35 * r, y - 0.35 * r, 0.05 * r, x, y, r);
  shade.addColorStop(0, mix(atom.color, 255, 0.75));
  shade.addColorStop(0.45, atom.color);
  shade.addColorStop(1, mix(atom.color, 0, 0.4));
  disc(context, x, y, r);
  context.fillStyle = shade;
  context.fill();
  // Haze: the paper over what lies behind.
  context.globalAlpha = haze;
  context.fillStyle = colors.paper;
  context.fill();
  context.globalAlpha = 1;
  if (view.picked === atom) {
    disc(context, x, y, r + 3);
    context.strokeStyle = colors.accent;
    context.lineWidth = 3;
    context.stroke();
  }
  if (view.labels) label(context, `${atom.symbol}${atom.index}`, x, y, colors);
}

/** A colour, written #rrggbb, with a share of white (255) or black (0). */
function mix(color, grey, share) {
  const parts = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return `rgb(${parts.map((part) => Math.round(part + share * (grey - part))).join(" ")})`;
}

function disc(context, x, y, r) {
  context.beginPath();
  context.arc(x, y, r, 0, 2 * Math.PI);
}

function label(context, text, x, y, colors) {
  context.font = "600 12px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3;
  context.strokeStyle = colors.paper;
  context.strokeText(text, x, y);
  context.fillStyle = colors.ink;
  context.fillText(text, x, y);
}

/** A bond as two sticks from ball to middle, each in the colour of its atom. */
function halves(a, b, perA) {
  const length = Math.hypot((b.x - a.x) / perA, (b.y - a.y) / perA, b.z - a.z);
  const side = (from, to) => {
    // Where the stick leaves the ball, so that it does not lie on a ball it points out of.
    const out = Math.min((0.9 * from.r) / perA / length, 0.45);
    const at = (share) => [
      from.x + share * (to.x - from.x),
      from.y + share * (to.y - from.y),
      from.z + share * (to.z - from.z),
    ];
    return { color: from.atom.color, from: at(out), to: at(0.5), z: at((out + 0.5) / 2)[2] };
  };
  return [side(a, b), side(b, a)];
}

function paintStick(context, half, width, haze, colors) {
  const strokes = [
    [mix(half.color, 0, 0.45), 1, 1],
    [half.color, 0.7, 1],
    [colors.paper, 1, haze],
  ];
  context.lineCap = "butt";
  for (const [color, share, alpha] of strokes) {
    context.beginPath();
    context.moveTo(half.from[0], half.from[1]);
    context.lineTo(half.to[0], half.to[1]);
    context.globalAlpha = alpha;
    context.strokeStyle = color;
    context.lineWidth = 2 * width * share;
    context.stroke();
  }
  context.globalAlpha = 1;
}

/** Where each atom is in the record, Å. */
function placesOf({ symbols, milli }) {
  return symbols.map((_, index) => [0, 1, 2].map((axis) => milli[3 * index + axis] / 1000));
}

function distance(one, other) {
  return Math.hypot(...one.place.map((value, axis) => value - other.place[axis]));
}

function multiply(a, b) {
  return a.map((_, k) => {
    const [row, column] = [3 * Math.floor(k / 3), k % 3];
    return a[row] * b[column] + a[row + 1] * b[column + 3] + a[row + 2] * b[column + 6];
  });
}

function apply(m, v) {
  return [0, 3, 6].map((row) => m[row] * v[0] + m[row + 1] * v[1] + m[row + 2] * v[2]);
}

/** The dialog with the view: one for the page, filled when a picture is opened. */
function openStructure(section, index) {
  const dialog = document.getElementById("viewer");
  const { structures } = dataOf(section.dataset.block);
  const view = (openStructure.view ??= makeViewer(dialog));
  view.step = (by) => openStructure(section, (index + by + structures.length) % structures.length);
  const { title, note, record } = structures[index];
  view.file = fileName(section.dataset.cluster, structures[index]);
  dialog.querySelector("h2").textContent = `${chem(title)} on ${section.dataset.cluster}`;
  dialog.querySelector(".note").textContent =
    `${note}; ${index + 1} of ${structures.length}; ${record}`;
  view.canvas.setAttribute("aria-label", `Structure: ${title} on ${section.dataset.cluster}, ${note}`);
  if (!dialog.open) dialog.showModal();
  view.show(structures[index]);
}

function makeViewer(dialog) {
  const told = dialog.querySelector("output");
  let last = null;
  const view = new AtomsView(dialog.querySelector("canvas"), dataOf("elements"), (atom) => {
    const apart =
      atom && last && last !== atom && last.symbol
        ? `; ${distance(last, atom).toFixed(3)} Å from ${last.symbol}${last.index}`
        : "";
    told.textContent = atom
      ? `${atom.symbol}, atom ${atom.index} (counted from 0), ${atom.role}${apart}`
      : "Click an atom, or press N, for its element, index and role.";
    last = atom;
  });
  const actions = {
    previous: () => view.step(-1),
    next: () => view.step(1),
    nearer: () => view.scale(1.25),
    further: () => view.scale(0.8),
    reset: () => view.reset(),
    xyz: () => save(`${view.file}.xyz`, xyzOf(view.structure), "chemical/x-xyz"),
    cif: () => save(`${view.file}.cif`, cifOf(view.structure, view.file), "chemical/x-cif"),
    png: () => view.canvas.toBlob((picture) => save(`${view.file}.png`, picture)),
    close: () => dialog.close(),
  };
  dialog.addEventListener("click", (event) => {
    const action = actions[event.target.closest("button")?.name];
    if (action) action();
  });
  dialog.querySelector("input").addEventListener("change", (event) => {
    view.labels = event.target.checked;
    view.paint();
  });
  return view;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-structure]");
  if (button) openStructure(button.closest("[data-block]"), Number(button.dataset.structure));
});
