"""Multiplicities: which are tried, which win, and where searching is refused."""

from __future__ import annotations

import pytest

from clusterflow.engines import make_calculator
from clusterflow.errors import ClusterflowError, EngineError, LibraryError
from clusterflow.library.clusters import ClusterSpec
from clusterflow.records.atoms import to_atoms
from clusterflow.records.clusters import BuildRecord, Isomer, LevelRecord
from clusterflow.science.clusters.spin import (
    cluster_multiplicities,
    complex_multiplicities,
)
from clusterflow.settings import AdsorbSettings, RelaxSettings, SitesSettings
from clusterflow.stages.adsorb import adsorb
from clusterflow.stages.level import Probing
from clusterflow.stages.level import level as choose
from clusterflow.stages.parts.job import Job
from clusterflow.stages.relax import _relax_geometry, _retry_from_lowest, relax
from clusterflow.stages.sites import sites

pytestmark = pytest.mark.rounding

AUTO = {
    "name": "Mine",
    "source": "unpublished: a test",
    "multiplicity": "auto",
    "structures": [{"file": "mine.xyz"}],
}


def dimer(structure, symbols, length, **changes):
    return structure(symbols, [[0, 0, 0], [0, 0, length]], **changes)


@pytest.fixture
def build(provenance, structure):
    def make(symbols, length, multiplicity=1, auto=True):
        made = dimer(structure, symbols, length, multiplicity=multiplicity)
        return BuildRecord(
            cluster="Mine",
            formula="".join(symbols),
            material="metal",
            source="unpublished: a test",
            structures=(made,),
            auto_multiplicity=auto,
            provenance=provenance,
        )

    return make


@pytest.fixture
def at_level(library, provenance):
    return lambda name: LevelRecord(
        cluster="Mine", level=library.level(name), attempts=(), provenance=provenance
    )


@pytest.mark.parametrize(
    ("formula", "charge", "lowest"),
    [("Cu2", 0, 1), ("Cu2", 1, 2), ("Cu13", 0, 2), ("Cd6Se6", -1, 2)],
)
def test_auto_stands_for_the_lowest_that_parity_allows(formula, charge, lowest):
    spec = ClusterSpec.model_validate({**AUTO, "formula": formula, "charge": charge})
    assert (spec.multiplicity, spec.auto_multiplicity) == (lowest, True)
    # What a record says of it reads back as the same.
    assert ClusterSpec.model_validate(spec.model_dump()) == spec


@pytest.mark.parametrize("bad", [{"formula": "Qq2"}, {"formula": "Cu2", "charge": "x"}])
def test_auto_does_not_hide_what_else_is_wrong(bad):
    with pytest.raises(ValueError, match=r"Qq|charge"):
        ClusterSpec.model_validate({**AUTO, **bad})


def test_no_more_electrons_are_unpaired_than_there_are(structure):
    assert cluster_multiplicities(dimer(structure, "HH", 0.74)) == (1, 3)
    assert cluster_multiplicities(dimer(structure, "HH", 0.74, charge=1)) == (2,)
    three = cluster_multiplicities(dimer(structure, ["Cu", "Cu"], 2.2))[:3]
    assert three == (1, 3, 5)


def test_six_manganese_may_hold_thirty_unpaired_electrons(structure):
    """Five of each half-filled 3d shell; of one atom up to ten more than it must."""
    positions = [[2.5 * k, 0.0, 0.0] for k in range(6)]
    many = cluster_multiplicities(structure(["Mn"] * 6, positions))
    assert many == tuple(range(1, 32, 2))
    assert cluster_multiplicities(structure(["Mn"], [[0.0, 0, 0]])) == (2, 4, 6, 8)


@pytest.mark.parametrize(
    ("host", "adsorbate", "expected"),
    [
        # (multiplicity of the host, adsorbate of the library, by vector addition of
        # spins, one more and one less)
        (1, "CO", (1, 3)),
        (3, "CO", (3, 5, 1)),
        (1, "H", (2, 4)),
        (3, "H", (2, 4, 6)),
        (5, "O", (3, 5, 7, 9, 1)),
    ],
)
def test_a_complex_couples_the_spins_of_its_parts(
    library, structure, host, adsorbate, expected
):
    spec = library.adsorbate(adsorbate)
    if adsorbate == "O":
        spec = spec.model_copy(update={"multiplicity": 3})
    bare = dimer(structure, ["Fe", "Fe"], 2.0, multiplicity=host)
    found = complex_multiplicities(bare, spec, library.level("spgfn1-xtb"), "Fe2")
    assert found == expected
    plain = complex_multiplicities(bare, spec, library.level("gfn1-xtb"), "Fe2")
    assert plain == (1 + (adsorbate == "H"),)


