"""Checks on finished records that recompute, by other means, what a stage claims.

Each gate is one function over the evidence; it yields a verdict a subject:

PASS, FAIL
    The check was made.
SKIP
    It does not apply here: a failed record, other conditions. The detail says why.
UNVERIFIABLE
    It applies, but what it needs is missing, or the case lies on a border.

Gates share no function with what they check: equations, compositions, electrons, bonds
and formation energies are read and counted again here, from the items of the library
as they stand in their files. They find slips of bookkeeping and geometry; none of them
says that an energy is right.

To add a gate: write a generator that takes `Evidence`, put it into `GATES`, and show in
``tests/unit/test_gates.py`` that it fails on a broken record.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.neighborlist import natural_cutoffs
from scipy import constants
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from clusterflow.core.topology import BROKEN, CONTACT, FORMED
from clusterflow.units import STANDARD_PRESSURE_PA, STANDARD_TEMPERATURE_K

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from clusterflow.core.topology import FloatArray
    from clusterflow.records import (
        AdsorbRecord,
        BuildRecord,
        CheRecord,
        GasRecord,
        Isomer,
        Minimum,
        Pathway,
        PoolRecord,
        Provenance,
        ReactionResult,
        RelaxRecord,
        SpeciesFreeEnergy,
        Structure,
        ThermoRecord,
        VibrateRecord,
    )
    from clusterflow.specs import AtomLine, LevelSpec

Verdict = Literal["PASS", "FAIL", "SKIP", "UNVERIFIABLE"]

_CLOSURE_EV: Final = 1e-3
_POTENTIAL_V: Final = 1e-6
# Records of one energy to this precision are the same calculation.
_SAME_ENERGY_EV: Final = 1e-6
# Beyond this an adsorbate is neither bound nor a plausible molecule: the largest
# formation energies of the library's species are near 3 eV (*COH on Cd6Se6).
_DG_WINDOW_EV: Final = 5.0
# Only adsorbate and binding atoms move; the forces come from a tighter SCF than that of
# the relaxation, so they may lie above its limit, but not by much.
_VIBRATING_FACTOR: Final = 2.0
# Forces are smooth, so the asymmetry is the truncation error of central differences,
# h²/6 (V_iiij − V_ijjj): measured with GFN1-xTB it goes with h² from 0.0025 to 0.04 Å
# (CO2 on its axis of the records: 0.004 to 1.09 eV/Å²) and depends on the orientation.
# At h = 0.01 Å the largest of 15 orientations is 0.081 eV/Å² for CO2, 0.049 for CO and
# 0.027 for H2O; SCF noise at accuracy 1 adds 0.01 at 0.01 and 0.005 Å. The limit
# is also the stiffness of a 48 cm⁻¹ mode of a carbon atom: more could make or hide a
# mode above the low-mode cut-off of 50 cm⁻¹.
_ASYMMETRY_EV_PER_A2: Final = 0.1
_ASYMMETRY_STEP_A: Final = 0.01
# In sums of covalent radii: both lie away from the limits that judge a minimum.
_BONDED: Final = 1.2
_REACH: Final = 1.5
# Second principal extent of a molecule, Å: relaxed CO2 has 1e-4, H2O 0.5.
_LINEAR_A: Final = 0.02

# The limit of the stages that record it; nine of ten directions of forces known to be
# wrong were off by 0.05 eV/Å and more.
_FORCE_ERROR_EV_PER_A: Final = 0.003

# A surface term of a changed cluster, such as *[-H]OCHO, and the atoms of a formula.
_STATE: Final = re.compile(r"\*\[(?P<sign>[+-])(?P<atoms>\w+)\](?P<rest>.*)$")
_ATOMS: Final = re.compile(r"([A-Z][a-z]?)(\d*)")

_EV_PER_KJ_PER_MOL: Final[float] = 1000.0 / (constants.e * constants.N_A)
_EV_PER_WAVENUMBER: Final[float] = constants.h * constants.c * 100.0 / constants.e
_BOLTZMANN_EV_PER_K: Final[float] = constants.k / constants.e


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One verdict, with the number behind it.

    A numeric `limit` is the largest allowed |value|; other limits are words.
    """

    name: str
    verdict: Verdict
    subject: str
    value: float | str | None = None
    limit: float | str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Enthalpy of formation (kJ/mol) and entropy (J/mol/K) at 298.15 K, 1 bar."""

    enthalpy_kj_per_mol: float
    entropy_j_per_mol_k: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Substance:
    """A gas or an adsorbate as its file has it; an adsorbate has a geometry a form."""

    forms: tuple[tuple[AtomLine, ...], ...]
    charge: int = 0
    gas: Measured | None = None
    liquid: Measured | None = None

    @property
    def counts(self) -> Counter[str]:
        """Atoms by element, counted in the geometry and not read off the formula."""
        return Counter(line[0] for line in self.forms[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The records of a study, and what the library says of their substances."""

    builds: tuple[BuildRecord, ...] = ()
    relaxations: tuple[RelaxRecord, ...] = ()
    gases: tuple[GasRecord, ...] = ()
    adsorptions: tuple[AdsorbRecord, ...] = ()
    pools: tuple[PoolRecord, ...] = ()
    vibrations: tuple[VibrateRecord, ...] = ()
    thermo: tuple[ThermoRecord, ...] = ()
    che: tuple[CheRecord, ...] = ()
    molecules: Mapping[str, Substance]
    adsorbates: Mapping[str, Substance]
    element_entropies_j_per_mol_k: Mapping[str, float]


