"""The hydrogen electrode on energies a person already has."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from clusterflow.core.che import Electrode
from clusterflow.core.energy_table import EnergyRow, TableReader
from clusterflow.errors import ConfigError
from clusterflow.library import Library, explain, read_yaml
from clusterflow.tasks.che import evaluate_reactions
from clusterflow.tasks.thermo import experimental_table
from clusterflow.units import check_temperature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.config import CheSettings

_LAYERS = ("gas",)


def che_of_table(
    path: Path,
    *,
    reactions: Sequence[str],
    settings: CheSettings,
    temperature_k: float,
    correct: Sequence[str],
) -> dict[str, Any]:
    """Profiles of every surface of a table, ready to be printed as JSON.

    Raises
    ------
    ConfigError
        If the table, a reaction or a layer is wrong.
    """
    check_temperature(temperature_k, "--temperature-k")
    unknown = [layer for layer in correct if layer not in _LAYERS]
    if unknown:
        raise ConfigError(
            f"--correct {unknown[0]}: unknown layer; choose from {', '.join(_LAYERS)}"
        )
    if not reactions:
        raise ConfigError("che: name at least one --reaction")
    library = Library.default()
    reader = TableReader(
        gas=library.gas,
        adsorbate=library.adsorbate,
        experiment=lambda gases: experimental_table(gases, library),
        temperature_k=temperature_k,
    )
    surfaces = reader.surfaces(
        read_rows(path), ("CO2", "H2", "H2O"), correct_gas="gas" in correct
    )
    electrode = Electrode(
        potential_v=settings.potential_v,
        scale=settings.scale,
        ph=settings.ph,
        temperature_k=temperature_k,
    )
    results = evaluate_reactions(
        [library.reaction(name) for name in reactions], surfaces, electrode, library
    )
    return {
        "scale": settings.scale,
        "ph": settings.ph,
        "potential_v": settings.potential_v,
        "temperature_k": temperature_k,
        "corrections": list(correct),
        "surfaces": [result.model_dump(mode="json") for result in results],
    }


def read_rows(path: Path) -> list[EnergyRow]:
    """The rows of a CSV or YAML table.

    Raises
    ------
    ConfigError
        Which names the file, the row and what is wrong.
    """
    if path.suffix.lower() in (".yaml", ".yml"):
        content = read_yaml(path)
        raw: list[Any] = content if isinstance(content, list) else []
    elif not path.is_file():
        raise ConfigError(f"{path}: no such file")
    else:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(
                (line for line in stream if not line.startswith("#")),
                skipinitialspace=True,
            )
            raw = [
                {k: v.strip() for k, v in row.items() if k and v and v.strip()}
                for row in reader
            ]
    if not raw:
        raise ConfigError(f"{path}: holds no rows; see docs/che.md for the columns")
    rows = []
    for number, item in enumerate(raw, start=1):
        try:
            rows.append(EnergyRow.model_validate(item))
        except (ValidationError, ValueError) as error:
            reason = explain(error) if isinstance(error, ValidationError) else error
            name = item.get("species", "?") if isinstance(item, dict) else "?"
            raise ConfigError(f"{path}: row {number} ({name}): {reason}") from None
    return rows


def describe(answer: dict[str, Any]) -> str:
    """The profiles as text."""
    scale = answer["scale"].upper()
    if answer["scale"] == "she":
        scale += f" at pH {answer['ph']:g}"
    lines = []
    for result in answer["surfaces"]:
        lines.append(f"{result['surface'] or 'surface'}: {result['equation']}")
        if result["limiting_potential_v"] is None:
            lines.append(f"  no limiting potential: {result['reason']}")
            continue
        for step in result["steps"]:
            lines.append(f"  {step['dg_ev']:+7.3f} eV  {step['name']}")
        lines.append(
            f"  U_L = {result['limiting_potential_v']:+.3f} V vs {scale}, "
            f"set by {result['determining_step']}"
        )
        if result["chemical_bottleneck_ev"] is not None:
            lines.append(
                f"  largest chemical step {result['chemical_bottleneck_ev']:+.3f} eV"
            )
    lines.append(f"ΔG at U = {answer['potential_v']:+.3f} V vs {scale}")
    return "\n".join(lines)