def test_what_the_yaml_states_stands(library, structure):
    spec = library.adsorbate("H").model_copy(update={"multiplicity_on": {"Fe2": 6}})
    bare = dimer(structure, ["Fe", "Fe"], 2.0, multiplicity=7)
    for name in ("gfn1-xtb", "spgfn1-xtb"):
        level = library.level(name)
        assert complex_multiplicities(bare, spec, level, "Fe2") == (6,)
        assert complex_multiplicities(bare, spec, level, "Co2") != (6,)
    wrong = spec.model_copy(update={"multiplicity_on": {"Fe2": 7}})
    with pytest.raises(LibraryError, match=r"H: multiplicity_on\.Fe2: multiplicity 7"):
        complex_multiplicities(bare, wrong, level, "Fe2")


@pytest.mark.xtb
@pytest.mark.parametrize(
    ("symbols", "length", "ground"),
    # O2 is a triplet and N2 a singlet. Fe2 has six unpaired electrons in experiment and
    # DFT: more than the four that are always tried.
    [("OO", 1.21, 3), ("NN", 1.10, 1), (["Fe", "Fe"], 2.02, 7)],
)
def test_the_ground_state_is_found(build, at_level, symbols, length, ground):
    record = relax(
        build(symbols, length), at_level("spgfn1-xtb"), RelaxSettings(), Job("relax")
    )
    assert record.isomers[0].structure.multiplicity == ground
    states = record.spin_states
    assert states[0].multiplicity == ground
    assert states[0].energy_ev == record.isomers[0].energy_ev
    assert {1, 3, 5} <= {state.multiplicity for state in states}
    energies = [s.energy_ev for s in states if s.energy_ev is not None]
    assert energies == sorted(energies)
    assert len(energies) >= 2, "the runner-up is in the record"
    assert all(s.reason for s in states if s.energy_ev is None)


@pytest.mark.xtb
def test_a_geometry_that_one_multiplicity_found_is_tried_with_the_others(
    library, structure
):
    # O3 in a row: as a start the singlet is given the bent minimum and the triplet and
    # quintet stay where they are, as on a saddle that only one of them leaves.
    level, settings = library.level("spgfn1-xtb"), RelaxSettings()
    bent = [[0, 0, 0], [1.1, 0.65, 0.0], [-1.1, 0.65, 0.0]]
    row = [[0, 0, 0], [1.9, 0, 0], [-1.9, 0, 0]]

    def isomer(multiplicity, positions, energy_ev):
        return Isomer(
            structure=structure("OOO", positions, multiplicity=multiplicity),
            energy_ev=energy_ev,
            fmax_ev_per_a=0.0,
            n_gradients=1,
        )

    singlet = _relax_geometry(
        isomer(1, bent, 0.0).structure, level, settings, Job("relax")
    )
    held = singlet.energy_ev + 5
    outcomes = {1: singlet, 3: isomer(3, row, held), 5: "not-converged: a test"}
    found = _retry_from_lowest(outcomes, level, settings, Job("relax"))
    assert found[1] is singlet
    for multiplicity in (3, 5):
        atoms = to_atoms(singlet.structure)
        atoms.calc = make_calculator("spgfn1-xtb", 0, multiplicity)
        # Relaxed from the singlet's geometry, so no higher than it is there.
        assert found[multiplicity].energy_ev < atoms.get_potential_energy()
        assert found[multiplicity].structure.multiplicity == multiplicity
    assert outcomes[5] == "not-converged: a test"
    # What gains nothing is left as it is.
    again = _retry_from_lowest(found, level, settings, Job("relax"))
    assert all(again[key] is found[key] for key in found)


@pytest.mark.xtb
def test_a_stated_multiplicity_is_not_searched(build, at_level):
    record = relax(
        build("OO", 1.21, multiplicity=1, auto=False),
        at_level("spgfn1-xtb"),
        RelaxSettings(),
        Job("relax"),
    )
    assert record.isomers[0].structure.multiplicity == 1
    assert record.spin_states == ()


def test_auto_without_spin_polarisation_is_an_error(build, at_level):
    with pytest.raises(EngineError, match=r"auto needs a spin-polarised level.*'gfn1-"):
        relax(build("OO", 1.2), at_level("gfn1-xtb"), RelaxSettings(), Job("relax"))


