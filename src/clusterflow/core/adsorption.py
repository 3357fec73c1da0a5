"""Which minimum stands for an adsorbate, and how far it may be trusted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusterflow.records import AdsorbRecord

# Best first: what was asked for on the cluster it was asked for, then the same on a
# cluster that changed its bonds.
USABLE_FATES = ("intact", "reconstructed")


def choose_minimum(record: AdsorbRecord) -> int | None:
    """Index of the lowest intact minimum, else of the lowest on a changed cluster."""
    for fate in USABLE_FATES:
        for index, minimum in enumerate(record.minima):
            if minimum.fate == fate:
                return index
    return None


def why_no_minimum(record: AdsorbRecord) -> str:
    """What became of an adsorbate that has no usable minimum."""
    if record.reason:
        return record.reason
    fates = Counter(
        f"{m.fate} ({m.detail})" if m.detail else m.fate for m in record.minima
    )
    found = ", ".join(fates)
    return f"no bound minimum of {record.adsorbate}: {found}"
