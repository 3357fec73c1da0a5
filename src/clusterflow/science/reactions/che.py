r"""Computational hydrogen electrode: from free energies to limiting potentials.

The proton-electron pair has the chemical potential of half a hydrogen molecule at
1 bar, whatever the hydrogen pressure of the study:

.. math:: \mu(H^+ + e^-) = \tfrac12 G^\circ(H_2) - e U_{RHE}

A step that takes up n_e electrons and n_H protons then has

.. math:: \Delta G(U) = \Delta G(0) + n_e e U_{SHE} + n_H k T \ln 10 \; pH

with U_SHE = U_RHE − kT ln10 pH / e. Negative ΔG is downhill; U is in V, ΔG in eV.
An oxidation gives off electrons, n_e < 0, and a higher potential pulls it downhill.

References
----------
J. K. Nørskov et al., J. Phys. Chem. B 108, 17886 (2004), doi:10.1021/jp047349j
A. A. Peterson et al., Energy Environ. Sci. 3, 1311 (2010), doi:10.1039/c0ee00071j
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import log
from types import MappingProxyType
from typing import TYPE_CHECKING

from clusterflow.records.profiles import Pathway, ReactionResult, Step
from clusterflow.science.reactions.network import (
    ELECTRON,
    PROTON,
    Equation,
    Network,
    list_intermediates,
)
from clusterflow.science.reactions.transfers import direction, find_adsorptions
from clusterflow.units import (
    BOLTZMANN_EV_PER_K,
    REFERENCE_V_SHE,
    STANDARD_PRESSURE_PA,
    Scale,
    check_scale,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clusterflow.library.reactions import Pcet
    from clusterflow.records.energies import ThermoRecord
    from clusterflow.science.reactions.transfers import Adsorptions

# The reaction every other one is held against.
HYDROGEN_EVOLUTION = "HER"
# Limiting potentials closer than this are a tie, decided by the chemical steps.
TIE_V = 1e-6
# A chemical step that climbs more than this happens less than about once a second at
# 298 K (kT/h exp(-ΔG/kT)), whatever the potential: such a pathway is no shortcut.
THERMALLY_CLOSED_EV = 0.75


def nernst_slope(temperature_k: float) -> float:
    """KT ln10 in eV a pH unit.

    >>> round(nernst_slope(298.15), 5)
    0.05916
    """
    return BOLTZMANN_EV_PER_K * temperature_k * log(10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Electrode:
    """Potential of the electrode, on a stated scale, and the pH it faces."""

    potential_v: float = 0.0
    scale: Scale = "rhe"
    ph: float = 0.0
    temperature_k: float = 298.15

    def __post_init__(self) -> None:
        check_scale(self.scale, self.temperature_k, "scale")

    @property
    def potential_she_v(self) -> float:
        """The potential on the SHE scale, V."""
        return self.potential_v + self._zero_v_she

    @property
    def potential_rhe_v(self) -> float:
        """The potential on the RHE scale, V."""
        return self.potential_she_v + self._nernst_shift

    @property
    def _zero_v_she(self) -> float:
        """Where the scale has its zero, V against SHE."""
        if self.scale == "rhe":
            return -self._nernst_shift
        return REFERENCE_V_SHE[self.scale]

    @property
    def _nernst_shift(self) -> float:
        return nernst_slope(self.temperature_k) * self.ph

    def from_rhe(self, potential_rhe_v: float) -> float:
        """A potential given against RHE, on this electrode's scale, V."""
        if self.scale == "rhe":
            return potential_rhe_v
        return potential_rhe_v - self._nernst_shift - REFERENCE_V_SHE[self.scale]

    def shift_ev(self, n_e: int, n_h: int) -> float:
        """What potential and pH add to ΔG of a step, eV."""
        return n_e * self.potential_she_v + n_h * self._nernst_shift

    def turning_point_rhe_v(self, dg0_ev: float, n_e: int, n_h: int) -> float:
        """The potential at which a step is in balance, V against RHE."""
        return -(dg0_ev + (n_h - n_e) * self._nernst_shift) / n_e


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeEnergies:
    """Free energies of species on one surface; a missing one has its reason.

    `pair_ev` is ½ G°(H2) on the same scale (zero for formation energies from H2).
    """

    values: Mapping[str, float]
    reasons: Mapping[str, str]
    pair_ev: float = 0.0

    def reaction_ev(self, equation: Equation) -> tuple[float | None, str]:
        """ΔG at 0 V (RHE), or None and which species are missing."""
        missing = sorted(s for s in equation.species if s not in self.values)
        if missing:
            return None, "; ".join(
                f"{s}: {self.reasons.get(s, 'not computed')}" for s in missing
            )
        known = {**self.values, PROTON: self.pair_ev, ELECTRON: 0.0}
        total = sum(n * known[s] for s, n in equation.products.items())
        total -= sum(n * known[s] for s, n in equation.reactants.items())
        return total, ""


