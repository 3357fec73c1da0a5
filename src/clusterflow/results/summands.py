"""What free energies and steps are the sum of, summand by summand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from clusterflow.records.energies import ThermoRecord
from clusterflow.records.vibrations import GasRecord
from clusterflow.results.explanation import Summand
from clusterflow.science.reactions.che import free_energies_of
from clusterflow.science.reactions.cluster_states import add_cluster_states
from clusterflow.science.reactions.network import ELECTRON, PROTON, parse_equation
from clusterflow.settings import ThermoSettings
from clusterflow.stages.parts.own_thermo import own_surroundings
from clusterflow.stages.thermo import surroundings_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterflow.library.find import Library
    from clusterflow.records.energies import FreeEnergyTerms, SpeciesFreeEnergy
    from clusterflow.records.files import StudyRecords
    from clusterflow.records.profiles import CheRecord
    from clusterflow.science.reactions.che import FreeEnergies
    from clusterflow.science.thermochemistry.species import Surroundings

FREE_ENERGY = "dG"


def surroundings_of_record(
    thermo: ThermoRecord, records: StudyRecords, library: Library
) -> Surroundings:
    """The gases that a record's free energies are seen from, its own or computed."""
    settings = ThermoSettings.model_validate(thermo.provenance.settings)
    if thermo.own:
        return own_surroundings(thermo.own, settings, library)
    assert thermo.level is not None
    return surroundings_of(thermo.level, records.of(GasRecord), settings, library)


def list_own_terms(terms: FreeEnergyTerms) -> Iterator[Summand]:
    """E, ZPE, ∫Cp dT and −TS; beside a damped one, what it is undamped."""
    yield Summand(label="E", count=1, each_ev=terms.energy_ev)
    for label, value, undamped in (
        ("ZPE", terms.zpe_ev, terms.zpe_undamped_ev),
        ("∫Cp dT", terms.thermal_ev, terms.thermal_undamped_ev),
        ("−TS", terms.minus_ts_ev, terms.minus_ts_undamped_ev),
    ):
        damped = undamped is not None and undamped != value
        note = f"{undamped:+.6f} without damping of low modes" if damped else ""
        yield Summand(label=label, count=1, each_ev=value, note=note)


def list_layer_terms(
    species: SpeciesFreeEnergy,
    thermo: ThermoRecord,
    settings: ThermoSettings,
    library: Library,
) -> Iterator[Summand]:
    """Each correction layer, and what it is from."""
    corrections = {c.gas: c for c in thermo.gas_corrections}
    for layer, value in species.layers.items():
        note = {
            "dft": f"table {settings.dft}",
            "user": f"table {settings.user}",
            "condensation": "measured: gas at 1 bar to liquid",
        }.get(layer, "")
        if layer == "gas" and species.name.startswith("*"):
            carried = [
                f"{n:g} × {gas} ({corrections[gas].correction_ev:+.6f})"
                for gas, n in species.inherits.items()
            ]
            if (errors := thermo.group_errors) is not None:
                each = dict(zip(errors.groups, errors.correction_ev, strict=True))
                carried += [
                    f"{n:.3g} × {group} ({each.get(group, 0.0):+.6f})"
                    for group, n in species.groups.items()
                ]
            note = "inherits " + (", ".join(carried) or "no gas error")
        elif layer == "gas":
            c = corrections[species.name.partition("(")[0]]
            note = (
                "an anchor"
                if c.is_anchor
                else f"measured {c.experiment_ev:+.6f} less computed "
                f"{c.computed_ev:+.6f}; {c.source}"
            )
        elif layer == "own-shift":
            note = _find_shift_source(thermo, species.name)
        elif layer == "solvation":
            water = library.adsorbate(species.name[1:]).solvation_ev
            note = "; ".join(filter(None, (water.note, water.source))) if water else ""
        elif layer == "level":
            note = f"{', '.join(species.bonds)}; mean error against DFT"
        yield Summand(label=f"layer {layer}", count=1, each_ev=value, note=note)


def _find_shift_source(thermo: ThermoRecord, name: str) -> str:
    """Where a person's own correction of a species is from."""
    state = "ads" if name.startswith("*") else "gas"
    plain = name.lstrip("*").partition("(")[0]
    rows = (r for r in thermo.own if (r.species, r.state) == (plain, state))
    return next((row.shift_source for row in rows), "")


def list_reference_terms(
    thermo: ThermoRecord, name: str, around: Surroundings, library: Library
) -> tuple[list[Summand], tuple[str, ...]]:
    """The zero of the scale, to be taken off, and the anchors it needs."""
    host = next((s for s in thermo.species if s.name == "*"), None)
    found = []
    if name.startswith("*"):
        assert host is not None and host.gibbs_ev is not None
        found = [Summand(label="− bare cluster", count=-1, each_ev=host.gibbs_ev)]
    if name == "*":
        return found, ()
    molecule = name.partition("(")[0]
    spec = library.adsorbate(name[1:]) if name[0] == "*" else library.gas(molecule)
    anchors = around.anchors_of(spec.counts) or {}
    for anchor, n in anchors.items():
        terms = around.gas_terms(anchor)
        assert terms is not None
        sign = "−" if n > 0 else "+"
        found.append(
            Summand(
                label=f"{sign} {abs(n):g} G({anchor}, 1 bar)",
                count=-n,
                each_ev=terms.gibbs_ev,
                note=f"{terms.gibbs_ev:+.6f} each",
            )
        )
    return found, tuple(anchors)


def step_energies_ev(
    che: CheRecord, thermo: ThermoRecord, records: StudyRecords, library: Library
) -> FreeEnergies:
    """Free energies of what a cluster's steps name, eV; of solutes and states too."""
    by_cluster = {record.cluster: record for record in records.of(ThermoRecord)}
    states = [by_cluster[name] for name in che.states.values() if name in by_cluster]
    joined = add_cluster_states(thermo, states, che.networks, library).thermo
    return free_energies_of(joined, che.solutes_ev)


def list_step_terms(
    steps: Sequence[str], cluster: str, energies: FreeEnergies
) -> Iterator[Summand]:
    """Products less reactants of steps, each with its free energy of formation."""
    equations = [parse_equation(step) for step in steps]
    made = sum((e.products for e in equations), Counter[str]())
    used = sum((e.reactants for e in equations), Counter[str]())
    for side, sign, mark in ((made - used, 1, "+"), (used - made, -1, "−")):
        for name, n in side.items():
            if name == ELECTRON:
                continue
            value = energies.pair_ev if name == PROTON else energies.values[name]
            note = "with its electron: ½ H2 at 1 bar" if name == PROTON else ""
            if name.startswith("*["):
                note = "a state of the cluster, from its own record"
            elif name.startswith("*") and name != "*":
                note = f"explain {cluster}/{name[1:]}/{FREE_ENERGY}"
            elif name.endswith("(aq)"):
                note = "measured, seen from the computed gases"
            elif name not in ("*", PROTON):
                note = f"explain '{name}'"
            label = f"{mark} {f'{n} ' if n > 1 else ''}ΔG({name})"
            yield Summand(label=label, count=sign * n, each_ev=value, note=note)
