"""One row of a person's own energies, as every reader hands it on.

Values are in eV, cm⁻¹ and Pa, whatever units stood in the file.

Columns
-------
species
    Name, such as ``COOH``, ``CO``; free of any star or phase.
state
    ``gas``, ``ads`` or ``clean``.
surface
    Which surface an adsorbate or a clean row belongs to; empty for gases.
energy_ev
    Electronic energy, eV, of the kind that `energy_kind` names.
energy_kind
    ``total`` (the calculator's own), ``formation`` (from CO2, H2 and H2O) or
    ``formation from A, B, C`` (from a stated set of gases). Formation energies of
    adsorbates are relative to the clean surface.
gibbs_ev
    In the place of energy and frequencies: a free energy of the same kind, at 1 bar
    unless `pressure_pa` says otherwise.
frequencies_cm1
    Separated by ``;``.
pressure_pa, symmetry_number, spin
    Of gases; by default 1 bar and what the library's molecule says. `spin` is the
    total spin S.
site
    Where an adsorbate sits, such as ``fcc``; empty where nobody says.
zpe_ev, cp_ev, ts_ev, correction_ev
    In the place of frequencies: zero-point energy, ∫Cp dT and T·S; or their sum
    ZPE + ∫Cp dT − TS as one number.
solvation_ev
    What a solvent adds to an adsorbate, a person's own number.
shift_ev, shift_source
    What to add to a gas or an adsorbate, such as a correction of a functional, and
    where the number is from.
deviation_ev
    Standard deviation of the energy, such as that of a BEEF ensemble.
linear
    Of gases; by default what the library's molecule is.
note
    Any text, such as a coverage.
level
    What made the number, such as ``PBE-D3``; one for the whole table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - pydantic reads annotations
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field, field_validator, model_validator

from clusterflow.model import NAME_PATTERN, Model
from clusterflow.units import STANDARD_PRESSURE_PA

DEFAULT_SET = ("CO2", "H2", "H2O")
# In the column `energy_kind` of a table of CatMAP, whose own columns cannot say it.
FREE_ENERGY = "free energy"
# Outside this range a wavenumber is not in cm⁻¹: H2 has 4400, a meV or THz value of a
# stretching mode is below 600.
_HIGHEST_CM1 = 5500.0
# The stiffest mode of any bound species is above this; in meV or THz it is below.
_LOWEST_HIGHEST_CM1 = 140.0


# All electrons of a slab of a thousand gold atoms have half of it.
_LARGEST_EV = 1e9
# What a column without a unit was meant to be.
_WITH_UNIT = {
    **dict.fromkeys(("energy", "e", "total_energy"), "energy_ev, in eV"),
    **dict.fromkeys(("gibbs", "free_energy", "g"), "gibbs_ev, in eV"),
    **dict.fromkeys(
        ("frequencies", "frequency", "wavenumbers"), "frequencies_cm1, in cm⁻¹"
    ),
    "pressure": "pressure_pa, in Pa",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a row stood: its file, its place there, and each cell as it was typed.

    `cells` has the heading and the text by field of the row, without those that stand
    under the field's own name as a plain number.
    """

    file: str = "energies"
    row: str = ""
    cells: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.file}: {self.row}" if self.row else self.file


class OwnEnergyRow(Model):
    """One row of the table."""

    species: str = Field(min_length=1)
    state: Literal["gas", "ads", "clean"]
    surface: str = ""
    site: str = ""
    energy_ev: float | None = Field(default=None, ge=-_LARGEST_EV, le=_LARGEST_EV)
    energy_kind: str = "total"
    gibbs_ev: float | None = Field(default=None, ge=-_LARGEST_EV, le=_LARGEST_EV)
    frequencies_cm1: tuple[float, ...] | None = None
    pressure_pa: float = Field(default=STANDARD_PRESSURE_PA, gt=0)
    symmetry_number: int | None = Field(default=None, ge=1)
    spin: float | None = Field(default=None, ge=0)
    linear: bool | None = None
    zpe_ev: float | None = None
    cp_ev: float | None = None
    ts_ev: float | None = None
    correction_ev: float | None = None
    solvation_ev: float | None = None
    shift_ev: float | None = None
    shift_source: str = ""
    deviation_ev: float | None = Field(default=None, ge=0)
    note: str = ""
    level: str = ""
    origin: Origin = Field(default=Origin(), exclude=True, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _check_units(cls, row: object) -> object:
        for key in row if isinstance(row, dict) else ():
            wanted = _WITH_UNIT.get(str(key).strip().lower())
            if wanted is not None:
                raise ValueError(
                    f"column {key!r} does not say its unit: name it {wanted}"
                )
        return row

    @field_validator("frequencies_cm1", mode="before")
    @classmethod
    def _split_frequencies(cls, value: object) -> object:
        if isinstance(value, str):
            return [float(part) for part in value.split(";") if part.strip()]
        if isinstance(value, int | float):
            return [value]
        return value

    @field_validator("frequencies_cm1")
    @classmethod
    def _check_wavenumbers(
        cls, value: tuple[float, ...] | None
    ) -> tuple[float, ...] | None:
        for wavenumber in value or ():
            if not 0 < wavenumber < _HIGHEST_CM1:
                raise ValueError(
                    f"{wavenumber:g} is no wavenumber in cm⁻¹ of a minimum "
                    f"(0 to {_HIGHEST_CM1:g}); imaginary modes are left out by hand"
                )
        if value and max(value) < _LOWEST_HIGHEST_CM1:
            raise ValueError(
                f"the highest is {max(value):g}: this looks like another unit; "
                "wavenumbers are in cm⁻¹"
            )
        return value

    @field_validator("energy_kind")
    @classmethod
    def _check_kind(cls, value: str) -> str:
        if value not in ("total", "formation") and not value.startswith(
            "formation from "
        ):
            raise ValueError("must be total, formation, or formation from A, B, C")
        return value

    @model_validator(mode="after")
    def _check_row(self) -> OwnEnergyRow:
        if self.energy_ev is None and self.gibbs_ev is None:
            raise ValueError("neither energy_ev nor gibbs_ev is given")
        for name in ("zpe_ev", "ts_ev"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(
                    f"{name} = {value:g} is negative; write the zero-point energy and "
                    "T·S as they are, and T·S is subtracted"
                )
        if self.shift_ev is not None and not self.shift_source:
            raise ValueError(
                f"shift_ev = {self.shift_ev:g} has no shift_source: give a DOI, or who "
                "says so"
            )
        if self.state != "clean" and not re.fullmatch(NAME_PATTERN, self.species):
            raise ValueError(
                f"species {self.species!r}: write the bare name, such as COOH, "
                "without star or phase"
            )
        if self.state != "gas" and not self.surface:
            raise ValueError(f"a row of state {self.state!r} needs a surface")
        return self

    @property
    def reference_set(self) -> tuple[str, ...]:
        """Gases of zero energy: none for totals."""
        if self.energy_kind == "total":
            return ()
        if self.energy_kind == "formation":
            return DEFAULT_SET
        names = self.energy_kind.removeprefix("formation from ").replace("/", ",")
        return tuple(name.strip() for name in names.split(",") if name.strip())
