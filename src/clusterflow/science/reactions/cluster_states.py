r"""Free energies of a cluster that lost or gained atoms, on the scale of its parent.

A state such as ``*[-H]`` is a cluster of its own, with records of its own. Relative to
the parent's clean surface and the anchors, with μ the free energy of the anchors that
hold the atoms n_e which it gained (negative: lost),

.. math:: \Delta G_f(*[n]) = G(state) - G(parent) - \sum_e n_e \mu_e - F_{vib}(lost)

.. math:: \Delta G_f(*[n]X) = \Delta G_f(*[n]) + \Delta G_f(*X \text{ on the state})

Clean clusters have only the energy and spin of their electrons. The atoms that come or
go take their vibrations along, those of a partial Hessian over them in the larger of
the two clusters; what the others gain or lose by that is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING

from clusterflow.errors import RecordError
from clusterflow.science.reactions.flags import CLUSTER_STATE_FLAG
from clusterflow.science.reactions.network import (
    parse_network,
    read_change,
    read_surface,
)
from clusterflow.science.thermochemistry.formation import anchor_coefficients
from clusterflow.science.thermochemistry.species import hole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clusterflow.library.find import Library
    from clusterflow.library.reactions import ReactionSpec
    from clusterflow.records.energies import (
        FreeEnergyTerms,
        SpeciesFreeEnergy,
        ThermoRecord,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedStates:
    """A cluster's free energies with those of its states; and which cluster is which.

    `states` maps a change such as ``-H`` to the cluster that stands for it.
    """

    thermo: ThermoRecord
    states: Mapping[str, str]


def join_cluster_states(
    thermo: ThermoRecord,
    states: Mapping[str, Mapping[str, ThermoRecord | None]],
    terms: Iterable[str],
    compositions: Mapping[str, Mapping[str, int]],
) -> JoinedStates:
    """A cluster's record with the species of its states, or a hole for each of them.

    Parameters
    ----------
    thermo
        Of the cluster.
    states
        By change, the clusters that are this one after it, by name, with the record of
        each that has one. Of several, the one whose bare cluster lies lowest stands
        for all.
    terms
        Surface terms such as ``*[-H]OCHO``; those without a change are left alone.
    compositions
        Element counts of the anchors.

    Raises
    ------
    RecordError
        If a state's free energies were made with other settings.
    """
    added: list[SpeciesFreeEnergy] = []
    chosen: dict[str, str] = {}
    by_change: dict[str, list[str]] = {}
    for term in sorted(set(terms)):
        change, _ = read_surface(term)
        if change:
            by_change.setdefault(change, []).append(term)
    for change, wanted in by_change.items():
        state, reason = _find_lowest_state(thermo, states.get(change, {}), change)
        if state is None:
            added += [hole(term, reason) for term in wanted]
            continue
        chosen[change] = state.cluster
        clean = _rescale_bare_state(thermo, state, change, compositions)
        added += [_rescale_species(term, clean, state) for term in wanted]
    return JoinedStates(
        thermo=thermo.model_copy(update={"species": (*thermo.species, *added)}),
        states=chosen,
    )


def _find_lowest_state(
    thermo: ThermoRecord, states: Mapping[str, ThermoRecord | None], change: str
) -> tuple[ThermoRecord | None, str]:
    """The state whose bare cluster lies lowest, or why there is none."""
    if thermo.level is None:
        return None, thermo.reason
    if not states:
        return None, f"no state {change} of {thermo.cluster} in the library"
    reasons = []
    usable: list[tuple[float, ThermoRecord]] = []
    for name, record in states.items():
        if record is None:
            reasons.append(f"{name}, the state {change}, has no thermo record")
            continue
        _refuse_other_settings(thermo, record)
        energy = _get_clean_free_energy_ev(record)
        if record.level is None or energy is None:
            reasons.append(f"{record.cluster}: {record.reason}")
        elif record.level.hash != thermo.level.hash:
            reasons.append(
                f"{record.cluster} is at level {record.level.name!r}, "
                f"{thermo.cluster} at {thermo.level.name!r}; "
                "a free energy is made of one level"
            )
        else:
            usable.append((energy, record))
    if not usable:
        return None, "; ".join(reasons)
    return min(usable, key=lambda pair: pair[0])[1], ""


def _refuse_other_settings(thermo: ThermoRecord, state: ThermoRecord) -> None:
    own, other = thermo.provenance.settings, state.provenance.settings
    if own != other:
        names = sorted(k for k in {*own, *other} if own.get(k) != other.get(k))
        raise RecordError(
            f"{state.cluster}, a state of {thermo.cluster}: its free energies have "
            f"another {', '.join(names)}; run thermo again with the same settings"
        )


def _get_clean_free_energy_ev(thermo: ThermoRecord) -> float | None:
    """Free energy of the bare cluster, energy and spin, eV."""
    clean = next((s for s in thermo.species if s.name == "*"), None)
    return None if clean is None or clean.terms is None else clean.terms.gibbs_ev


def _rescale_bare_state(
    thermo: ThermoRecord,
    state: ThermoRecord,
    change: str,
    compositions: Mapping[str, Mapping[str, int]],
) -> SpeciesFreeEnergy:
    """The bare state on the scale of its parent; a hole where no anchor has its atoms.

    Its error is that of an adsorbate: a bond of the cluster to these atoms.
    """
    name = f"*[{change}]"
    gained = read_change(change)
    anchors_ev, reason = _sum_anchor_energies(thermo, gained, compositions)
    clean = next(s for s in state.species if s.name == "*")
    own, parent = _get_clean_free_energy_ev(state), _get_clean_free_energy_ev(thermo)
    if anchors_ev is None or own is None or parent is None:
        return hole(name, reason or f"{thermo.cluster}: {thermo.reason}")
    lost, reason = _find_lost_vibrations(thermo, state, gained)
    if lost is None:
        return hole(name, reason)
    method = thermo.level.method_deviations_ev() if thermo.level is not None else {}
    sign = 1 if sum(gained.values()) > 0 else -1
    formation = own - parent - anchors_ev + sign * lost.gibbs_ev
    cutoff = abs(lost.minus_ts_ev - lost.minus_ts_undamped_ev)
    return clean.model_copy(
        update={
            "name": name,
            "formation_ev": formation,
            "formation_uncorrected_ev": formation,
            "de_placed_ev": None,
            "deviations": {**method, "cutoff": cutoff} if method else {},
            "bonds": tuple(f"{element} in the cluster" for element in gained),
            "flags": (*clean.flags, CLUSTER_STATE_FLAG),
        }
    )


def _find_lost_vibrations(
    thermo: ThermoRecord, state: ThermoRecord, gained: Mapping[str, int]
) -> tuple[FreeEnergyTerms | None, str]:
    """Vibrations of the atoms that only the larger cluster has, or why there are none.

    Those of what is lost are in the record of the cluster that loses it.
    """
    larger, smaller = thermo, state
    if sum(gained.values()) > 0:
        larger, smaller = state, thermo
    for found in larger.lost_vibrations:
        if found.state == smaller.cluster:
            return found.terms, found.reason
    return None, (
        f"no vibrations of what {larger.cluster} loses for {smaller.cluster}: run "
        "stage leaving, and thermo with its record"
    )


def _sum_anchor_energies(
    thermo: ThermoRecord,
    counts: Mapping[str, int],
    compositions: Mapping[str, Mapping[str, int]],
) -> tuple[float | None, str]:
    """Free energy of the anchors that hold some atoms, gases at 1 bar, eV.

    That of an anchor is what its free energy lies above its formation energy.
    """
    anchors = [c.gas for c in thermo.gas_corrections if c.is_anchor]
    parts = anchor_coefficients(counts, {a: compositions[a] for a in anchors})
    if parts is None:
        return None, f"the anchors {', '.join(anchors)} cannot make it"
    gases = {s.name: s for s in thermo.species}
    total = 0.0
    for anchor, n in parts.items():
        gas = gases.get(f"{anchor}(g)")
        if gas is None or gas.terms is None or gas.formation_uncorrected_ev is None:
            return None, f"anchor without a free energy: {anchor}"
        total += n * (gas.terms.gibbs_ev - gas.formation_uncorrected_ev)
    return total, ""


def _rescale_species(
    term: str, clean: SpeciesFreeEnergy, state: ThermoRecord
) -> SpeciesFreeEnergy:
    """The bare state, or an adsorbate on it, on the scale of the parent."""
    _, adsorbate = read_surface(term)
    if clean.formation_ev is None:
        return hole(term, clean.reason)
    if not adsorbate:
        return clean
    found = next((s for s in state.species if s.name == f"*{adsorbate}"), None)
    if found is None:
        return hole(term, f"*{adsorbate} was not computed on {state.cluster}")
    if found.formation_ev is None or found.formation_uncorrected_ev is None:
        reason = f"{state.cluster}: {found.reason}"
        return found.model_copy(update={"name": term, "reason": reason})
    uncorrected = found.formation_uncorrected_ev + clean.formation_ev
    return found.model_copy(
        update={
            "name": term,
            "formation_ev": found.formation_ev + clean.formation_ev,
            "formation_uncorrected_ev": uncorrected,
            "deviations": _combine_deviations(found.deviations, clean.deviations),
            "flags": tuple(dict.fromkeys((*found.flags, *clean.flags))),
        }
    )


def _combine_deviations(
    adsorbed: Mapping[str, float], clean: Mapping[str, float]
) -> dict[str, float]:
    """Deviations of an adsorbate on a state, as if those of the two were independent.

    Empty, which means unknown, where either is.
    """
    if not adsorbed or not clean:
        return {}
    both = {p: hypot(adsorbed.get(p, 0.0), sigma) for p, sigma in clean.items()}
    return {**adsorbed, **both}


def add_cluster_states(
    thermo: ThermoRecord,
    states: Sequence[ThermoRecord],
    reactions: Sequence[ReactionSpec],
    library: Library,
) -> JoinedStates:
    """A cluster's free energies with those of the states that the reactions name.

    A state that is in no library, or without a record, is a hole with that reason.

    Raises
    ------
    RecordError
        If a record is of no such state, or was made with other settings.
    """
    terms = {term for spec in reactions for term in _list_surface_terms(spec)}
    changes = {change for term in terms if (change := read_surface(term)[0])}
    records = {record.cluster: record for record in states}
    clusters = {
        change: library.cluster_states(thermo.cluster, read_change(change))
        for change in sorted(changes)
    }
    named = {name for names in clusters.values() for name in names}
    if strangers := sorted(records.keys() - named):
        raise RecordError(
            f"thermo record of {strangers[0]}: the reactions name no such state of "
            f"{thermo.cluster}; give only the cluster and its states"
        )
    anchors = [c.gas for c in thermo.gas_corrections if c.is_anchor]
    return join_cluster_states(
        thermo,
        {
            change: {name: records.get(name) for name in names}
            for change, names in clusters.items()
        },
        terms,
        {anchor: library.gas(anchor).counts for anchor in anchors},
    )


def _list_surface_terms(spec: ReactionSpec) -> set[str]:
    overall, steps = parse_network(spec)
    terms = overall.species.union(*(step.species for step in steps))
    return {term for term in terms if term.startswith("*")}
