"""Memory, time and threads to ask for, by the atoms of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clusterflow.stage_table import stage_named
from clusterflow.stages.parts.dft_cost import count_basis, point_s, scf_s

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from clusterflow.library.levels import LevelSpec

# Memory of one process: the libraries, and matrices that grow with the square of the
# number of basis functions (about nine an atom, some thirty matrices of doubles).
_BASE_MB: Final = 400
_MB_PER_ATOM_SQUARED: Final = 30 * 9**2 * 8 / 1e6
# What a gradient takes on a core with GFN1-xTB at 300 K, by the number of basis
# functions f, is within a factor of two a constant and terms in f² and f³. In searches
# of quiet runs, with the adsorbate: Cu4 0.0053 s, Cu8 0.017, Cd6Se6 0.025, Cu13 0.058,
# Cd13Se13 0.14, Au25(SH)18 1.4; alone: Cu55 2.0, Cd33Se33 2.4, Au25(SCH3)18 2.9,
# Au38(SH)24 3.9. Functions of an atom: 2 of H, 4 with s and p alone, else 9
# (10.1021/acs.jctc.7b00118).
_LEAST_S: Final = 0.0005
_SECONDS_PER_FUNCTION_SQUARED: Final = 1.9e-6
_SECONDS_PER_FUNCTION_CUBED: Final = 1.25e-8
_WITHOUT_D: Final = {
    *("Li", "Be", "B", "C", "N", "O", "F", "Ne"),
    *("Na", "Mg", "K", "Ca", "Rb", "Sr", "Cs", "Ba", "Zn", "Cd", "Hg"),
}
# What is asked of a queue, by what is expected: nodes and geometries differ.
_MARGIN: Final = 5
_DFT_MARGIN: Final = 4
# PySCF with its libraries, and matrices. Fitted integrals take half of three auxiliary
# functions for each function, in doubles, until PySCF keeps them on disk.
_DFT_BASE_MB: Final = 900
_MB_PER_FUNCTION_CUBED: Final = 3 / 2 * 8 / 1e6
_MOST_INTEGRALS_MB: Final = 4000
# Of a level without a basis of its own the size is taken from this one.
_USUAL_BASIS: Final = "def2-TZVP"
# Most queues end here; a job that needs more goes on from its scratch files.
_LONGEST_MINUTES: Final = 7 * 24 * 60


def memory_mb(n_atoms: int, attempt: int = 1) -> int:
    """Memory to ask for, MB; more with each attempt.

    >>> memory_mb(26) < memory_mb(200)
    True
    """
    return int((_BASE_MB + _MB_PER_ATOM_SQUARED * n_atoms**2) * 1.5 ** (attempt - 1))


def gradient_s(counts: Mapping[str, int]) -> float:
    """What one gradient takes with GFN1-xTB on one core, s.

    >>> round(gradient_s({"Au": 25, "S": 18, "C": 18, "H": 54}), 1)
    2.9
    """
    return functions_s(count_functions(counts))


def functions_s(n: int) -> float:
    """The same by the number of basis functions, s."""
    quadratic = _SECONDS_PER_FUNCTION_SQUARED * n**2
    return _LEAST_S + quadratic + _SECONDS_PER_FUNCTION_CUBED * n**3


def count_functions(counts: Mapping[str, int]) -> int:
    """Basis functions of GFN1-xTB on some atoms.

    >>> count_functions({"Cu": 4, "H": 1})
    38
    """
    return sum(n * _count_functions_of(element) for element, n in counts.items())


def _count_functions_of(element: str) -> int:
    if element in ("H", "He"):
        return 2
    return 4 if element in _WITHOUT_D else 9


def runtime_minutes(stage: str, counts: Mapping[str, int], attempt: int = 1) -> int:
    """Time to ask for, minutes; doubled with each attempt, up to a week.

    >>> small, large = {"Cu": 4}, {"Cu": 55}
    >>> runtime_minutes("adsorb", small) < runtime_minutes("adsorb", large, attempt=2)
    True
    """
    expected_s = (stage_named(stage).gradients or 1) * gradient_s(counts)
    return _ask_minutes(_MARGIN * expected_s, attempt)


def dft_memory_mb(
    levels: Sequence[LevelSpec], counts: Mapping[str, int], attempt: int = 1
) -> int:
    """Memory of a single point by DFT, MB, by its basis functions at most."""
    size = max(count_basis(counts, _name_basis(level)) for level in levels)
    integrals = min(_MB_PER_FUNCTION_CUBED * size**3, _MOST_INTEGRALS_MB)
    return int((_DFT_BASE_MB + integrals) * 1.5 ** (attempt - 1))


def dft_runtime_minutes(
    levels: Sequence[LevelSpec],
    counts: Counter[str],
    adsorbate: Counter[str],
    *,
    attempt: int = 1,
    n_points: int = 1,
) -> int:
    """Time of some single points by DFT at each level, minutes, as of open shells.

    Parameters
    ----------
    counts, adsorbate
        All atoms by element, and those of them that are the adsorbate.
    """
    each_s = sum(
        point_s(level, counts, multiplicity=2, adsorbate=adsorbate)
        if level.dft is not None
        else scf_s(count_basis(counts, _USUAL_BASIS), None, is_open=True)
        for level in levels
    )
    return _ask_minutes(_DFT_MARGIN * n_points * each_s, attempt)


def threads(n_atoms: int) -> int:
    """Threads of one job: one, until a gradient is long enough to share."""
    return 1 if n_atoms < 150 else 4


def _name_basis(level: LevelSpec) -> str:
    return _USUAL_BASIS if level.dft is None else level.dft.basis


def _ask_minutes(seconds: float, attempt: int) -> int:
    minutes = 10 + seconds / 60
    return int(min(minutes * 2 ** (attempt - 1), _LONGEST_MINUTES))
