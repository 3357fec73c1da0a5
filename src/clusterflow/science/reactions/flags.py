"""What the flags of a number say: how it came about, or that it is beyond a limit.

A number has the names of its flags; a step and a result have ``*CO: name``, with the
species that carries it. Flags that `clusterflow` gives by itself are explained here,
those of limits of methods in the library's table of domains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clusterflow.records.provenance import CHANGED_FLAG, EDITED_FLAG
from clusterflow.science.checks.effects import EFFECTS, failure_flag
from clusterflow.science.thermochemistry.composite import (
    OTHER_MULTIPLICITY_FLAG,
    OTHER_VIBRATIONS_FLAG,
)
from clusterflow.science.thermochemistry.level_layer import UNMEASURED_FLAG

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clusterflow.records.profiles import ReactionResult

# On every number that rests on the energy of a cluster's change.
CLUSTER_STATE_FLAG: Final = "cluster-state"
# On what has no DFT energy in a diagram of a composite level.
CALIBRATED_FLAG: Final = "calibrated"
# What a flag that is no limit of a method means, and what to do about it.
ORIGIN_FLAGS: Final = {
    "large-gas-correction": (
        "the gas layer moves the number by more than 0.5 eV",
        "compare corrected and uncorrected values",
    ),
    "reconstructed": (
        "the cluster changed its bonds under the adsorbate, and the gain is counted",
        "compare its energies against its own host and the pool; pool.rounds: 2",
    ),
    "ligand-migrated": (
        "a ligand of the cluster changed its bonds under the adsorbate, and the gain "
        "is counted",
        "look at the minimum: a ligand that comes off is another state of the cluster",
    ),
    "frozen-shell": (
        "the ligands but for what binds them stayed as in the bare cluster: the number "
        "is too high by what they would gain by moving",
        "relax its minimum with adsorb.freeze: none, at least what decides",
    ),
    CLUSTER_STATE_FLAG: (
        "the cluster lost or gained atoms with their vibrations; what that changes in "
        "the vibrations of the others is left out",
        "add a step that loses to one that gives back: over both the error cancels",
    ),
    "soft-imaginary-mode": (
        "an imaginary mode below the cut-off is left, counted as one at the cut-off",
        "relax tighter: a smaller relax.fmax_ev_per_a",
    ),
    "noise-imaginary-mode": (
        "an imaginary mode within the noise of the forces is left, counted as one at "
        "the cut-off",
        "nothing: tighter forces may turn its sign",
    ),
    "minimum-set-aside": (
        "a minimum that comes first was left: a saddle point of something else",
        "its reason stands under what failed; compare the minima",
    ),
    "bonded-to-nonmetal": (
        "the adsorbate has a covalent bond to an anion or a ligand atom of the cluster",
        "look at the minimum: it may be a molecule of its own, as OCSe is",
    ),
    "other-molecule": (
        "the adsorbate is not the molecule it was drawn as; it carries the errors of "
        "the bonds that it has",
        "its reason lists them; compare the other minima",
    ),
    "unknown-bond": (
        "it has a bond whose error no gas tells: not corrected, but a deviation",
        "its reason names the bond; refine with DFT",
    ),
    UNMEASURED_FLAG: (
        "nobody measured the level's error in a bond that holds it on this cluster: "
        "the error is not taken off, and as wide as the level's",
        "refine with DFT, or measure such bonds: benchmarks/reference/level_errors.py",
    ),
    "no-solvation-value": (
        "the adsorbate's file has no `solvation_ev`: water moves it by 0 to -0.5 eV, "
        "which is not in the number but a standard deviation of 0.25 eV",
        "add `solvation_ev` with its source, 0 too if that is known",
    ),
    CALIBRATED_FLAG: (
        "it has no DFT energy: that of the level less the error that others on the "
        "cluster and the table of its bonds let expect",
        "name it in refine.species",
    ),
    OTHER_VIBRATIONS_FLAG: (
        "another minimum than the level's is lowest by DFT; it has the vibrations of "
        "the level's",
        "compare both in the refine record",
    ),
    OTHER_MULTIPLICITY_FLAG: (
        "another multiplicity than the level's is lowest by DFT; geometry and "
        "vibrations are of the level's",
        "compare both in the refine record; claim that multiplicity and run again",
    ),
    EDITED_FLAG: (
        "a record behind the number was changed by hand, and that was accepted",
        "delete the records that records.csv calls edited and run again",
    ),
    CHANGED_FLAG: (EFFECTS["provenance"].means, EFFECTS["provenance"].way_out),
    **{
        failure_flag(gate): (effect.means, effect.way_out)
        for gate, effect in EFFECTS.items()
        if effect.kind == "mark" and gate != "provenance"
    },
}
_CHANGED_BONDS = ("ligand-migrated", "reconstructed")


def group_flags(flags: Iterable[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Flags of the kind ``*CO: name`` by name, with the species that carry each.

    >>> group_flags(["*CO: a", "*H: a"])
    (('a', ('*CO', '*H')),)
    """
    groups: dict[str, list[str]] = {}
    for flag in flags:
        species, separator, name = flag.rpartition(": ")
        groups.setdefault(name, []).extend([species] if separator else [])
    return tuple((name, tuple(species)) for name, species in groups.items())


def outside_domain(result: ReactionResult) -> set[str]:
    """Species of any pathway for which the level is not to be trusted."""
    steps = (step for pathway in result.pathways for step in pathway.steps)
    return {
        species
        for step in steps
        for name, carriers in group_flags(step.flags)
        if name not in ORIGIN_FLAGS
        for species in carriers
    }


def with_changed_bonds(result: ReactionResult) -> set[str]:
    """Species of the best pathway whose cluster changed its bonds."""
    groups = dict(group_flags(result.flags))
    return {species for name in _CHANGED_BONDS for species in groups.get(name, ())}
