"""Slips in how a table is written: dialects, headings, units and dressed names."""

from __future__ import annotations

import io

from tests.intake.slips import Row, Table, as_csv, change_cell, change_column, slip

NUMBERS = ("energy_ev", "pressure_pa")


def rename(table: Table, old: str, new: str) -> Table:
    return [{new if k == old else k: v for k, v in row.items()} for row in table]


def in_unit(table: Table, heading: str, factor: float) -> Table:
    """The energies in another unit, under a heading."""
    changed = change_column(
        table, "energy_ev", lambda text: f"{float(text) * factor:.9f}"
    )
    return rename(changed, "energy_ev", heading)


def with_commas(table: Table) -> Table:
    return change_column(table, "energy_ev", lambda text: text.replace(".", ","))


def call_anew(table: Table, species: str, state: str, name: str) -> Table:
    """The rows with one species called something else."""
    return [
        {**row, "species": name}
        if (row["species"], row["state"]) == (species, state)
        else row
        for row in table
    ]


def dressed(table: Table, dress: str) -> Table:
    """Adsorbates with something around their names."""
    return [
        {**row, "species": dress.format(row["species"])}
        if row["state"] == "ads"
        else row
        for row in table
    ]


@slip("read")
def _semicolons_byte_mark_and_decimal_commas(table: Table) -> bytes:
    table = change_column(table, "frequencies_cm1", lambda t: t.replace(";", " "))
    text = as_csv(with_commas(table), delimiter=";").replace("\n", "\r\n")
    return text.encode("utf-8-sig")


@slip("read")
def _tabs(table: Table) -> str:
    return as_csv(table, delimiter="\t")


@slip("read")
def _two_bytes_a_character(table: Table) -> bytes:
    return as_csv(table, delimiter="\t").encode("utf-16")


@slip("read")
def _decimal_commas_in_quotes(table: Table) -> Table:
    return with_commas(table)


@slip("refused", "decimal sign or one between thousands")
def _commas_that_could_be_either(table: Table) -> Table:
    table = [{k: v for k, v in row.items() if k != "pressure_pa"} for row in table]
    return with_commas(table)


@slip("refused", "decimal sign or one between thousands")
def _a_decimal_comma_among_points(table: Table) -> Table:
    return change_cell(table, "COOH", "ads", energy_ev="-181,73")


@slip("read")
def _thousands(table: Table) -> Table:
    return change_column(table, "pressure_pa", lambda text: f"{int(text):,}")


@slip("read")
def _units_below_the_headings(table: Table) -> Table:
    units = dict.fromkeys(table[0], "")
    units |= {"energy_ev": "(eV)", "frequencies_cm1": "(cm-1)", "pressure_pa": "[Pa]"}
    return [units, *table]


@slip("refused", "the row below says 'kJ/mol'")
def _units_below_that_contradict_the_heading(table: Table) -> Table:
    return [dict.fromkeys(table[0], "") | {"energy_ev": "kJ/mol"}, *table]


@slip("read")
def _units_in_a_row_of_their_own(table: Table) -> Table:
    units = dict.fromkeys(table[0], "") | {"energy_ev": "eV", "pressure_pa": "Pa"}
    units["frequencies_cm1"] = "cm^-1"
    renamed = rename([units, *table], "energy_ev", "Energy")
    return rename(renamed, "frequencies_cm1", "Frequencies")


@slip("read")
def _a_title_above(table: Table) -> str:
    return f"CO2RR on Cu(211) - PBE+D3,,,,,,\n\n{as_csv(table)}"


@slip("read")
def _empty_rows_and_columns(table: Table) -> str:
    lines = as_csv(table).splitlines()
    return "\n".join([*(f"{line},," for line in lines), ",,,,,,,,", ""])


@slip("refused", "row 6 has '0.3' where no column has a heading")
def _a_cell_under_no_heading(table: Table) -> str:
    lines = as_csv(table).splitlines()
    lines[6] += ",0.3"
    return "\n".join(lines)


@slip("read")
def _headings_in_capitals_with_spaces(table: Table) -> str:
    head, _, rest = as_csv(table).partition("\n")
    return f"{head.title().replace(',', ' , ')}\n{rest}"


@slip("read")
def _a_hash_before_the_headings(table: Table) -> str:
    return f"#{as_csv(table)}"


@slip("read")
def _units_in_parentheses(table: Table) -> Table:
    table = rename(table, "energy_ev", "Energy (eV)")
    return rename(table, "frequencies_cm1", "Frequencies / cm⁻¹")


@slip("refused", "two columns are called 'energy_ev'")
def _a_heading_twice(table: Table) -> str:
    head, _, rest = as_csv(table).partition("\n")
    return f"{head.replace('energy_kind', 'Energy_eV')}\n{rest}"


@slip("refused", "no table (field larger than field limit")
def _a_cell_without_end(table: Table) -> str:
    return f"{as_csv(table)}{'x' * 200_000}\n"


@slip("refused", "less than or equal to 1000000000")
def _an_energy_beyond_all_bounds(table: Table) -> Table:
    return [{**row, "energy_ev": "1e300"} for row in table]


@slip("refused", "both energy_ev; fill one")
def _an_energy_in_two_units(table: Table) -> Table:
    return [{**row, "energy_hartree": "-1.1"} for row in table]


@slip("refused", "does not say its unit: name it energy_ev")
def _an_energy_without_a_unit(table: Table) -> Table:
    return rename(table, "energy_ev", "energy")


@slip("refused", "no heading 'species' was found, only 'H2,gas")
def _no_headings(table: Table) -> str:
    return as_csv(table).partition("\n")[2]