def level_equality(evidence: Evidence) -> Iterator[Gate]:
    """Cluster, complex, vibrations and gases behind each ΔG are of one level.

    Gases are compared without the solvent. Which gas record a free energy was made of
    is found by its energy.
    """
    name = "level-equality"
    for thermo in evidence.thermo:
        if thermo.level is None:
            yield _skip(name, thermo.cluster, f"no level: {thermo.reason}")
            continue
        gases = _gases_at_level(thermo, evidence)
        for species in thermo.species:
            if species.formation_ev is None:
                continue
            parts = gases | _surface_at_level(thermo, species, evidence)
            yield _one_level(f"{thermo.cluster}/{species.name}", parts, thermo.level)
    levels = {t.cluster: t.level for t in evidence.thermo}
    for che in evidence.che:
        if che.level is None:
            yield _skip(name, f"{che.cluster}/profiles", f"no level: {che.reason}")
            continue
        parts = {"thermo": _same_level(che.level, levels.get(che.cluster))}
        yield _one_level(f"{che.cluster}/profiles", parts, che.level)


def _same_level(one: LevelSpec | None, other: LevelSpec | None) -> bool | None:
    """Whether two levels are one; None where a level is missing."""
    return None if one is None or other is None else one.hash == other.hash


def _gases_at_level(thermo: ThermoRecord, evidence: Evidence) -> dict[str, bool | None]:
    assert thermo.level is not None
    wanted = _dry(thermo.level)
    found: dict[str, bool | None] = {}
    for species in thermo.species:
        if not species.name.endswith("(g)") or species.terms is None:
            continue
        energy = species.terms.energy_ev
        levels = {
            _dry(record.level)
            for record in evidence.gases
            if record.gas == species.name[:-3]
            and record.energy_ev is not None
            and abs(record.energy_ev - energy) < _SAME_ENERGY_EV
        }
        found[f"gas {species.name[:-3]}"] = wanted in levels if levels else None
    return found


def _dry(level: LevelSpec) -> str:
    """Hash of a level without its solvent."""
    return level.model_copy(update={"solvent": None}).hash


def _surface_at_level(
    thermo: ThermoRecord, species: SpeciesFreeEnergy, evidence: Evidence
) -> dict[str, bool | None]:
    if not species.name.startswith("*"):
        return {}

    def compare(records: Sequence[Any]) -> bool | None:
        own = [r for r in records if r.cluster == thermo.cluster]
        return _same_level(own[0].level, thermo.level) if own else None

    parts = {"cluster": compare(evidence.relaxations)}
    if species.name != "*":
        this = species.name[1:]
        complexes = [a for a in evidence.adsorptions if a.adsorbate == this]
        vibrations = [v for v in evidence.vibrations if v.adsorbate == this]
        parts |= {"complex": compare(complexes), "vibrations": compare(vibrations)}
    return parts


def _one_level(
    subject: str, parts: Mapping[str, bool | None], level: LevelSpec
) -> Gate:
    name = "level-equality"
    wrong = [part for part, same in parts.items() if same is False]
    lost = [part for part, same in parts.items() if same is None]
    if lost and not wrong:
        return _open(name, subject, f"no record with this number: {', '.join(lost)}")
    detail = f"at another level: {', '.join(wrong)}" if wrong else "all at one level"
    return _within(
        name, subject, len(wrong), 0.0, f"{detail}, {level.name} ({level.hash})"
    )


