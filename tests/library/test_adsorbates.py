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
