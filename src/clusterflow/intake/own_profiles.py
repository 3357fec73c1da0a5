"""A person's own energies as a study: records of thermo and che, surface by surface."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clusterflow.errors import ConfigError
from clusterflow.intake.own_energies import read_energies
from clusterflow.library.find import Library
from clusterflow.records.files import sha256
from clusterflow.science.checks.effects import failure_flag
from clusterflow.science.reactions.che import nernst_slope
from clusterflow.science.reactions.evaluate import build_networks
from clusterflow.science.reactions.flags import group_flags
from clusterflow.science.reactions.network import parse_equation
from clusterflow.science.thermochemistry.formation import anchor_coefficients
from clusterflow.science.thermochemistry.own_doubts import find_doubts
from clusterflow.science.thermochemistry.own_species import add_implied_rows
from clusterflow.stages.che import che
from clusterflow.stages.parts.job import Job
from clusterflow.stages.parts.own_thermo import (
    measured_row,
    own_gases,
    own_level,
    own_thermo,
    read_shift_tables,
)
from clusterflow.units import SCALE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clusterflow.library.energy_rows import OwnEnergyRow
    from clusterflow.records.energies import ThermoRecord
    from clusterflow.records.profiles import CheRecord, ReactionResult
    from clusterflow.settings import CheSettings, ThermoSettings

# More profiles than this are shown as a table.
_MOST_PROFILES = 20
_HIDDEN = failure_flag("overpotential-sign")
_OUTSIDE, _MISSED = failure_flag("potential-window"), failure_flag("measured-sum")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnStudy:
    """Records of a person's own energies, and what is odd about their rows."""

    thermo: tuple[ThermoRecord, ...]
    che: tuple[CheRecord, ...]
    notes: tuple[str, ...]

    @property
    def results(self) -> list[ReactionResult]:
        """The result of each reaction on each surface."""
        return [result for record in self.che for result in record.results]


def read_own_study(
    path: Path,
    *,
    reactions: Sequence[str],
    settings: CheSettings,
    thermo_settings: ThermoSettings,
    by_site: bool = False,
    from_experiment: Sequence[str] = (),
) -> OwnStudy:
    """Records of every surface of a person's energies, as a study has them.

    Parameters
    ----------
    path
        A table, a database or a folder of outputs.
    reactions
        Names of reactions of the library.
    settings, thermo_settings
        Those of a study; of the latter, models that need a geometry do not apply.
    by_site
        A profile for each site in the place of the lowest site of each species.
    from_experiment
        Gases without a row, to be made of the others and measured formation.

    Raises
    ------
    ConfigError
        If the table, a reaction or a setting is wrong; the first thing that is.
    """
    if not reactions:
        raise ConfigError("che: name at least one --reaction")
    library = Library.default()
    specs = [library.reaction(name) for name in reactions]
    rows = read_energies(path, library)
    _refuse_mixed_rows(rows)
    _refuse_dependent_set(rows, library)
    _refuse_unfit_layers(rows, thermo_settings)
    used = {t for s in specs for e in s.steps for t in parse_equation(e).species}
    doubts = find_doubts(
        rows,
        library,
        used,
        thermo_settings.temperature_k,
        thermo_settings.low_mode_cutoff_cm1,
    )
    files = {name: sha256(name) for name in _list_files(path, rows)}
    level = own_level(rows, files)
    tables = [Path(file) for file in thermo_settings.tables.values()]
    inputs = {str(name): digest for name, digest in files.items()}
    inputs |= {str(table): sha256(table) for table in tables if table.is_file()}
    rows = add_implied_rows(rows)
    made = [measured_row(n, rows, thermo_settings, library) for n in from_experiment]
    rows += made
    gases = own_gases(rows, thermo_settings, library)
    networks = build_networks(specs, library, settings.pcet)
    groups = _group_by_surface(rows, by_site=by_site)
    lines: dict[str, list[str]] = defaultdict(list)
    for doubt in doubts:
        lines[str(doubt.row.origin)].append(doubt.line)
    thermo, profiles = [], []
    for surface, own in groups.items():
        record = own_thermo(
            surface,
            own,
            gases,
            level,
            library,
            Job("thermo"),
            shifts_ev=read_shift_tables(
                thermo_settings, surface, library, also=list(groups)
            ),
            notes=[line for row in own for line in lines.get(str(row.origin), ())],
        )
        # Hashed once: thousands of surfaces may be of one file.
        origin = record.provenance.model_copy(update={"inputs": inputs})
        record = record.model_copy(update={"provenance": origin})
        thermo.append(record)
        profiles.append(
            che(record, specs, settings, library, Job("che"), networks=networks)
        )
    return OwnStudy(
        thermo=tuple(thermo),
        che=tuple(profiles),
        notes=tuple(dict.fromkeys(doubt.line for doubt in doubts)),
    )


