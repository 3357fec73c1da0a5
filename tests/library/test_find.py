"""Finding items: whose folder counts, and what is said of a wrong file."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from clusterflow.errors import LibraryError
from clusterflow.library.adsorbates import AdsorbateSpec
from clusterflow.library.clusters import ClusterSpec
from clusterflow.library.find import KINDS, Library, default_roots, load_spec
from clusterflow.library.gases import GasSpec
from clusterflow.library.levels import LevelSpec
from clusterflow.stages.build import build_structures
from clusterflow.study.check import check
from clusterflow.study.plan import Plan

CLUSTER = {
    "name": "Mine3",
    "source": "unpublished: A. Person",
    "formula": "Ag3",
    "multiplicity": 2,
    "structures": [{"file": "Mine3.xyz"}],
}


def write(folder, content, name=None, kind="clusters"):
    path = folder / kind / f"{name or content['name']}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content))
    return path


def test_own_structures_come_first(tmp_path, monkeypatch, root):
    monkeypatch.chdir(tmp_path)
    assert [r.resolve() for r in default_roots()] == [(root / "structures").resolve()]
    write(tmp_path / "structures", CLUSTER)
    own, packaged = default_roots()
    assert own.resolve() == tmp_path / "structures"
    assert packaged.resolve() == (root / "structures").resolve()
    library = Library.default()
    assert library.path("clusters", "Mine3").resolve().is_relative_to(tmp_path)
    assert library.cluster("Mine3").formula == "Ag3"
    # What is not one's own still comes from the package.
    assert library.cluster("Cu4").formula == "Cu4"


def test_a_checkout_is_one_library_not_two(monkeypatch, root):
    monkeypatch.chdir(root)
    assert [str(r) for r in default_roots()] == ["structures"]


# Longer than any the library has.
RHOMBUS = "4\nmine\nCu 0 0 1.4\nCu 0 0 -1.4\nH 1.1 0 0\nH -1.1 0 0\n"


@pytest.fixture
def shadowing(tmp_path, monkeypatch, root):
    """A folder whose own Cu2H2, from a file, stands before that of the package."""
    monkeypatch.chdir(tmp_path)
    own = Path("structures/clusters")
    content = yaml.safe_load((root / own / "Cu2H2.yaml").read_text())
    write(Path("structures"), content | {"structures": [{"file": "Cu2H2.xyz"}]})
    (own / "Cu2H2.xyz").write_text(RHOMBUS)
    return own


def test_an_own_item_shadows_that_of_the_package(shadowing):
    """Its YAML and the files beside it are what is built and what jobs depend on."""
    library = Library.default()
    own = shadowing / "Cu2H2.yaml"
    assert library.path("clusters", "Cu2H2") == own
    assert library.paths("clusters")["Cu2H2"] == own
    assert library.cluster("Cu2H2").structures[0].file == "Cu2H2.xyz"
    # Cu2H is the package's, and what it is made from is not.
    plan = Plan.from_config({"clusters": ["Cu2H"]}, [])
    assert plan.structure_files("Cu2H") == [own, shadowing / "Cu2H2.xyz"]
    folder = library.path("clusters", "Cu2H").parent
    assert not folder.is_relative_to("structures")
    for built in build_structures(library.cluster("Cu2H"), folder, library):
        first, second = (
            p for s, p in zip(built.symbols, built.positions, strict=True) if s == "Cu"
        )
        assert np.subtract(first, second) == pytest.approx([0, 0, 2.8])


def test_what_is_shadowed_is_named_with_both_files(shadowing, root):
    packaged = root / "structures/clusters/Cu2H2.yaml"
    (found,) = Library.default().shadowed()
    assert found == ("cluster 'Cu2H2'", shadowing / "Cu2H2.yaml", packaged)
    Path("c.yaml").write_text("clusters: [Cu2H]\nreactions: []\n")
    lines = [line for line in check([Path("c.yaml")]) if "Cu2H2" in line]
    assert lines == [
        f"cluster 'Cu2H2': {shadowing}/Cu2H2.yaml is used in place of {packaged}"
    ]


def test_an_equal_item_shadows_nothing(tmp_path, monkeypatch, root):
    """A copy counts, for its path stays within the study, and is not worth a word."""
    shutil.copytree(root / "structures", tmp_path / "structures")
    monkeypatch.chdir(tmp_path)
    library = Library.default()
    assert library.shadowed() == []
    for kind in KINDS:
        for path in library.paths(kind).values():
            assert path.is_relative_to("structures")
    # Another geometry under the same name is another cluster.
    with Path("structures/clusters/Cu2.xyz").open("a") as stream:
        stream.write("\n")
    assert "cluster 'Cu2'" in [what for what, _, _ in library.shadowed()]


def test_kinds_do_not_share_names(tmp_path, library):
    # CO is a gas and an adsorbate.
    assert isinstance(library.gas("CO"), GasSpec)
    assert isinstance(library.adsorbate("CO"), AdsorbateSpec)


def test_an_unknown_name_is_answered_by_those_near_it(library):
    with pytest.raises(LibraryError, match="no gas called 'CO3'") as caught:
        library.gas("CO3")
    assert "did you mean CO or CO2" in str(caught.value)
    with pytest.raises(LibraryError, match=r"did you mean Au25SH18\b"):
        library.cluster("Au25SH8")
    # Of very many none stands in the line that is not near.
    with pytest.raises(LibraryError) as caught:
        library.cluster("xyzzy")
    assert str(caught.value).endswith(
        f"`clusterflow list clusters` shows all {len(library.paths('clusters'))}"
    )


def changed(**changes):
    content = {**CLUSTER, **changes}
    return {key: value for key, value in content.items() if value is not None}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (changed(colour="red"), "unknown key 'colour'"),
        (changed(source=None), "key 'source' is missing"),
        (changed(source=""), "source = ''"),
        (changed(source="ask Bob"), "give a DOI such as 10.1038/nmat1056"),
        (changed(source="unpublished: "), "or `unpublished: NAME`"),
        (changed(formula="Ag3)"), "never opened"),
        (changed(formula="Qq3"), "unknown element 'Qq'"),
        (changed(multiplicity=1), "multiplicity 1 does not fit 141 electrons"),
        (changed(charge=1), "multiplicity 2 does not fit 140 electrons"),
        (changed(multiplicity=0), "multiplicity = 0"),
        (changed(material="wood"), "material = 'wood'"),
        (changed(structures=None), "either structures or a parent"),
        (changed(parent="Ag4"), "either structures or a parent"),
        (changed(structures=None, parent="Ag4"), "parent and removed go together"),
        (changed(structures=[{"name": "x"}]), "either builder or file"),
        (changed(structures=[{"file": "a"}, {"file": "b"}]), "share a name"),
        (changed(name="Ag_3"), "name = 'Ag_3'"),
    ],
    ids=str,
)
def test_a_wrong_cluster_is_refused_with_its_file(tmp_path, content, says):
    path = write(tmp_path, content, name="Mine3")
    with pytest.raises(LibraryError) as caught:
        load_spec(path, ClusterSpec)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert says in message
    assert "\n" not in message


def test_a_file_is_named_after_its_item(tmp_path):
    path = write(tmp_path, CLUSTER, name="Silver")
    with pytest.raises(LibraryError, match=r"rename it Mine3\.yaml"):
        load_spec(path, ClusterSpec)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        ("a: [", "not valid YAML"),
        ("[]", "holds no keys"),
        ("", "holds no keys"),
    ],
)
def test_a_file_that_holds_no_item(tmp_path, text, says):
    path = tmp_path / "x.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(LibraryError, match=says) as caught:
        load_spec(path, ClusterSpec)
    assert str(path) in str(caught.value)


def test_an_adsorbate_must_hold_the_atoms_it_names(library, tmp_path):
    good = library.adsorbate("COOH").model_dump(mode="json")
    wrong = {**good, "forms": [{**good["forms"][0], "atoms": [["C", 0, 0, 0]]}]}
    with pytest.raises(LibraryError, match=r"holds \{'C': 1\}, but the formula is"):
        load_spec(write(tmp_path, wrong, kind="adsorbates"), AdsorbateSpec)
    wrong = {**good, "forms": [{**good["forms"][0], "binding": [7]}]}
    with pytest.raises(LibraryError, match="binding atom 7 is not among its 4 atoms"):
        load_spec(write(tmp_path, wrong, kind="adsorbates"), AdsorbateSpec)


def test_a_gas_must_hold_the_atoms_it_names(library, tmp_path):
    wrong = {**library.gas("H2O").model_dump(mode="json"), "formula": "H2O2"}
    wrong["multiplicity"] = 1
    with pytest.raises(LibraryError, match="the formula is H2O2"):
        load_spec(write(tmp_path, wrong, kind="gases"), GasSpec)


def test_the_name_of_a_level_does_not_move_its_hash(library):
    level = library.level("gfn1-xtb")
    renamed = level.model_copy(update={"name": "mine", "description": "other"})
    assert renamed.hash == level.hash
    for change in (
        {"electronic_temperature_k": 1000.0},
        {"solvent": "water"},
        {"spin_polarization": 1.0},
        {"method": "GFN2-xTB"},
        {"engine": "xtb-python"},
    ):
        assert level.model_copy(update=change).hash != level.hash


def test_levels_without_dft_have_the_hash_of_earlier_records(library):
    assert library.level("gfn1-xtb").hash == "212ffeb5a13e"
    assert library.level("emt").hash == "fabb21862494"


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("gfn1-xtb", {"dft": {"functional": "PBE", "basis": "x"}}, "no other reads it"),
        ("gfn1-xtb", {"engine": "pyscf"}, "without a section `dft`"),
        ("gfn1-xtb", {"electronic_temperature_k": 0}, "must be above 0"),
        ("pbe-d3-tzvp", {"electronic_temperature_k": 300}, "whole occupations"),
        ("pbe-d3-tzvp", {"solvent": "water"}, "engine pyscf computes none"),
    ],
)
def test_what_a_level_says_fits_its_engine(library, name, changes, says):
    content = library.level(name).model_dump(mode="json")
    with pytest.raises(ValueError, match=says):
        LevelSpec.model_validate({**content, **changes})


def test_a_dft_level_names_its_method(library):
    level = library.level("r2scan-d4-tzvp")
    assert level.method == "r2SCAN-D4/def2-TZVP"
    assert level.electronic_temperature_k == 0
    assert level.spin_polarised
    assert library.level("pbe-d3-svp-cp").method == "PBE-D3(BJ)/def2-SVP"


def test_all_levels_have_their_own_hash(library):
    hashes = [library.level(name).hash for name in library.paths("levels")]
    assert len(set(hashes)) == len(hashes)


def test_every_kind_has_a_folder(library):
    assert all(library.paths(kind) for kind in KINDS)