def free_energies_of(
    thermo: ThermoRecord, solutes_ev: Mapping[str, float] = MappingProxyType({})
) -> FreeEnergies:
    """Formation energies of a cluster's species, and the reasons of the holes.

    `solutes_ev` are those of dissolved species, of which thermo knows nothing.
    """
    values = {
        s.name: s.formation_ev for s in thermo.species if s.formation_ev is not None
    }
    values |= solutes_ev
    if thermo.half_hydrogen_ev is None:
        reason = "H2 has no free energy, so neither has the proton-electron pair"
        return FreeEnergies(values={}, reasons=dict.fromkeys(values, reason))
    return FreeEnergies(
        values=values,
        reasons={s.name: s.reason for s in thermo.species if s.formation_ev is None},
        pair_ev=thermo.half_hydrogen_ev,
    )


def evaluate_network(
    network: Network,
    energies: FreeEnergies,
    electrode: Electrode,
    *,
    surface: str,
    equilibrium_potential_v_rhe: float | None = None,
) -> ReactionResult:
    """All pathways of a reaction on one surface, best first.

    The best pathway has the highest limiting potential (of an oxidation the lowest)
    among those with the fewest chemical steps that heat alone does not climb; a tie
    goes to the lower chemical step. Pathways with a missing species come last, without
    a limiting potential.
    """
    pathways = [
        evaluate_pathway(network.overall, path, energies, electrode, pcet=network.pcet)
        for path in network.pathways
    ]
    pathways.sort(key=_rank_pathway)
    best = pathways[0]
    u_l = best.limiting_potential_v_rhe
    return ReactionResult(
        reaction=network.spec.name,
        equation=network.spec.equation,
        product=network.spec.product,
        surface=surface,
        status="ok" if best.complete else "failed",
        reason=best.reason,
        potential_v=electrode.potential_v,
        scale=electrode.scale,
        ph=electrode.ph,
        temperature_k=electrode.temperature_k,
        pcet=network.pcet,
        equilibrium_potential_v_rhe=equilibrium_potential_v_rhe,
        limiting_potential_v=best.limiting_potential_v,
        limiting_potential_v_rhe=u_l,
        overpotential_v=(
            None
            if u_l is None or equilibrium_potential_v_rhe is None
            else direction(best.steps) * (equilibrium_potential_v_rhe - u_l)
        ),
        determining_step=best.determining_step,
        determining_with=best.determining_with,
        chemical_bottleneck_ev=best.chemical_bottleneck_ev,
        best_pathway=best.name if best.complete else None,
        tied_pathways=tuple(p.name for p in pathways[1:] if _is_tied(p, best)),
        steps=best.steps,
        pathways=tuple(pathways),
    )


