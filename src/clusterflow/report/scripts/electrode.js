// The hydrogen electrode as in clusterflow.science.reactions.che, for the sliders: the same signs and
// the same choice of the best pathway.

/** Potential (on the scale chosen), pH and temperature as energies, eV, of e and H+. */
function conditionsAt({ potential, scale, ph, temperature }, boltzmann) {
  const shift = boltzmann * temperature * Math.LN10 * ph;
  const she = potential - (scale === "rhe" ? shift : 0);
  return { she, shift };
}

/** The potential on a scale, V. */
function potentialOn(scale, { she, shift }) {
  return she + (scale === "rhe" ? shift : 0);
}

/** ΔG of a step at the conditions, eV; null where it has none. */
function stepEnergy(step, dg0, { she, shift }) {
  return dg0 === null ? null : dg0 + step.n_e * she + step.n_h * shift;
}

/** Cumulative free energies of a pathway, eV; null from the first hole on. */
function levelsOf(energies) {
  const levels = [0];
  for (const energy of energies) {
    const last = levels.at(-1);
    levels.push(last === null || energy === null ? null : last + energy);
  }
  return levels;
}

/** A pathway at the conditions: levels, limiting potential (V vs RHE), chemical climb. */
function evaluatePathway(pathway, steps, column, at, closed) {
  const taken = pathway.steps.map((index) => ({ ...steps[index], dg0: steps[index].dg0[column] }));
  const energies = taken.map((step) => stepEnergy(step, step.dg0, at));
  const complete = !energies.includes(null);
  const n_closed = taken.filter((step) => step.n_e === 0 && step.dg0 > closed).length;
  let limiting = null;
  let determining = null;
  let determiningWith = [];
  let chemical = null;
  // An oxidation gives off electrons on the whole: its highest turning point limits it.
  const sign = taken.reduce((sum, step) => sum + step.n_e, 0) < 0 ? -1 : 1;
  for (const [index, step] of complete ? taken.entries() : []) {
    if (sign * step.n_e > 0) {
      const climbs = pathway.combined[index].map((place) => taken[place]).filter(({ dg0 }) => dg0 > 0);
      const judged = climbs.reduce((sum, { dg0 }) => sum + dg0, step.dg0);
      const turning = -(judged + (step.n_h - step.n_e) * at.shift) / step.n_e;
      if (limiting === null || sign * turning < sign * limiting) {
        [limiting, determining, determiningWith] = [turning, step, climbs];
      }
    } else if (step.n_e === 0 && step.n_h === 0) {
      chemical = Math.max(chemical ?? -Infinity, step.dg0);
    }
  }
  return { pathway, taken, energies, levels: levelsOf(energies), complete, sign, limiting, determining, determiningWith, chemical, n_closed };
}

/** Pathways, best first: complete, few closed steps, best potential, low chemical climb. */
function rankPathways(found, tie) {
  const key = ({ complete, sign, n_closed, limiting, chemical }) => [
    complete ? 0 : 1,
    n_closed,
    limiting === null ? 0 : -sign * Math.round(limiting / tie),
    chemical ?? 0,
  ];
  return [...found].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    const first = a.findIndex((value, index) => value !== b[index]);
    return first < 0 ? 0 : a[first] - b[first];
  });
}

/** All pathways of a reaction at the conditions, best first. */
function evaluateReaction({ steps, pathways }, conditions, { boltzmann, closed, tie }) {
  const at = conditionsAt(conditions, boltzmann);
  const found = pathways.map((pathway) => evaluatePathway(pathway, steps, conditions.column, at, closed));
  return rankPathways(found, tie);
}
