"""The only code that makes calculators, behind one protocol and one registry."""

from clusterflow.engines import emt, tblite, xtb_python  # noqa: F401 - they register
from clusterflow.engines.base import (
    ENGINES,
    Engine,
    Meter,
    check_elements,
    engine_of,
    engine_versions,
    frontier_orbitals,
    frontier_weights,
    make_calculator,
)

__all__ = [
    "ENGINES",
    "Engine",
    "Meter",
    "check_elements",
    "engine_of",
    "engine_versions",
    "frontier_orbitals",
    "frontier_weights",
    "make_calculator",
]
