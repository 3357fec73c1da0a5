"""A number with what it is made of, as text and as plain data."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clusterflow.library.levels import LevelSpec
    from clusterflow.results.flag_table import Flag

# Digits behind the point: a sum of a dozen such numbers is right to 1e-7 eV.
_DIGITS = 8
_WIDTH = 88


@dataclass(frozen=True, slots=True, kw_only=True)
class Summand:
    """One summand: `count` times `each_ev`."""

    label: str
    count: float
    each_ev: float
    note: str = ""

    @property
    def ev(self) -> float:
        """What it adds to the sum, eV."""
        return self.count * self.each_ev + 0.0  # no negative zero


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """A record behind the number; `used_sha256` is what the next stage was given."""

    path: str
    stage: str
    protocol: int
    created: str
    sha256: str
    used_sha256: str | None
    versions: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A number with its terms, facts, flags and the records behind it.

    `terms` add up to `sum_ev`, which the record holds as `stored_ev`; for a limiting
    potential that is ΔG of the determining step at 0 V. Without a value there is a
    reason.
    """

    name: str
    what: str
    value: float | None
    unit: str
    reason: str = ""
    terms: tuple[Summand, ...] = ()
    sum_of: str = ""
    stored_ev: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    level: LevelSpec | None = None
    flags: tuple[Flag, ...] = ()
    carriers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sources: tuple[SourceRecord, ...] = ()

    def __str__(self) -> str:
        return describe(self)

    @property
    def sum_ev(self) -> float | None:
        """The sum of the terms, eV; None without terms."""
        return sum(term.ev for term in self.terms) if self.terms else None


def to_json(found: Explanation) -> dict[str, Any]:
    """The explanation as plain data, with full hashes and digits."""
    return {
        "name": found.name,
        "what": found.what,
        "value": found.value,
        "unit": found.unit,
        "reason": found.reason,
        "terms": [
            {
                "label": term.label,
                "count": term.count,
                "each_ev": term.each_ev,
                "ev": term.ev,
                "note": term.note,
            }
            for term in found.terms
        ],
        "sum_of": found.sum_of,
        "sum_ev": found.sum_ev,
        "stored_ev": found.stored_ev,
        "facts": found.facts,
        "level": (
            found.level.model_dump(mode="json") | {"hash": found.level.hash}
            if found.level
            else None
        ),
        "flags": [
            {
                "name": flag.name,
                "species": list(found.carriers.get(flag.name, ())),
                "meaning": flag.reason,
                "way_out": flag.way_out,
                "source": flag.source,
            }
            for flag in found.flags
        ],
        "sources": [asdict(source) for source in found.sources],
    }


def describe(found: Explanation) -> str:
    """The explanation as text."""
    return "\n".join(_format_explanation(found))


def _format_explanation(found: Explanation) -> Iterator[str]:
    value = "no value" if found.value is None else f"{found.value:+.6f} {found.unit}"
    yield f"{found.name} = {value}"
    yield from _wrap_text(found.what)
    if found.reason:
        yield from _wrap_text(f"reason: {found.reason}")
    if found.terms:
        yield ""
        yield f"{found.sum_of} / eV"
        for term in found.terms:
            line = f"  {term.label:<26}{term.ev:>+18.{_DIGITS}f}  {term.note}"
            yield line.rstrip()
        yield f"  {'sum':<26}{found.sum_ev:>+18.{_DIGITS}f}"
    if found.stored_ev is not None and found.sum_ev is not None:
        off = found.sum_ev - found.stored_ev
        stored = f"{found.stored_ev:>+18.{_DIGITS}f}"
        yield f"  {'stored':<26}{stored}  difference {off:.1e}"
    if found.facts:
        yield ""
        for key, fact in found.facts.items():
            yield from _wrap_text(f"{key}: {_format_fact(fact)}")
    if found.level is not None:
        level = found.level
        yield ""
        made = level.method
        if level.engine != level.name:
            made += f" by {level.engine_name}"
        # What a calculator by import path smears stands among its own settings.
        if level.engine != level.name and isinstance(level.engine, str):
            made += f", {level.electronic_temperature_k:g} K electronic temperature"
        yield from _wrap_text(
            f"level {level.name} ({level.hash}): {made}, source {level.source}. "
            f"{level.description}"
        )
    for flag in found.flags:
        carried = ", ".join(found.carriers.get(flag.name, ()))
        way_out = f" Way out: {flag.way_out}." if flag.way_out else ""
        yield ""
        yield from _wrap_text(f"flag {flag.name} ({carried}): {flag.reason}.{way_out}")
    if found.sources:
        yield ""
        yield f"{'SHA-256':<14}{'protocol':<10}{'created':<27}record"
        for source in found.sources:
            changed = source.used_sha256 not in (None, source.sha256)
            note = f"  changed since: used was {source.used_sha256}" if changed else ""
            yield (
                f"{source.sha256[:12]:<14}{source.protocol:<10}{source.created:<27}"
                f"{source.path}{note}"
            )
        yield "versions: " + ", ".join(_list_versions(found.sources))


def _wrap_text(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent="  ", break_long_words=False)


def _format_fact(fact: object) -> str:
    if isinstance(fact, dict):
        return ", ".join(f"{key} {_format_fact(value)}" for key, value in fact.items())
    if isinstance(fact, list | tuple):
        return "; ".join(map(_format_fact, fact))
    return f"{fact:+.4f}" if isinstance(fact, float) else str(fact)


def _list_versions(sources: Iterable[SourceRecord]) -> list[str]:
    found = {(n, v) for source in sources for n, v in source.versions.items()}
    return [f"{name} {version}" for name, version in sorted(found)]
