"""YAML as people mean it: the one reader of configuration, library and own tables.

It is PyYAML's parser in C with scalars and mappings of our own. PyYAML itself reads
YAML 1.1, where ``1:30`` is 90, ``012`` is ten and ``NO`` is false, and of a key that
stands there twice it drops the first. ruamel.yaml refuses that and reads YAML 1.2, but
its import takes 79 ms against 32, and every job reads YAML; strictyaml is not kept any
more. The 330 files of the library take as long as with PyYAML's loader in C, a tenth of
a second; its loader in Python takes four times that.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import yaml

from clusterflow.errors import LibraryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_LARGEST_FILE = 16_000_000  # bytes
_MAX_DEPTH = 100
# Values, with those of an alias counted each time: aliases of aliases grow without end.
_MAX_VALUES = 2_000_000
_TOO_LARGE = 2**63  # for an integer

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTH = dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(
    ("false", "False", "FALSE"), False
)
# Truth values to YAML 1.1, texts to 1.2. `NO` is missing: a molecule.
_HALF_TRUTH = frozenset(
    {"yes", "Yes", "YES", "no", "No", "on", "On", "ON", "off", "Off", "OFF"}
)
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")


def read_yaml(path: Path) -> object:
    """The content of a YAML file.

    Raises
    ------
    LibraryError
        If it cannot be read, is not YAML or says what YAML readers understand
        differently; with line and column.
    """
    return parse_yaml(_read_text(path), str(path))


def parse_yaml(text: str, where: str) -> object:
    """The content of a text of YAML; `where` it stands is told in messages.

    Raises
    ------
    LibraryError
        If it is not YAML or says what YAML readers understand differently.
    """
    return _Reader(where, text).read()


class _Writer(yaml.SafeDumper):
    """PyYAML's, which quotes what YAML 1.2 would take for a number, such as ``1e3``."""


def _write_text(writer: _Writer, text: str) -> yaml.ScalarNode:
    style = "'" if _FLOAT.fullmatch(text) or _INTEGER.fullmatch(text) else None
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _write_text)


def format_yaml(content: object) -> str:
    """YAML that `read_yaml` reads as the content, with its keys in their order."""
    text: str = yaml.dump(content, Dumper=_Writer, sort_keys=False, allow_unicode=True)
    return text


def find_place(path: Path, keys: Sequence[int | str]) -> str:
    """Where a key or item stands, as ``: line 3, column 5``, else an empty text.

    Keys that are not there are passed over: a validation names more than the file has.
    """
    try:
        read_yaml(path)  # what it refuses may be nested too deep for what follows
        node = yaml.compose(_read_text(path), Loader=_LOADER)
    except LibraryError:
        return ""
    mark = None
    for key in keys:
        if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            if key < len(node.value):
                node = node.value[key]
                mark = node.start_mark
        elif isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                if name.value == str(key):
                    node, mark = value, name.start_mark
                    break
    return _describe_mark(mark)


def _describe_mark(mark: Any) -> str:
    return f": line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def why_no_file(path: Path) -> str:
    """Why what is there is not read; empty for a file, or where nothing is.

    A pipe that nobody writes to would be waited for without end.
    """
    if path.is_file() or not path.exists():
        return ""
    return "a folder" if path.is_dir() else "a pipe or device, no file"


