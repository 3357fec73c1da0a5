"""Scans against one profile a point, and stage thermo at another temperature."""

from __future__ import annotations

import csv
import json
from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
import pytest

from clusterflow.errors import ConfigError, RecordError
from clusterflow.library.reactions import ReactionSpec
from clusterflow.records.files import write_record
from clusterflow.results.scan import describe, read_axis, scan, to_csv, to_json
from clusterflow.science.reactions.che import Electrode, FreeEnergies, evaluate_network
from clusterflow.science.reactions.evaluate import composition_of
from clusterflow.science.reactions.network import Network, build_network, find_pathways
from clusterflow.science.reactions.network import parse_equation as read
from clusterflow.science.reactions.scan import Grid, scan_pathways
from clusterflow.settings import CheSettings, ThermoSettings
from clusterflow.stages.che import che
from clusterflow.stages.parts.job import Job
from tests.stages.test_thermo import AD_EV, GAS_EV, Study

if TYPE_CHECKING:
    from clusterflow.records.profiles import CheRecord

POTENTIALS = [-1.5, -0.7, -0.31, 0.0, 0.4]
PH = [0.0, 6.8, 14.0]


def grid(scale="rhe", temperature_k=298.15):
    return Grid(
        potential_v=np.array(POTENTIALS),
        scale=scale,
        ph=np.array(PH),
        temperature_k=temperature_k,
    )


def random_energies(network, seed):
    rng = np.random.default_rng(seed)
    return FreeEnergies(
        values={s: rng.normal(0, 0.8) for s in sorted(network.species)},
        reasons={},
        pair_ev=0.1,
    )


# Formate takes two electrons and one proton: its turning point moves with pH.
UNEVEN = [
    "* + A(g) + H+ + 2 e- -> *F",
    "* + A(g) + H+ + e- -> *X",
    "*X + e- -> *F",
    "*F -> * + F(g)",
]


def uneven():
    overall = read("A(g) + H+ + 2 e- -> F(g)")
    paths = find_pathways(overall, [read(s) for s in UNEVEN])
    spec = ReactionSpec(
        name="r", source="x", product="F", equation=overall.name, steps=tuple(UNEVEN)
    )
    return Network(spec=spec, overall=overall, pathways=tuple(map(tuple, paths)))