def evaluate_pathway(
    overall: Equation,
    path: Sequence[Equation],
    energies: FreeEnergies,
    electrode: Electrode,
    *,
    pcet: Pcet = "combined",
) -> Pathway:
    """Steps, cumulative free energies and limiting potential of one pathway."""
    steps = [_evaluate_step(step, energies, electrode) for step in path]
    states, adsorptions = _read_pathway(overall, tuple(path), pcet)
    for index, places in adsorptions.items():
        names = tuple(steps[place].name for place in places)
        steps[index] = steps[index].model_copy(update={"combined_with": names})
    missing = [r for s in steps if s.dg_ev is None for r in s.reason.split("; ")]
    pathway = Pathway(
        name=" > ".join(states),
        steps=tuple(steps),
        levels_ev=_sum_steps(steps),
        states=states,
        complete=not missing,
        reason="; ".join(dict.fromkeys(missing)),
    )
    return pathway if missing else _add_limiting_potential(pathway, electrode)


# The same on every surface.
@lru_cache(maxsize=4096)
def _read_pathway(
    overall: Equation, path: tuple[Equation, ...], pcet: Pcet
) -> tuple[tuple[str, ...], Adsorptions]:
    """States of a pathway, and the adsorptions that are judged with its transfers."""
    adsorptions = find_adsorptions(path) if pcet == "combined" else {}
    return tuple(list_intermediates(overall, list(path))), adsorptions


def _evaluate_step(
    step: Equation, energies: FreeEnergies, electrode: Electrode
) -> Step:
    dg0, reason = energies.reaction_ev(step)
    shift = electrode.shift_ev(step.n_e, step.n_h)
    turning = None
    if dg0 is not None and step.n_e != 0:
        turning = electrode.turning_point_rhe_v(dg0, step.n_e, step.n_h)
    return Step(
        name=step.name,
        n_e=step.n_e,
        n_h=step.n_h,
        dg0_ev=dg0,
        dg_ev=None if dg0 is None else dg0 + shift,
        turning_potential_v=None if turning is None else electrode.from_rhe(turning),
        turning_potential_v_rhe=turning,
        reason=reason,
    )


def at_electrode(steps: Sequence[Step], electrode: Electrode) -> tuple[Step, ...]:
    """The same steps at another potential and pH; one without a value keeps none."""
    return tuple(
        step.model_copy(
            update={"dg_ev": step.dg0_ev + electrode.shift_ev(step.n_e, step.n_h)}
        )
        if step.dg0_ev is not None
        else step
        for step in steps
    )


def _sum_steps(steps: Sequence[Step]) -> tuple[float | None, ...]:
    """Running sum; a gap after a missing step, because nothing connects across it."""
    energies: list[float | None] = [0.0]
    for step in steps:
        last, dg_ev = energies[-1], step.dg_ev
        energies.append(None if last is None or dg_ev is None else last + dg_ev)
    return tuple(energies)


def _add_limiting_potential(pathway: Pathway, electrode: Electrode) -> Pathway:
    sign = direction(pathway.steps)
    turning = [
        (electrode.turning_point_rhe_v(judged, s.n_e, s.n_h), s)
        for s in pathway.steps
        if sign * s.n_e > 0 and (judged := pathway.judged_ev(s)) is not None
    ]
    chemical = {
        s.name: s.dg0_ev
        for s in pathway.steps
        if s.n_e == 0 and s.n_h == 0 and s.dg0_ev is not None
    }
    update: dict[str, float | str | tuple[str, ...]] = {}
    if turning:
        limiting, determining = min(turning, key=lambda pair: sign * pair[0])
        climbs = pathway.climbs_before(determining)
        update["determining_step"] = determining.name
        update["determining_with"] = tuple(step.name for step in climbs)
        update["limiting_potential_v_rhe"] = limiting
        update["limiting_potential_v"] = electrode.from_rhe(limiting)
    if chemical:
        bottleneck = max(chemical, key=chemical.__getitem__)
        update["chemical_bottleneck_step"] = bottleneck
        update["chemical_bottleneck_ev"] = chemical[bottleneck]
    return pathway.model_copy(update=update)


