"""Gates on what a stage reads and makes: what fails is taken out, or marked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clusterflow.science.checks.effects import EFFECTS, failure_flag
from clusterflow.science.checks.evidence import Evidence, Measured, Substance
from clusterflow.science.checks.gates import DFT_GATES, GATES, OWN_GATES, gate_name
from clusterflow.science.reactions.network import is_solute

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.library.find import Library
    from clusterflow.library.gases import Experiment, GasSpec
    from clusterflow.records.adsorption import AdsorbRecord, Minimum
    from clusterflow.records.clusters import RelaxRecord
    from clusterflow.records.energies import ThermoRecord
    from clusterflow.records.profiles import CheRecord, ReactionResult
    from clusterflow.records.refinements import RefinedThermoRecord
    from clusterflow.records.vibrations import GasRecord, VibrateRecord
    from clusterflow.science.checks.effects import Kind
    from clusterflow.science.checks.evidence import Gate
    from clusterflow.science.thermochemistry.composite import Refinements

_ON_REACTIONS = (
    *("closure", "balance", "potential-scale", "measured-sum", "potential-window"),
)
_PLACE = {gate_name(check): check for check in (*GATES, *DFT_GATES, *OWN_GATES)}


def why_no_gas(gas: GasRecord) -> str:
    """The reason not to use a molecule; empty if it passes."""
    return _describe_first(_list_failures(Evidence(gases=(gas,)), "hole"))


def why_no_host(relaxed: RelaxRecord) -> str:
    """The reason not to use a cluster's first isomer; empty if it passes."""
    first = relaxed.model_copy(update={"isomers": relaxed.isomers[:1]})
    return _describe_first(_list_failures(Evidence(relaxations=(first,)), "hole"))


def why_no_minimum_energy(adsorbed: AdsorbRecord, index: int) -> str:
    """The reason not to use a minimum's energy; empty if it passes."""
    return _describe_first(_list_failures(_judge_one(adsorbed, index), "hole"))


def judge_complex_records(
    adsorbed: AdsorbRecord,
    index: int,
    vibrated: VibrateRecord,
    hosts: RelaxRecord,
    spec: AdsorbateSpec,
) -> tuple[str, tuple[str, ...]]:
    """The reason not to use an adsorbate's minimum, else the flags that it gets."""
    placed_on = adsorbed.minima[index].isomer
    host = [i for i in hosts.isomers if i.structure.name == placed_on]
    evidence = replace(
        _judge_one(adsorbed, index),
        relaxations=(hosts.model_copy(update={"isomers": tuple(host)}),),
        # Of the one minimum that the evidence has.
        vibrations=(vibrated.model_copy(update={"minimum": 0}),),
        adsorbates={spec.name: _make_adsorbate(spec)},
    )
    reason = _describe_first(_list_failures(evidence, "hole"))
    return reason, () if reason else _list_flags(_list_failures(evidence, "mark"))


def mark_species(record: ThermoRecord, library: Library) -> ThermoRecord:
    """The record with flags at the free energies that gates on sums doubt."""
    names = {s.name for s in record.species}
    evidence = _add_substances(Evidence(thermo=(record,)), names, library)
    doubts: dict[str, list[Gate]] = {}
    for gate in _run_gates(evidence, ("term-sum", "dg-window")):
        doubts.setdefault(gate.subject, []).append(gate)
    if not doubts:
        return record
    species = tuple(
        s.model_copy(
            update={
                "flags": (
                    *s.flags,
                    *_list_flags(doubts.get(f"{record.cluster}/{s.name}", ())),
                )
            }
        )
        for s in record.species
    )
    return record.model_copy(update={"species": species})


def mark_refined(
    record: RefinedThermoRecord, found: Refinements
) -> RefinedThermoRecord:
    """The record with flags at free energies whose DFT energies gates doubt."""
    evidence = Evidence(
        refined_bare=(found.bare,),
        refined_gases=tuple(found.gases),
        refined_adsorbates=tuple(found.adsorbates),
        refined_thermo=(record,),
    )
    doubts: dict[str, list[Gate]] = {}
    for gate in _run_gates(evidence, ("refined-energy", "spin-purity")):
        doubts.setdefault(gate.subject.rpartition("/")[2], []).append(gate)
    species = tuple(
        s.model_copy(update={"flags": (*s.flags, *_list_flags(doubts.get(s.name, ())))})
        for s in record.energies.species
    )
    energies = record.energies.model_copy(update={"species": species})
    return record.model_copy(update={"energies": energies})


