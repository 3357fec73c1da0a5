"""Memory, time and threads to ask for, by the size of a cluster."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from clusterflow.formula import ATOMIC_NUMBERS
from clusterflow.stage_table import stage_named

if TYPE_CHECKING:
    from collections.abc import Mapping

# Memory of one process: the libraries, and matrices that grow with the square of the
# number of basis functions (about nine an atom, some thirty matrices of doubles).
_BASE_MB = 400
_MB_PER_ATOM_SQUARED = 30 * 9**2 * 8 / 1e6
# One gradient costs about this many seconds times the third power of the number of
# atoms, once there are more than a few.
_SECONDS_PER_ATOM_CUBED = 2.5e-5
# Of an element in def2-TZVP, at most, by period: He, Ne, Ar, Kr, Xe, Rn end them.
_LAST_OF_PERIOD = (2, 10, 18, 36, 54, 86, 118)
_FUNCTIONS_BY_PERIOD = (6, 31, 37, 48, 50, 50, 50)
# PySCF with its libraries, and matrices. Fitted integrals take half of three auxiliary
# functions for each function, in doubles, until PySCF keeps them on disk.
_DFT_BASE_MB = 900
_MB_PER_FUNCTION_CUBED = 3 / 2 * 8 / 1e6
_MOST_INTEGRALS_MB = 4000
# PBE/def2-SVP on one loaded core: Cd6Se6 with COOH, 740 s at 420 functions.
_DFT_SECONDS_PER_FUNCTION_CUBED = 1e-5
# Most queues end here; a job that needs more goes on from its scratch files.
_LONGEST_MINUTES = 7 * 24 * 60


def memory_mb(n_atoms: int, attempt: int = 1) -> int:
    """Memory to ask for, MB; more with each attempt.

    >>> memory_mb(26) < memory_mb(200)
    True
    """
    return int((_BASE_MB + _MB_PER_ATOM_SQUARED * n_atoms**2) * 1.5 ** (attempt - 1))


def gradient_s(n_atoms: int) -> float:
    """What one gradient takes, roughly, s.

    >>> round(gradient_s(26), 2)
    0.46
    """
    return 0.02 + _SECONDS_PER_ATOM_CUBED * n_atoms**3


def runtime_minutes(stage: str, n_atoms: int, attempt: int = 1) -> int:
    """Time to ask for, minutes; doubled with each attempt, up to a week.

    >>> runtime_minutes("adsorb", 26) < runtime_minutes("adsorb", 26, attempt=2)
    True
    """
    minutes = 10 + 2 * (stage_named(stage).gradients or 1) * gradient_s(n_atoms) / 60
    return int(min(minutes * 2 ** (attempt - 1), _LONGEST_MINUTES))


def n_basis(counts: Mapping[str, int]) -> int:
    """Basis functions of def2-TZVP, the largest basis of the levels; a little above.

    >>> n_basis({"Cu": 4, "C": 1, "O": 1})
    254
    """
    periods = {
        symbol: bisect_left(_LAST_OF_PERIOD, ATOMIC_NUMBERS[symbol])
        for symbol in counts
    }
    return sum(n * _FUNCTIONS_BY_PERIOD[periods[s]] for s, n in counts.items())


def dft_memory_mb(counts: Mapping[str, int], attempt: int = 1) -> int:
    """Memory of a single point by DFT, MB, by its basis functions."""
    integrals = min(_MB_PER_FUNCTION_CUBED * n_basis(counts) ** 3, _MOST_INTEGRALS_MB)
    return int((_DFT_BASE_MB + integrals) * 1.5 ** (attempt - 1))


def dft_runtime_minutes(
    counts: Mapping[str, int], attempt: int = 1, n_points: int = 3
) -> int:
    """Time of some single points by DFT, minutes, by their basis functions.

    >>> dft_runtime_minutes({"Cu": 4}) < dft_runtime_minutes({"Cd": 6, "Se": 6})
    True
    """
    seconds = n_points * _DFT_SECONDS_PER_FUNCTION_CUBED * n_basis(counts) ** 3
    minutes = 10 + seconds / 60
    return int(min(minutes * 2 ** (attempt - 1), _LONGEST_MINUTES))


def threads(n_atoms: int) -> int:
    """Threads of one job: one, until a gradient is long enough to share."""
    return 1 if n_atoms < 150 else 4
