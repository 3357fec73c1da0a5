"""Keys that an adsorbate no longer has, and groups that cannot be."""

from __future__ import annotations

import pytest
import yaml

from clusterflow.errors import LibraryError
from clusterflow.library.adsorbates import AdsorbateSpec
from clusterflow.library.find import load_spec
from clusterflow.library.groups import GroupSpec


@pytest.mark.parametrize("key", ["inherits", "may_inherit"])
@pytest.mark.parametrize("value", [{}, {"CO": 1}])
def test_inheritance_by_name_is_refused_in_one_line(library, tmp_path, key, value):
    content = yaml.safe_load(library.path("adsorbates", "CO").read_text())
    path = tmp_path / "CO.yaml"
    path.write_text(yaml.safe_dump({**content, key: value}))
    with pytest.raises(LibraryError) as error:
        load_spec(path, AdsorbateSpec)
    (line,) = str(error.value).splitlines()
    assert f"key {key!r} is no longer read" in line and "remove the line" in line


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bond": ["C", "Xx"]}, "unknown element 'Xx'"),
        ({"bond": ["N", "O"], "place": "end-carbon"}, "the bond has none"),
        ({"shortest_a": 1.4, "longest_a": 1.3}, "shortest_a = 1.4"),
        ({"gases": []}, "gases"),
        ({"order": 4}, "order"),
    ],
)
def test_a_group_that_cannot_be_is_refused(library, tmp_path, changes, message):
    content = yaml.safe_load(library.path("groups", "C-O").read_text())
    path = tmp_path / "C-O.yaml"
    path.write_text(yaml.safe_dump({**content, **changes}))
    with pytest.raises(LibraryError, match=message):
        load_spec(path, GroupSpec)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        # As it stood in another file.
        (
            [[0], [["O", 3.1, 4.2, 5.0], ["H", 3.9, 4.2, 5.5]]],
            r"binding atom is \(3.10, 4.20, 5.00\), not at the origin; shift it there",
        ),
        (
            [[0], [["O", 0, 0, 0], ["H", 0.84, 0, -0.48]]],
            r"atom 1 \(H\) is 0.48 Å below the binding atom.*turn it over",
        ),
        (
            [[0, 1], [["O", -0.5, 0, 0], ["H", 0.5, 0.0, 0.0]], 0.4],
            "middle of the binding atoms is",
        ),
        (
            [[0, 1], [["O", 0, -0.5, 0], ["H", 0, 0.5, 0]]],
            "2 binding atoms must lie along x",
        ),
        (
            [[0, 1], [["O", -0.4, 0, -0.3], ["H", 0.4, 0, 0.3]]],
            "2 binding atoms must lie along x, with z = 0",
        ),
    ],
)
def test_a_form_that_is_drawn_wrongly_is_refused(library, tmp_path, form, message):
    content = yaml.safe_load(library.path("adsorbates", "OH").read_text())
    binding, atoms, *shift = form
    atoms = [[s, x + sum(shift), y, z] for s, x, y, z in atoms]
    content["forms"] = [{**content["forms"][0], "binding": binding, "atoms": atoms}]
    path = tmp_path / "OH.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(LibraryError, match=message) as error:
        load_spec(path, AdsorbateSpec)
    assert len(str(error.value).splitlines()) == 1
