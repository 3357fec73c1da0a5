"""Free-energy profiles of CO2 reduction on nanoclusters, with GFN-xTB.

Importing the package is free: it loads neither ASE nor an engine.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clusterflow.api.steps import evaluate, find_sites, search_minima
    from clusterflow.api.study import Study

__all__ = ["Study", "evaluate", "find_sites", "search_minima"]

_MODULES = {
    "Study": "clusterflow.api.study",
    "evaluate": "clusterflow.api.steps",
    "find_sites": "clusterflow.api.steps",
    "search_minima": "clusterflow.api.steps",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        found = getattr(import_module(_MODULES[name]), name)
    elif name == "__version__":
        found = _find_version()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # From here on the module has it: every record asks for the version.
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _find_version() -> str:
    # Looking it up takes as long as all else that a small command imports.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("clusterflow")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"
