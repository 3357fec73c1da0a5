"""What every stage needs to say where its record comes from."""

from __future__ import annotations

import platform
import resource
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import clusterflow
from clusterflow.engines import Meter, engine_versions, make_calculator
from clusterflow.records.files import sha256
from clusterflow.records.provenance import Provenance
from clusterflow.stage_table import stage_named

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from clusterflow.engines.base import ScfOptions
    from clusterflow.engines.calculator import EngineCalculator, Memory
    from clusterflow.library.levels import LevelSpec
    from clusterflow.model import Model


@dataclass
class Job:
    """One run of one stage: its inputs, its settings and the time it takes.

    `edited` are records among the inputs, or behind them, that were changed by hand;
    `points` is a folder of single points that other jobs share.
    """

    stage: str
    settings: dict[str, Any] = field(default_factory=dict)
    inputs: Sequence[Path] = ()
    scratch: Path | None = None
    edited: tuple[str, ...] = ()
    points: Path | None = None
    meter: Meter = field(default_factory=Meter)
    started: float = field(default_factory=time.perf_counter)

    def calculator(
        self,
        level: LevelSpec,
        charge: int,
        multiplicity: int,
        accuracy: float = 1.0,
        memory: Memory | None = None,
        *,
        options: ScfOptions | None = None,
    ) -> EngineCalculator:
        """A calculator whose gradients this job counts."""
        return make_calculator(
            level,
            charge,
            multiplicity,
            accuracy=accuracy,
            meter=self.meter,
            memory=memory,
            options=options,
        )

    def provenance(self, level: LevelSpec | None = None) -> Provenance:
        """Inputs by hash, settings, versions and times, as of now."""
        return Provenance(
            protocol=stage_named(self.stage).protocol,
            settings=self.settings,
            inputs={str(path): sha256(path) for path in self.inputs},
            edited=self.edited,
            versions={
                "clusterflow": clusterflow.__version__,
                "python": platform.python_version(),
                **(engine_versions(level) if level else {}),
            },
            wall_time_s=round(time.perf_counter() - self.started, 3),
            engine_time_s=round(self.meter.seconds, 3),
            n_gradients=self.meter.n_gradients,
            scf_rungs=dict(self.meter.rungs) if self.meter.failures else {},
            scf_failures=dict(self.meter.failures),
            max_rss_mb=round(_measure_max_rss_mb(), 1),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )


def _measure_max_rss_mb() -> float:
    """Peak memory of this process so far, MB.

    Kept here because Snakemake's own `benchmark:` looks at every job twice a second,
    which took a tenth of a core.
    """
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def settings_of(*sections: Model) -> dict[str, Any]:
    """The settings of some sections in one flat dictionary, for provenance."""
    merged: dict[str, Any] = {}
    for section in sections:
        merged.update(section.model_dump(mode="json"))
    return merged
