"""What a library of molecules knows of a person's energies before any sum is made.

A row that cannot be what it says is refused; one that is odd is kept, and said in one
line that names file, row, column, what was met and what to write.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from math import log
from typing import TYPE_CHECKING, Final

from clusterflow.errors import ClusterflowError, ConfigError
from clusterflow.formula import ATOMIC_NUMBERS, parse_formula
from clusterflow.science.thermochemistry.own_species import (
    own_gas_terms,
    own_surface_terms,
)
from clusterflow.units import (
    BOLTZMANN_EV_PER_K,
    STANDARD_PRESSURE_PA,
    STANDARD_TEMPERATURE_K,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from clusterflow.library.energy_rows import OwnEnergyRow
    from clusterflow.library.find import Library

# Total energies of H2 by what their unit must be. All-electron DFT and HF have -1.11 to
# -1.18 Hartree, tight binding -1.0; pseudopotential codes that leave nothing out the
# same; in eV these are -27 to -32, and -6.5 to -7.2 where atoms are the zero.
_NO_EV: Final = (
    (-1.25, -0.95, "Hartree", 27.211386),
    (-2.50, -1.90, "Rydberg", 13.605693),
    (-4000.0, -90.0, "kJ/mol or kcal/mol", None),
)
_EV_PER_MEV: Final = 8.065544  # cm⁻¹ a meV
_CM1_PER_THZ: Final = 33.35641
# The stiffest mode of a gas of the library and of an adsorbate with hydrogen or a bond
# of its own is above these, cm⁻¹: O2 has 1580, *H in hollows 600 and more. In meV the
# stiffest of all, H2 with 4400 cm⁻¹, has 546.
_LEAST_OF_GAS_CM1: Final = 1000.0
_LEAST_OF_ADSORBATE_CM1: Final = 550.0
_LEAST_PRESSURE_PA: Final = 10.0
# One atmosphere as it stands in tables of other units.
_ATMOSPHERE: Final = {
    101.325: "kPa",
    101.3: "kPa",
    1013.25: "mbar",
    1013.0: "mbar",
    760.0: "Torr",
}
# What finite differences leave of a translation or rotation that is none here.
_NOISE_CM1: Final = 20.0
_SAME_EV: Final = 0.05
# Vibrations and entropy move a free energy from its energy by less than this an atom.
_MOST_THERMAL_EV_PER_ATOM: Final = 0.7
_ZERO_EV: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A row, and the line that says what is odd about it."""

    row: OwnEnergyRow
    line: str


def find_doubts(
    rows: Sequence[OwnEnergyRow],
    library: Library,
    used: Collection[str],
    temperature_k: float,
    low_mode_cutoff_cm1: float,
) -> list[Doubt]:
    """What is odd about the rows, in their order.

    Parameters
    ----------
    rows
        All of a table.
    library
        Of adsorbates and gases.
    used
        Terms of the equations of the reactions that are asked for.
    temperature_k
        At which free energies are wanted.
    low_mode_cutoff_cm1
        Below it a mode of an adsorbate counts as this in the entropy.

    Raises
    ------
    ConfigError
        For the first row that cannot be right.
    """
    clean_modes = {
        row.surface: len(row.frequencies_cm1 or ())
        for row in rows
        if row.state == "clean"
    }
    doubts = []
    for row in rows:
        _refuse_row(row, library, temperature_k)
        lines = [
            *_check_name(row, library, used),
            *_check_count_of_modes(row, library, clean_modes),
            *_check_low_modes(row, low_mode_cutoff_cm1),
            *_check_gas(row, library),
            *_check_energies(row, library, temperature_k),
        ]
        doubts += [Doubt(row=row, line=line) for line in lines]
    return doubts


def say(row: OwnEnergyRow, field: str, problem: str) -> str:
    """One line: file, row, species, column and what stands there, and the problem."""
    value = getattr(row, field)
    if isinstance(value, tuple):
        value = ";".join(f"{x:g}" for x in value)
    heading, text = row.origin.cells.get(field, (field, str(value)))
    return f"{row.origin} ({row.species}): {heading} = {text!r}: {problem}"


