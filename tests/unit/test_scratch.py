"""Pieces of a long job are found again, and never mistaken for others."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterflow.specs import LevelSpec
from clusterflow.tasks.descent import Outcome
from clusterflow.tasks.scratch import Scratch


@pytest.fixture
def piece(structure):
    made = structure(["Cu", "H"], [[0, 0, 0], [0, 0, 1.5]])
    return Outcome(outcome="converged", structure=made, energy_ev=-1.25)


def test_a_piece_is_found_by_what_it_was_computed_from(tmp_path, piece):
    key = (piece.structure, "abc", "finish", 0.02, 400)
    scratch = Scratch(tmp_path / "s")
    assert scratch.load(Outcome, *key) is None
    scratch.save(piece, *key)
    assert scratch.load(Outcome, *key) == piece
    # Another process, an equal but not identical key.
    copied = piece.structure.model_copy(deep=True)
    assert Scratch(tmp_path / "s").load(Outcome, copied, *key[1:]) == piece


def test_any_change_of_the_key_is_another_piece(tmp_path, piece):
    scratch = Scratch(tmp_path)
    key = (piece.structure, "abc", "finish", 0.02, 400)
    scratch.save(piece, *key)
    moved = piece.structure.model_copy(
        update={"positions": ((0.0, 0.0, 0.0), (0.0, 0.0, 1.50000001))}
    )
    for other in [
        (moved, *key[1:]),
        (piece.structure, "abx", *key[2:]),
        (*key[:2], "screen", *key[3:]),
        (*key[:3], 0.01, 400),
        (*key[:4], 401),
        key[:4],
    ]:
        assert scratch.load(Outcome, *other) is None


@pytest.mark.parametrize("content", ["", '{"outcome": "conv', "null", '{"other": 1}'])
def test_a_broken_piece_is_computed_again(tmp_path, piece, content):
    scratch = Scratch(tmp_path)
    scratch.save(piece, "key")
    (path,) = tmp_path.iterdir()
    path.write_text(content)
    assert scratch.load(Outcome, "key") is None


def test_without_a_folder_nothing_is_kept(piece, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scratch = Scratch(None)
    scratch.save(piece, "key")
    assert scratch.load(Outcome, "key") is None
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
    assert Scratch(neighbour).load(Outcome, "key") == piece
    Scratch(folder).clear()  # again: nothing to do, nothing to complain about


def test_levels_of_another_surface_have_other_keys(tmp_path, piece):
    level = LevelSpec(name="a", source="x", engine="tblite", method="GFN1-xTB")
    scratch = Scratch(tmp_path)
    scratch.save(piece, piece.structure, level.hash)
    warm = level.model_copy(update={"electronic_temperature_k": 1000.0})
    assert scratch.load(Outcome, piece.structure, warm.hash) is None
    assert scratch.load(Outcome, piece.structure, level.hash) == piece
