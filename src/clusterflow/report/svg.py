"""Diagrams as SVG that can stand inside a page."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from clusterflow.report import diagram

# The page sets these variables for light and dark.
_VARIABLES = {
    diagram.BEST: "--plot-best",
    diagram.DETERMINING: "--plot-determining",
    diagram.INK: "--ink",
    diagram.MUTED: "--muted",
    diagram.FAINT: "--faint",
    diagram.BAND: "--band",
    diagram.PAPER: "--card",
    **{color: f"--plot-{rank}" for rank, color in enumerate(diagram.OTHERS, 1)},
}
_COLOR = re.compile("|".join(_VARIABLES))
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def inline_svg(source: str, *, prefix: str, alt: str) -> str:
    """A figure's SVG as an ``<svg>`` element for use inside HTML.

    Its ids start with `prefix`, its colours follow the page's variables, and it holds
    neither a reference to another file nor a style sheet of its own.
    """
    root = ElementTree.fromstring(source)
    for parent in root.iter():
        for child in list(parent):
            if _local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {
            _local(key): _adapt(_local(key), value, prefix)
            for key, value in element.attrib.items()
        }
    width = root.attrib["viewBox"].split()[2]
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib.update(
        {
            "class": "plot",
            "role": "img",
            "aria-label": alt,
            "style": f"--natural: {width}pt",
        }
    )
    return ElementTree.tostring(root, encoding="unicode")


def _local(name: str) -> str:
    """A tag or attribute without its namespace."""
    return name.rpartition("}")[2]


def _adapt(key: str, value: str, prefix: str) -> str:
    """An attribute with prefixed ids and the page's colours."""
    if key == "id":
        return prefix + value
    if key == "href" and value.startswith("#"):
        return f"#{prefix}{value[1:]}"
    if key == "style":
        return _COLOR.sub(lambda match: f"var({_VARIABLES[match.group()]})", value)
    return _REFERENCE.sub(lambda match: f"url(#{prefix}{match.group(1)})", value)
