"""What DFT is off by: stated for a level, or measured by a study's own second ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clusterflow.library.levels import DeviationSource


def estimate_deviations(
    stated_ev: Mapping[DeviationSource, float],
    differences: Iterable[tuple[DeviationSource, float]],
) -> dict[DeviationSource, float]:
    """Standard deviations by source, eV: root mean squares of what was measured.

    What is stated counts as one more difference, so that a single one that happens to
    be small makes no functional exact.

    Parameters
    ----------
    stated_ev
        Of the level.
    differences
        Of energies of binding, eV, each with its source.

    Examples
    --------
    >>> estimate_deviations({"functional": 0.3, "basis": 0.05}, [("functional", 0.1)])
    {'functional': 0.22..., 'basis': 0.05}
    >>> estimate_deviations({}, [("geometry", 0.1), ("geometry", -0.1)])
    {'geometry': 0.1...}
    """
    found: dict[DeviationSource, list[float]] = {}
    for source, sigma in stated_ev.items():
        found.setdefault(source, []).append(sigma)
    for source, difference in differences:
        found.setdefault(source, []).append(difference)
    return {
        source: (sum(x**2 for x in values) / len(values)) ** 0.5
        for source, values in found.items()
    }
