"""Slips of one kind each, put into a right table.

A slip takes the rows of the right table and gives rows, or the whole content of the
file as text or bytes with the file's name. Whoever adds a kind writes one function with
`slip` above it; the test asks that none of them gives another number in silence.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Row = dict[str, str]
Table = list[Row]
Fate = Literal["read", "refused", "flagged"]

# What a PBE-like calculator gives, rounded; 1 bar, but for water.
_HEAD = "species,state,surface,energy_ev,energy_kind,frequencies_cm1,pressure_pa"
_ROWS = """\
H2,gas,,-6.771,total,4310,101325
CO2,gas,,-22.958,total,632;634;1316;2350,101325
H2O,gas,,-14.221,total,1585;3710;3825,3534
CO,gas,,-14.780,total,2125,101325
clean,clean,Cu211,-155.320,total,,
H,ads,Cu211,-158.905,total,780;950;1210,
COOH,ads,Cu211,-181.730,total,95;130;210;265;330;470;640;690;1090;1270;1690;3560,
CO,ads,Cu211,-170.880,total,60;75;230;260;310;1990,
"""


@dataclass(frozen=True)
class Slip:
    """One kind of slip, what must become of it and what must be said."""

    name: str
    change: Callable[[Table], Table | str | bytes]
    fate: Fate
    says: str
    suffix: str


SLIPS: list[Slip] = []


def slip(
    fate: Fate, says: str = "", suffix: str = ".csv"
) -> Callable[[Callable[[Table], Table | str | bytes]], None]:
    """Register a slip.

    Parameters
    ----------
    fate
        ``read``: the numbers are those of the right table; ``refused``: one line that
        names the file; ``flagged``: a number, and a line that says what is odd.
    says
        What the line must hold.
    suffix
        Of the file.
    """

    def register(change: Callable[[Table], Table | str | bytes]) -> None:
        name = change.__name__.removeprefix("_")
        SLIPS.append(Slip(name, change, fate, says, suffix))

    return register


def right_table() -> Table:
    """The rows without a slip."""
    return list(csv.DictReader(io.StringIO(f"{_HEAD}\n{_ROWS}")))


def as_csv(table: Table, delimiter: str = ",") -> str:
    """Rows as the text of a CSV file; columns in the order they appear."""
    columns = list(dict.fromkeys(key for row in table for key in row))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return stream.getvalue()


def change_cell(table: Table, name: str, state: str, /, **cells: str) -> Table:
    """The rows with cells of one of them written anew."""
    return [
        {**row, **cells} if (row["species"], row["state"]) == (name, state) else row
        for row in table
    ]


def change_column(table: Table, column: str, change: Callable[[str], str]) -> Table:
    """The rows with each filled cell of a column changed."""
    return [
        {k: change(v) if k == column and v else v for k, v in row.items()}
        for row in table
    ]


@slip("refused", "stands there twice")
def _doubled_row(table: Table) -> Table:
    return [*table, table[5]]


@slip("refused", "kinds are mixed")
def _two_kinds_of_energy(table: Table) -> Table:
    return change_cell(table, "H", "ads", energy_kind="formation")


@slip("refused", "levels are mixed (PBE, RPBE)")
def _two_levels(table: Table) -> Table:
    levels = {"gas": "PBE", "clean": "RPBE", "ads": "RPBE"}
    return [{**row, "level": levels[row["state"]]} for row in table]


@slip("flagged", "gas CO2 has 3 frequencies, a molecule of its atoms has 4")
def _a_mode_too_few_of_a_gas(table: Table) -> Table:
    return change_cell(table, "CO2", "gas", frequencies_cm1="632;1316;2350")


@slip("refused", "H has 3 modes, not 1")
def _modes_of_an_adsorbate_left_out(table: Table) -> Table:
    return change_cell(table, "H", "ads", frequencies_cm1="1210")


@slip("flagged", "row 8 (CO): frequencies_cm1 = '60;75;230;310;1990': 5 modes")
def _one_mode_left_out(table: Table) -> Table:
    return change_cell(table, "CO", "ads", frequencies_cm1="60;75;230;310;1990")


@slip("flagged", "if 3 are of surface atoms, give those of the clean row too")
def _modes_of_surface_atoms_too(table: Table) -> Table:
    return change_cell(table, "H", "ads", frequencies_cm1="110;120;150;780;950;1210")


@slip("flagged", "3 are missing; if they are imaginary, it is no minimum")
def _modes_of_the_clean_surface_alone(table: Table) -> Table:
    return change_cell(table, "clean", "clean", frequencies_cm1="110;120;150")


@slip("flagged", "12 cm⁻¹ counts as 50 in the entropy")
def _a_mode_of_numerical_noise(table: Table) -> Table:
    return change_cell(table, "CO", "ads", frequencies_cm1="12;75;230;260;310;1990")


@slip("refused", "H2 has this energy in Hartree, not in eV")
def _energies_in_hartree(table: Table) -> Table:
    # -1.166 Hartree is H2 by PBE with all electrons.
    table = change_column(table, "energy_ev", lambda v: f"{float(v) / 27.2114:.6f}")
    return change_cell(table, "H2", "gas", energy_ev="-1.166")


@slip("refused", "H2 has this energy in Rydberg, not in eV")
def _energies_in_rydberg(table: Table) -> Table:
    table = change_column(table, "energy_ev", lambda v: f"{float(v) / 13.6057:.6f}")
    return change_cell(table, "H2", "gas", energy_ev="-2.3327")


@slip("refused", "kJ/mol or kcal/mol")
def _energies_in_kj_per_mol(table: Table) -> Table:
    return change_column(table, "energy_ev", lambda v: f"{float(v) * 96.485:.3f}")


@slip("refused", "kJ/mol or kcal/mol")
def _energies_in_kcal_per_mol(table: Table) -> Table:
    return change_column(table, "energy_ev", lambda v: f"{float(v) * 23.0605:.3f}")


def _divide_modes(text: str, by: float) -> str:
    return ";".join(f"{float(mode) / by:.3f}" for mode in text.split(";"))


@slip("refused", "as meV it would be 4310 cm⁻¹")
def _wavenumbers_in_mev(table: Table) -> Table:
    return change_column(table, "frequencies_cm1", lambda v: _divide_modes(v, 8.06554))


@slip("refused", "another unit")
def _wavenumbers_in_thz(table: Table) -> Table:
    return change_column(table, "frequencies_cm1", lambda v: _divide_modes(v, 33.3564))


@slip("refused", "COOH must have one above 550 cm⁻¹")
def _wavenumbers_of_one_row_in_mev(table: Table) -> Table:
    (row,) = (r for r in table if r["species"] == "COOH")
    modes = _divide_modes(row["frequencies_cm1"], 8.06554)
    return change_cell(table, "COOH", "ads", frequencies_cm1=modes)


@slip("refused", "H must have one above 550 cm⁻¹")
def _wavenumbers_of_hydrogen_in_mev(table: Table) -> Table:
    return change_cell(table, "H", "ads", frequencies_cm1="97;118;150")


@slip("refused", "a total spin S is a multiple of ½")
def _a_spin_that_is_none(table: Table) -> Table:
    return change_cell(table, "CO", "gas", spin="0.3")


@slip("refused", "CO has 14 electrons, so S is 0, 1, 2")
def _a_spin_that_does_not_fit_the_electrons(table: Table) -> Table:
    return change_cell(table, "CO", "gas", spin="0.5")


@slip("flagged", "the library's CO has S = 0; spin is S, not 2S or 2S + 1")
def _a_multiplicity_as_spin(table: Table) -> Table:
    return change_cell(table, "CO", "gas", spin="1")


@slip("flagged", "the library's CO2 has 2")
def _a_symmetry_number_that_is_another(table: Table) -> Table:
    return change_cell(table, "CO2", "gas", symmetry_number="1")


@slip("flagged", "below 10 Pa; if this is bar, write 100000")
def _pressures_in_bar(table: Table) -> Table:
    return change_column(table, "pressure_pa", lambda v: f"{float(v) / 101325:.3f}")


@slip("flagged", "this is one atmosphere in kPa; if it is meant, write 101325")
def _a_pressure_in_kilopascals(table: Table) -> Table:
    return change_cell(table, "CO2", "gas", pressure_pa="101.325")


@slip("refused", "ts_ev = -0.41 is negative")
def _an_entropy_with_the_sign_of_its_term(table: Table) -> Table:
    terms = {"zpe_ev": "0.27", "cp_ev": "0.09", "ts_ev": "-0.41"}
    return change_cell(table, "H2", "gas", frequencies_cm1="", **terms)


@slip("refused", "H2O can be made of CO, CO2, H2, so not all of them are zero")
def _zeros_that_make_each_other(table: Table) -> Table:
    kind = {"energy_kind": "formation from CO, CO2, H2, H2O"}
    return [{**row, "energy_ev": "0.0", **kind} for row in table]


@slip("flagged", "fails-measured-sum")
def _hydrogen_by_the_atom(table: Table) -> Table:
    return change_cell(table, "H2", "gas", energy_ev="-3.3855")


@slip("flagged", "fails-potential-window")
def _adsorption_energies_among_totals(table: Table) -> Table:
    return change_cell(table, "COOH", "ads", energy_ev="-0.25")


@slip("flagged", "the gibbs_ev counts")
def _a_free_energy_that_contradicts_the_energy(table: Table) -> Table:
    return change_cell(table, "H", "ads", gibbs_ev="-157.905")


@slip("flagged", "more than vibrations and entropy can be")
def _a_formation_energy_beside_a_total(table: Table) -> Table:
    return change_cell(table, "H", "ads", gibbs_ev="0.0046", frequencies_cm1="")


@slip("flagged", "write COOH, if that is meant")
def _an_isomer_in_the_name(table: Table) -> Table:
    return change_cell(table, "COOH", "ads", species="COOH-cis")


@slip("flagged", "write COOH, OCHO, if that is meant")
def _a_synonym(table: Table) -> Table:
    return change_cell(table, "COOH", "ads", species="HOCO")


@slip("flagged", "write H, if that is meant")
def _a_coverage_in_the_name(table: Table) -> Table:
    return change_cell(table, "H", "ads", species="2H")


@slip("flagged", "no gas of this name")
def _a_gas_that_is_not_known(table: Table) -> Table:
    return [*table, {**table[0], "species": "H2-gas"}]


@slip("flagged", "no reaction that is asked for uses this row")
def _an_adsorbate_of_another_reaction(table: Table) -> Table:
    return [*table, {**table[7], "species": "CHO", "frequencies_cm1": "", **_GIBBS}]


_GIBBS = {"energy_ev": "", "gibbs_ev": "-177.0"}


@slip("flagged", "fails-measured-sum")
def _a_doubled_product(table: Table) -> Table:
    return change_cell(table, "CO", "gas", energy_ev="-29.560")


@slip("flagged", "fails-measured-sum")
def _the_reactant_of_another_functional(table: Table) -> Table:
    return change_cell(table, "CO2", "gas", energy_ev="-24.958")


@slip("flagged", "fails-dg-window")
def _an_adsorbate_without_its_surface(table: Table) -> Table:
    return change_cell(table, "COOH", "ads", energy_ev="-26.410")


@slip("flagged", "fails-potential-window")
def _a_lost_digit(table: Table) -> Table:
    return change_cell(table, "H", "ads", energy_ev="-154.905")


@slip("flagged", "needs a row of state clean with its energy")
def _no_clean_surface(table: Table) -> Table:
    return [row for row in table if row["state"] != "clean"]


@slip("flagged", "H2 has no free energy")
def _no_hydrogen(table: Table) -> Table:
    return table[1:]


@slip("refused", "so its own is 0")
def _a_zero_that_is_none(table: Table) -> Table:
    return [
        {**row, "energy_kind": "formation"} for row in table if row["state"] != "clean"
    ]


@slip("refused", "is the sum of zpe_ev, cp_ev and -ts_ev")
def _a_correction_twice(table: Table) -> Table:
    return change_cell(
        *(table, "H", "ads"),
        frequencies_cm1="",
        zpe_ev="0.18",
        ts_ev="0.01",
        correction_ev="0.17",
    )


@slip("refused", "and a correction beside them")
def _vibrations_and_a_correction(table: Table) -> Table:
    return change_cell(table, "H", "ads", correction_ev="0.17")


@slip("read")
def _a_correction_in_the_place_of_vibrations(table: Table) -> Table:
    # ½ Σ hν + kT ln(1 − exp(−hν/kT)) of 780, 950 and 1210 cm⁻¹ at 298.15 K.
    return change_cell(table, "H", "ads", frequencies_cm1="", correction_ev="0.181315")


@slip("read")
def _modes_of_surface_atoms_in_every_row(table: Table) -> Table:
    modes = "110;120;150"
    for row in table:
        if row["state"] != "gas":
            own = row["frequencies_cm1"]
            row["frequencies_cm1"] = f"{modes};{own}" if own else modes
    return table


@slip("read")
def _several_sites(table: Table) -> Table:
    (row,) = (r for r in table if (r["species"], r["state"]) == ("H", "ads"))
    higher = {**row, "site": "top", "energy_ev": "-158.5"}
    return [*change_cell(table, "H", "ads", site="fcc"), higher]
