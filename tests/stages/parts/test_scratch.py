"""Pieces of a long job are found again, and never mistaken for others."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterflow.engines.calculator import Gradient
from clusterflow.library.levels import LevelSpec
from clusterflow.stages.parts.scratch import Bundle, Scratch


@pytest.fixture
def start(structure):
    return structure(["Cu", "H"], [[0, 0, 0], [0, 0, 1.5]])


@pytest.fixture
def piece():
    return Gradient(energy_ev=-1.25, forces=((0.1, 0.2, 1 / 3), (0.0, 0.0, -0.5)))


def test_a_piece_is_found_by_what_it_was_computed_from(tmp_path, piece, start):
    key = (start, "abc", "finish", 0.02, 400)
    scratch = Scratch(tmp_path / "s")
    assert scratch.load(Gradient, *key) is None
    scratch.save(piece, *key)
    assert scratch.load(Gradient, *key) == piece
    # Another process, an equal but not identical key.
    copied = start.model_copy(deep=True)
    assert Scratch(tmp_path / "s").load(Gradient, copied, *key[1:]) == piece


def test_any_change_of_the_key_is_another_piece(tmp_path, piece, start):
    scratch = Scratch(tmp_path)
    key = (start, "abc", "finish", 0.02, 400)
    scratch.save(piece, *key)
    moved = start.model_copy(
        update={"positions": ((0.0, 0.0, 0.0), (0.0, 0.0, 1.50000001))}
    )
    for other in [
        (moved, *key[1:]),
        (start, "abx", *key[2:]),
        (*key[:2], "screen", *key[3:]),
        (*key[:3], 0.01, 400),
        (*key[:4], 401),
        key[:4],
    ]:
        assert scratch.load(Gradient, *other) is None


@pytest.mark.parametrize("content", ["", '{"outcome": "conv', "null", '{"other": 1}'])
def test_a_broken_piece_is_computed_again(tmp_path, piece, content):
    scratch = Scratch(tmp_path)
    scratch.save(piece, "key")
    (path,) = tmp_path.iterdir()
    path.write_text(content)
    assert scratch.load(Gradient, "key") is None


def test_without_a_folder_nothing_is_kept(piece, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scratch = Scratch(None)
    scratch.save(piece, "key")
    assert scratch.load(Gradient, "key") is None
    scratch.clear()
    assert list(tmp_path.iterdir()) == []


def test_clear_takes_its_own_folder_only(tmp_path, piece):
    folder = Scratch.beside(tmp_path / "adsorb" / "CO.json")
    assert folder == Path(tmp_path / "adsorb" / ".CO.scratch")
    neighbour = Scratch.beside(tmp_path / "adsorb" / "H.json")
    for place in (folder, neighbour):
        Scratch(place).save(piece, "key")
    Scratch(folder).clear()
    assert not folder.exists()
    assert Scratch(neighbour).load(Gradient, "key") == piece
    Scratch(folder).clear()  # again: nothing to do, nothing to complain about


def test_levels_of_another_surface_have_other_keys(tmp_path, piece, start):
    level = LevelSpec(name="a", source="x", engine="tblite", method="GFN1-xTB")
    scratch = Scratch(tmp_path)
    scratch.save(piece, start, level.hash)
    warm = level.model_copy(update={"electronic_temperature_k": 1000.0})
    assert scratch.load(Gradient, start, warm.hash) is None
    assert scratch.load(Gradient, start, level.hash) == piece


def test_a_bundle_is_one_file_that_holds_what_was_kept(tmp_path, piece, start):
    first = Bundle(Scratch(tmp_path), start, "level")
    other = piece.model_copy(update={"energy_ev": -2.0})
    for key, made in ((1, piece), (2, other)):
        assert first.load(Gradient, key) is None
        first.save(made, key)
        assert first.load(Gradient, key) == made
    assert list(tmp_path.iterdir()) == []
    first.keep()
    first.save(other, 3)  # killed before this one was kept
    assert len(list(tmp_path.iterdir())) == 1
    again = Bundle(Scratch(tmp_path), start, "level")
    assert [again.load(Gradient, key) for key in (1, 2, 3)] == [piece, other, None]
    assert Bundle(Scratch(tmp_path), start, "other").load(Gradient, 1) is None