def parity(evidence: Evidence) -> Iterator[Gate]:
    """Charge and multiplicity fit the electrons, and complexes add up their charges."""
    name = "parity"
    for subject, structure in _structures(evidence):
        electrons = sum(atomic_numbers[s] for s in structure.symbols) - structure.charge
        unpaired = structure.multiplicity - 1
        fits = 0 <= unpaired <= electrons and (electrons - unpaired) % 2 == 0
        shown = f"{electrons} electrons, multiplicity {structure.multiplicity}"
        limit = "unpaired electrons as even or odd as all"
        yield _judged(name, subject, fits, shown, limit)
    for subject, host_charge, adsorbate, found in _complex_charges(evidence):
        if host_charge is None or adsorbate not in evidence.adsorbates:
            yield _open(name, subject, f"no charge known of the cluster or {adsorbate}")
            continue
        added = host_charge + evidence.adsorbates[adsorbate].charge
        detail = "charge of the complex less cluster and adsorbate, e"
        yield _within(name, subject, found - added, 0.0, detail)


def _structures(evidence: Evidence) -> Iterator[tuple[str, Structure]]:
    for build in evidence.builds:
        yield from ((f"{build.cluster}/{s.name}, built", s) for s in build.structures)
    for relaxed in evidence.relaxations:
        for isomer in relaxed.isomers:
            yield f"{relaxed.cluster}/{isomer.structure.name}", isomer.structure
    for pool, isomer in _found_isomers(evidence):
        yield f"{pool.cluster}/{isomer.structure.name}", isomer.structure
    for gas in evidence.gases:
        if gas.structure is not None:
            yield _gas_subject(gas), gas.structure
    for subject, _, minimum in _minima(evidence):
        yield subject, minimum.structure
    for vibrated in evidence.vibrations:
        if vibrated.structure is not None:
            yield _vibrating_subject(vibrated), vibrated.structure


def _complex_charges(
    evidence: Evidence,
) -> Iterator[tuple[str, int | None, str, int]]:
    """Subject, charge of the host, name of the adsorbate, charge of the complex."""
    hosts = {
        (relaxed.cluster, isomer.structure.name): isomer.structure.charge
        for relaxed in evidence.relaxations
        for isomer in relaxed.isomers
    }
    for pool, found in _found_isomers(evidence):
        hosts[pool.cluster, found.structure.name] = found.structure.charge
    isomers = {}
    for subject, record, minimum in _minima(evidence):
        isomers[record.cluster, record.adsorbate] = minimum.isomer
        host = hosts.get((record.cluster, minimum.isomer))
        yield subject, host, record.adsorbate, minimum.structure.charge
    for vibrated in evidence.vibrations:
        if vibrated.structure is not None:
            isomer = isomers.get((vibrated.cluster, vibrated.adsorbate), "")
            host = hosts.get((vibrated.cluster, isomer))
            charge = vibrated.structure.charge
            yield _vibrating_subject(vibrated), host, vibrated.adsorbate, charge


def closure(evidence: Evidence) -> Iterator[Gate]:
    """The steps of each complete pathway add up to the measured ΔG of the reaction.

    This is bookkeeping: intermediates cancel, so it says nothing about them.
    """
    conditions = {thermo.cluster: thermo for thermo in evidence.thermo}
    for che in evidence.che:
        for result in che.results:
            for number, pathway in enumerate(result.pathways, start=1):
                subject = f"{che.cluster}/{result.reaction}, pathway {number}"
                thermo = conditions.get(che.cluster)
                yield _closed(subject, result, pathway, thermo, evidence)


def _closed(
    subject: str,
    result: ReactionResult,
    pathway: Pathway,
    thermo: ThermoRecord | None,
    evidence: Evidence,
) -> Gate:
    if not pathway.complete:
        return _skip("closure", subject, pathway.reason or "an incomplete pathway")
    if thermo is None or "correct" not in thermo.provenance.settings:
        return _open("closure", subject, "no thermo record with its correction layers")
    why = _why_not_closed(result.equation, thermo)
    if why:
        return _skip("closure", subject, why)
    return _closes(subject, result, pathway, evidence)


def _closes(
    subject: str, result: ReactionResult, pathway: Pathway, evidence: Evidence
) -> Gate:
    measured = measured_reaction_ev(result.equation, evidence)
    if measured is None:
        why = f"the library cannot measure {result.equation}"
        return _open("closure", subject, why)
    steps = [step.dg0_ev for step in pathway.steps if step.dg0_ev is not None]
    if len(steps) < len(pathway.steps):
        detail = "called complete, but a step has no number"
        return _judged("closure", subject, False, None, _CLOSURE_EV, detail)
    gap = sum(steps) - measured
    detail = f"gap in eV: steps {sum(steps):+.4f}, measured {measured:+.4f}"
    return _within("closure", subject, gap, _CLOSURE_EV, detail)