@pytest.mark.xtb
def test_the_level_stage_passes_over_levels_without_spin(build, library):
    names = ["gfn1-xtb", "spgfn1-xtb"]
    record = choose(
        build(["Cu", "Cu"], 2.2),
        [library.level(name) for name in names],
        Probing(probes=[], anchors=[], steps=0),
        library.domain(),
        Job("level"),
    )
    assert [a.accepted for a in record.attempts] == [False, True]
    assert "auto needs a spin-polarised level" in record.attempts[0].reason


def test_check_finds_auto_without_spin_before_a_run(tmp_path, monkeypatch):
    from clusterflow.study.check import check

    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "structures/clusters"
    folder.mkdir(parents=True)
    (folder / "Mine.xyz").write_text("2\n\nCo 0 0 0\nCo 0 0 2.1\n")
    (folder / "Mine.yaml").write_text(
        "name: Mine\nsource: 'unpublished: a test'\nformula: Co2\n"
        "multiplicity: auto\nmaterial: metal\nstructures: [{file: Mine.xyz}]\n"
    )
    config = tmp_path / "c.yaml"
    config.write_text("clusters: [Mine]\n")
    with pytest.raises(ClusterflowError, match="Mine: multiplicity auto"):
        check([config])
    config.write_text("clusters: [Mine]\nlevel: {preferred: [spgfn1-xtb]}\n")
    assert check([config])[-1] == "everything is in order"


def lowest_by_hand(minimum, multiplicities):
    """Energies of the minimum's geometry with each multiplicity."""
    found = {}
    for multiplicity in multiplicities:
        atoms = to_atoms(minimum.structure)
        atoms.calc = make_calculator("spgfn1-xtb", 0, multiplicity)
        found[multiplicity] = atoms.get_potential_energy()
    return found


@pytest.mark.xtb
@pytest.mark.parametrize(
    ("symbols", "length", "multiplicity", "adsorbate", "candidates"),
    [
        (["Cu", "Cu"], 2.2, 1, "H", (2, 4)),
        # Each part a triplet or doublet of its own: the coupling is not known before.
        (["Cu", "Co"], 2.3, 3, "H", (2, 4, 6)),
        (["Cu", "Co"], 2.3, 3, "CO", (1, 3, 5)),
    ],
)
def test_the_lowest_complex_wins_and_all_are_in_the_record(
    build, at_level, library, symbols, length, multiplicity, adsorbate, candidates
):
    relaxed = relax(
        build(symbols, length, multiplicity, auto=False),
        at_level("spgfn1-xtb"),
        RelaxSettings(),
        Job("relax"),
    )
    record = adsorb(
        relaxed,
        sites(relaxed, SitesSettings(), Job("sites")),
        library.adsorbate(adsorbate),
        AdsorbSettings(max_screened=2, screen_steps=4),
        Job("adsorb"),
        others={},
        relax=RelaxSettings(),
    )
    best = record.minima[0]
    assert {s.multiplicity for s in best.spin_states} == set(candidates)
    assert best.spin_states[0].multiplicity == best.structure.multiplicity
    assert best.spin_states[0].energy_ev == pytest.approx(best.energy_ev)
    assert best.spin_states[0].relaxed
    by_hand = lowest_by_hand(best, candidates)
    assert min(by_hand, key=by_hand.get) == best.structure.multiplicity
    for state in best.spin_states:
        if state.energy_ev is not None and not state.relaxed:
            assert state.energy_ev == pytest.approx(
                by_hand[state.multiplicity], abs=1e-3
            )


@pytest.mark.xtb
def test_nothing_is_tried_twice_without_spin_polarisation(build, at_level, library):
    """One gradient a screening step and no more: the cost of the default stays."""
    job = Job("adsorb")
    relaxed = relax(
        build(["Cu", "Cu"], 2.2, auto=False),
        at_level("gfn1-xtb"),
        RelaxSettings(),
        Job("relax"),
    )
    record = adsorb(
        relaxed,
        sites(relaxed, SitesSettings(), Job("sites")),
        library.adsorbate("H"),
        AdsorbSettings(max_screened=1, screen_steps=0, random_starts=0, halvings=0),
        job,
        others={},
        relax=RelaxSettings(),
    )
    assert record.minima[0].spin_states == ()
    assert job.meter.n_gradients == record.minima[0].n_gradients
