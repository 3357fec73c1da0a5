"""Wavenumbers as programs print them: VASP; ORCA, Gaussian and others by cclib."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from clusterflow.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

# A mode of VASP: its number, "f" or "f/i" (imaginary), then THz, 2PiTHz, cm-1 and meV.
_VASP_MODE = re.compile(
    r"^\s*(?P<number>\d+) f(?P<imaginary>/i)?\s*=.*?(?P<cm1>[\d.]+) cm-1", re.MULTILINE
)
# Of Gaussian, ORCA, NWChem and Q-Chem.
_WITH_MODES = re.compile(
    r"Harmonic frequencies|VIBRATIONAL FREQUENCIES|Frequencies --"
    r"|\(Frequencies expressed in cm-1\)|^ Frequency: ",
    re.MULTILINE,
)


def has_vasp_modes(path: Path) -> bool:
    """Whether an OUTCAR is of a calculation of vibrations by finite differences."""
    return path.name.startswith("OUTCAR") and bool(_find_vasp_modes(path))


def read_wavenumbers(path: Path, n_modes: int | None = None) -> list[float] | None:
    """Wavenumbers of an output, cm⁻¹, highest first; None if it holds no modes.

    Parameters
    ----------
    path
        Of the output.
    n_modes
        Of a molecule: how many are vibrations. VASP prints translations and rotations
        too, which are the lowest.

    Raises
    ------
    ConfigError
        If one is imaginary, or cclib is needed and not there.
    """
    if path.name.startswith("OUTCAR"):
        modes = _find_vasp_modes(path)
    elif path.suffix in (".out", ".log"):
        modes = _read_modes_by_cclib(path)
    else:
        modes = []
    if not modes:
        return None
    modes.sort(reverse=True)
    # Imaginary ones, written as negative, are the lowest.
    kept = modes[:n_modes]
    if kept and kept[-1] < 0:
        raise ConfigError(
            f"{path}: has an imaginary mode of {-kept[-1]:g} cm⁻¹: no minimum; "
            "relax further, or put the modes that count into frequencies_cm1.txt"
        )
    return kept


def _find_vasp_modes(path: Path) -> list[float]:
    """Modes of an OUTCAR, imaginary ones negative; it may print all of them twice."""
    text = path.read_text(encoding="utf-8", errors="replace")
    found: dict[str, float] = {}
    for mode in _VASP_MODE.finditer(text):
        sign = -1.0 if mode["imaginary"] else 1.0
        found.setdefault(mode["number"], sign * float(mode["cm1"]))
    return list(found.values())


def _read_modes_by_cclib(path: Path) -> list[float]:
    text = path.read_text(encoding="utf-8", errors="replace")
    if not _WITH_MODES.search(text):
        return []
    try:
        import cclib
    except ImportError:
        raise ConfigError(
            f"{path}: holds wavenumbers, which cclib reads; pip install "
            "'clusterflow[outputs]', or put them into frequencies_cm1.txt"
        ) from None
    # cclib's parsers of some twenty programs raise whatever they meet.
    try:
        data = cclib.io.ccread(str(path), loglevel=logging.CRITICAL)
        modes = [] if data is None else getattr(data, "vibfreqs", [])
    except Exception as error:
        raise ConfigError(
            f"{path}: holds wavenumbers that cclib cannot read "
            f"({type(error).__name__}: {error}); put them into frequencies_cm1.txt"
        ) from None
    return [float(mode) for mode in modes]