def _list_files(path: Path, rows: Sequence[OwnEnergyRow]) -> list[Path]:
    """The files that the rows are from."""
    if path.is_file():
        return [path]
    return sorted({Path(row.origin.file) for row in rows})


def _group_by_surface(
    rows: Sequence[OwnEnergyRow], *, by_site: bool
) -> dict[str, list[OwnEnergyRow]]:
    """Rows of each surface, or of each of its sites, with those of the gases."""
    gases = [row for row in rows if row.state == "gas"]
    found: dict[str, list[OwnEnergyRow]] = {}
    for row in rows:
        if row.state != "gas":
            found.setdefault(row.surface, []).append(row)
    if by_site:
        found = {
            name: own
            for surface, group in found.items()
            for name, own in _split_by_site(surface, group)
        }
    return {surface: [*gases, *own] for surface, own in found.items()} or {"": gases}


def _split_by_site(
    surface: str, rows: Sequence[OwnEnergyRow]
) -> Iterator[tuple[str, list[OwnEnergyRow]]]:
    """Rows of each site, with those that are of no site."""
    sites = list(dict.fromkeys(row.site for row in rows if row.site))
    if not sites:
        yield surface, list(rows)
    for site in sites:
        yield f"{surface} {site}", [row for row in rows if row.site in ("", site)]


def _refuse_mixed_rows(rows: Sequence[OwnEnergyRow]) -> None:
    for field, what, advice in (
        ("energy_kind", "kinds", "give all energies of one kind"),
        ("level", "levels", "a free energy is made of one level"),
    ):
        first: dict[str, OwnEnergyRow] = {}
        for row in rows:
            first.setdefault(getattr(row, field), row)
        named = {value: row for value, row in first.items() if value}
        if len(named) > 1:
            other = list(named.values())[1]
            raise ConfigError(
                f"{other.origin} ({other.species}): {what} are mixed "
                f"({', '.join(sorted(named))}); {advice}"
            )


def _refuse_dependent_set(rows: Sequence[OwnEnergyRow], library: Library) -> None:
    """Gases that make each other are not all zero: their reaction has an energy."""
    known: dict[str, Mapping[str, int]] = {}
    for name in rows[0].reference_set if rows else ():
        if name not in library.paths("gases"):
            continue
        counts = library.gas(name).counts
        parts = anchor_coefficients(counts, known) if known else None
        if parts is not None:
            raise ConfigError(
                f"{rows[0].origin} ({rows[0].species}): energy_kind = "
                f"{rows[0].energy_kind!r}: {name} can be made of {', '.join(parts)}, "
                "so not all of them are zero; count all rows from one set of gases, "
                f"and give {name} a row with its energy from these"
            )
        known[name] = counts


