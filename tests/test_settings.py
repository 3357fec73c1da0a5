"""Every wrong setting is refused by file, key and value; files overlay one another."""

from __future__ import annotations

import pytest
import yaml
from snakemake.utils import update_config

from clusterflow.errors import ConfigError
from clusterflow.library.find import package_data
from clusterflow.settings import Study, load_study, merge, read_config
from clusterflow.study.plan import Plan

BAD = [
    # (YAML, key, value as the message shows it)
    ("thermo: {temperature_k: -10}", "thermo.temperature_k", "-10"),
    ("thermo: {temperature_k: 0}", "thermo.temperature_k", "0"),
    ("thermo: {temperature_k: 25}", "thermo.temperature_k", "25"),
    ("thermo: {temperature_k: warm}", "thermo.temperature_k", "'warm'"),
    ("thermo: {pressure_pa: {CO: -5}}", "thermo.pressure_pa", "CO = -5"),
    ("thermo: {low_mode_cutoff_cm1: -1}", "thermo.low_mode_cutoff_cm1", "-1"),
    ("thermo: {adsorbate_model: ideal}", "thermo.adsorbate_model", "'ideal'"),
    ("thermo: {adsorbate_model: hindered}", "thermo", "none are given"),
    (
        "thermo: {hindered: {CO: {translation_barrier_ev: 0.1}}}",
        "thermo.hindered.CO.rotation_barrier_ev",
        "",
    ),
    (
        "thermo: {hindered: {CO: {translation_barrier_ev: 0.1, rotation_barrier_ev: "
        "0.1, site_density_per_cm2: 15, rotational_minima: 4, symmetry_number: 1}}}",
        "thermo.hindered.CO.site_density_per_cm2",
        "15",
    ),
    ("thermo: {correct: [solvent]}", "thermo.correct.0", "'solvent'"),
    ("thermo: {anchors: []}", "thermo.anchors", ""),
    ("relax: {fmax_ev_per_a: 0}", "relax.fmax_ev_per_a", "0"),
    ("relax: {fmax_ev_per_a: 2}", "relax.fmax_ev_per_a", "2"),
    ("relax: {max_steps: 0}", "relax.max_steps", "0"),
    ("relax: {max_steps: 1.5}", "relax.max_steps", "1.5"),
    ("sites: {kinds: [top, corner]}", "sites.kinds.1", "'corner'"),
    ("sites: {kinds: []}", "sites.kinds", ""),
    ("sites: {probe_radius_a: 0.05}", "sites.probe_radius_a", "0.05"),
    ("pool: {rounds: 0}", "pool.rounds", "0"),
    ("pool: {rounds: 2, relax: false}", "needs pool.relax", ""),
    ("pool: {relax: false}\nthermo: {isomers: pool}", "needs pool.relax", ""),
    ("pool: {window_ev: -0.1}", "pool.window_ev", "-0.1"),
    ("thermo: {isomers: lowest}", "thermo.isomers", "'lowest'"),
    ("adsorb: {max_screened: 0}", "adsorb.max_screened", "0"),
    ("vibrate: {displacement_a: 0.5}", "vibrate.displacement_a", "0.5"),
    ("che: {potential_v: -9}", "che.potential_v", "-9"),
    ("che: {scale: nhe}", "che.scale", "'nhe'"),
    ("che: {ph: 20}", "che.ph", "20"),
    ("clusters: []", "clusters", ""),
    ("clusters: Cu4", "clusters", "'Cu4'"),
    ("clusters: [Cu4, Cu4]", "clusters", "named twice: Cu4"),
    ("clusters: ['../Cu4']", "clusters.0", "'../Cu4'"),
    ("study: a/b", "study", "'a/b'"),
    ("study: -leading", "study", "'-leading'"),
    ("level: {preferred: []}", "level.preferred", ""),
    ("temperature_k: 300", "temperature_k", "unknown key"),
    ("relax: {fmax: 0.02}", "relax.fmax", "unknown key"),
]


@pytest.mark.parametrize(("text", "key", "value"), BAD, ids=[b[0] for b in BAD])
def test_a_wrong_setting_is_named(tmp_path, text, key, value):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("study: mine\nrelax: {rattle_a: 0.01}\n")
    bad.write_text(text + "\n")
    files = [good, bad]
    with pytest.raises(ConfigError) as caught:
        load_study(read_config(files), files)
    message = str(caught.value)
    assert message.startswith(f"{bad}: ")
    assert key in message
    assert value in message
    assert "\n" not in message


def test_celsius_is_guessed(tmp_path):
    with pytest.raises(ConfigError, match=r"did you mean 333\.15 K \(60 °C\)"):
        load_study({"thermo": {"temperature_k": 60}})


def test_the_last_file_that_sets_a_key_is_blamed(tmp_path):
    first, last = tmp_path / "first.yaml", tmp_path / "last.yaml"
    first.write_text("che: {ph: 99}\n")
    last.write_text("che: {scale: she}\n")
    with pytest.raises(ConfigError) as caught:
        load_study(read_config([first, last]), [first, last])
    assert str(caught.value).startswith(f"{first}: line 1, column 7: che.ph = 99")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        ("a: [1", "not valid YAML"),
        ("- a\n- b\n", "must hold keys and values"),
        ("just text", "must hold keys and values"),
    ],
)
def test_a_file_that_is_no_configuration(tmp_path, content, says):
    path = tmp_path / "config.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=says) as caught:
        read_config([path])
    assert str(path) in str(caught.value)


def test_an_empty_file_changes_nothing(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("# nothing yet\n")
    assert load_study(read_config([path])) == Study()


def test_lists_replace_and_mappings_merge():
    base = {"clusters": ["Cu4", "Cu8"], "relax": {"max_steps": 10, "rattle_a": 0.1}}
    over = {"clusters": ["Cu13"], "relax": {"max_steps": 20}}
    assert merge(base, over) == {
        "clusters": ["Cu13"],
        "relax": {"max_steps": 20, "rattle_a": 0.1},
    }


@pytest.mark.parametrize(
    "overlay",
    [
        {"a": {"x": {"deep": 2}}},
        {"a": {"y": [3]}},
        {"a": {"new": {"k": 1}}},
        {"b": {"becomes": "mapping"}},
        {"a": {"x": {"deep": None}}},
        {"c": [1]},
    ],
)
def test_the_overlay_is_that_of_snakemake(overlay):
    base = {"a": {"x": {"deep": 1, "other": 5}, "y": [1, 2]}, "b": 1}
    theirs = {"a": {"x": {"deep": 1, "other": 5}, "y": [1, 2]}, "b": 1}
    update_config(theirs, overlay)
    assert merge(base, overlay) == theirs
    assert base == {"a": {"x": {"deep": 1, "other": 5}, "y": [1, 2]}, "b": 1}


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(ValueError, match="frozen"):
        Study().study = "other"


@pytest.mark.parametrize("name", ["alloys", "nitrate", "orr"])
def test_a_study_names_what_there_is(name):
    path = package_data() / f"studies/{name}.yaml"
    assert Plan.from_config(yaml.safe_load(path.read_text())).study.study == name
