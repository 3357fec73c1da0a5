"""Stage level: the first level of the study whose probes are sane on a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ase.calculators.calculator import CalculationFailed

from clusterflow.engines import check_elements
from clusterflow.errors import EngineError
from clusterflow.records.atoms import as_drawn, to_atoms
from clusterflow.records.clusters import BuildRecord, LevelAttempt, LevelRecord, Probe
from clusterflow.science.adsorption.starts_on_sites import place_adsorbate
from clusterflow.science.clusters.spin import complex_multiplicities
from clusterflow.science.sites.sites import find_sites
from clusterflow.science.thermochemistry.formation import anchor_coefficients
from clusterflow.science.thermochemistry.validity import broken_limits, situation_of
from clusterflow.settings import LevelSettings, ThermoSettings
from clusterflow.stages.parts.job import settings_of
from clusterflow.stages.parts.relaxation import Relaxation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.library.gases import GasSpec
    from clusterflow.library.levels import DomainSpec, LevelSpec
    from clusterflow.records.structure import Structure
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job

# A probe that comes to rest needs no more steps.
_FMAX_EV_PER_A = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing:
    """How a level is tried on a cluster.

    `probes` are put on its first site. Their energies count from those of `anchors`.
    The bare cluster and each probe are given as many optimiser `steps`.
    """

    probes: Sequence[AdsorbateSpec]
    anchors: Sequence[GasSpec]
    steps: int


def level(
    build: BuildRecord,
    levels: Sequence[LevelSpec],
    probing: Probing,
    domain: Sequence[DomainSpec],
    job: Job,
    *,
    try_all: bool = False,
) -> LevelRecord:
    """The first level made for the cluster at which its probes are sane.

    A level that the domain table refuses for the cluster is not tried.

    Parameters
    ----------
    build
        Starting geometries of the cluster.
    levels
        In order of preference.
    domain
        The table of where methods are not to be trusted.
    try_all
        Go on after the first, because other clusters have a say.
    """
    attempts: list[LevelAttempt] = []
    accepted: list[LevelSpec] = []
    for candidate in levels:
        reason = why_no_auto(build.cluster, build.auto_multiplicity, candidate)
        reason = reason or _why_refused(candidate, build.structures[0], domain)
        if reason:
            attempt = _make_refused_attempt(candidate, reason)
        else:
            attempt = _try_level(build, candidate, probing, job)
        attempts.append(attempt)
        if attempt.accepted:
            accepted.append(candidate)
            if not try_all:
                break
    chosen = accepted[0] if accepted else None
    return LevelRecord(
        cluster=build.cluster,
        level=chosen,
        attempts=tuple(attempts),
        accepted=tuple(accepted),
        status="ok" if chosen else "failed",
        reason="" if chosen else "; ".join(f"{a.level}: {a.reason}" for a in attempts),
        provenance=job.provenance(chosen),
    )


def why_no_auto(cluster: str, auto: bool, level: LevelSpec) -> str:
    """Why a cluster's ``multiplicity: auto`` cannot be had at a level; "" if it can."""
    if not auto or level.spin_polarised:
        return ""
    return (
        f"{cluster}: multiplicity auto needs a spin-polarised level, and "
        f"{level.name!r} is none: without spin polarisation low spin always wins; "
        "use spgfn1-xtb, or give a number"
    )


def _try_level(
    build: BuildRecord, candidate: LevelSpec, probing: Probing, job: Job
) -> LevelAttempt:
    try:
        check_elements(candidate, build.structures[0].symbols, build.cluster)
        bare, *covered = [
            _relax_probe(name, structure, candidate, probing.steps, job)
            for name, structure in _place_probes(build, candidate, probing.probes)
        ]
        energies = (
            _compute_anchor_energies(candidate, probing.anchors, job) if covered else {}
        )
    except EngineError as error:
        return _make_refused_attempt(candidate, str(error))
    counts = {f"+{spec.name}": spec.counts for spec in probing.probes}
    gases = {s.name: s.counts for s in probing.anchors if s.name in energies}
    judged = [bare]
    for probe in covered:
        shares = anchor_coefficients(counts[probe.name], gases)
        anchors_ev = (
            sum(n * energies[gas] for gas, n in shares.items()) if shares else None
        )
        judged.append(_judge_probe(probe, bare, anchors_ev, candidate))
    failed = [p.name for p in judged if not p.converged]
    insane = [f"{p.name} {p.formation_ev:+.1f} eV" for p in judged if not p.sane]
    reasons = [f"no convergence for {', '.join(failed)}"] if failed else []
    if insane and candidate.probe_window_ev:
        low, high = candidate.probe_window_ev
        reasons.append(f"outside {low:g} to {high:g} eV: {', '.join(insane)}")
    return LevelAttempt(
        level=candidate.name,
        accepted=not reasons,
        reason="; ".join(reasons) or f"all {len(judged)} probes converged and are sane",
        probes=tuple(judged),
    )