def _refuse_unfit_layers(
    rows: Sequence[OwnEnergyRow], settings: ThermoSettings
) -> None:
    if "level" in settings.correct:
        raise ConfigError(
            "correct: the layer 'level' takes off errors of levels that were measured "
            "bond by bond on geometries, and a table has none; leave it out"
        )
    for field, layer, what in (
        ("solvation_ev", "solvation", "add water"),
        ("shift_ev", "gas", "correct molecules"),
    ):
        row = next((row for row in rows if getattr(row, field) is not None), None)
        if row is not None and layer in settings.correct:
            raise ConfigError(
                f"{row.origin} ({row.species}): {field} and the layer {layer!r} both "
                f"{what}; leave out one of them"
            )


def to_json(study: OwnStudy) -> dict[str, Any]:
    """The profiles as JSON."""
    first, conditions = study.thermo[0], study.results[0]
    return {
        "scale": conditions.scale,
        "ph": conditions.ph,
        "potential_v": conditions.potential_v,
        "temperature_k": first.temperature_k,
        "corrections": list(first.provenance.settings["correct"]),
        "anchors": [c.gas for c in first.gas_corrections if c.is_anchor],
        "notes": list(study.notes),
        "surfaces": [
            result.model_dump(mode="json")
            | dict(zip(("sum_ev", "measured_ev"), compare_sum(result), strict=True))
            for result in study.results
        ],
    }


def compare_sum(result: ReactionResult) -> tuple[float | None, float | None]:
    """ΔG at 0 V of all steps of the best pathway together, and as measured, eV."""
    values = [step.dg0_ev for step in result.steps]
    known = [value for value in values if value is not None]
    total = sum(known) if known and len(known) == len(values) else None
    equilibrium = result.equilibrium_potential_v_rhe
    n_e = sum(step.n_e for step in result.steps)
    if equilibrium is None or not n_e:
        return total, None
    # Steps are at pH 0; with other than one proton an electron U_eq moves with the pH.
    more_protons = sum(step.n_h for step in result.steps) - n_e
    at_ph = more_protons * nernst_slope(result.temperature_k) * result.ph
    return total, -n_e * equilibrium - at_ph


def describe(study: OwnStudy) -> str:
    """The profiles as text; many of them as a table."""
    results = study.results
    scale = SCALE_NAMES[results[0].scale]
    if results[0].scale != "rhe":
        scale += f" at pH {results[0].ph:g}"
    lines: list[str] = []
    if len(results) > _MOST_PROFILES:
        lines += _describe_table(results, scale)
    else:
        for result in results:
            lines += _describe_result(result, scale)
        lines.append(f"ΔG at U = {results[0].potential_v:+.3f} V vs {scale}")
    lines += _describe_corrections(study.thermo[0])
    lines += (f"note: {note}" for note in study.notes[:_MOST_PROFILES])
    if (more := len(study.notes) - _MOST_PROFILES) > 0:
        lines.append(f"note: and {more} more; --json has all")
    return "\n".join(lines)


def _describe_corrections(record: ThermoRecord) -> Iterator[str]:
    """Where the zero of the gases is, and what moves them."""
    layers = list(record.provenance.settings["correct"])
    if "gas" in layers:
        anchors = ", ".join(c.gas for c in record.gas_corrections if c.is_anchor)
        layers[layers.index("gas")] = f"gas, from {anchors}"
    for row in record.own:
        if row.shift_ev is not None:
            layers.append(f"{row.species} {row.shift_ev:+.3f} eV, {row.shift_source}")
        if row.state == "gas" and row.origin.row.startswith("--from-experiment"):
            layers.append(f"{row.species} by its {row.note}")
    if layers:
        yield f"corrections: {'; '.join(layers)}"


def _describe_table(results: Sequence[ReactionResult], scale: str) -> list[str]:
    """One line a reaction and surface."""
    width = max(len("surface"), *(len(r.surface) for r in results))
    name = max(len("reaction"), *(len(r.reaction) for r in results))
    head = (
        f"{'surface':<{width}}  {'reaction':<{name}}  {'U_L':>7}  {'overpot':>7}  "
        f"{'sum-exp':>7}"
    )
    lines = [f"{head}  step that sets U_L, V vs {scale}"]
    for result in results:
        total, measured = compare_sum(result)
        gap = None if total is None or measured is None else total - measured
        lines.append(
            f"{result.surface:<{width}}  {result.reaction:<{name}}  "
            f"{_format_value(_read_headline(result))}  "
            f"{_format_value(result.headline_overpotential_v)}  {_format_value(gap)}  "
            f"{_name_setting(result) or result.reason}"
        )
    return lines