def _why_not_closed(equation: str, thermo: ThermoRecord) -> str:
    """Why the steps need not meet experiment here; empty where they must."""
    if abs(thermo.temperature_k - STANDARD_TEMPERATURE_K) > 1e-6:
        return f"at {thermo.temperature_k:g} K; experiment is for 298.15 K"
    settings = thermo.provenance.settings
    if "gas" not in settings["correct"]:
        return "the gas layer is off"
    corrected = {c.gas for c in thermo.gas_corrections}
    if any(_STATE.match(term) for term in _read_equation(equation) or ()):
        return "the cluster is changed, which nobody measured"
    pressures = settings.get("pressure_pa", {})
    molecules = [t for t in _read_equation(equation) or () if t.endswith((")", "H+"))]
    for term in molecules:
        gas = "H2" if term == "H+" else term.partition("(")[0]
        if gas not in corrected:
            return f"{gas} has no gas correction"
        # Neither a liquid nor the hydrogen of the pair feels a partial pressure.
        pressure = pressures.get(gas, STANDARD_PRESSURE_PA)
        if term.endswith("(g)") and pressure != STANDARD_PRESSURE_PA:
            return f"{gas} is at {pressure:g} Pa; experiment is for 1 bar"
    return ""


def measured_reaction_ev(equation: str, evidence: Evidence) -> float | None:
    """ΔG of a reaction at 298.15 K, 1 bar and 0 V (RHE) from the library's data, eV.

    ΔfG = ΔfH − T (S − Σ S of the elements); H⁺ + e⁻ counts as ½ H2, which is zero.
    None where a datum is missing.

    Examples
    --------
    >>> water = Measured(enthalpy_kj_per_mol=-285.83, entropy_j_per_mol_k=69.95)
    >>> form = (("O", 0, 0, 0), ("H", 0, 0, 1), ("H", 0, 1, 0))
    >>> evidence = Evidence(
    ...     molecules={"H2O": Substance(forms=(form,), liquid=water)},
    ...     adsorbates={},
    ...     element_entropies_j_per_mol_k={"H": 65.34, "O": 102.576},
    ... )
    >>> round(measured_reaction_ev("H2O(l) -> 2 H+ + 2 e-", evidence), 3)
    2.458
    """
    terms = _read_equation(equation)
    if terms is None or terms["H+"] != terms["e-"]:
        return None
    total = 0.0
    for term, number in terms.items():
        if term in ("H+", "e-", "*"):
            continue
        formation = _formation_ev(term, evidence)
        if formation is None:
            return None
        total += number * formation
    return total


def _formation_ev(term: str, evidence: Evidence) -> float | None:
    """ΔfG of a term such as ``H2O(l)``, eV."""
    name, _, phase = term.partition("(")
    substance = evidence.molecules.get(name)
    if substance is None:
        return None
    data = substance.gas if phase == "g)" else substance.liquid
    elements = evidence.element_entropies_j_per_mol_k
    if data is None or any(element not in elements for element in substance.counts):
        return None
    entropy = data.entropy_j_per_mol_k
    entropy -= sum(n * elements[element] for element, n in substance.counts.items())
    kj = data.enthalpy_kj_per_mol - STANDARD_TEMPERATURE_K * entropy / 1000.0
    return kj * _EV_PER_KJ_PER_MOL


def _read_equation(equation: str) -> Counter[str] | None:
    """How much of each term is made (positive) or used; None if it cannot be read."""
    total: Counter[str] = Counter()
    left, arrow, right = equation.partition("->")
    if not arrow:
        return None
    for sign, side in ((-1, left), (1, right)):
        for part in side.split(" + "):
            number, _, term = part.strip().rpartition(" ")
            if not term or (number and not number.isdigit()):
                return None
            total[term] += sign * int(number or 1)
    return total


def balance(evidence: Evidence) -> Iterator[Gate]:
    """Every equation of the networks keeps atoms, charge and sites."""
    for che in evidence.che:
        for network in che.networks:
            for equation in (network.equation, *network.steps):
                subject = f"{che.cluster}/{network.name}: {equation}"
                yield _balanced(subject, equation, evidence)