def _read_text(path: Path) -> str:
    if reason := why_no_file(path):
        raise LibraryError(f"{path}: cannot be read ({reason})")
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise LibraryError(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) > _LARGEST_FILE:
        raise LibraryError(f"{path}: larger than {_LARGEST_FILE // 10**6} MB, no YAML")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
        raise LibraryError(
            f"{path}: not UTF-8 text but UTF-16, or not text; save it as UTF-8"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LibraryError(
            f"{path}: line {line}: not UTF-8 text; save it as UTF-8"
        ) from None


class _Reader:
    """Values from the events of a parser; nesting and aliases are bounded."""

    def __init__(self, where: str, text: str) -> None:
        self._where = where
        self._text = text
        self._n_values = 0
        # Of each anchor, its value and how many values that is.
        self._anchors: dict[str, tuple[Any, int]] = {}

    def read(self) -> object:
        try:
            # Made with the text: a character that YAML has not is found here.
            self._events = _LOADER(self._text)
            self._events.get_event()  # the stream
            if self._events.check_event(yaml.StreamEndEvent):
                return None
            self._events.get_event()  # the document
            value = self._read_value(self._events.get_event(), depth=0)
            self._events.get_event()
            if not self._events.check_event(yaml.StreamEndEvent):
                mark = self._events.get_event().start_mark
                raise self._make_error(mark, "a second document; one file is one")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            reason = ", ".join(filter(None, (error.context, error.problem)))
            if self._is_tab(mark):
                reason = "a tab; indent with spaces"
            raise self._make_error(mark, f"not valid YAML: {reason}") from None
        except yaml.reader.ReaderError as error:
            line = self._text.encode()[: error.position].count(b"\n") + 1
            raise LibraryError(
                f"{self._where}: line {line}: not valid YAML: {error.reason}"
            ) from None
        return value

    def _read_value(self, event: Any, depth: int) -> Any:
        self._count_values(event, 1)
        if isinstance(event, yaml.AliasEvent):
            return self._read_alias(event)
        if event.tag not in (None, "!"):
            raise self._make_error(event.start_mark, f"remove the tag {event.tag}")
        if depth > _MAX_DEPTH:
            raise self._make_error(event.start_mark, f"nested over {_MAX_DEPTH} deep")
        before = self._n_values
        value: Any
        if isinstance(event, yaml.ScalarEvent):
            value = self._read_scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = list(self._read_items(depth))
        else:
            value = self._read_mapping(depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._n_values - before)
        return value

    def _read_items(self, depth: int) -> Iterator[Any]:
        event = self._events.get_event()
        while not isinstance(event, yaml.SequenceEndEvent):
            yield self._read_value(event, depth + 1)
            event = self._events.get_event()

    def _read_mapping(self, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        event = self._events.get_event()
        while not isinstance(event, yaml.MappingEndEvent):
            key = self._read_value(event, depth + 1)
            if isinstance(key, list | dict):
                raise self._make_error(event.start_mark, "a key must be one word")
            if key in found:
                raise self._make_error(
                    event.start_mark, f"key {key!r} stands there twice; keep one"
                )
            found[key] = self._read_value(self._events.get_event(), depth + 1)
            event = self._events.get_event()
        return found

    def _read_alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise self._make_error(
                event.start_mark, f"*{event.anchor}: no such anchor before"
            )
        value, n_values = self._anchors[event.anchor]
        self._count_values(event, n_values)
        return value

    def _count_values(self, event: Any, number: int) -> None:
        self._n_values += number
        if self._n_values > _MAX_VALUES:
            raise self._make_error(
                event.start_mark, f"more than {_MAX_VALUES} values; write fewer aliases"
            )

    def _read_scalar(self, event: Any) -> Any:
        text: str = event.value
        if event.style is not None and event.style != "":
            return text
        if text in _NULL:
            return None
        if text in _TRUTH:
            return _TRUTH[text]
        if text in _HALF_TRUTH:
            why = "write true or false, or quote the word"
        elif _BASE_60.fullmatch(text):
            why = "a number to base 60 for some readers; quote it, or write the number"
        elif _NOT_FINITE.fullmatch(text):
            why = "no finite number"
        elif not _FLOAT.fullmatch(text):
            return text
        elif _LEADING_ZERO.match(text):
            why = "a leading zero, octal for some readers; remove or quote it"
        else:
            number = _parse_number(text)
            if abs(number) < (_TOO_LARGE if isinstance(number, int) else math.inf):
                return number
            why = "too large a number"
        shown = text if len(text) < 40 else f"{text[:40]}..."
        raise self._make_error(event.start_mark, f"{shown}: {why}")

    def _is_tab(self, mark: Any) -> bool:
        lines = self._text.splitlines()
        line = lines[mark.line] if mark and mark.line < len(lines) else ""
        return line[mark.column : mark.column + 1] == "\t"

    def _make_error(self, mark: Any, problem: str) -> LibraryError:
        return LibraryError(f"{self._where}{_describe_mark(mark)}: {problem}")


def _parse_number(text: str) -> float:
    """An integer or a float; Python refuses integers of more than 4300 digits."""
    is_integer = _INTEGER.fullmatch(text) and len(text) < 25
    return int(text) if is_integer else float(text)
