"""How many gradients a job makes, and what one costs at a level, about.

From the settings as far as they decide, and else as measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log10, sqrt
from typing import TYPE_CHECKING, Final

from clusterflow.stage_table import STAGES
from clusterflow.study.resources import count_functions

if TYPE_CHECKING:
    from clusterflow.library.clusters import ClusterSpec, IsomerSearch
    from clusterflow.library.levels import LevelSpec
    from clusterflow.settings import Study

# Measured on the default study (Cu4, Cu8, Cd6Se6 and Cd13Se13 with 14 adsorbates), on
# Cu13, Au8Ag and Au8Cu. To 0.02 eV/Å a relaxation of n atoms takes 9 to 14 √n
# gradients, taken as the same for each decade of force. One adsorbate in three leaves a
# cluster changed, which is then relaxed bare.
_STEPS_A_DECADE: Final = 7
_FIRST_FORCE_EV_PER_A: Final = 1.0
_CHANGED: Final = 1 / 3
# Minima that are relaxed beyond those wanted, for other ways to be bonded: 0.5 on Cu4
# and Cu8, 0.8 on Cu13, 1.6 on Au8Ag and Au8Cu, 2 on Cd6Se6 and Cd13Se13.
_OTHER_WAYS: Final = 0.5
_OTHER_WAYS_ON_COMPOUND: Final = 1.5
# An atom cannot turn: it has half the starts, and half the minima.
_OF_ATOM: Final = 0.5
# A molecule is drawn near its minimum.
_OF_MOLECULE: Final = 0.5
# The check of forces and the geometry itself, beside six displacements an atom; three
# atoms bind the adsorbate; three anchors; a cluster and its two ions.
_FORCE_CHECK: Final = 3
_BINDING_ATOMS: Final = 3
_ANCHORS: Final = 3
_CHARGES: Final = 3
# Of a spin-polarised level so many multiplicities are tried, half of them to the end.
_SPINS: Final = 3
# CPU time of a gradient beside GFN1-xTB of tblite, ten steps on Cu8 and Cd6Se6 with CO
# and COOH: GFN2 1.3 to 2.5, spin polarisation 1.6 to 1.8, CPCM 6 to 7, xtb-python 1.4
# to 1.6; ALPB, GBSA and a higher temperature 0.9 to 1.
_GFN2, _POLARISED, _CPCM, _XTB_PYTHON = 1.6, 1.7, 6.0, 1.5
# Elements of ligands, not of cores.
_SHELL: Final = frozenset({"H", "C", "N", "P"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What gradients on a cluster depend on, or on a molecule.

    `n_structures` are relaxed bare, with `n_spins` multiplicities each, and those that
    a `search` from them keeps; `leaving` are the numbers of atoms that states lack.
    """

    n_atoms: int
    functions: int
    n_structures: int = 1
    n_spins: int = 1
    search: IsomerSearch | None = None
    is_compound: bool = False
    has_shell: bool = False
    n_adsorbates: int = 0
    leaving: tuple[int, ...] = ()

    @classmethod
    def of_cluster(
        cls, spec: ClusterSpec, n_adsorbates: int, leaving: tuple[int, ...] = ()
    ) -> Host:
        """That of a cluster, by its YAML alone: nothing is built."""
        counts = spec.counts
        on_support = any(structure.host is not None for structure in spec.structures)
        return cls(
            n_atoms=counts.total(),
            functions=count_functions(counts),
            # A state is made of its parent's isomers: about one.
            n_structures=max(len(spec.structures), 1),
            n_spins=_SPINS if spec.auto_multiplicity else 1,
            search=spec.search,
            is_compound=len(counts) > 1,
            has_shell=on_support or bool(spec.ligands) or not _SHELL.isdisjoint(counts),
            n_adsorbates=n_adsorbates,
            leaving=leaving,
        )


def count_gradients(
    stage: str,
    study: Study,
    host: Host,
    n_adsorbed: int = 0,
    *,
    polarised: bool = False,
) -> float:
    """Gradients of one job, about, at a level that may be spin-polarised.

    Parameters
    ----------
    n_adsorbed
        Atoms of the adsorbate, if there is one.
    """
    n_atoms = host.n_atoms + n_adsorbed
    relax = study.relax
    relaxation = _count_steps(n_atoms, relax.fmax_ev_per_a, relax.max_steps)
    if stage == "level":
        n_probes = 1 + len(study.level.probes)
        return n_probes * study.level.probe_steps + _ANCHORS
    if stage == "relax":
        return _count_relax(host, relaxation)
    if stage == "edges":
        return _CHARGES
    if stage == "adsorb":
        return _count_adsorb(study, host, relaxation, n_adsorbed, polarised=polarised)
    if stage == "pool":
        is_stripped = study.pool.relax and (study.pool.ligated or not host.has_shell)
        return is_stripped * _CHANGED * host.n_adsorbates * relaxation
    if stage == "vibrate":
        moving = n_adsorbed + _BINDING_ATOMS * study.vibrate.include_binding_atoms
        return 6 * moving + _FORCE_CHECK
    if stage == "leaving":
        return sum(6 * n + _FORCE_CHECK for n in host.leaving)
    if stage == "gas":
        return _OF_MOLECULE * relaxation + 6 * n_atoms + _FORCE_CHECK
    # The worst case of a stage that nobody has measured.
    return STAGES[stage].gradients


def _count_steps(n_atoms: int, fmax_ev_per_a: float, max_steps: int) -> float:
    """Gradients of one relaxation."""
    decades = log10(_FIRST_FORCE_EV_PER_A / min(fmax_ev_per_a, 0.5))
    return min(_STEPS_A_DECADE * decades * sqrt(n_atoms), max_steps)


def _count_relax(host: Host, relaxation: float) -> float:
    """Each structure, the hops of a search from it, and those that the search keeps."""
    search = host.search
    if search is None:
        return host.n_structures * host.n_spins * relaxation
    hop = _count_steps(host.n_atoms, search.fmax_ev_per_a, search.max_steps)
    hops = host.n_structures * (1 + search.steps) * hop
    return hops + (host.n_structures + search.keep) * host.n_spins * relaxation


def _count_adsorb(
    study: Study, host: Host, relaxation: float, n_adsorbed: int, *, polarised: bool
) -> float:
    """Starts, which halvings follow at the same cost each, then minima, then kicks."""
    search = study.adsorb
    n_spins = _SPINS if polarised else 1
    n_starts = search.max_screened + search.random_starts
    screened = n_starts * (search.screen_steps * (1 + search.halvings) + n_spins - 1)
    ways = _OTHER_WAYS_ON_COMPOUND if host.is_compound else _OTHER_WAYS
    relaxed = (search.max_relaxed + ways) * relaxation * (n_spins + 1) / 2
    total = screened + relaxed + search.kicks * relaxation
    return total * _OF_ATOM if n_adsorbed == 1 else total


def compare_with_gfn1(level: LevelSpec) -> float | None:
    """What a gradient costs beside GFN1-xTB of tblite; None where nothing is known."""
    if level.engine not in ("tblite", "xtb-python"):
        return None
    solvent = level.solvent
    is_cpcm = not isinstance(solvent, str | None) and solvent.model == "cpcm"
    return (
        (_GFN2 if level.method == "GFN2-xTB" else 1.0)
        * (_POLARISED if level.spin_polarised else 1.0)
        * (_CPCM if is_cpcm else 1.0)
        * (_XTB_PYTHON if level.engine == "xtb-python" else 1.0)
    )
