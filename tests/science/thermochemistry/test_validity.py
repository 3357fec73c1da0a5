"""The domain table: which limits hold where, and that each can be broken."""

from __future__ import annotations

import pytest

from clusterflow.library.levels import DomainSpec, LevelSpec
from clusterflow.records.clusters import BuildRecord
from clusterflow.science.thermochemistry.validity import (
    Situation,
    broken_limits,
    situation_of,
)
from clusterflow.stages.inputs import Inputs
from clusterflow.stages.level import Probing
from clusterflow.stages.level import level as choose
from clusterflow.stages.parts.job import Job

CD6SE6 = ("Cd", "Se")
SPIN = "spin-unpolarised"
# Level, what is computed, and the limits it is beyond.
CASES = [
    ("gfn1-xtb", {"species": "*", "elements": ("Cu",)}, set()),
    ("gfn1-xtb", {"species": "*CO", "elements": CD6SE6, "motifs": {"CO": 1}}, set()),
    ("gfn2-xtb", {"species": "*", "elements": ("Cu",)}, {"gfn2-transition-metal"}),
    ("spgfn2-xtb", {"elements": ("Al", "Au")}, {"gfn2-transition-metal"}),
    ("xtb-python-gfn2", {"elements": CD6SE6}, {"gfn2-chalcogenide"}),
    ("gfn2-xtb", {"elements": ("Zn", "O", "H")}, {"gfn2-chalcogenide"}),
    # Either half alone is none: a zinc cluster, a molecule with sulphur.
    ("gfn2-xtb", {"elements": ("Zn",)}, set()),
    ("gfn2-xtb", {"elements": ("C", "H", "S")}, set()),
    ("gfn2-xtb", {"elements": ("Al",)}, set()),
    ("gfn1-xtb", {"elements": ("Cu",), "charge": -1}, {"anionic-cluster"}),
    ("gfn1-xtb", {"elements": ("Cu",), "charge": 1}, set()),
    ("gfn1-xtb", {"species": "*CO2", "elements": CD6SE6}, {"co2-activation"}),
    ("gfn1-xtb", {"species": "CO2(g)"}, set()),
    ("gfn1-xtb", {"species": "*CO-CO", "motifs": {"CO": 2}}, {"multicarbonyl"}),
    ("gfn1-xtb", {"elements": ("Cu",), "hydrides": 2}, {"multihydride"}),
    ("gfn1-xtb", {"elements": ("Cu",), "hydrides": 1}, set()),
    ("gfn1-xtb", {"species": "CO(g)"}, {"raw-co"}),
    ("gfn1-xtb", {"species": "CO(g)", "layers": ("gas",)}, set()),
    ("gfn1-xtb", {"multiplicity": 2}, {SPIN}),
    ("gfn1-xtb-1000k", {"species": "O2(g)", "multiplicity": 3}, {SPIN}),
    ("spgfn1-xtb", {"multiplicity": 2}, set()),
    ("gfn1-xtb", {"elements": ("Cu", "Fe")}, {"magnetic-unpolarised"}),
    ("spgfn1-xtb-1000k", {"elements": ("Cu", "Fe"), "multiplicity": 3}, set()),
    (
        "ipea1-xtb",
        {"species": "edges", "elements": ("Cu",)},
        {"metal-electron-affinity"},
    ),
    ("ipea1-xtb", {"species": "edges", "elements": CD6SE6}, set()),
    # EMT has no limits of xTB; that it has no meaning is said elsewhere.
    ("emt", {"elements": ("Ni",), "charge": -1, "multiplicity": 2}, set()),
]


def probing(library, adsorbates=(), steps=0):
    return Probing(
        probes=[library.adsorbate(name) for name in adsorbates],
        anchors=[library.gas(name) for name in ("CO2", "H2", "H2O")],
        steps=steps,
    )


POTENTIAL = LevelSpec(
    name="a-potential",
    source="unpublished: a test",
    engine={"calculator": "a:Potential", "spinless": True},
)


def flags(library, level, **at):
    spec = library.level(level) if isinstance(level, str) else level
    here = Situation(level=spec, **at)
    return {entry.name for entry in broken_limits(here, library.domain())}


@pytest.mark.parametrize(("level", "at", "expected"), CASES)
def test_limits_hold_where_they_should(library, level, at, expected):
    assert flags(library, level, **at) == expected


@pytest.mark.parametrize(
    "at", [{"species": "*H", "elements": ("Cu",)}, {"species": "H2(g)"}]
)
def test_every_number_of_a_potential_is_marked(library, at):
    told = POTENTIAL.model_copy(
        update={"engine": "tblite", "method": "GFN0", "orders_only": True}
    )
    assert (
        flags(library, POTENTIAL, **at) == flags(library, told, **at) == {"potential"}
    )


