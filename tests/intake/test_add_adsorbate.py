"""Adsorbates of one's own, from a file: what is written, and what is refused."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from ase.build import molecule

from clusterflow.cli.app import main
from clusterflow.library.adsorbates import AdsorbateSpec
from clusterflow.library.find import Library, load_spec


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with molecules, turned and far from the origin."""
    monkeypatch.chdir(tmp_path)
    for name in ("CH3CN", "CH3SH", "CH4", "CH3COOH", "NH3", "CH3NO2"):
        atoms = molecule(name)
        atoms.rotate(50, (1, 1, 2))
        atoms.translate((3, 4, 5))
        atoms.write(f"{name}.xyz")
    return tmp_path


def add(*words):
    return main(["add-adsorbate", *words])


def test_it_is_drawn_and_can_be_placed(folder, capsys):
    assert add("CH3SH.xyz", "--binding", "S") == 0
    shown = capsys.readouterr().out
    assert "form s-down: S1 down" in shown and "multiplicity 1" in shown
    assert "its gas: CH3SH(g) of the library" in shown
    spec = load_spec(folder / "structures/adsorbates/CH3SH.yaml", AdsorbateSpec)
    (form,) = spec.forms
    positions = np.array([line[1:] for line in form.atoms])
    assert positions[form.binding[0]].tolist() == [0, 0, 0]
    assert positions[:, 2].min() >= 0
    assert "CH3SH" in Library.default().paths("adsorbates")
    (folder / "config.yaml").write_text(
        "study: mine\nclusters: [Cu4]\nreactions: [HER]\n"
    )
    assert main(["check"]) == 0


def test_a_name_that_yaml_takes_for_a_number_is_read_again(folder):
    """YAML that cannot be read stops every verb in its folder."""
    for name in ("1e5", "007", "12", "no", "null"):
        assert add("CH3SH.xyz", "--binding", "S", "--name", name) == 0
        path = folder / f"structures/adsorbates/{name}.yaml"
        assert load_spec(path, AdsorbateSpec).name == name
        path.unlink()


def test_a_surface_that_was_left_in_the_file_is_warned_of(folder, capsys):
    rows = "4\n\nCu 0 0 0\nCu 2.5 0 0\nC 1.2 0 1.5\nO 1.2 0 2.65\n"
    (folder / "on.xyz").write_text(rows)
    assert add("on.xyz", "--binding", "2", "--name", "on-copper") == 0
    assert "warning: it holds Cu; if that is the surface" in capsys.readouterr().out


def test_its_gas_is_found_and_two_feet_are_tried(folder, capsys):
    assert add("CH3COOH.xyz", "--binding", "1", "--name", "acid") == 0
    assert "its gas: CH3COOH(g)" in capsys.readouterr().out
    assert add("CH3NO2.xyz", "--binding", "5", "--name", "nitro") == 0
    assert "no gas of the library" in capsys.readouterr().out
    spec = load_spec(folder / "structures/adsorbates/nitro.yaml", AdsorbateSpec)
    names = [form.name for form in spec.forms]
    assert names == ["o-down", "bidentate"]
    assert {spec.forms[1].atoms[i][0] for i in spec.forms[1].binding} == {"O"}
    assert spec.solvation_ev.value == 0.0


SVG = "{http://www.w3.org/2000/svg}"


def test_what_it_made_is_drawn_form_by_form(folder, capsys):
    assert add("CH3NO2.xyz", "--binding", "5", "--name", "nitro") == 0
    assert "structures/adsorbates/nitro.svg" in capsys.readouterr().out
    spec = load_spec(folder / "structures/adsorbates/nitro.yaml", AdsorbateSpec)
    root = ElementTree.parse(folder / "structures/adsorbates/nitro.svg").getroot()
    names = [text.text for text in root.findall(f"{SVG}text")]
    assert names == [form.name for form in spec.forms]
    panels = root.findall(f"{SVG}svg")
    assert all(int(a.get("x")) < int(b.get("x")) for a, b in pairwise(panels))
    for form, panel in zip(spec.forms, panels, strict=True):
        drawn = panel.findall(f"{SVG}use")
        metal = [int(one.get("y")) for one in drawn if one.get("href") == "#ball-Cu"]
        others = [int(one.get("y")) for one in drawn if one.get("href") != "#ball-Cu"]
        assert len(metal) == len(form.binding)
        assert len(others) == len(form.atoms)
        # y of a picture grows downwards: the metal lies below all.
        assert min(metal) > max(others)
    balls = {one.get("id") for one in root.iter(f"{SVG}g")}
    used = {one.get("href").removeprefix("#") for one in root.iter(f"{SVG}use")}
    assert used == balls
    assert "stroke" in root.find(f"{SVG}style").text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["CH4.xyz", "--binding", "C"], "atom 0 (C): it is buried"),
        (["CH3SH.xyz", "--binding", "S", "--multiplicity", "2"], "26 electrons"),
        (["CH3SH.xyz", "--binding", "S", "--multiplicity", "99"], "98 unpaired"),
        (["CH3SH.xyz", "--binding", "S", "--name", "CO"], "would shadow"),
        (["NH3.xyz", "--binding", "N", "--name", "mine"], "bonds of the adsorbate NH3"),
        (["CH3COOH.xyz", "--binding", "O"], "atoms 1, 2 of CH3COOH.xyz are O"),
        (["CH3SH.xyz", "--binding", "Q"], "holds C, H, S"),
        (["CH3SH.xyz", "--binding", "9"], "has 6 atoms"),
        (["CH3SH.xyz", "--binding", "S", "--formula", "CH3S"], "holds CH4S"),
        (["CH3SH.xyz", "--binding", "S", "--sites", "roof"], "--sites roof"),
        (["CH3SH.xyz", "--binding", "S", "--name", "../x"], "name"),
        (["none.xyz", "--binding", "S"], "none.xyz: no such file"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(folder, capsys, words, message):
    assert add(*words) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert not list(folder.glob("structures/adsorbates/*"))
