"""Free-energy profiles of CO2 reduction on nanoclusters, with GFN-xTB.

Importing the package is free: it loads neither ASE nor an engine.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("clusterflow")
except PackageNotFoundError:  # running from a source tree that was never installed
    __version__ = "0+unknown"