def _make_refused_attempt(candidate: LevelSpec, reason: str) -> LevelAttempt:
    return LevelAttempt(level=candidate.name, accepted=False, reason=reason, probes=())


def _why_refused(
    candidate: LevelSpec, bare: Structure, domain: Sequence[DomainSpec]
) -> str:
    """Why the domain table refuses a level for a cluster; "" if it does not."""
    here = situation_of(candidate, "*", bare, host=bare)
    return "; ".join(
        f"{entry.name}: {entry.description}; {entry.way_out}"
        for entry in broken_limits(here, domain)
        if entry.refuses
    )


def _place_probes(
    build: BuildRecord, candidate: LevelSpec, probes: Sequence[AdsorbateSpec]
) -> list[tuple[str, Structure]]:
    bare = build.structures[0]
    _, sites = find_sites(bare.symbols, bare.xyz, roles=bare.roles)
    found = [("bare", bare)]
    for probe in probes:
        starts = place_adsorbate(
            bare,
            sites,
            probe,
            multiplicity=complex_multiplicities(bare, probe, candidate, build.cluster)[
                0
            ],
            max_starts=1,
        )
        found += [(f"+{probe.name}", start.structure) for start in starts]
    return found


def _relax_probe(
    name: str, structure: Structure, candidate: LevelSpec, steps: int, job: Job
) -> Probe:
    calculator = job.calculator(candidate, structure.charge, structure.multiplicity)
    relaxation = Relaxation(to_atoms(structure), calculator)
    if relaxation.run(_FMAX_EV_PER_A, steps) == "scf-failed":
        return Probe(name=name, converged=False, reason=relaxation.reason)
    return Probe(name=name, converged=True, energy_ev=relaxation.energy_ev)


def _compute_anchor_energies(
    candidate: LevelSpec, anchors: Sequence[GasSpec], job: Job
) -> dict[str, float]:
    """Energies of molecules as the library draws them, eV, at the level in the gas."""
    found = {}
    level = candidate.model_copy(update={"solvent": None})
    for spec in anchors:
        atoms = as_drawn(spec)
        try:
            check_elements(level, spec.counts, spec.name)
            atoms.calc = job.calculator(level, spec.charge, spec.multiplicity)
            found[spec.name] = float(atoms.get_potential_energy())
        except (EngineError, CalculationFailed):
            continue  # what needs it is not judged
    return found


def _judge_probe(
    probe: Probe, bare: Probe, anchors_ev: float | None, candidate: LevelSpec
) -> Probe:
    """A probe with its energy on the cluster, and whether that is in the window."""
    if probe.energy_ev is None or bare.energy_ev is None or anchors_ev is None:
        return probe
    formation = probe.energy_ev - bare.energy_ev - anchors_ev
    window = candidate.probe_window_ev
    sane = window is None or window[0] <= formation <= window[1]
    return probe.model_copy(update={"formation_ev": formation, "sane": sane})


def run(inputs: Inputs, job: Job, *, try_all: bool = True) -> LevelRecord:
    """Choose among the study's levels."""
    settings, library = inputs.settings(LevelSettings), inputs.library
    job.settings = settings_of(settings)
    return level(
        inputs.one(BuildRecord),
        [library.level(name) for name in settings.preferred],
        Probing(
            probes=[library.adsorbate(name) for name in settings.probes],
            anchors=[library.gas(name) for name in ThermoSettings().anchors],
            steps=settings.probe_steps,
        ),
        library.domain(),
        job,
        try_all=try_all,
    )


def give_up(inputs: Inputs, job: Job, reason: str) -> LevelRecord:
    """No level, because the job that was to choose it crashed."""
    return LevelRecord(
        cluster=inputs.one(BuildRecord).cluster,
        level=None,
        attempts=(),
        status="failed",
        reason=reason,
        provenance=job.provenance(),
    )
