"""Limiting potentials without gas corrections, beside those of the study.

A level is wrong about molecules by tenths of an eV or more. What the corrections of the
gases and of the bonds that adsorbates share with them move is seen from the same
quantum chemistry evaluated as the study does (``study``) and without them (``raw``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.records.profiles import GasReferenceResult
from clusterflow.science.reactions.che import evaluate_network, free_energies_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.records.energies import SpeciesFreeEnergy, ThermoRecord
    from clusterflow.records.profiles import GasReferenceName, ReactionResult
    from clusterflow.science.reactions.che import Electrode, FreeEnergies
    from clusterflow.science.reactions.network import Network


def raw_energies(thermo: ThermoRecord) -> FreeEnergies:
    """The energies of a cluster's species without the layer ``gas``.

    A species without a number in the study has none here.
    """
    half = thermo.half_hydrogen_ev
    if half is not None:
        hydrogen = next((s for s in thermo.species if s.name == "H2(g)"), None)
        half -= (hydrogen.layers.get("gas", 0.0) if hydrogen else 0.0) / 2
    species = tuple(_take_off_gas_layer(s) for s in thermo.species)
    return free_energies_of(
        thermo.model_copy(update={"species": species, "half_hydrogen_ev": half})
    )


def _take_off_gas_layer(old: SpeciesFreeEnergy) -> SpeciesFreeEnergy:
    if old.formation_ev is None:
        return old
    formation = old.formation_ev - old.layers.get("gas", 0.0)
    return old.model_copy(update={"formation_ev": formation})


def add_gas_references(
    result: ReactionResult,
    network: Network,
    anchors: Sequence[str],
    raw: FreeEnergies | None,
    electrode: Electrode,
) -> ReactionResult:
    """The result with its limiting potential as it is and without gas corrections.

    `raw` is None where there are none to leave out.
    """
    other = result
    if raw is not None:
        other = evaluate_network(network, raw, electrode, surface=result.surface)
    references = (
        _summarise_result("study", anchors, result),
        _summarise_result("raw", anchors, other),
    )
    return result.model_copy(update={"references": references})


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