@slip("refused", "no heading 'species' was found")
def _columns_by_spaces(table: Table) -> str:
    return as_csv(table).replace(",", "  ")


@slip("refused", "not UTF-8 text")
def _latin_1(table: Table) -> bytes:
    return as_csv([{**row, "note": "PBE à la carte"} for row in table]).encode(
        "latin-1"
    )


@slip("read")
def _a_long_minus(table: Table) -> Table:
    return change_column(table, "energy_ev", lambda t: t.replace("-", "\u2212"))


@slip("read")
def _the_unit_in_each_cell(table: Table) -> Table:
    return change_column(table, "energy_ev", "{} eV".format)


@slip("refused", "is no number in ev")
def _another_unit_in_a_cell(table: Table) -> Table:
    return change_cell(table, "H", "ads", energy_ev="-15332 kJ/mol")


@slip("refused", "'n/a' is no number")
def _a_word_for_a_number(table: Table) -> Table:
    return change_cell(table, "COOH", "ads", energy_ev="n/a")


@slip("refused", "45i is imaginary")
def _an_imaginary_mode(table: Table) -> Table:
    return change_cell(table, "H", "ads", frequencies_cm1="45i;950;1210")


@slip("refused", "one wavenumber or two?")
def _a_comma_in_a_wavenumber(table: Table) -> Table:
    return change_cell(table, "H2", "gas", frequencies_cm1="4,310")


@slip("read")
def _wavenumbers_by_commas_in_brackets(table: Table) -> Table:
    return change_column(
        table, "frequencies_cm1", lambda text: f"[{text.replace(';', ', ')}]"
    )


@slip("read")
def _energies_in_hartree_by_their_heading(table: Table) -> Table:
    return in_unit(table, "energy_hartree", 1 / 27.211386246)


@slip("read")
def _energies_in_rydberg_by_their_heading(table: Table) -> Table:
    return in_unit(table, "Energy (Ry)", 1 / 13.605693123)


@slip("read")
def _energies_in_kj_mol(table: Table) -> Table:
    return in_unit(table, "energy_kj_mol", 96.48533212)


@slip("read")
def _energies_in_kcal_mol(table: Table) -> Table:
    return in_unit(table, "Energy (kcal/mol)", 23.06054783)


def other_frequencies(table: Table, heading: str, factor: float) -> Table:
    def convert(text: str) -> str:
        return ";".join(f"{float(part) * factor:.6f}" for part in text.split(";"))

    return rename(
        change_column(table, "frequencies_cm1", convert), "frequencies_cm1", heading
    )


@slip("read")
def _wavenumbers_in_mev_by_their_heading(table: Table) -> Table:
    return other_frequencies(table, "frequencies_mev", 0.1239841984)


@slip("read")
def _wavenumbers_in_thz_by_their_heading(table: Table) -> Table:
    return other_frequencies(table, "frequencies_thz", 0.0299792458)


@slip("read")
def _pressures_in_bar_by_their_heading(table: Table) -> Table:
    changed = change_column(table, "pressure_pa", lambda t: f"{int(t) / 1e5:.5f}")
    return rename(changed, "pressure_pa", "pressure_bar")


@slip("read")
def _stars_before(table: Table) -> Table:
    return dressed(table, "*{}")


@slip("read")
def _stars_after_and_no_state(table: Table) -> Table:
    bare: list[Row] = [
        {k: v for k, v in row.items() if k != "state"} for row in dressed(table, "{}*")
    ]
    return bare


@slip("read")
def _tails_of_catmap(table: Table) -> Table:
    return [
        {**row, "species": f"{row['species']}_g"} if row["state"] == "gas" else row
        for row in dressed(table, "{}_s")
    ]


@slip("refused", "is ads by its name, but its state is 'gas'")
def _a_star_on_a_gas(table: Table) -> Table:
    return call_anew(table, "CO", "gas", "*CO")


@slip("read")
def _sites_in_the_names(table: Table) -> Table:
    higher = next(
        row for row in table if (row["species"], row["state"]) == ("H", "ads")
    )
    top = {**higher, "species": "H-top", "energy_ev": "-158.5"}
    return [*call_anew(table, "H", "ads", "H-fcc"), top]


@slip("read")
def _words_for_states(table: Table) -> Table:
    words = {"ads": "Adsorbed", "gas": "Gas phase", "clean": "slab"}
    return change_column(table, "state", words.__getitem__)


@slip("refused", "is on another site than 'top'")
def _a_site_that_contradicts_the_name(table: Table) -> Table:
    table = [{"site": "", **row} for row in table]
    table = change_cell(table, "H", "ads", site="top")
    return call_anew(table, "H", "ads", "H-fcc")


@slip("read")
def _multiplicities(table: Table) -> Table:
    return [
        {**row, "multiplicity": "1" if row["state"] == "gas" else ""} for row in table
    ]


@slip("read", suffix=".xlsx")
def _a_spreadsheet(table: Table) -> bytes:
    openpyxl = __import__("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    sheet = book.create_sheet("Energies")
    sheet.append(["Cu(211), PBE-D3"])
    sheet.append(list(table[0]))
    for row in table:
        numbers = {k: float(v) for k, v in row.items() if k in NUMBERS and v}
        sheet.append(list({**row, **numbers}.values()))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@slip("refused", "a spreadsheet; save it as .xlsx or CSV", suffix=".xls")
def _an_old_spreadsheet(table: Table) -> bytes:
    return b"\xd0\xcf\x11\xe0" + as_csv(table).encode()
