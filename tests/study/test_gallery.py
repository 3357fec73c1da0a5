"""The page of pictures: every cluster once, and what cannot be built says why."""

from __future__ import annotations

import re

import pytest

from clusterflow.cli.app import main
from clusterflow.figures.gallery_page import Card, render_gallery
from clusterflow.library.find import Library
from clusterflow.study.gallery import gallery

BROKEN = """\
name: Broken
source: "unpublished: <b>A. Person</b>"
formula: Cu3
multiplicity: 2
structures:
  - {builder: rhombus, parameters: {element: Cu}}
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A library of one cluster, whose formula is not what its builder makes."""
    folder = tmp_path / "structures/clusters"
    folder.mkdir(parents=True)
    (folder / "Broken.yaml").write_text(BROKEN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    library = Library((tmp_path / "structures",))
    monkeypatch.setattr(Library, "default", lambda: library)
    return library


def test_a_cluster_that_cannot_be_built_says_why(own):
    page = gallery(own)
    assert "the structure is Cu4, but the formula says Cu3" in page
    assert 'class="atoms"' not in page
    # What people write is text.
    assert "&lt;b&gt;A. Person" in page and "<b>A. Person" not in page


def test_a_card_has_its_picture_and_facts(structure):
    dimer = structure(["Cu", "Cu"], [[0, 0, 0], [0, 0, 2.2]])
    card = Card(
        name="Cu2",
        formula="Cu2",
        structure=dimer,
        n_isomers=2,
        facts=("2 atoms", "by hand"),
        source="unpublished: a test",
    )
    page = render_gallery([card])
    figure = re.search(r'<figure id="Cu2">(.*?)</figure>', page, re.DOTALL)
    assert figure is not None
    assert 'aria-label="Cu2, as built"' in figure[1]
    for text in ("Cu₂", "2 atoms, by hand, 2 starting", "unpublished: a test"):
        assert text in figure[1]
    # The page needs no network.
    assert not re.search(r"(src|href)=\"(?!#)", page)


def test_only_clusters_have_pictures(own, tmp_path, capsys):
    assert main(["list", "gases", "--html", "page.html"]) == 2
    assert "only clusters have pictures" in capsys.readouterr().err
    assert main(["list", "clusters", "--html", "page.html"]) == 0
    assert "Broken" in (tmp_path / "page.html").read_text(encoding="utf-8")