def _refuse_row(row: OwnEnergyRow, library: Library, temperature_k: float) -> None:
    for field, problem in (
        ("energy_ev", _why_no_ev(row)),
        ("frequencies_cm1", _why_no_wavenumbers(row, library)),
        ("frequencies_cm1", _why_too_few_modes(row, library)),
        ("spin", _why_no_spin(row, library)),
        ("correction_ev", _why_two_corrections(row)),
        ("frequencies_cm1", _why_modes_count_twice(row)),
        *_list_zeros_that_are_none(row, temperature_k),
    ):
        if problem:
            raise ConfigError(say(row, field, problem))


def _why_no_ev(row: OwnEnergyRow) -> str:
    """Why the energy of hydrogen is not in eV; it is the same for everybody."""
    if row.species != "H2" or row.state != "gas" or row.energy_kind != "total":
        return ""
    for low, high, unit, factor in _NO_EV:
        for value in (row.energy_ev, row.gibbs_ev):
            if value is not None and low <= value <= high:
                advice = f" ({value * factor:.3f})" if factor else ""
                return (
                    f"H2 has this energy in {unit}, not in eV{advice}; convert all "
                    "energies, or name the unit in the heading"
                )
    return ""


def _why_no_wavenumbers(row: OwnEnergyRow, library: Library) -> str:
    modes = row.frequencies_cm1
    counts = _find_counts(row, library)
    if not modes or not counts or row.state == "clean":
        return ""
    least = _LEAST_OF_GAS_CM1
    if row.state == "ads":
        # The one mode of a heavy atom against a metal may be low.
        single = sum(counts.values()) == 1 and "H" not in counts
        least = 0.0 if single else _LEAST_OF_ADSORBATE_CM1
    highest = max(modes)
    if highest >= least:
        return ""
    return (
        f"the highest is {highest:g}, and {row.species} must have one above "
        f"{least:g} cm⁻¹; as meV it would be {highest * _EV_PER_MEV:.0f} cm⁻¹, as THz "
        f"{highest * _CM1_PER_THZ:.0f}: name the unit, frequencies_mev or "
        "frequencies_thz"
    )


def _why_too_few_modes(row: OwnEnergyRow, library: Library) -> str:
    counts = _find_counts(row, library)
    if row.state != "ads" or not counts or row.frequencies_cm1 is None:
        return ""
    wanted, found = 3 * sum(counts.values()), len(row.frequencies_cm1)
    # One or two that are missing may have been imaginary; they are said.
    if found > wanted // 2:
        return ""
    return (
        f"{row.species} has {wanted} modes, not {found}; give all, or a gibbs_ev or a "
        "correction_ev in their place"
    )


def _why_no_spin(row: OwnEnergyRow, library: Library) -> str:
    if row.spin is None:
        return ""
    if abs(2 * row.spin - round(2 * row.spin)) > 1e-6:
        return "a total spin S is a multiple of ½; write 0, 0.5, 1, ..."
    counts = _find_counts(row, library)
    if row.state != "gas" or not counts:
        return ""
    electrons = sum(ATOMIC_NUMBERS[e] * n for e, n in counts.items())
    electrons -= library.gas(row.species).charge
    if (electrons - round(2 * row.spin)) % 2:
        return (
            f"{row.species} has {electrons} electrons, so S is "
            f"{'0, 1, 2' if electrons % 2 == 0 else '0.5, 1.5'}, ...; the library has "
            f"{(library.gas(row.species).multiplicity - 1) / 2:g}"
        )
    return ""


def _why_two_corrections(row: OwnEnergyRow) -> str:
    parts = (row.zpe_ev, row.cp_ev, row.ts_ev)
    if row.correction_ev is not None and any(part is not None for part in parts):
        return "is the sum of zpe_ev, cp_ev and -ts_ev; give the sum or the parts"
    return ""


