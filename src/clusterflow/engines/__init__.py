"""Programs that compute energies and forces, and the only code that starts them."""

from clusterflow.engines.make import (
    ENGINES,
    check_elements,
    engine_of,
    engine_versions,
    make_calculator,
)
from clusterflow.engines.meter import Meter

__all__ = [
    "ENGINES",
    "Meter",
    "check_elements",
    "engine_of",
    "engine_versions",
    "make_calculator",
]
