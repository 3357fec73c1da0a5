"""Programs that compute energies and forces, and the only code that starts them."""

from clusterflow.engines.make import (
    ENGINES,
    Meter,
    check_elements,
    engine_of,
    engine_versions,
    make_calculator,
)

__all__ = [
    "ENGINES",
    "Meter",
    "check_elements",
    "engine_of",
    "engine_versions",
    "make_calculator",
]
