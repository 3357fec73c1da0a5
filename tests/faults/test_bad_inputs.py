"""Inputs that nobody meant: one line that names the place, or the right reading."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pydantic import BaseModel

from clusterflow.cli.app import command, main
from clusterflow.library.find import package_data
from clusterflow.settings import Study
from tests.faults.conftest import IS_LONG

if TYPE_CHECKING:
    from collections.abc import Iterator

N_EACH = 100 if IS_LONG else 20
JUNK = ({"no": "such"}, [[["x"]]], "\x85", "=1+1", -1e308, 10**30, None, True, "", " ")
# Of no key's kind.
NEVER = ({"no": "such"}, [[["x"]]])


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(capfd, *words: str) -> tuple[int, str, str]:
    """Exit code and output; and what holds of every bad input."""
    code = main(list(words))
    out, err = capfd.readouterr()
    what = f"{words}\n{out}\n{err}"
    assert code in (0, 1, 2), what
    assert "Traceback" not in out + err, what
    if code == 2:
        assert err.startswith(("error: ", "Usage: ")), what
        assert len(err) < 2000, what
    assert not Path("results").exists(), what
    return code, out, err


def list_keys(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from list_keys(kind, (*above, name))
        yield (*above, name)


def nest(keys: tuple[str, ...], value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value


def test_settings(capfd, count):
    chance = random.Random(1)
    keys = list(list_keys(Study))
    count(N_EACH)
    for _ in range(N_EACH):
        place, value = chance.choice(keys), chance.choice(JUNK)
        text = yaml.safe_dump(nest(place, value), allow_unicode=True)
        Path("config.yaml").write_text(text)
        code, _, err = call(capfd, "check")
        if value in NEVER and place[-1] not in ("pressure_pa", "tables"):
            assert code == 2, text
            assert place[0] in err, f"{text}\n{err}"


def change_one(content: Any, chance: random.Random) -> Any:
    """The content of a YAML with one thing in it changed, lost or misspelt."""
    if isinstance(content, dict) and content:
        key = chance.choice(list(content))
        inner = chance.random() < 0.5 and isinstance(content[key], dict | list)
        changed = dict(content)
        value = changed.pop(key)
        if inner:
            changed[key] = change_one(value, chance)
        elif chance.random() < 0.6:
            changed[key] = chance.choice(JUNK)
        elif chance.random() < 0.5:
            changed[f"{key}s"] = value
        return changed
    if isinstance(content, list) and content:
        place = chance.randrange(len(content))
        return [*content[:place], chance.choice(JUNK), *content[place + 1 :]]
    return chance.choice(JUNK)


def spoil_bytes(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    if chance.random() < 0.5:
        return content[:place]
    return content[:place] + chance.randbytes(3) + content[place + 2 :]


STUDY = {"clusters": "Cu4", "adsorbates": "CO", "gases": "CO", "levels": "gfn1-xtb"}
STUDY |= {"reactions": "CO2-to-CO"}


def test_items_of_the_library(capfd, count):
    chance = random.Random(2)
    count(N_EACH)
    Path("config.yaml").write_text("clusters: [Cu4]\nreactions: [CO2-to-CO]\n")
    for _ in range(N_EACH):
        kind, name = chance.choice(list(STUDY.items()))
        sound = (package_data() / "structures" / kind / f"{name}.yaml").read_bytes()
        own = Path("structures", kind, f"{name}.yaml")
        own.parent.mkdir(parents=True, exist_ok=True)
        if chance.random() < 0.3:
            own.write_bytes(spoil_bytes(sound, chance))
        else:
            changed = change_one(yaml.safe_load(sound), chance)
            own.write_text(yaml.safe_dump(changed, allow_unicode=True))
        code, _, err = call(capfd, "check")
        if code == 2:
            assert "structures" in err or name in err, own.read_bytes()
        call(capfd, "list", kind)
        shutil.rmtree("structures")


WORDS = ("", "no-such", "-1", "nan", "é" * 300, "[1]", "{", "../..", "a b", "%s", "\n")
# These compute, wait, or write into the folder with the words above.
NOT_TRIED = {"run", "submit", "new", "status"}


def list_verbs() -> list[str]:
    return sorted(set(command().commands) - NOT_TRIED)


def test_words_of_the_command_line(capfd, count, here):
    chance = random.Random(3)
    count(N_EACH)
    (here / "binary.xyz").write_bytes(bytes(range(256)))
    (here / "folder.json").mkdir()
    (here / "empty.csv").touch()
    files = ("binary.xyz", "folder.json", "empty.csv", "/dev/null")
    before = sorted(here.iterdir())
    for _ in range(N_EACH):
        verb = chance.choice(list_verbs())
        options = [o for p in command().commands[verb].params for o in p.opts]
        named = [option for option in options if option.startswith("--")]
        words = [verb, chance.choice((*WORDS, *files))]
        if named and chance.random() < 0.7:
            option = chance.choice([*named, "--no-such"])
            words += [option, chance.choice((*WORDS, *files))]
            if option in ("--output", "--html", "--database"):
                continue
        call(capfd, *words)
        assert sorted(here.iterdir()) == before, words