def mark_reactions(
    record: CheRecord, thermo: ThermoRecord, library: Library
) -> CheRecord:
    """The record with flags at the reactions that gates on pathways doubt."""
    equations = [e for n in record.networks for e in (n.equation, *n.steps)]
    terms = {part for equation in equations for part in equation.split()}
    known = _add_substances(Evidence(thermo=(thermo,)), terms, library)
    results = []
    for network, result in zip(record.networks, record.results, strict=True):
        one = record.model_copy(update={"networks": (network,), "results": (result,)})
        evidence = replace(known, che=(one,))
        gates = _run_gates(evidence, _ON_REACTIONS)
        for flag in _list_flags(gates):
            result = result.flagged(flag)
        gates = _run_gates(evidence, ("best-estimate", "overpotential-sign"))
        results.append(result.model_copy(update={"flags": add_warnings(result, gates)}))
    return record.model_copy(update={"results": tuple(results)})


def add_warnings(result: ReactionResult, gates: Iterable[Gate]) -> tuple[str, ...]:
    """The flags of a result and those of gates, with the step that is to blame."""
    flags = [": ".join(filter(None, (g.culprit, failure_flag(g.name)))) for g in gates]
    return tuple(dict.fromkeys((*result.flags, *flags)))


def _judge_one(adsorbed: AdsorbRecord, index: int) -> Evidence:
    minima: tuple[Minimum, ...] = (adsorbed.minima[index],)
    return Evidence(adsorptions=(adsorbed.model_copy(update={"minima": minima}),))


def _list_failures(evidence: Evidence, kind: Kind) -> Iterator[Gate]:
    return _run_gates(evidence, (n for n, e in EFFECTS.items() if e.kind == kind))


def _run_gates(evidence: Evidence, names: Iterable[str]) -> Iterator[Gate]:
    """What fails or warns, of some gates."""
    for name in names:
        gates = _PLACE[name](evidence)
        yield from (g for g in gates if g.verdict in ("FAIL", "WARN"))


def _describe_first(failures: Iterator[Gate]) -> str:
    gate = next(failures, None)
    if gate is None:
        return ""
    value = f"{gate.value:.4g}" if isinstance(gate.value, float) else gate.value
    limit = f"{gate.limit:.4g}" if isinstance(gate.limit, float) else gate.limit
    detail = f"; {gate.detail}" if gate.detail else ""
    return f"fails {gate.name}: {value} (allowed {limit}){detail}"


def _list_flags(failures: Iterable[Gate]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(failure_flag(gate.name) for gate in failures))


def _add_substances(
    evidence: Evidence, terms: Iterable[str], library: Library
) -> Evidence:
    """The evidence with what the library says of the terms of equations."""
    names = set(terms)
    adsorbates, gases = library.paths("adsorbates"), library.paths("gases")
    adsorbed = {name.rpartition("]")[2].lstrip("*") for name in names if "*" in name}
    molecules = {n.partition("(")[0] for n in names if n.endswith(("(g)", "(l)"))}
    specs = {name: library.gas(name) for name in sorted(molecules & gases.keys())}
    elements = {element for spec in specs.values() for element in spec.counts}
    return replace(
        evidence,
        molecules={name: _make_molecule(spec) for name, spec in specs.items()}
        | {
            term: Substance(formula=solute.formula, charge=solute.charge)
            for term in sorted(filter(is_solute, names))
            for solute in (library.solute(term.removesuffix("(aq)")),)
        },
        adsorbates={
            name: _make_adsorbate(library.adsorbate(name))
            for name in sorted(adsorbed & adsorbates.keys())
        },
        element_entropies_j_per_mol_k={
            e: library.element(e).entropy_j_per_mol_k for e in sorted(elements)
        },
    )


def _make_adsorbate(spec: AdsorbateSpec) -> Substance:
    return Substance(
        forms=tuple(form.atoms for form in spec.forms),
        formula=spec.formula,
        charge=spec.charge,
    )


def _make_molecule(spec: GasSpec) -> Substance:
    def measured(data: Experiment | None) -> Measured | None:
        if data is None:
            return None
        return Measured(
            enthalpy_kj_per_mol=data.enthalpy_kj_per_mol,
            entropy_j_per_mol_k=data.entropy_j_per_mol_k,
        )

    return Substance(
        forms=(spec.atoms,),
        charge=spec.charge,
        gas=measured(spec.experiment),
        liquid=measured(spec.liquid),
    )