def _read_headline(result: ReactionResult) -> float | None:
    """The U_L to read on the stated scale, V: the median where errors are known."""
    on_scale, on_rhe = result.limiting_potential_v, result.limiting_potential_v_rhe
    if result.uncertainty is None or on_scale is None or on_rhe is None:
        return on_scale
    return result.uncertainty.median_v_rhe + on_scale - on_rhe


def _name_setting(result: ReactionResult) -> str:
    """The step that sets U_L, and the adsorptions whose climb counts in it."""
    steps = result.determining_step, *result.determining_with
    return " after ".join(step for step in steps if step)


def _format_value(value: float | None) -> str:
    return f"{'-':>7}" if value is None else f"{value:>+7.3f}"


def _describe_result(result: ReactionResult, scale: str) -> Iterator[str]:
    yield f"{result.surface or 'surface'}: {result.equation}"
    if result.best_pathway is None:
        yield f"  no limiting potential: {result.reason}"
        return
    for step in result.steps:
        yield f"  {step.dg_ev:+7.3f} eV  {step.name}"
    potential = _read_headline(result)
    yield (
        "  no limiting potential: no step moves an electron"
        if potential is None
        else f"  U_L = {potential:+.3f} V vs {scale}, set by {_name_setting(result)}"
    )
    if (overpotential := result.headline_overpotential_v) is not None:
        # No negative zero, as of hydrogen.
        equilibrium = round(result.equilibrium_potential_v_rhe or 0.0, 3) + 0.0
        yield (
            f"  overpotential {overpotential:.3f} V, from U_eq = {equilibrium:+.3f} V "
            "vs RHE"
        )
    if result.uncertainty is not None:
        low, high = result.uncertainty.lower_v_rhe, result.uncertainty.upper_v_rhe
        yield (
            f"  the median, 90 % interval {low:+.3f} to {high:+.3f} V vs RHE; "
            f"best estimate {result.limiting_potential_v_rhe:+.3f}"
        )
    yield f"  {_describe_chemical_step(result.chemical_bottleneck_ev)}"
    if _HIDDEN in dict(group_flags(result.flags)):
        at = f"{result.equilibrium_potential_v_rhe:+.3f} V vs RHE"
        yield f"  {_HIDDEN}: U_L lies beyond the equilibrium potential, {at}"
    if _OUTSIDE in result.flags:
        yield f"  {_OUTSIDE}: no electrode goes there; look for a slip in the rows"
    total, measured = compare_sum(result)
    if total is not None and measured is not None:
        if _MISSED in result.flags:
            yield f"  {_MISSED}: look for a slip in the rows of its gases"
        yield f"  steps add to {total:+.3f} eV, measured {measured:+.3f}"
    yield from _describe_runner_up(result)


def _describe_chemical_step(largest: float | None) -> str:
    if largest is None:
        return "no chemical step"
    return f"largest chemical step {largest:+.3f} eV"


def _describe_runner_up(result: ReactionResult) -> Iterator[str]:
    """The second-best pathway, and how many are not told from the best."""
    second = next((p for p in result.pathways[1:] if p.complete), None)
    if second is None:
        return
    potential = second.limiting_potential_v
    shown = "no U_L" if potential is None else f"U_L = {potential:+.3f} V"
    chemical = _describe_chemical_step(second.chemical_bottleneck_ev)
    yield f"  next: {second.name}, {shown}, {chemical}"
    if tied := len(result.tied_pathways):
        yield f"  {tied} more with the same U_L"
