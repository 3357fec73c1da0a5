"""What a job reads: what it is given, and what follows from a cluster that is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clusterflow.errors import ClusterflowError, ConfigError, RecordError
from clusterflow.records.adsorption import AdsorbRecord, PoolRecord, SitesRecord
from clusterflow.records.clusters import BuildRecord, LevelRecord, RelaxRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import write_record
from clusterflow.records.vibrations import GasRecord, VibrateRecord
from clusterflow.settings import AdsorbSettings, RelaxSettings, ThermoSettings
from clusterflow.stage_table import STAGES, record_name
from clusterflow.stages.inputs import Inputs, Request
from clusterflow.stages.parts.job import Job

FAST = {"adsorb": {"max_screened": 2, "max_relaxed": 1}}


@pytest.fixture(scope="module")
def by_hand():
    """A copper dimer with hydrogen, named and nothing else, by EMT."""
    request = Request(level="emt", adsorbates=("H",))
    return Inputs.read("thermo", ["Cu2"], settings=FAST, request=request)


def as_read_by(stage, inputs):
    """The same inputs, of a stage that reads others."""
    return replace(inputs, stage=STAGES[stage])


@pytest.fixture
def given(by_hand, tmp_path):
    """Paths of the records that lead to its thermo record, by stage."""
    by_hand.one(ThermoRecord)
    models = (RelaxRecord, AdsorbRecord, VibrateRecord, PoolRecord)
    records = []
    for model in models:
        found = by_hand.every(model) if model in (AdsorbRecord, VibrateRecord) else ()
        records += found or [by_hand.one(model)]
    gases = [{"gas": g, "level": "emt"} for g in ThermoSettings().anchors]
    records += by_hand.every(GasRecord, gases)
    paths = {}
    for record in records:
        path = tmp_path / record_name(record)
        write_record(record, path)
        paths.setdefault(record.stage, []).append(str(path))
    return paths


def test_what_is_named_is_computed_once_by_the_stages_of_the_table(by_hand):
    thermo = by_hand.one(ThermoRecord)
    assert [s.name for s in thermo.species if s.name.startswith("*")] == ["*", "*H"]
    assert by_hand.one(RelaxRecord) is by_hand.one(RelaxRecord)
    built = as_read_by("relax", by_hand).one(BuildRecord)
    assert built.cluster == thermo.cluster == "Cu2"
    # A level that is named is not looked for with probes.
    assert as_read_by("relax", by_hand).one(LevelRecord).attempts == ()


def test_records_give_what_a_name_gives(by_hand, given):
    """By rules, which give every record, and by hand: one free energy."""
    subjects = [*given["relax"], *given["adsorb"], *given["vibrate"], *given["gas"]]
    inputs = Inputs.read("thermo", subjects)
    assert not inputs.by_hand and inputs.files == [Path(name) for name in subjects]
    record = STAGES["thermo"].run(inputs, Job("thermo", inputs=inputs.files))
    energies = {s.name: s.formation_ev for s in record.species}
    known = {s.name: s.formation_ev for s in by_hand.one(ThermoRecord).species}
    assert energies["*H"] == pytest.approx(known["*H"], abs=1e-9)
    assert set(record.provenance.inputs) == set(subjects)


def test_only_what_is_missing_is_computed(given):
    inputs = Inputs.read("adsorb", given["relax"], of={"adsorbate": "H"})
    assert inputs.one(SitesRecord).cluster == "Cu2"
    assert inputs.before(AdsorbRecord) is None
    with pytest.raises(RecordError, match="0 pool records among the inputs"):
        inputs.one(PoolRecord)


def test_a_stage_reads_what_its_row_says_and_no_more(given):
    inputs = Inputs.read("sites", given["relax"])
    assert inputs.one(RelaxRecord).cluster == "Cu2"
    with pytest.raises(
        ClusterflowError, match=r"'sites' reads 'thermo', which its row"
    ):
        inputs.one(ThermoRecord)


def test_what_a_rule_does_not_give_is_not_computed_behind_its_back(given):
    inputs = Inputs.read("thermo", [*given["relax"], *given["adsorb"]])
    assert inputs.every(VibrateRecord) == () and inputs.optional(PoolRecord) is None
    with pytest.raises(RecordError, match="0 relax records among the inputs; give one"):
        Inputs.read("vibrate", given["adsorb"]).one(RelaxRecord)


def test_a_round_reads_the_two_records_of_the_one_before(given):
    subjects = [*given["relax"], *given["pool"], *given["adsorb"]]
    inputs = Inputs.read("adsorb", subjects, of={"adsorbate": "H"})
    assert isinstance(inputs.before(AdsorbRecord), AdsorbRecord)
    assert isinstance(inputs.before(PoolRecord), PoolRecord)
    # A pool reads the minima of its own round.
    pool = Inputs.read("pool", subjects)
    assert len(pool.every(AdsorbRecord)) == 1 and pool.before(PoolRecord) is not None
    half = Inputs.read("adsorb", subjects[:2], of={"adsorbate": "H"})
    with pytest.raises(RecordError, match="give one adsorb and one pool record"):
        STAGES["adsorb"].run(half, Job("adsorb"))


def test_rounds_by_hand_go_on_from_each_other():
    settings = {**FAST, "pool": {"rounds": 2}}
    request = Request(level="emt", adsorbates=("H",))
    inputs = Inputs.read("pool", ["Cu2"], settings=settings, request=request)
    pool = STAGES["pool"].run(inputs, Job("pool"))
    assert pool.round == 2 and inputs.before(PoolRecord).round == 1


def test_records_of_other_clusters_are_peers_or_refused(by_hand, tmp_path):
    paths = []
    relax = as_read_by("relax", by_hand)
    for cluster in ("Cu2", "Cu4"):
        level = relax.one(LevelRecord).model_copy(update={"cluster": cluster})
        paths.append(str(tmp_path / f"{cluster}.json"))
        write_record(level, Path(paths[-1]))
    build = tmp_path / "build.json"
    write_record(relax.one(BuildRecord), build)
    inputs = Inputs.read("relax", [str(build), *paths])
    assert inputs.one(LevelRecord).cluster == "Cu2"
    assert [peer.cluster for peer in inputs.peers(LevelRecord)] == ["Cu4"]
    with pytest.raises(RecordError, match="level record of Cu4 among those of Cu2"):
        Inputs.read("level", [str(build), *paths])


@pytest.mark.parametrize(
    ("stage", "subjects", "request_", "says"),
    [
        ("thermo", ["Cu2", "Cu4"], Request(), "Cu2: no such record; run its stage"),
        ("thermo", ["a.json", "b.json"], Request(), "a.json: no such record"),
        (
            "thermo",
            ["Cu2", "Cu4"],
            Request(adsorbates=("H",)),
            "--adsorbate is for one cluster; records have theirs",
        ),
        ("relax", ["nothing.xyz"], Request(), "nothing.xyz: no such file"),
        ("relax", ["Nh9"], Request(), "Nh9"),
    ],
)
def test_a_subject_that_is_none_says_what_to_do(stage, subjects, request_, says):
    with pytest.raises(ClusterflowError, match=says):
        as_read_by("relax", Inputs.read(stage, subjects, request=request_)).one(
            BuildRecord
        )


def test_settings_are_of_a_section_and_have_its_defaults():
    inputs = Inputs.read("adsorb", ["Cu2"], settings={"relax": {"max_steps": 7}})
    assert inputs.settings(RelaxSettings).max_steps == 7
    assert inputs.settings(AdsorbSettings) == AdsorbSettings()
    wrong = Inputs.read("relax", ["Cu2"], settings={"relax": {"max_step": 7}})
    with pytest.raises(ConfigError, match=r"relax: .*max_step"):
        wrong.settings(RelaxSettings)