def _balanced(subject: str, equation: str, evidence: Evidence) -> Gate:
    terms = _read_equation(equation)
    if terms is None:
        return _judged("balance", subject, False, None, 0.0, "cannot be read")
    total: Counter[str] = Counter()
    for term, number in terms.items():
        content = _content(term, evidence)
        if content is None:
            return _open("balance", subject, f"the library has no {term}")
        for what, n in content.items():
            total[what] += number * n
    off = {what: n for what, n in total.items() if n}
    shown = ", ".join(f"{what} {n:+d}" for what, n in sorted(off.items()))
    detail = f"made from nothing: {shown}" if off else "atoms, charge and sites kept"
    return _within("balance", subject, sum(map(abs, off.values())), 0.0, detail)


def _content(term: str, evidence: Evidence) -> Counter[str] | None:
    """Atoms, ``charge`` and ``site`` of a term; None if it is unknown."""
    fixed = {"*": {"site": 1}, "H+": {"H": 1, "charge": 1}, "e-": {"charge": -1}}
    if term in fixed:
        return Counter(fixed[term])
    state = _STATE.match(term)
    if state is not None:
        content = _content(f"*{state['rest']}", evidence)
        if content is not None:
            content.update(_gained(state["sign"], state["atoms"]))
        return content
    adsorbed = term.startswith("*")
    if adsorbed:
        substance = evidence.adsorbates.get(term[1:])
    else:
        substance = evidence.molecules.get(term.partition("(")[0])
    if substance is None:
        return None
    content = substance.counts
    content.update(charge=substance.charge, site=int(adsorbed))
    return content


def _gained(sign: str, atoms: str) -> Counter[str]:
    """What a cluster gained, or lost as negative numbers: ``-H2`` is two H less."""
    factor = -1 if sign == "-" else 1
    content: Counter[str] = Counter()
    for element, number in _ATOMS.findall(atoms):
        content[element] += factor * int(number or 1)
    return content


def forces(evidence: Evidence) -> Iterator[Gate]:
    """The forces left are below the study's limit, twice that where atoms vibrate."""
    for relaxed in evidence.relaxations:
        for isomer in relaxed.isomers:
            subject = f"{relaxed.cluster}/{isomer.structure.name}"
            yield _force(subject, isomer.fmax_ev_per_a, relaxed.provenance)
    for pool, isomer in _found_isomers(evidence):
        subject = f"{pool.cluster}/{isomer.structure.name}"
        yield _force(subject, isomer.fmax_ev_per_a, pool.provenance)
    for subject, record, minimum in _minima(evidence):
        yield _force(subject, minimum.fmax_ev_per_a, record.provenance)
    for gas in evidence.gases:
        if gas.structure is None:
            yield _skip("forces", _gas_subject(gas), gas.reason)
        else:
            yield _force(_gas_subject(gas), gas.fmax_ev_per_a, gas.provenance)
    for vibrated in evidence.vibrations:
        subject, fmax = _vibrating_subject(vibrated), vibrated.fmax_ev_per_a
        if vibrated.status == "failed":
            yield _skip("forces", subject, vibrated.reason)
        else:
            yield _force(subject, fmax, vibrated.provenance, _VIBRATING_FACTOR)


def _force(
    subject: str, fmax: float | None, provenance: Provenance, factor: float = 1.0
) -> Gate:
    limit = _setting(provenance, "fmax_ev_per_a")
    if limit is None:
        return _open("forces", subject, "provenance lacks the setting fmax_ev_per_a")
    if fmax is None:
        return _open("forces", subject, "the record has no forces")
    detail = "largest force, eV/Å"
    return _within("forces", subject, fmax, factor * limit, detail)


def force_error(evidence: Evidence) -> Iterator[Gate]:
    """The recorded forces are the slope of the energy along one random direction."""
    name = "force-error"
    for subject, record in _with_modes(evidence):
        error = record.force_error_ev_per_a
        if error is not None:
            detail = "force less slope of the energy, eV/Å"
            yield _within(name, subject, error, _FORCE_ERROR_EV_PER_A, detail)
        elif record.status == "failed":
            yield _skip(name, subject, record.reason)
        elif record.structure is not None and len(record.structure.symbols) == 1:
            yield _skip(name, subject, "a single atom feels no force")
        else:
            yield _open(name, subject, "the record has no check of its forces")


