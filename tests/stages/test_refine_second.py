"""A second level of DFT: which adsorbates get it, and what it tells of the first."""

from __future__ import annotations

import pytest

from clusterflow.records.cluster_records import ClusterRecords
from clusterflow.records.files import write_record
from clusterflow.records.profiles import CheRecord
from clusterflow.records.refinements import RefineSecondRecord
from clusterflow.settings import CheSettings
from clusterflow.stage_table import record_name
from clusterflow.stages.che import che
from clusterflow.stages.inputs import Inputs
from clusterflow.stages.parts.job import Job
from clusterflow.stages.refine_second import run

from .test_refined_thermo import ABOVE, Refined, by_name
from .test_thermo import AD_EV, GAS_EV, HOST_EV


@pytest.fixture
def study(library, provenance, structure):
    return Refined(library, provenance, structure)


def write_study(study, library, folder, *, refined, reaction):
    """All records that the stage reads; their paths."""
    of_level = ClusterRecords(
        relaxed=study.relaxed(),
        adsorptions=[study.adsorbed(n) for n in AD_EV],
        vibrations=[study.vibrated(n) for n in AD_EV],
        gases=[study.gas(n) for n in GAS_EV],
    )
    base = study.thermo(adsorbed=of_level.adsorptions, correct=("gas", "level"))
    reactions = [library.reaction(reaction)]
    profiles = che(base, reactions, CheSettings(), library, Job("che"))
    paths = []
    for record in (
        *(of_level.relaxed, *of_level.adsorptions, *of_level.vibrations),
        *(*of_level.gases, base, profiles, study.refine_bare()),
        *(study.refine_gas(n) for n in GAS_EV),
        *(study.refine(n) for n in refined),
    ):
        paths.append(folder / record_name(record))
        write_record(record, paths[-1])
    return [str(path) for path in paths]


def run_second(paths, **refine):
    inputs = Inputs.read(
        "refine_second",
        paths,
        settings={"refine": {"second_level": "emt", **refine}},
    )
    return run(inputs, inputs.job())


def test_what_may_determine_the_potential_is_computed_once_more(
    study, library, tmp_path
):
    refined = ["CO", "COOH", "H"]
    paths = write_study(study, library, tmp_path, refined=refined, reaction="CO2-to-CO")
    record = run_second(paths)
    # *H is no intermediate of the reaction.
    assert {one.adsorbate for one in record.minima} <= {"CO", "COOH"}
    assert record.minima and record.status == "ok"
    assert record.dft_level.name == "emt"
    for one in record.minima:
        assert one.point.structure == study.complex(one.adsorbate)
        assert one.point.energy_ev != study.energy_of(one.adsorbate)
    named = run_second(paths, second_species=["H"])
    assert [one.adsorbate for one in named.minima] == ["H"]


def second_way(study, level, changes):
    """At another level, where all but some adsorbates is as at the first."""
    again = study.relaxed_by_dft({n: -ev for n, ev in changes.items()})
    content = again.model_dump(mode="json") | {
        "stage": "refine_second",
        "dft_level": level.model_dump(mode="json"),
    }
    return RefineSecondRecord.model_validate(content)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("r2scan-d4-tzvp", "functional"),
        ("pbe0-d3-tzvp", "functional"),
        ("pbe-d3-svp-cp", "basis"),
    ],
)
def test_two_levels_tell_what_sets_them_apart(study, library, name, source):
    again = second_way(study, library.level(name), {"CO": 0.4, "H": -0.2})
    _, record = study.refined(["CO", "H"], correct=("gas",), again=[again])
    found = {d.adsorbate: d for d in record.differences}
    assert {(d.source, d.level) for d in found.values()} == {(source, name)}
    assert found["CO"].difference_ev == pytest.approx(0.4)
    assert found["H"].difference_ev == pytest.approx(-0.2)
    stated = study.dft.deviations_ev
    measured = by_name(record.energies)["*CO"].deviations
    square = (0.4**2 + 0.2**2 + stated[source] ** 2) / 3
    assert measured[source] == pytest.approx(square**0.5)
    (other,) = {"functional", "basis"} - {source}
    assert measured[other] == stated[other]


def test_an_offset_of_all_energies_is_no_difference(study, library):
    again = second_way(study, library.level("r2scan-d4-tzvp"), {"CO": 5.0})
    lifted = again.bare.model_copy(update={"energy_ev": HOST_EV + ABOVE["host"] + 5.0})
    again = again.model_copy(update={"bare": lifted})
    _, record = study.refined(["CO"], again=[again])
    assert record.differences[0].difference_ev == pytest.approx(0.0, abs=1e-9)


def test_an_interval_is_of_dft_once_all_that_decides_is(study, library):
    def basis(names):
        _, record = study.refined(names, correct=("gas",))
        profiles = che(
            record.energies,
            [library.reaction("CO2-to-CO")],
            CheSettings(),
            library,
            Job("refined_che"),
        )
        assert isinstance(profiles, CheRecord)
        return profiles.results[0].uncertainty.basis

    assert basis(["CO", "COOH", "H"]) == "dft"
    # *COOH is in both steps: whichever determines U_L rests on it.
    assert basis(["CO", "H"]) == "screening"
