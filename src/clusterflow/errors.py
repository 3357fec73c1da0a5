"""What can go wrong, by whose fault it is.

Every message holds four things: what, the offending value, where it came from, and
what to do. The command line prints it in one line and exits 2.
"""


class ClusterflowError(Exception):
    """Wrong input or a missing part: shown as one line, without a traceback."""


class ConfigError(ClusterflowError):
    """A setting is unknown, missing or out of range."""


class LibraryError(ClusterflowError):
    """An item of ``structures/`` is missing, doubled or contradicts itself."""


class StructureError(ClusterflowError):
    """A geometry cannot be what it claims to be."""


class EngineError(ClusterflowError):
    """An engine is not installed or cannot treat this system."""


class RecordError(ClusterflowError):
    """A record cannot be read, or is not of the kind that was asked for."""