def _why_modes_count_twice(row: OwnEnergyRow) -> str:
    parts = (row.zpe_ev, row.cp_ev, row.ts_ev, row.correction_ev)
    if row.frequencies_cm1 and any(part is not None for part in parts):
        return (
            "vibrations, and a correction beside them: either gives the free energy; "
            "leave out one"
        )
    return ""


def _check_name(
    row: OwnEnergyRow, library: Library, used: Collection[str]
) -> Iterator[str]:
    """Rows that no reaction uses, with the name that may have been meant."""
    if row.state == "clean":
        return
    terms = [f"*{row.species}"]
    if row.state == "gas":
        # Hydrogen is in every step.
        terms = [f"{row.species}(g)", f"{row.species}(l)"]
        if row.species == "H2":
            return
    if any(term in used for term in terms):
        return
    kind = "gases" if row.state == "gas" else "adsorbates"
    if row.species in library.paths(kind):
        # A gas may be an anchor, or wait for another reaction.
        if row.state == "ads":
            yield say(row, "species", "no reaction that is asked for uses this row")
        return
    near = ", ".join(_find_near(row.species, kind, library))
    yield say(
        row,
        "species",
        f"the library has no {kind[:-1] if kind == 'adsorbates' else 'gas'} of this "
        "name, and the row is not used; "
        + (f"write {near}, if that is meant" if near else "add it to structures/"),
    )


def _find_near(name: str, kind: str, library: Library) -> list[str]:
    """Items with the same atoms, else with a similar name."""
    known = list(library.paths(kind))
    # Isomers such as COOH-cis, coverages such as 2H.
    plain = name.partition("-")[0].lstrip("0123456789")
    if plain in known:
        return [plain]
    try:
        counts = parse_formula(plain)
    except ClusterflowError:
        return get_close_matches(name, known, n=2, cutoff=0.75)
    spec = library.gas if kind == "gases" else library.adsorbate
    same = [item for item in known if spec(item).counts == counts]
    return same or get_close_matches(plain, known, n=2, cutoff=0.75)


def _check_count_of_modes(
    row: OwnEnergyRow, library: Library, clean_modes: Mapping[str, int]
) -> Iterator[str]:
    counts = _find_counts(row, library)
    if row.state != "ads" or not counts or row.frequencies_cm1 is None:
        return
    of_surface = clean_modes.get(row.surface, 0)
    wanted, found = 3 * sum(counts.values()) + of_surface, len(row.frequencies_cm1)
    if found == wanted:
        return
    if found > wanted:
        extra = found - 3 * sum(counts.values())
        advice = (
            f"if {extra} are of surface atoms, give those of the clean row too; it "
            f"has {of_surface}"
        )
    else:
        advice = (
            f"{wanted - found} are missing; if they are imaginary, it is no minimum"
        )
        if of_surface:
            advice += f"; the clean row has {of_surface} of its own"
    yield say(row, "frequencies_cm1", f"{found} modes, wanted are {wanted}: {advice}")


def _check_low_modes(row: OwnEnergyRow, cutoff_cm1: float) -> Iterator[str]:
    modes = row.frequencies_cm1 if row.state == "ads" else ()
    if low := [mode for mode in modes or () if mode < min(_NOISE_CM1, cutoff_cm1)]:
        yield say(
            row,
            "frequencies_cm1",
            f"{', '.join(f'{mode:g}' for mode in low)} cm⁻¹ counts as "
            f"{cutoff_cm1:g} in the entropy; thermo.low_mode_cutoff_cm1 says where",
        )


def _check_gas(row: OwnEnergyRow, library: Library) -> Iterator[str]:
    if row.state != "gas":
        return
    if row.pressure_pa < _LEAST_PRESSURE_PA:
        yield say(
            row,
            "pressure_pa",
            f"below {_LEAST_PRESSURE_PA:g} Pa; if this is bar, write "
            f"{row.pressure_pa * 1e5:g}",
        )
    if (unit := _ATMOSPHERE.get(row.pressure_pa)) is not None:
        yield say(
            row,
            "pressure_pa",
            f"this is one atmosphere in {unit}; if it is meant, write 101325",
        )
    if row.species not in library.paths("gases"):
        return
    spec = library.gas(row.species)
    if row.spin is not None and round(2 * row.spin) + 1 != spec.multiplicity:
        yield say(
            row,
            "spin",
            f"the library's {row.species} has S = {(spec.multiplicity - 1) / 2:g}; "
            "spin is S, not 2S or 2S + 1",
        )
    if row.symmetry_number is not None and row.symmetry_number != spec.symmetry_number:
        yield say(
            row,
            "symmetry_number",
            f"the library's {row.species} has {spec.symmetry_number}",
        )


