"""The records of one cluster that its free energies are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.records.adsorption import AdsorbRecord, PoolRecord
    from clusterflow.records.clusters import RelaxRecord
    from clusterflow.records.vibrations import (
        GasRecord,
        LeavingRecord,
        VibrateRecord,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRecords:
    """What the stages before thermo have left behind of one cluster, and the gases.

    Gases may be of any level. Without a pool, only the cluster's own isomers are known.
    """

    relaxed: RelaxRecord
    adsorptions: Sequence[AdsorbRecord] = ()
    vibrations: Sequence[VibrateRecord] = ()
    gases: Sequence[GasRecord] = ()
    pool: PoolRecord | None = None
    leaving: LeavingRecord | None = None

    def vibrations_of(self, adsorbate: str) -> VibrateRecord | None:
        """The vibrations of an adsorbate, if there are any."""
        return {v.adsorbate: v for v in self.vibrations}.get(adsorbate)
