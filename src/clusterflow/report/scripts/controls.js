// The one control of potential, pH and temperature, which every diagram of the page follows.

class Controls {
  constructor(bar, start, chemistry) {
    Object.assign(this, { bar, start, chemistry });
    this.followers = new Set();
    this.nodes = Object.fromEntries(
      [...bar.querySelectorAll("[data-control]")].map((node) => [node.dataset.control, node]),
    );
    const { nodes } = this;
    nodes.temperature.max = Math.max(start.temperatures.length - 1, 0);
    nodes.temperature.disabled = start.temperatures.length < 2;
    nodes.temperatureReason.textContent = start.reason;
    for (const [one, other] of [["potential", "potentialNumber"], ["ph", "phNumber"]]) {
      nodes[one].addEventListener("input", () => (nodes[other].value = nodes[one].value));
      nodes[other].addEventListener("input", () => (nodes[one].value = nodes[other].value));
    }
    nodes.scale.addEventListener("change", () => this.changeScale());
    nodes.reset.addEventListener("click", () => this.reset());
    // A scale just chosen does not belong to the number yet: `changeScale` makes it.
    bar.addEventListener("input", (event) => {
      if (event.target !== nodes.scale) this.tell();
    });
    this.reset();
  }

  reset() {
    const { nodes, start } = this;
    nodes.scale.value = this.scale = start.scale;
    nodes.potential.value = nodes.potentialNumber.value = start.potential;
    nodes.ph.value = nodes.phNumber.value = start.ph;
    nodes.temperature.value = Math.max(start.temperatures.indexOf(start.temperature), 0);
    for (const follower of this.followers) follower.reset();
    this.tell();
  }

  /** Conditions as the controls say; an empty or impossible field counts as the slider. */
  read() {
    const { nodes, start } = this;
    const number = (field, slider) =>
      nodes[field].value !== "" && nodes[field].validity.valid
        ? nodes[field].valueAsNumber
        : nodes[slider].valueAsNumber;
    return {
      potential: number("potentialNumber", "potential"),
      scale: nodes.scale.value,
      ph: number("phNumber", "ph"),
      temperature: start.temperatures[nodes.temperature.valueAsNumber],
      intervals: nodes.intervals.checked,
      limits: nodes.limits.checked,
    };
  }

  /** Another scale for the same electrode: the number changes, the diagrams do not. */
  changeScale() {
    const { nodes, chemistry } = this;
    const before = { ...this.read(), scale: this.scale };
    this.scale = nodes.scale.value;
    const potential = potentialOn(this.scale, conditionsAt(before, chemistry.boltzmann));
    nodes.potential.value = potential;
    nodes.potentialNumber.value = Number(potential.toFixed(4));
    this.tell();
  }

  follow(follower) {
    this.followers.add(follower);
    follower.update();
  }

  tell() {
    const { nodes } = this;
    const { potential, temperature } = this.read();
    nodes.temperatureText.textContent = temperature === undefined ? "" : `${temperature} K`;
    nodes.potential.setAttribute("aria-valuetext", `${write(potential)} volts`);
    for (const follower of this.followers) follower.update();
  }
}

const controls = new Controls(document.getElementById("controls"), dataOf("conditions"), dataOf("chemistry"));
