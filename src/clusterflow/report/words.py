"""What records call things, in the words of whoever does the experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from clusterflow.figures.picture import BOND, element_styles

if TYPE_CHECKING:
    from clusterflow.records.adsorption import Minimum
    from clusterflow.records.structure import Structure

_FATES: Final = {
    "ok": "ok",
    "intact": "intact",
    "desorbed": "left the cluster",
    "dissociated": "broke apart",
    "reconstructed": "the cluster changed its bonds",
    "ligand-migrated": "a ligand changed its bonds",
    "scf-failed": "the electrons did not converge",
    "not-converged": "did not come to rest",
    "imaginary": "not a minimum",
    "failed": "failed",
}
_FLAGS: Final = {
    "bond-not-measured": "a bond whose error nobody measured",
    "bonded-to-nonmetal": "bound to a nonmetal of the cluster",
    "co2-activation": "bent CO2",
    "frozen-shell": "ligands were held",
    "hidden-chemical-step": "a chemical step hides part of the climb",
    "large-gas-correction": "gas correction",
    "ligand-migrated": "a ligand changed its bonds",
    "minimum-set-aside": "another minimum was set aside",
    "no-solvation-value": "water is left out",
    "noise-imaginary-mode": "a mode within the noise is left",
    "other-molecule": "became another molecule than drawn",
    "read-the-median": "read the median",
    "reconstructed": "the cluster changed its bonds",
    "soft-imaginary-mode": "a soft mode is left",
    "spin-contaminated": "mixes spin states",
    "spin-unpolarised": "open shell without spin",
    "unknown-bond": "a bond that no gas tells the error of",
}


def say_flag(name: str) -> str:
    """A flag in words, one that nobody has named without its hyphens."""
    return _FLAGS.get(name, name.replace("-", " "))


def say_fate(fate: str) -> str:
    """A fate or status in words, one that nobody has named as it is.

    >>> say_fate("became:COOH"), say_fate("desorbed")
    ('became *COOH', 'left the cluster')
    """
    kind, _, what = fate.partition(":")
    return f"became *{what}" if kind == "became" else _FATES.get(fate, fate)


def say_outcome(minimum: Minimum) -> str:
    """What became of an adsorbate and its cluster: ``Se left the cluster``."""
    left = _find_lost_atoms(minimum.structure)
    if left and minimum.fate == "reconstructed":
        return f"{', '.join(left)} left the cluster"
    if minimum.fate == "dissociated" and minimum.detail:
        return f"broke apart: {minimum.detail}"
    return say_fate(minimum.fate)


def _find_lost_atoms(structure: Structure) -> list[str]:
    """Elements of those atoms of a cluster that none of its others is bonded to."""
    core = [index for index, role in enumerate(structure.roles) if role == "core"]
    if len(core) < 2:
        return []
    symbols = [structure.symbols[index] for index in core]
    styles = element_styles(set(symbols))
    radii = np.array([styles[symbol].radius_a for symbol in symbols])
    xyz = structure.xyz[core]
    distances = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1)
    bonded = distances < BOND * (radii[:, None] + radii[None])
    np.fill_diagonal(bonded, val=False)
    return sorted(
        {s for s, some in zip(symbols, bonded.any(axis=1), strict=True) if not some}
    )
