"""What many tests share: the library, computed molecules, and hand-made records."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from clusterflow.library.find import Library, package_data
from clusterflow.records.provenance import Provenance
from clusterflow.records.structure import Structure

if TYPE_CHECKING:
    from pathlib import Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole studies first: short tests then fill the end, where workers share them."""
    items.sort(key=lambda item: item.path.parent.name not in ("workflow", "faults"))


@pytest.fixture(scope="session")
def root() -> Path:
    """Where workflow/ and structures/ are, and docs/ in a checkout."""
    return package_data()


@pytest.fixture(scope="session")
def library(root: Path) -> Library:
    """The library of the package alone, whatever the working folder."""
    return Library((root / "structures",))


@pytest.fixture(scope="session")
def provenance() -> Provenance:
    """Says nothing, where nothing needs to be said."""
    return Provenance(protocol=1, wall_time_s=0.0, created="2026-01-01T00:00:00+00:00")


@pytest.fixture(scope="session")
def gas_record(library: Library):
    """A molecule computed at a level, once a session: (gas, level) -> GasRecord."""
    from clusterflow.settings import GasSettings
    from clusterflow.stages.gas import gas
    from clusterflow.stages.parts.job import Job

    @cache
    def compute(name: str, level: str):
        return gas(library.gas(name), library.level(level), GasSettings(), Job("gas"))

    return compute


@pytest.fixture(scope="session")
def structure():
    """A neutral singlet from symbols and positions."""

    def make(symbols, positions, role="core", **changes) -> Structure:
        return Structure(
            symbols=tuple(symbols),
            positions=tuple(map(tuple, np.asarray(positions, dtype=float).tolist())),
            roles=(role,) * len(symbols),
            **{"charge": 0, "multiplicity": 1, **changes},
        )

    return make
