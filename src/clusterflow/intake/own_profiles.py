"""The hydrogen electrode on energies a person already has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clusterflow.errors import ConfigError
from clusterflow.intake.own_energies import read_energies
from clusterflow.library.find import Library
from clusterflow.science.checks.effects import failure_flag
from clusterflow.science.checks.potentials import judge_overpotential
from clusterflow.science.reactions.che import Electrode
from clusterflow.science.reactions.evaluate import evaluate_reactions
from clusterflow.science.reactions.flags import group_flags
from clusterflow.science.reactions.network import parse_equation, read_surface
from clusterflow.science.reactions.own_free_energies import OwnEnergyReader
from clusterflow.science.thermochemistry.formation import experimental_table
from clusterflow.stages.parts.verdicts import add_warnings
from clusterflow.units import check_temperature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.records.profiles import ReactionResult
    from clusterflow.settings import CheSettings

_LAYERS = ("gas", "solvation")
_HIDDEN = failure_flag("overpotential-sign")


def che_of_table(
    path: Path,
    *,
    reactions: Sequence[str],
    settings: CheSettings,
    temperature_k: float,
    correct: Sequence[str],
) -> dict[str, Any]:
    """Profiles of every surface of a person's energies, ready to be printed as JSON.

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
    reader = OwnEnergyReader(
        gas=library.gas,
        adsorbate=library.adsorbate,
        experiment=lambda gases: experimental_table(gases, library),
        molecules=_name_molecules(library) if "gas" in correct else lambda _: {},
        temperature_k=temperature_k,
        solvation="solvation" in correct,
    )
    rows = read_energies(path, library)
    surfaces = reader.surfaces(rows, ("CO2", "H2", "H2O"), correct_gas="gas" in correct)
    electrode = Electrode(
        potential_v=settings.potential_v,
        scale=settings.scale,
        ph=settings.ph,
        temperature_k=temperature_k,
    )
    results = evaluate_reactions(
        [library.reaction(name) for name in reactions],
        surfaces,
        electrode,
        library,
        {row.species: row.pressure_pa for row in rows if row.state == "gas"},
        pcet=settings.pcet,
    )
    return {
        "scale": settings.scale,
        "ph": settings.ph,
        "potential_v": settings.potential_v,
        "temperature_k": temperature_k,
        "corrections": list(correct),
        "surfaces": [
            _warn_of_hidden_step(
                _flag_missing_solvation(result, library, correct)
            ).model_dump(mode="json")
            for result in results
        ],
    }


def _flag_missing_solvation(
    result: ReactionResult, library: Library, correct: Sequence[str]
) -> ReactionResult:
    """The result, marked with the adsorbates that the solvation layer leaves out."""
    if "solvation" not in correct:
        return result
    used = {term for step in result.steps for term in parse_equation(step.name).species}
    adsorbates = sorted({read_surface(t)[1] for t in used if t.startswith("*")} - {""})
    lacking = [n for n in adsorbates if library.adsorbate(n).solvation_ev is None]
    flags = tuple(f"*{name}: no-solvation-value" for name in lacking)
    return result.model_copy(update={"flags": flags})


def _warn_of_hidden_step(result: ReactionResult) -> ReactionResult:
    """The result, flagged where its potential lies above the equilibrium one."""
    gate = judge_overpotential(result.reaction, result)
    if gate.verdict != "WARN":
        return result
    return result.model_copy(update={"flags": add_warnings(result, [gate])})


def describe(answer: dict[str, Any]) -> str:
    """The profiles as text."""
    scale = answer["scale"].upper()
    if answer["scale"] == "she":
        scale += f" at pH {answer['ph']:g}"
    lines = []
    for result in answer["surfaces"]:
        lines.append(f"{result['surface'] or 'surface'}: {result['equation']}")
        if result["best_pathway"] is None:
            lines.append(f"  no limiting potential: {result['reason']}")
            continue
        for step in result["steps"]:
            lines.append(f"  {step['dg_ev']:+7.3f} eV  {step['name']}")
        lines.append(f"  {_describe_limiting_potential(result, scale)}")
        lines.append(f"  {_describe_chemical_step(result)}")
        if _HIDDEN in dict(group_flags(result["flags"])):
            equilibrium = result["equilibrium_potential_v_rhe"]
            at = f"{equilibrium:+.3f} V vs RHE"
            lines.append(f"  {_HIDDEN}: U_L lies above the equilibrium potential, {at}")
        lines += _describe_runner_up(result)
    lines.append(f"ΔG at U = {answer['potential_v']:+.3f} V vs {scale}")
    return "\n".join(lines)


def _describe_limiting_potential(result: dict[str, Any], scale: str) -> str:
    potential = result["limiting_potential_v"]
    if potential is None:
        return "no limiting potential: no step takes up an electron"
    setting = " after ".join((result["determining_step"], *result["determining_with"]))
    return f"U_L = {potential:+.3f} V vs {scale}, set by {setting}"


def _describe_chemical_step(item: dict[str, Any]) -> str:
    largest = item["chemical_bottleneck_ev"]
    if largest is None:
        return "no chemical step"
    return f"largest chemical step {largest:+.3f} eV"


def _describe_runner_up(result: dict[str, Any]) -> list[str]:
    """The second-best pathway, and how many are not told from the best."""
    complete = [p for p in result["pathways"][1:] if p["complete"]]
    if not complete:
        return []
    second = complete[0]
    potential = second["limiting_potential_v"]
    shown = "no U_L" if potential is None else f"U_L = {potential:+.3f} V"
    lines = [f"  next: {second['name']}, {shown}, {_describe_chemical_step(second)}"]
    if tied := len(result["tied_pathways"]):
        lines.append(f"  {tied} more with the same U_L")
    return lines


def _name_molecules(
    library: Library,
) -> Callable[[AdsorbateSpec], Mapping[str, float]]:
    # Late, for without the layer nothing else needs networkx.
    from clusterflow.science.geometry.bond_groups import drawn_molecules_of

    return drawn_molecules_of(library)
