"""What can go wrong, by whose fault it is.

Every message holds four things: what, the offending value, where it came from, and
what to do. The command line prints it in one line and exits 2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T")
# Of more names than these only those are told that are near.
_MOST_LISTED = 20


class ClusterflowError(Exception):
    """Wrong input or a missing part: shown as one line, without a traceback."""


class ConfigError(ClusterflowError):
    """A setting is unknown, missing or out of range."""


class LibraryError(ClusterflowError):
    """An item of ``structures/`` is missing, doubled or contradicts itself."""


class StructureError(ClusterflowError):
    """A geometry cannot be what it claims to be."""


class InputWarning(UserWarning):
    """What was not plain in an input, and how it was read: shown as one line."""


class EngineError(ClusterflowError):
    """An engine is not installed or cannot treat this system."""


class RecordError(ClusterflowError):
    """A record cannot be read, or is not of the kind that was asked for."""


class OutputError(ClusterflowError):
    """A file cannot be written where it was asked for."""


# Up to the last @: a password may hold any sign.
_PASSWORD = re.compile(
    r"(://[^:/@\s]*:)\S*(?=@)|(password\s*=\s*)('[^']*'|[^&\s'\"]+)", re.IGNORECASE
)


def hide_passwords(text: str) -> str:
    """A text without the passwords of the URLs in it.

    >>> hide_passwords("postgresql://me:secret@host/db?sslpassword=other")
    'postgresql://me:***@host/db?sslpassword=***'
    """
    return _PASSWORD.sub(lambda found: f"{found[1] or found[2]}***", text)


def name_near(name: str, known: Iterable[str], *, listed_by: str = "") -> str:
    """What a wrong name may mean, and which names there are.

    Parameters
    ----------
    known
        Told in the order of a list or tuple, sorted otherwise.
    listed_by
        The command that lists all, where they are too many for a line.

    Examples
    --------
    >>> name_near("Au25SH8", ["Au25SH18", "Cu4"])
    'did you mean Au25SH18? known: Au25SH18, Cu4'
    >>> name_near("cu4", ["Cu4"])
    'did you mean Cu4? known: Cu4'
    """
    from difflib import get_close_matches

    names = list(known) if isinstance(known, list | tuple) else sorted(known)
    by_case: dict[str, str] = {one.lower(): one for one in names}
    wanted = name.lower()
    alike = [wanted] if wanted in by_case else get_close_matches(wanted, by_case)
    near = [by_case[one] for one in alike]
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    if listed_by and len(names) > _MOST_LISTED:
        return f"{meant}`{listed_by}` shows all {len(names)}"
    return f"{meant}known: {', '.join(names) or 'none'}"


def choose(known: Mapping[str, T], name: str, kind: str) -> T:
    """What is known by a name.

    Raises
    ------
    LibraryError
        If nothing is; the message lists the names there are.

    Examples
    --------
    >>> choose({"cube": 6, "tetrahedron": 4}, "cube", "shape")
    6
    """
    if name not in known:
        raise LibraryError(
            f"unknown {kind} {name!r}: choose from {', '.join(sorted(known))}"
        )
    return known[name]