def test_every_limit_of_the_library_is_tried_above(library):
    tried = set().union(*(names for *_, names in CASES))
    assert tried | {"potential"} == set(library.paths("domain"))


def test_one_number_may_be_beyond_several_limits(library):
    assert flags(
        library,
        "gfn2-xtb",
        species="*CO2",
        elements=("Ag",),
        charge=-1,
        multiplicity=2,
    ) == {"gfn2-transition-metal", "anionic-cluster", "co2-activation", SPIN}


def test_a_complex_has_the_cluster_of_its_host_and_its_own_spin(library, structure):
    host = structure(["Cu", "H"], [[0, 0, 0], [0, 0, 1.5]], charge=-1)
    host = host.model_copy(update={"roles": ("core", "hydride")})
    whole = structure(
        ["Cu", "H", "H"], [[0, 0, 0], [0, 0, 1.5], [0, 0, -1.5]], multiplicity=2
    )
    here = situation_of(
        library.level("gfn1-xtb"),
        "*H",
        whole,
        host=host,
        adsorbate=library.adsorbate("H"),
    )
    assert here.elements == {"Cu", "H"}
    assert (here.charge, here.multiplicity, here.hydrides) == (-1, 2, 2)
    pair = situation_of(
        here.level,
        "*CO-CO",
        whole,
        host=host,
        adsorbate=library.adsorbate("CO-CO"),
        molecules={"CO": 2},
    )
    assert (pair.motifs, pair.hydrides) == ({"CO": 2}, 1)


@pytest.mark.xtb
@pytest.mark.parametrize(
    ("cluster", "limit"),
    [("Cd6Se6", "gfn2-chalcogenide"), ("Cu2", "gfn2-transition-metal")],
)
def test_the_level_stage_does_not_try_what_the_table_refuses(library, cluster, limit):
    job = Job("level")
    record = choose(
        Inputs.read("level", [cluster]).one(BuildRecord),
        [library.level("gfn2-xtb"), library.level("gfn1-xtb")],
        probing(library),
        library.domain(),
        job,
    )
    refused, accepted = record.attempts
    assert refused.reason.startswith(f"{limit}: ")
    assert "use gfn1-xtb" in refused.reason
    assert record.level == library.level("gfn1-xtb") and accepted.accepted
    assert job.meter.n_gradients == 1


@pytest.mark.xtb
def test_probes_find_an_insane_level_without_the_table(library):
    """GFN2 puts H on Cu4 2.7 eV below half of H2; it converges all the way."""
    record = choose(
        Inputs.read("level", ["Cu4"]).one(BuildRecord),
        [library.level("gfn2-xtb"), library.level("gfn1-xtb")],
        probing(library, ("H", "CO", "COOH"), 20),
        [],
        Job("level"),
    )
    refused, accepted = record.attempts
    assert all(probe.converged for probe in refused.probes)
    assert [probe.name for probe in refused.probes if not probe.sane] == ["+H"]
    assert "outside -2.5 to 4 eV: +H" in refused.reason
    assert record.level == library.level("gfn1-xtb") and accepted.accepted
    low, high = record.level.probe_window_ev
    assert all(low < p.formation_ev < high for p in accepted.probes[1:])


@pytest.mark.xtb
def test_a_level_without_a_window_judges_no_energy(library):
    record = choose(
        Inputs.read("level", ["Cu2"]).one(BuildRecord),
        [library.level("emt")],
        probing(library, ("CO",), 3),
        [],
        Job("level"),
    )
    assert record.status == "ok"


def test_a_limit_that_only_flags_does_not_stop_a_level(library, provenance, structure):
    anion = (
        Inputs.read("level", ["Cu2"])
        .one(BuildRecord)
        .model_copy(
            update={
                "structures": (
                    structure(
                        ["Cu", "Cu"],
                        [[0, 0, 0], [0, 0, 2.3]],
                        charge=-1,
                        multiplicity=2,
                    ),
                )
            }
        )
    )
    level = library.level("gfn1-xtb")
    found = choose(anion, [level], probing(library), library.domain(), Job("level"))
    assert found.level == level


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"elements": [["Qq"]]}, "unknown element 'Qq'"),
        ({"way_out": ""}, "way_out"),
        ({"description": ""}, "description"),
        ({"methods": []}, "methods"),
        ({"charge": -1}, "charge"),
        ({"materials": []}, "materials"),
    ],
)
def test_a_wrong_entry_is_refused(changes, says):
    entry = {
        "name": "mine",
        "source": "10.1/x",
        "description": "off by 1 eV",
        "way_out": "refine",
        "methods": ["GFN1-xTB"],
    }
    DomainSpec.model_validate(entry)
    with pytest.raises(ValueError, match=says):
        DomainSpec.model_validate(entry | changes)
