r"""Band edges of a cluster as electrode potentials, and what they can drive.

The valence edge is the vertical ionisation energy, the conduction edge the vertical
electron affinity, both in the gas phase at the geometry with N electrons:

.. math:: IP = E(N-1) - E(N) - s, \qquad EA = E(N) - E(N+1) - s

with the self-interaction offset s of the tight-binding method. A potential against the
standard hydrogen electrode is IP/e or EA/e less the absolute potential of that
electrode. Solvent and the binding of electron and hole (an eV and more in a cluster of
a dozen atoms) are left out.

References
----------
V. Asgeirsson, C. A. Bauer, S. Grimme, Chem. Sci. 8, 4879 (2017), doi:10.1039/C7SC00601B
S. Trasatti, Pure Appl. Chem. 58, 955 (1986), doi:10.1351/pac198658070955
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.records.profiles import CoupleDrive, ReactionDrive
from clusterflow.science.reactions.che import Electrode, at_electrode
from clusterflow.science.reactions.transfers import direction

if TYPE_CHECKING:
    from clusterflow.library.reactions import BandEdge
    from clusterflow.records.profiles import ReactionResult


def ionisation_energy(
    energy_ev: float, cation_energy_ev: float, offset_ev: float
) -> float:
    """Vertical ionisation energy, eV; positive where it costs energy.

    >>> ionisation_energy(-100.0, -82.5, 4.5)
    13.0
    """
    return cation_energy_ev - energy_ev - offset_ev


def electron_affinity(
    energy_ev: float, anion_energy_ev: float, offset_ev: float
) -> float:
    """Vertical electron affinity, eV; positive where the electron is bound.

    >>> electron_affinity(-100.0, -106.5, 4.5)
    2.0
    """
    return energy_ev - anion_energy_ev - offset_ev


def band_edge_potential(energy_ev: float, absolute_she_v: float) -> float:
    """Potential of the edge at an IP or EA, V against SHE.

    >>> band_edge_potential(4.44, 4.44)
    0.0
    """
    return energy_ev - absolute_she_v


def drive_couple(
    couple: str,
    edge: BandEdge,
    couple_v_she: float | None,
    edge_v_she: float | None,
    *,
    reason: str = "",
) -> CoupleDrive:
    """Whether an edge lies beyond a couple: electrons above it, or holes below.

    Parameters
    ----------
    couple, edge
        Name of the couple, and the edge that is to drive it.
    couple_v_she, edge_v_she
        Potentials, V against SHE at the same pH.
    reason
        Why there is no edge, or no potential of the couple.
    """
    if edge_v_she is None or couple_v_she is None:
        margin = None
    elif edge == "conduction":
        margin = couple_v_she - edge_v_she
    else:
        margin = edge_v_she - couple_v_she
    return CoupleDrive(
        couple=couple,
        edge=edge,
        potential_v_she=couple_v_she,
        driven=None if margin is None else margin > 0,
        margin_v=margin,
        reason=reason if margin is None else "",
    )


def drive_reaction(
    result: ReactionResult, edge: Electrode | None, *, reason: str = ""
) -> ReactionDrive:
    """The best pathway of a reaction with its electrons at a band edge.

    Parameters
    ----------
    result
        Pathways of a reaction on one surface, best first.
    edge
        An electrode at the conduction edge, of an oxidation at the valence edge, at the
        pH and the temperature; None without an edge.
    reason
        Why there is no edge.
    """
    best = result.pathways[0]
    why = reason if edge is None else best.reason or result.reason
    if edge is None or not best.complete:
        return ReactionDrive(reaction=result.reaction, driven=None, reason=why)
    steps = at_electrode(best.steps, edge)
    sign = direction(steps)
    electrochemical = {
        s.name: s.dg_ev + sum(a.dg0_ev or 0.0 for a in best.climbs_before(s))
        for s in steps
        if sign * s.n_e > 0 and s.dg_ev is not None
    }
    if not electrochemical:
        why = "no step moves an electron"
        return ReactionDrive(
            reaction=result.reaction, driven=None, reason=why, steps=steps
        )
    highest = max(electrochemical, key=electrochemical.__getitem__)
    return ReactionDrive(
        reaction=result.reaction,
        driven=electrochemical[highest] <= 0,
        steps=steps,
        highest_step=highest,
        highest_step_ev=electrochemical[highest],
        chemical_bottleneck_ev=best.chemical_bottleneck_ev,
    )
