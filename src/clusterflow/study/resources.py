"""Memory, time and threads to ask for, by the size of a cluster."""

from __future__ import annotations

from clusterflow.stage_table import stage_named

# Memory of one process: the libraries, and matrices that grow with the square of the
# number of basis functions (about nine an atom, some thirty matrices of doubles).
_BASE_MB = 400
_MB_PER_ATOM_SQUARED = 30 * 9**2 * 8 / 1e6
# One gradient costs about this many seconds times the third power of the number of
# atoms, once there are more than a few.
_SECONDS_PER_ATOM_CUBED = 2.5e-5
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


def threads(n_atoms: int) -> int:
    """Threads of one job: one, until a gradient is long enough to share."""
    return 1 if n_atoms < 150 else 4