def fragments(evidence: Evidence) -> Iterator[Gate]:
    """The fate of each minimum is what a second look at its bonds says.

    Bonds are those below 1.2 sums of covalent radii, contact that below 1.5. A
    disagreement where a distance lies within the band of hysteresis decides nothing.
    Whether the cluster kept its bonds is not looked at.
    """
    name = "fragments"
    for subject, record, minimum in _minima(evidence):
        if minimum.fate not in (*_KEPT, "desorbed", *_CHANGED):
            yield _skip(name, subject, f"no test for the fate {minimum.fate}")
        elif record.adsorbate not in evidence.adsorbates:
            yield _open(name, subject, f"the library has no {record.adsorbate}")
        elif "adsorbate" not in minimum.structure.roles:
            yield _open(name, subject, "no atom has the role of an adsorbate")
        else:
            yield _same_fate(subject, minimum, evidence.adsorbates[record.adsorbate])


_KEPT: Final = ("intact", "ligand-migrated", "reconstructed")
_CHANGED: Final = ("dissociated", "became")


def _same_fate(subject: str, minimum: Minimum, intended: Substance) -> Gate:
    ratios = _ratios(minimum.structure.symbols, minimum.structure.positions)
    own = np.array([role == "adsorbate" for role in minimum.structure.roles])
    inner, outer = ratios[np.ix_(own, own)], ratios[np.ix_(own, ~own)]
    symbols = [
        s for s, is_own in zip(minimum.structure.symbols, own, strict=True) if is_own
    ]
    reach = float(outer.min(initial=np.inf))
    pieces = int(connected_components(inner < _BONDED, directed=False)[0])
    if pieces > 1:
        found = "dissociated"
    elif _bonds(symbols, inner) not in [_form_bonds(form) for form in intended.forms]:
        found = "became"
    else:
        found = "intact" if reach < _REACH else "desorbed"
    fate = "intact" if minimum.fate in _KEPT else minimum.fate
    shown = f"{found}: {pieces} piece(s), nearest contact {reach:.2f}"
    border = _on_border(symbols, inner, reach)
    if found != fate and border:
        detail = f"labelled {minimum.fate}; {border} lies within the hysteresis"
        return _gate("fragments", "UNVERIFIABLE", subject, shown, fate, detail)
    detail = f"labelled {minimum.fate}; contact in sums of covalent radii"
    return _judged("fragments", subject, found == fate, shown, fate, detail)


def _on_border(symbols: Sequence[str], inner: FloatArray, reach: float) -> str:
    """The distance that is neither a bond nor none, in sums of covalent radii."""
    band = (inner > FORMED) & (inner < BROKEN)
    for i, j in np.argwhere(np.triu(band)):
        return f"{symbols[i]}-{symbols[j]} at {inner[i, j]:.2f}"
    return f"the contact at {reach:.2f}" if CONTACT < reach < _REACH else ""


def _ratios(symbols: Sequence[str], positions: object) -> FloatArray:
    """Distances over sums of covalent radii; infinite on the diagonal."""
    atoms = Atoms(list(symbols), positions=np.array(positions, dtype=float))
    radii = np.array(natural_cutoffs(atoms))
    ratios = cdist(atoms.positions, atoms.positions) / np.add.outer(radii, radii)
    np.fill_diagonal(ratios, np.inf)
    return np.asarray(ratios)


def _bonds(symbols: Sequence[str], ratios: FloatArray) -> list[str]:
    """Each atom with its neighbours, such as ``C:HO``, sorted."""
    found = []
    for symbol, row in zip(symbols, ratios < _BONDED, strict=True):
        near = [s for s, bonded in zip(symbols, row, strict=True) if bonded]
        found.append(f"{symbol}:{''.join(sorted(near))}")
    return sorted(found)


def _form_bonds(form: tuple[AtomLine, ...]) -> list[str]:
    symbols = [line[0] for line in form]
    return _bonds(symbols, _ratios(symbols, [line[1:] for line in form]))


def hessian_symmetry(evidence: Evidence) -> Iterator[Gate]:
    """The Hessian before symmetrisation is as symmetric as finite differences allow."""
    name = "hessian-symmetry"
    for subject, record in _with_modes(evidence):
        if record.status == "failed":
            yield _skip(name, subject, record.reason)
        elif record.hessian_asymmetry_ev_per_a2 is None:
            yield _open(name, subject, "the record has no asymmetry")
        else:
            step = _setting(record.provenance, "displacement_a") or _ASYMMETRY_STEP_A
            limit = _ASYMMETRY_EV_PER_A2 * max(1.0, step / _ASYMMETRY_STEP_A) ** 2
            value = record.hessian_asymmetry_ev_per_a2
            detail = f"eV/Å² at a step of {step:g} Å"
            yield _within(name, subject, value, limit, detail)


