"""Gate on levels: what makes up a number is of one level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clusterflow.science.checks.evidence import judge_value, leave_open, skip_gate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.energies import SpeciesFreeEnergy, ThermoRecord
    from clusterflow.science.checks.evidence import Evidence, Gate

# Records of one energy to this precision are the same calculation.
_SAME_ENERGY_EV: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Levels:
    """Levels of what lies behind free energies, by cluster and adsorbate."""

    clusters: Mapping[str, LevelSpec | None]
    complexes: Mapping[tuple[str, str], LevelSpec | None]
    vibrations: Mapping[tuple[str, str], LevelSpec | None]

    @classmethod
    def of(cls, evidence: Evidence) -> _Levels:
        return cls(
            clusters={r.cluster: r.level for r in evidence.relaxations},
            complexes={(r.cluster, r.adsorbate): r.level for r in evidence.adsorptions},
            vibrations={(r.cluster, r.adsorbate): r.level for r in evidence.vibrations},
        )

    def compare(
        self, thermo: ThermoRecord, species: SpeciesFreeEnergy
    ) -> dict[str, bool | None]:
        """Whether each part is at the level of a free energy; None: it is not there."""
        if not species.name.startswith("*"):
            return {}
        found = {"cluster": self.clusters.get(thermo.cluster)}
        if species.name != "*":
            subject = thermo.cluster, species.name[1:]
            found["complex"] = self.complexes.get(subject)
            found["vibrations"] = self.vibrations.get(subject)
        return {
            part: _is_same_level(level, thermo.level) for part, level in found.items()
        }


def level_equality(evidence: Evidence) -> Iterator[Gate]:
    """Cluster, complex, vibrations and gases behind each ΔG are of one level.

    Gases are compared without the solvent. Which gas record a free energy was made of
    is found by its energy.
    """
    name = "level-equality"
    behind = _Levels.of(evidence)
    for thermo in evidence.thermo:
        if thermo.level is None:
            yield skip_gate(name, thermo.cluster, f"no level: {thermo.reason}")
            continue
        if thermo.own:
            named = {row.level for row in thermo.own if row.level}
            shown = ", ".join(sorted(named)) or thermo.level.method
            detail = f"levels of the rows besides one: {shown}"
            yield judge_value(name, thermo.cluster, max(len(named) - 1, 0), 0.0, detail)
            continue
        gases = _compare_gas_levels(thermo, evidence)
        for species in thermo.species:
            if species.formation_ev is None:
                continue
            parts = gases | behind.compare(thermo, species)
            yield _judge_levels(f"{thermo.cluster}/{species.name}", parts, thermo.level)
    levels = {t.cluster: t.level for t in evidence.thermo}
    for che in evidence.che:
        if che.level is None:
            yield skip_gate(name, f"{che.cluster}/profiles", f"no level: {che.reason}")
            continue
        parts = {"thermo": _is_same_level(che.level, levels.get(che.cluster))}
        yield _judge_levels(f"{che.cluster}/profiles", parts, che.level)


def _is_same_level(one: LevelSpec | None, other: LevelSpec | None) -> bool | None:
    """Whether two levels are one; None where a level is missing."""
    return None if one is None or other is None else one.hash == other.hash


def _compare_gas_levels(
    thermo: ThermoRecord, evidence: Evidence
) -> dict[str, bool | None]:
    assert thermo.level is not None
    wanted = _hash_without_solvent(thermo.level)
    found: dict[str, bool | None] = {}
    for species in thermo.species:
        if not species.name.endswith("(g)") or species.terms is None:
            continue
        energy = species.terms.energy_ev
        levels = {
            _hash_without_solvent(record.level)
            for record in evidence.gases
            if record.gas == species.name[:-3]
            and record.energy_ev is not None
            and abs(record.energy_ev - energy) < _SAME_ENERGY_EV
        }
        found[f"gas {species.name[:-3]}"] = wanted in levels if levels else None
    return found


def _hash_without_solvent(level: LevelSpec) -> str:
    """Hash of a level without its solvent."""
    return level.model_copy(update={"solvent": None}).hash


def _judge_levels(
    subject: str, parts: Mapping[str, bool | None], level: LevelSpec
) -> Gate:
    name = "level-equality"
    wrong = [part for part, same in parts.items() if same is False]
    lost = [part for part, same in parts.items() if same is None]
    if lost and not wrong:
        return leave_open(
            name, subject, f"no record with this number: {', '.join(lost)}"
        )
    detail = f"at another level: {', '.join(wrong)}" if wrong else "all at one level"
    return judge_value(
        name, subject, len(wrong), 0.0, f"{detail}, {level.name} ({level.hash})"
    )
