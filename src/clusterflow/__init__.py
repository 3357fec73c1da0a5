"""Free-energy profiles of CO2 reduction on nanoclusters, with GFN-xTB.

Importing the package is free: it loads neither ASE nor an engine.
"""


def __getattr__(name: str) -> str:
    # Looking the version up takes as long as all else that a small command imports.
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("clusterflow")
    except PackageNotFoundError:  # a source tree that was never installed
        found = "0+unknown"
    # Every record asks; from here on the module has it.
    globals()["__version__"] = found
    return found
