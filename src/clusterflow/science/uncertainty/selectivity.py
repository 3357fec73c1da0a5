"""How far a product is ahead of hydrogen on one surface, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clusterflow.records.profiles import Selectivity
from clusterflow.science.uncertainty.sampling import QUANTILES, probability_better

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def compare_with_hydrogen(product_v_rhe: Floats, hydrogen_v_rhe: Floats) -> Selectivity:
    """The distribution of U_L(product) − U_L(HER).

    Parameters
    ----------
    product_v_rhe, hydrogen_v_rhe
        Samples of both, V against RHE, shape (n_samples,), drawn with one seed on one
        surface so that they pair.

    Raises
    ------
    ValueError
        If they are not of one shape, so cannot pair.

    Examples
    --------
    >>> found = compare_with_hydrogen(np.array([-0.2, -0.5]), np.array([-0.3, -0.4]))
    >>> round(found.median_v, 3), found.probability
    (0.0, 0.5)
    """
    probability = probability_better(product_v_rhe, hydrogen_v_rhe)
    lower, median, upper = np.quantile(product_v_rhe - hydrogen_v_rhe, QUANTILES)
    return Selectivity(
        median_v=float(median),
        lower_v=float(lower),
        upper_v=float(upper),
        probability=probability,
    )