def dg_window(evidence: Evidence) -> Iterator[Gate]:
    """Free energies of formation of adsorbates lie where an adsorbate can lie."""
    for thermo in evidence.thermo:
        for species in thermo.species:
            if not species.name.startswith("*") or species.name == "*":
                continue
            subject = f"{thermo.cluster}/{species.name}"
            value = species.formation_ev
            if value is None:
                yield _skip("dg-window", subject, species.reason)
                continue
            inside = abs(value) <= _DG_WINDOW_EV
            detail = "ΔG of formation, eV"
            detail += "" if inside else ", outside the sanity window"
            yield _within("dg-window", subject, value, _DG_WINDOW_EV, detail)


def zpe(evidence: Evidence) -> Iterator[Gate]:
    """Bound species have three modes an atom and the zero-point energy of these."""
    for vibrated in evidence.vibrations:
        subject = _vibrating_subject(vibrated)
        if vibrated.status == "failed" or vibrated.structure is None:
            yield _skip("zpe", subject, vibrated.reason)
            continue
        n_real, n_imaginary = len(vibrated.frequencies_cm1), len(vibrated.imaginary_cm1)
        wanted = 3 * vibrated.structure.roles.count("adsorbate")
        n_modes = n_real + n_imaginary
        # Binding atoms that were let go bring three modes each.
        more = vibrated.provenance.settings.get("include_binding_atoms", False)
        counted = n_modes == wanted or (
            bool(more) and n_modes > wanted and n_modes % 3 == 0
        )
        energy = 0.5 * _EV_PER_WAVENUMBER * sum(vibrated.frequencies_cm1)
        fits = counted and energy > 0 and min(vibrated.frequencies_cm1) >= 0
        shown = f"{energy:.3f} eV, {n_real} real and {n_imaginary} imaginary modes"
        limit = f"above 0 eV, {wanted}{' or more' if more else ''} modes"
        yield _judged("zpe", subject, fits, shown, limit)
    yield from _zpe_in_sums(evidence)


def _zpe_in_sums(evidence: Evidence) -> Iterator[Gate]:
    for thermo in evidence.thermo:
        for species in thermo.species:
            if species.name.startswith("*") and species.name != "*" and species.terms:
                subject = f"{thermo.cluster}/{species.name}, thermo"
                shown = f"{species.terms.zpe_ev:.3f} eV"
                fits = species.terms.zpe_ev > 0
                yield _judged("zpe", subject, fits, shown, "above 0 eV")


def potential_scale(evidence: Evidence) -> Iterator[Gate]:
    """Limiting potentials follow from their steps, and fit their scale and pH."""
    for che in evidence.che:
        for result in che.results:
            yield _potential(f"{che.cluster}/{result.reaction}", result)


def _potential(subject: str, result: ReactionResult) -> Gate:
    name = "potential-scale"
    if result.scale not in ("rhe", "she"):
        shown = str(result.scale)
        return _judged(name, subject, False, shown, "rhe or she", "no scale is stated")
    on_scale, on_rhe = result.limiting_potential_v, result.limiting_potential_v_rhe
    if on_rhe is None:
        return _skip(name, subject, result.reason or "no electrochemical step")
    best = [p for p in result.pathways if p.name == result.best_pathway]
    if on_scale is None or not best:
        detail = "a potential without its scale's value or its pathway"
        return _judged(name, subject, False, None, _POTENTIAL_V, detail)
    nernst = _BOLTZMANN_EV_PER_K * result.temperature_k * np.log(10.0) * result.ph
    shift = nernst if result.scale == "she" else 0.0
    from_steps = _from_steps(best[0], nernst)
    if from_steps is None:
        return _open(name, subject, "a step cannot be read or has no number")
    by_scale, by_steps = abs(on_scale + shift - on_rhe), abs(from_steps - on_rhe)
    label = f"{on_scale:+.3f} V vs {result.scale.upper()}, pH {result.ph:g}"
    detail = f"off by, V: scale {by_scale:.1e}, steps {by_steps:.1e}; {label}"
    return _within(name, subject, max(by_scale, by_steps), _POTENTIAL_V, detail)


