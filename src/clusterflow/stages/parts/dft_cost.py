"""What a single point by DFT takes, by its basis functions, on one core."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clusterflow.formula import (
    ATOMIC_NUMBERS,
    list_multiplicities,
    lowest_multiplicity,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clusterflow.library.levels import DftMethod, LevelSpec
    from clusterflow.records.refinements import SinglePoint
    from clusterflow.records.structure import Structure

# Functions of an atom: each number holds from its element on (F. Weigend and R.
# Ahlrichs, Phys. Chem. Chem. Phys. 2005, 7, 3297, doi:10.1039/b508541a).
_FUNCTIONS: Final[Mapping[str, Mapping[str, int]]] = {
    "def2-svp": {
        **{"H": 5, "Li": 9, "B": 14, "Na": 15, "Mg": 18, "K": 24, "Sc": 31},
        **{"Ga": 32, "Rb": 24, "Sr": 23, "Y": 31, "In": 26, "Xe": 50},
        **{"Cs": 24, "Ba": 23, "La": 32, "Tl": 26, "Rn": 50},
    },
    "def2-tzvp": {
        **{"H": 6, "Li": 14, "Be": 19, "B": 31, "Na": 32, "Al": 37, "K": 33},
        **{"Ca": 36, "Sc": 45, "Zn": 48, "Rb": 33, "Y": 40, "In": 50, "Cs": 29},
        **{"Ba": 40, "Hg": 43, "Tl": 50},
    },
}
_STARTS: Final = {
    basis: [ATOMIC_NUMBERS[symbol] for symbol in functions]
    for basis, functions in _FUNCTIONS.items()
}
# PBE with density fitting, closed shell: 19 s on Cu4 (124 functions) and 281 s on
# Cd6Se6 (378) in def2-SVP give coefficient and power; with COOH, one electron more,
# 82 s (171) and 740 s (425) give the factor of an open shell, for both spins and the
# look at stability. One loaded core; what is measured in a study corrects it.
_SECONDS: Final = 1.6e-4
_POWER: Final = 2.42
_OPEN_SHELL: Final = 2.0
# Fitted exact exchange costs nothing yet on small molecules: per cycle PBE0 takes 0.98
# (H2O), 0.90 (CO) and 0.92 (Cu2) of PBE in def2-TZVP, and on acetic acid (148
# functions) 10.7 s of 12.9. By its fourth power it is half as much again on hundreds.
_HYBRID: Final = 1.5
_HYBRIDS: Final = ("pbe0", "b3lyp", "hse06", "tpssh", "m06-2x", "wb97x-v", "wb97m-v")
# From geometries of GFN1-xTB PBE/def2-TZVP takes 14 gradients on Cu4 with CO, 7 with H.
_GRADIENTS: Final = 15
# A gradient and its field by the field alone, CPU time of PBE and PBE0 in def2-TZVP
# from a cold start: 1.55 and 1.28 (H2O), 1.33 and 1.31 (CO), 1.24 and 1.60 (Cu2).
_GRADIENT: Final = 1.5
# An engine without basis functions has no model: each point is as long as the others.
_WITHOUT_MODEL_S: Final = 1.0


def count_basis(counts: Mapping[str, int], basis: str) -> int:
    """Basis functions of some atoms; of a basis that is not known, as def2-TZVP.

    >>> count_basis({"Cd": 6, "Se": 6}, "def2-SVP")
    378
    """
    known = basis.lower() if basis.lower() in _FUNCTIONS else "def2-tzvp"
    numbers = list(_FUNCTIONS[known].values())
    return sum(
        n * numbers[bisect_right(_STARTS[known], ATOMIC_NUMBERS[symbol]) - 1]
        for symbol, n in counts.items()
    )


def scf_s(n_basis: int, dft: DftMethod | None, *, is_open: bool) -> float:
    """What one self-consistent field takes, roughly, s; of PBE without a method."""
    seconds: float = _SECONDS * n_basis**_POWER
    if is_open:
        seconds *= _OPEN_SHELL
    if dft is not None and dft.functional.lower() in _HYBRIDS:
        seconds *= _HYBRID
    return seconds


def point_s(
    level: LevelSpec,
    counts: Counter[str],
    charge: int = 0,
    *,
    multiplicity: int | None = None,
    adsorbate: Counter[str] | None = None,
) -> float:
    """What the single point of some atoms takes, roughly, s.

    Parameters
    ----------
    level
        Of DFT.
    counts
        All atoms by element.
    charge, multiplicity
        Of all; the multiplicity is the lowest of that charge unless given.
    adsorbate
        Those of them that are the adsorbate: with a counterpoise correction both parts
        are computed alone and in the basis of all, five fields in total.
    """
    dft = level.dft
    if dft is None:
        return _WITHOUT_MODEL_S
    known = multiplicity or lowest_multiplicity(counts, charge)
    size = count_basis(counts, dft.basis)
    total = scf_s(size, dft, is_open=known > 1)
    if adsorbate and dft.counterpoise:
        for part, its_charge in ((counts - adsorbate, charge), (adsorbate, 0)):
            is_open = lowest_multiplicity(part, its_charge) > 1
            alone = count_basis(part, dft.basis)
            total += scf_s(alone, dft, is_open=is_open)
            total += scf_s(size, dft, is_open=is_open)
    return total


def relaxation_s(
    level: LevelSpec,
    counts: Counter[str],
    charge: int = 0,
    *,
    adsorbate: Counter[str] | None = None,
) -> float:
    """What relaxing some atoms and the point at the end take, roughly, s.

    Forces are without a counterpoise correction. Parameters are those of `point_s`.
    """
    gradient = _GRADIENT * point_s(level, counts, charge)
    return _GRADIENTS * gradient + point_s(level, counts, charge, adsorbate=adsorbate)


def structure_s(structure: Structure, level: LevelSpec) -> float:
    """What the single point of a geometry takes, roughly, s."""
    counts = Counter(structure.symbols)
    own = zip(structure.symbols, structure.roles, strict=True)
    adsorbate = Counter(symbol for symbol, role in own if role == "adsorbate")
    return point_s(
        level,
        counts,
        structure.charge,
        multiplicity=structure.multiplicity,
        # A molecule alone has no parts.
        adsorbate=adsorbate if adsorbate != counts else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PointTimes:
    """What points of a study have taken, h, and what others will take by that.

    `factor` is by how much more than the model the finished ones took.
    """

    dft: LevelSpec
    spent_h: float
    factor: float

    @classmethod
    def of(cls, points: Sequence[SinglePoint], dft: LevelSpec) -> PointTimes:
        """Judged by some points, of which those without an energy say nothing."""
        finished = [point for point in points if point.energy_ev is not None]
        expected = sum(structure_s(point.structure, dft) for point in finished)
        took = sum(point.wall_s for point in finished)
        return cls(
            dft=dft,
            spent_h=sum(point.wall_s for point in points) / 3600,
            factor=took / expected if took else 1.0,
        )

    def expect_h(self, structure: Structure, *, others: bool = False) -> float:
        """Of one more geometry, with `others` at neighbouring multiplicities too."""
        states = list_multiplicities(structure.multiplicity, others=others)
        seconds = sum(
            structure_s(structure.model_copy(update={"multiplicity": one}), self.dft)
            for one in states
        )
        return self.factor * seconds / 3600
