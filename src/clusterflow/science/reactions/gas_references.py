r"""Limiting potentials under other answers to where the errors of the gases sit.

A level is wrong about molecules by tenths of an eV or more, and experiment says by how
much only for differences of gases. Which gas carries the error, and which adsorbate
keeps it, is a choice. The same quantum chemistry is therefore evaluated with each of

- ``study``: the corrections and anchors of the study;
- ``no-inheritance``: corrections on gases alone;
- ``other-anchors``: with inheritance, but CO in the place of CO2 is taken as right;
- ``raw``: no correction at all.

With δ(X) the correction of a gas X from the study's anchors, which is measured minus
computed free energy of formation, that from anchors A with coefficients n_A(X) is

.. math:: \delta'(X) = \delta(X) - \sum_A n_A(X) \, \delta(A)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clusterflow.records.profiles import GasReferenceResult
from clusterflow.science.reactions.che import evaluate_network, free_energies_of
from clusterflow.science.thermochemistry.anchors import FROM_CO, FROM_CO2
from clusterflow.science.thermochemistry.formation import anchor_coefficients

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clusterflow.records.energies import SpeciesFreeEnergy, ThermoRecord
    from clusterflow.records.profiles import GasReferenceName, ReactionResult
    from clusterflow.science.reactions.che import Electrode, FreeEnergies
    from clusterflow.science.reactions.network import Network

# Every defensible answer; raw energies are known to be wrong and stand beside.
_SPREAD_OVER: Final = ("study", "no-inheritance", "other-anchors")


@dataclass(frozen=True, slots=True, kw_only=True)
class GasReference:
    """One answer: its name, its anchors, and all energies it leads to."""

    name: GasReferenceName
    anchors: tuple[str, ...]
    energies: FreeEnergies


def other_anchors(thermo: ThermoRecord) -> tuple[str, ...]:
    """CO, H2 and H2O; with CO2 in the place of CO where these are the study's own."""
    own = {c.gas for c in thermo.gas_corrections if c.is_anchor}
    return FROM_CO2 if own == set(FROM_CO) else FROM_CO


def gas_references_of(
    thermo: ThermoRecord, compositions: Mapping[str, Mapping[str, int]]
) -> list[GasReference]:
    """The energies of a cluster's species with each answer but the study's own.

    A species without a number in the study has none here, nor has one that needs a
    correction which is not known.

    Parameters
    ----------
    thermo
        Of the study, with or without the gas layer.
    compositions
        Element counts of the gases of the record and of all anchors.
    """
    own = {c.gas: c.correction_ev for c in thermo.gas_corrections}
    anchors = tuple(c.gas for c in thermo.gas_corrections if c.is_anchor)
    others = other_anchors(thermo)
    moved = move_corrections(own, others, compositions)
    return [
        GasReference(
            name="no-inheritance",
            anchors=anchors,
            energies=_change_gas_layer(thermo, own, None, anchors),
        ),
        GasReference(
            name="other-anchors",
            anchors=others,
            energies=_change_gas_layer(thermo, moved, moved, others),
        ),
        GasReference(
            name="raw",
            anchors=anchors,
            energies=_change_gas_layer(thermo, None, None, anchors),
        ),
    ]


def move_corrections(
    corrections_ev: Mapping[str, float],
    anchors: Sequence[str],
    compositions: Mapping[str, Mapping[str, int]],
) -> dict[str, float]:
    """Gas corrections from other anchors, eV, without gases that need a missing one.

    Examples
    --------
    >>> counts = {"CO2": {"C": 1, "O": 2}, "CO": {"C": 1, "O": 1}}
    >>> counts |= {"H2": {"H": 2}, "H2O": {"H": 2, "O": 1}}
    >>> own = {"CO2": 0.0, "H2": 0.0, "H2O": 0.0, "CO": -1.8}
    >>> move_corrections(own, ["CO", "H2", "H2O"], counts)
    {'CO2': 1.8, 'H2': 0.0, 'H2O': 0.0, 'CO': 0.0}
    """
    basis = {anchor: compositions[anchor] for anchor in anchors}
    found = {}
    for gas, own in corrections_ev.items():
        parts = anchor_coefficients(compositions[gas], basis)
        if parts is not None and all(anchor in corrections_ev for anchor in parts):
            found[gas] = own - sum(n * corrections_ev[a] for a, n in parts.items())
    return found


def _change_gas_layer(
    thermo: ThermoRecord,
    gases: Mapping[str, float] | None,
    motifs: Mapping[str, float] | None,
    anchors: Sequence[str],
) -> FreeEnergies:
    """Energies with another gas layer; None switches it off."""
    where = ", ".join(anchors)
    species = []
    for old in thermo.species:
        adsorbed = old.name.startswith("*")
        layer = motifs if adsorbed else gases
        carried = old.inherits if adsorbed else {_read_gas_name(old): 1.0}
        species.append(_change_species_layer(old, layer, carried, where))
    half = thermo.half_hydrogen_ev
    if half is not None:
        hydrogen = next((s for s in thermo.species if s.name == "H2(g)"), None)
        half -= (hydrogen.layers.get("gas", 0.0) if hydrogen else 0.0) / 2
        half += (gases or {}).get("H2", 0.0) / 2
    return free_energies_of(
        thermo.model_copy(update={"species": tuple(species), "half_hydrogen_ev": half})
    )


def _read_gas_name(species: SpeciesFreeEnergy) -> str:
    return species.name.partition("(")[0]


def _change_species_layer(
    old: SpeciesFreeEnergy,
    layer: Mapping[str, float] | None,
    carried: Mapping[str, float],
    anchors: str,
) -> SpeciesFreeEnergy:
    if old.formation_ev is None:
        return old
    shift = 0.0
    if layer is not None:
        missing = [molecule for molecule in carried if molecule not in layer]
        if missing:
            reason = f"no correction of {', '.join(missing)} from {anchors or 'none'}"
            return old.model_copy(update={"formation_ev": None, "reason": reason})
        shift = sum(n * layer[molecule] for molecule, n in carried.items())
    formation = old.formation_ev - old.layers.get("gas", 0.0) + shift
    return old.model_copy(update={"formation_ev": formation})


def add_gas_references(
    result: ReactionResult,
    network: Network,
    anchors: Sequence[str],
    references: Sequence[GasReference],
    electrode: Electrode,
) -> ReactionResult:
    """The result with its limiting potential under every answer, and their spread.

    The spread is the largest less the smallest limiting potential of ``study``,
    ``no-inheritance`` and ``other-anchors``; None where one of them has none.
    """
    found = [_summarise_result("study", anchors, result)]
    for reference in references:
        other = evaluate_network(
            network, reference.energies, electrode, surface=result.surface
        )
        found.append(_summarise_result(reference.name, reference.anchors, other))
    potentials = [
        item.limiting_potential_v_rhe for item in found if item.name in _SPREAD_OVER
    ]
    known = [potential for potential in potentials if potential is not None]
    complete = len(known) == len(_SPREAD_OVER)
    return result.model_copy(
        update={
            "references": tuple(found),
            "reference_spread_v": max(known) - min(known) if complete else None,
        }
    )


def _summarise_result(
    name: GasReferenceName, anchors: Sequence[str], result: ReactionResult
) -> GasReferenceResult:
    return GasReferenceResult(
        name=name,
        anchors=tuple(anchors),
        limiting_potential_v_rhe=result.limiting_potential_v_rhe,
        determining_step=result.determining_step,
        chemical_bottleneck_ev=result.chemical_bottleneck_ev,
        best_pathway=result.best_pathway,
        reason=result.reason,
    )