@pytest.mark.parametrize("scale", ["rhe", "she"])
@pytest.mark.parametrize("temperature", [298.15, 350.0])
@pytest.mark.parametrize("reaction", ["HER", "CO2-to-CO", "CO2-to-CH4", "uneven"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_point_is_the_profile_there(library, reaction, scale, temperature, seed):
    network = (
        uneven()
        if reaction == "uneven"
        else build_network(library.reaction(reaction), composition_of(library))
    )
    energies = random_energies(network, seed)

    def profile(potential, ph):
        at = Electrode(
            potential_v=potential, scale=scale, ph=ph, temperature_k=temperature
        )
        return evaluate_network(network, energies, at, surface="x")

    # The order of the recorded pathways is that of another pH.
    recorded = profile(0.0, 3.0).pathways
    found = scan_pathways(recorded, grid(scale, temperature))
    for row, ph in enumerate(PH):
        for column, potential in enumerate(POTENTIALS):
            there = profile(potential, ph)
            highest = max(there.steps, key=lambda s: s.dg_ev)
            at = row, column
            assert found.pathways[found.pathway[row]] == there.best_pathway
            assert found.highest_dg_ev[at] == pytest.approx(highest.dg_ev, abs=1e-9)
            assert found.steps[found.highest_step[at]] == highest.name
            assert found.downhill[at] == (highest.dg_ev <= 0)
            moved = [s.dg_ev for s in there.steps if s.n_e]
            assert found.electrochemical_downhill[at] == (max(moved) <= 0)
            assert found.limiting_potential_v_rhe[row] == pytest.approx(
                there.limiting_potential_v_rhe, abs=1e-9
            )


def test_a_hole_has_no_scan(library):
    network = build_network(library.reaction("HER"), composition_of(library))
    missing = FreeEnergies(values={"*": 0.0}, reasons={})
    result = evaluate_network(network, missing, Electrode(), surface="x")
    assert scan_pathways(result.pathways, grid()) is None


@pytest.fixture
def results(tmp_path, library, provenance, structure):
    """A results folder of one hand-made cluster, and how it was made."""
    study = Study(library, provenance, structure)
    folder = tmp_path / "results"
    record = study.thermo(correct=("gas", "solvation"))
    write_record(record, folder / "thermo/Cu2.json")
    write_record(study.relaxed(), folder / "relax/Cu2.json")
    for name in AD_EV:
        write_record(study.adsorbed(name), folder / f"adsorb/Cu2/{name}.json")
        write_record(study.vibrated(name), folder / f"vibrate/Cu2/{name}.json")
    for name in GAS_EV:
        write_record(study.gas(name), folder / f"gas/gfn1-xtb/{name}.json")
    write_record(profiles(study, record), folder / "che/Cu2.json")
    return study, folder


def profiles(study, thermo) -> CheRecord:
    specs = [study.library.reaction(n) for n in ("HER", "CO2-to-CO", "CO2-to-CH4")]
    return che(thermo, specs, CheSettings(ph=5.0), study.library, Job("che"))


def scanned(source, **options):
    return scan(
        [source],
        **{
            "potential_v": POTENTIALS,
            "scale": "rhe",
            "ph": None,
            "temperature_k": None,
            **options,
        },
    )


def test_another_temperature_is_stage_thermo_there(results):
    study, folder = results
    found = scanned(folder, temperature_k=[298.15, 340.0], reactions=["CO2-to-CO"])
    assert [item.grid.temperature_k for item in found] == [298.15, 340.0]
    warm = profiles(
        study, study.thermo(correct=("gas", "solvation"), temperature_k=340.0)
    )
    cold = profiles(study, study.thermo(correct=("gas", "solvation")))
    for item, record in zip(found, (cold, warm), strict=True):
        limiting = record.results[1].limiting_potential_v_rhe
        assert item.scan.limiting_potential_v_rhe[0] == pytest.approx(
            limiting, abs=1e-9
        )
        assert item.grid.ph.tolist() == [5.0]
    assert cold.results[1].limiting_potential_v_rhe != pytest.approx(
        warm.results[1].limiting_potential_v_rhe, abs=1e-3
    )


def test_a_record_alone_serves_its_own_temperature(results):
    _, folder = results
    record = folder / "che/Cu2.json"
    alone = scanned(record, ph=PH, temperature_k=[298.15])
    assert to_json(alone) == to_json(scanned(folder, ph=PH))
    with pytest.raises(ConfigError, match=r"310: .* Cu2 holds .* 298.15 K only"):
        scanned(record, temperature_k=[310.0])


def test_the_formats_agree(results):
    _, folder = results
    found = scanned(folder, ph=PH)
    rows = list(csv.DictReader(StringIO(to_csv(found))))
    objects = json.loads(json.dumps(to_json(found)))
    complete = [o for o in objects if not o["reason"]]
    assert [o["reaction"] for o in complete] == ["HER", "CO2-to-CO"]
    for item in complete:
        own = [r for r in rows if r["reaction"] == item["reaction"]]
        assert len(own) == len(PH) * len(POTENTIALS)
        highest = np.array([float(r["highest_dg_ev"]) for r in own])
        assert highest.reshape(len(PH), -1) == pytest.approx(
            np.array(item["highest_dg_ev"]), abs=1e-6
        )
        # In a spreadsheet a number stays one, negative or not.
        for name in ("limiting_potential_v_rhe", "chemical_bottleneck_ev"):
            known = [v for v in item[name] if v is not None]
            read = [float(r[name]) for r in own[:: len(POTENTIALS)] if r[name]]
            assert read == pytest.approx(known, abs=1e-6)
        assert any(v < 0 for v in item["limiting_potential_v_rhe"])
        first = item["highest_step"][0][0]
        assert own[0]["highest_step"] == item["steps"][first]
        assert own[0]["all_downhill"] == str(item["all_downhill"][0][0])
        assert float(own[-1]["potential_v_she"]) == pytest.approx(
            POTENTIALS[-1] - 14 * 0.0591597, abs=1e-5
        )
    # Methane lacks species here: one row, which says so.
    (hole,) = [r for r in rows if r["reaction"] == "CO2-to-CH4"]
    assert hole["highest_dg_ev"] == "" and "not computed" in hole["reason"]
    assert "no complete pathway" in describe(found)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"potential_v": [-9.0]}, "potential_v = -9.0"),
        ({"ph": [20.0]}, "ph = 20.0"),
        ({"temperature_k": [25.0]}, "did you mean"),
        ({"clusters": ["Cu3"]}, "--cluster Cu3: not in these results; known: Cu2"),
        ({"reactions": ["X"]}, "--reaction X: not in these results; known: CO2-to"),
    ],
)
def test_what_cannot_be_scanned(results, options, says):
    with pytest.raises(ConfigError, match=says):
        scanned(results[1], **options)


def test_an_empty_folder_is_no_study(tmp_path):
    with pytest.raises(RecordError, match="holds no che records"):
        scanned(tmp_path)


@pytest.mark.parametrize("text", ["", "a", "0:1", "0:1:0", "0:1:2.5", "0:1:2:3", "nan"])
def test_what_is_no_axis(text):
    with pytest.raises(ConfigError, match="--ph"):
        read_axis(text, "--ph")


def test_settings_of_an_older_record_are_taken_as_they_were():
    settings = ThermoSettings().model_dump(mode="json")
    del settings["user"], settings["dft"]
    assert ThermoSettings.model_validate(settings) == ThermoSettings()