def _check_energies(
    row: OwnEnergyRow, library: Library, temperature_k: float
) -> Iterator[str]:
    given = row.gibbs_ev is not None or row.correction_ev is not None
    given = given or row.ts_ev is not None
    if given and abs(temperature_k - STANDARD_TEMPERATURE_K) > 1e-6:
        field = "gibbs_ev" if row.gibbs_ev is not None else "correction_ev"
        field = field if getattr(row, field) is not None else "ts_ev"
        yield say(
            row,
            field,
            f"is taken as one at {temperature_k:g} K; if it is at 298.15 K, give "
            "energy_ev and frequencies_cm1",
        )
    if row.gibbs_ev is None or row.energy_ev is None:
        return
    counts = _find_counts(row, library)
    computed = _compute_free_energy(row, library, temperature_k)
    gap = row.gibbs_ev - row.energy_ev
    if computed is not None and abs(computed - row.gibbs_ev) > _SAME_EV:
        yield say(
            row,
            "gibbs_ev",
            f"energy_ev and frequencies_cm1 give {computed:+.3f} at "
            f"{temperature_k:g} K; the gibbs_ev counts: leave out what is wrong",
        )
    elif computed is None and counts:
        most = _MOST_THERMAL_EV_PER_ATOM * (sum(counts.values()) + 1)
        if abs(gap) > most:
            yield say(
                row,
                "gibbs_ev",
                f"{gap:+.3f} eV from energy_ev = {row.energy_ev:g}, more than "
                "vibrations and entropy can be; the gibbs_ev counts: leave out what "
                "is wrong",
            )


def _list_zeros_that_are_none(
    row: OwnEnergyRow, temperature_k: float
) -> Iterator[tuple[str, str]]:
    """Energies of a gas of the set, which has no formation energy.

    Its free energy is kT ln(p/1 bar).
    """
    if row.state != "gas" or row.species not in row.reference_set:
        return
    kt = BOLTZMANN_EV_PER_K * temperature_k
    pressure_ev = kt * log(row.pressure_pa / STANDARD_PRESSURE_PA)
    for field, allowed in (("energy_ev", (0.0,)), ("gibbs_ev", (0.0, pressure_ev))):
        value = getattr(row, field)
        if value is None or any(abs(value - a) < _ZERO_EV for a in allowed):
            continue
        yield (
            field,
            f"{row.species} is one of the gases that formation energies are from, so "
            "its own is 0; write 0, or name the set in energy_kind",
        )


def _compute_free_energy(
    row: OwnEnergyRow, library: Library, temperature_k: float
) -> float | None:
    """G from energy and vibrations, whatever free energy stands beside."""
    if row.frequencies_cm1 is None:
        return None
    plain = row.model_copy(update={"gibbs_ev": None})
    try:
        if row.state != "gas":
            return own_surface_terms(
                plain, temperature_k, 50.0, given_at_k=temperature_k
            ).gibbs_ev
        spec = library.gas(row.species)
        return own_gas_terms(
            plain, spec, temperature_k, row.pressure_pa, given_at_k=temperature_k
        ).gibbs_ev
    except ClusterflowError:
        return None


def _find_counts(row: OwnEnergyRow, library: Library) -> Mapping[str, int]:
    """Atoms of a species of the library; none of others."""
    if row.state == "gas" and row.species in library.paths("gases"):
        return library.gas(row.species).counts
    if row.state == "ads" and row.species in library.paths("adsorbates"):
        return library.adsorbate(row.species).counts
    return {}