def _rank_pathway(pathway: Pathway) -> tuple[bool, int, float, float]:
    limiting = pathway.limiting_potential_v_rhe
    sign = direction(pathway.steps)
    rounded = 0.0 if limiting is None else -sign * round(limiting / TIE_V) * TIE_V
    chemical = pathway.chemical_bottleneck_ev or 0.0
    return not pathway.complete, n_closed_steps(pathway), rounded, chemical


def _is_tied(pathway: Pathway, best: Pathway) -> bool:
    """Whether only the chemical steps tell two complete pathways apart."""
    return (
        pathway.complete
        and best.complete
        and best.limiting_potential_v_rhe is not None
        and _rank_pathway(pathway)[:3] == _rank_pathway(best)[:3]
    )


def n_closed_steps(pathway: Pathway) -> int:
    """Chemical steps that heat alone does not climb; fewer is better."""
    return sum(
        step.n_e == 0 and step.dg0_ev is not None and step.dg0_ev > THERMALLY_CLOSED_EV
        for step in pathway.steps
    )


def equilibrium_potential(
    overall: Equation, formation_ev: Callable[[str], float]
) -> float:
    """Standard potential of an overall reaction, V against RHE, from experiment.

    Parameters
    ----------
    overall
        The reaction, with the phase of every species.
    formation_ev
        Measured free energy of formation of a term such as ``CO(g)``, eV.

    Examples
    --------
    >>> from clusterflow.science.reactions.network import parse_equation
    >>> water = parse_equation("O2(g) + 4 H+ + 4 e- -> 2 H2O(l)")
    >>> round(equilibrium_potential(water, {"O2(g)": 0, "H2O(l)": -2.4578}.get), 3)
    1.229
    """
    total = sum(
        n * formation_ev(s) for s, n in overall.products.items() if s in overall.species
    )
    total -= sum(
        n * formation_ev(s)
        for s, n in overall.reactants.items()
        if s in overall.species
    )
    return -total / overall.n_e


def pressure_shift(
    overall: Equation, pressure_pa: Mapping[str, float], temperature_k: float
) -> float:
    """What partial pressures add to an equilibrium potential, V.

    By Nernst, −(kT / n_e e) Σ ν ln(p/p°) over the gases of the equation, ν > 0 for
    products; those not named are at p° = 1 bar, and so is the hydrogen of H⁺ + e⁻.

    Examples
    --------
    >>> from clusterflow.science.reactions.network import parse_equation
    >>> to_co = parse_equation("CO2(g) + 2 H+ + 2 e- -> CO(g) + H2O(l)")
    >>> round(pressure_shift(to_co, {"CO2": 1000.0, "H2O": 3500.0}, 298.15), 4)
    -0.0592
    """
    total = 0.0
    for gas, pressure in pressure_pa.items():
        term = f"{gas}(g)"
        n = overall.products.get(term, 0) - overall.reactants.get(term, 0)
        total += n * log(pressure / STANDARD_PRESSURE_PA)
    return -BOLTZMANN_EV_PER_K * temperature_k * total / overall.n_e


def with_hydrogen(results: Sequence[ReactionResult]) -> list[ReactionResult]:
    """Each result beside hydrogen evolution on the same surface, where that is known.

    The descriptor U_L(product) − U_L(HER) is positive where the product is favoured.
    An oxidation runs on the other electrode, so it has none.
    """
    hydrogen = next((r for r in results if r.reaction == HYDROGEN_EVOLUTION), None)
    limiting = hydrogen.limiting_potential_v_rhe if hydrogen else None
    if hydrogen is None or limiting is None:
        return list(results)
    return [
        r
        if direction(r.steps) < 0
        else r.model_copy(
            update={
                "her_limiting_potential_v_rhe": limiting,
                "selectivity_v": (
                    None
                    if r.limiting_potential_v_rhe is None or r is hydrogen
                    else r.limiting_potential_v_rhe - limiting
                ),
            }
        )
        for r in results
    ]