def _from_steps(pathway: Pathway, nernst_ev: float) -> float | None:
    """U_L = −max ΔG(0)/n_e over the electrochemical steps, V against RHE.

    A step of fewer protons than electrons moves with pH on this scale. Electrons and
    protons are counted in the equation of each step.
    """
    slopes = []
    for step in pathway.steps:
        terms = _read_equation(step.name)
        if terms is None or step.dg0_ev is None:
            return None
        n_e, n_h = -terms["e-"], -terms["H+"]
        if n_e > 0:
            slopes.append((step.dg0_ev + (n_h - n_e) * nernst_ev) / n_e)
    return -max(slopes) if slopes else None


def gas_frequencies(evidence: Evidence) -> Iterator[Gate]:
    """Molecules have 3N − 6 real modes (3N − 5 if linear) and no imaginary one."""
    for gas in evidence.gases:
        subject = _gas_subject(gas)
        if gas.structure is None or gas.status == "failed":
            yield _skip("gas-frequencies", subject, gas.reason)
            continue
        wanted = 3 * len(gas.structure.symbols) - _n_rigid(gas.structure)
        n_real, n_imaginary = len(gas.frequencies_cm1), len(gas.imaginary_cm1)
        fits = (
            n_real == wanted
            and n_imaginary == 0
            and min(gas.frequencies_cm1, default=1) > 0
        )
        shown = f"{n_real} real and {n_imaginary} imaginary modes"
        limit = f"{wanted} real and 0 imaginary modes"
        yield _judged("gas-frequencies", subject, fits, shown, limit)


def _n_rigid(structure: Structure) -> int:
    """Translations and rotations of a molecule: 3, 5 or 6."""
    if len(structure.symbols) == 1:
        return 3
    positions = structure.xyz
    extents = np.linalg.svd(positions - positions.mean(axis=0), compute_uv=False)
    return 5 if extents[1] < _LINEAR_A else 6


GATES: Final[list[Callable[[Evidence], Iterator[Gate]]]] = [
    level_equality,
    parity,
    closure,
    balance,
    forces,
    force_error,
    fragments,
    hessian_symmetry,
    dg_window,
    zpe,
    potential_scale,
    gas_frequencies,
]


def gate_name(check: Callable[[Evidence], Iterator[Gate]]) -> str:
    """The name on the verdicts of a gate.

    >>> gate_name(level_equality)
    'level-equality'
    """
    return check.__name__.replace("_", "-")


def _minima(evidence: Evidence) -> Iterator[tuple[str, AdsorbRecord, Minimum]]:
    for record in evidence.adsorptions:
        for number, minimum in enumerate(record.minima, start=1):
            subject = f"{record.cluster}/{record.adsorbate}, minimum {number}"
            yield subject, record, minimum


def _found_isomers(evidence: Evidence) -> Iterator[tuple[PoolRecord, Isomer]]:
    """Isomers that adsorbates pushed a cluster into; the others are relax records'."""
    for pool in evidence.pools:
        for pooled in (*pool.isomers, *pool.left_out):
            if pooled.found_by is not None:
                yield pool, pooled.isomer


def _with_modes(
    evidence: Evidence,
) -> Iterator[tuple[str, GasRecord | VibrateRecord]]:
    yield from ((_gas_subject(gas), gas) for gas in evidence.gases)
    yield from ((_vibrating_subject(v), v) for v in evidence.vibrations)


def _gas_subject(gas: GasRecord) -> str:
    return f"{gas.gas}(g) at {gas.level.name}"


def _vibrating_subject(vibrated: VibrateRecord) -> str:
    return f"{vibrated.cluster}/{vibrated.adsorbate}, vibrating"


def _setting(provenance: Provenance, key: str) -> float | None:
    """A number of the record's settings; None if it is missing."""
    value = provenance.settings.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return None


def _within(name: str, subject: str, value: float, limit: float, detail: str) -> Gate:
    # A value that is no number is not within anything.
    return _judged(name, subject, abs(value) <= limit, float(value), limit, detail)


def _judged(
    name: str,
    subject: str,
    fits: bool,
    value: float | str | None,
    limit: float | str,
    detail: str = "",
) -> Gate:
    return _gate(name, "PASS" if fits else "FAIL", subject, value, limit, detail)


def _skip(name: str, subject: str, why: str) -> Gate:
    return _gate(name, "SKIP", subject, None, None, why)


def _open(name: str, subject: str, why: str) -> Gate:
    return _gate(name, "UNVERIFIABLE", subject, None, None, why)


def _gate(
    name: str,
    verdict: Verdict,
    subject: str,
    value: float | str | None,
    limit: float | str | None,
    detail: str,
) -> Gate:
    return Gate(
        name=name,
        verdict=verdict,
        subject=subject,
        value=value,
        limit=limit,
        detail=detail,
    )
