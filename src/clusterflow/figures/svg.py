"""Diagrams as SVG that can stand inside a page.

A volcano of 24 points has 19.1 kB as matplotlib writes it, 12.6 kB after scour (26 ms)
and 9.1 kB here (4 ms), with the colours of the page.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from clusterflow.figures import palette
from clusterflow.figures.layout import HEADING_IN
from clusterflow.figures.sheet import HEADING, PAPER

# The page sets these variables for light and dark.
_VARIABLES = {
    palette.BEST: "--plot-best",
    palette.DETERMINING: "--plot-determining",
    palette.INK: "--ink",
    palette.MUTED: "--muted",
    palette.FAINT: "--faint",
    palette.BAND: "--band",
    PAPER: "--card",
    **{color: f"--plot-{rank}" for rank, color in enumerate(palette.OTHERS, 1)},
}
_COLOR = re.compile("|".join(_VARIABLES))
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")
# The page's style sheet has the font; what is nothing is left out.
_IDLE = re.compile(r"(font-family:[^;]*|stroke-dashoffset: 0)(; |$)")
_NO_ROTATION = re.compile(r"rotate\(-?0 [^)]*\)")
_USED = re.compile(r"[\"(]#([^\")]+)[\")]")
_MEASURES = {"d", "x", "y", "transform", "points"}


def inline_svg(source: str, *, prefix: str, alt: str) -> str:
    """A figure's SVG as an ``<svg>`` element for use inside HTML.

    Its ids start with `prefix`, its colours follow the page's variables, and it holds
    neither a reference to another file nor a style sheet of its own. The heading of a
    diagram goes: the page says it above.
    """
    root = ElementTree.fromstring(source)
    _cut_heading(root)
    for parent in root.iter():
        for child in list(parent):
            if _strip_namespace(child.tag) in ("metadata", "style", "clipPath"):
                parent.remove(child)
    used = set(_USED.findall(source))
    for element in root.iter():
        element.tag = _strip_namespace(element.tag)
        if element.tag != "text":
            element.text = None
        element.tail = None
        element.attrib = {
            _strip_namespace(key): adapted
            for key, value in element.attrib.items()
            if (key != "id" or value in used)
            and (adapted := _adapt_attribute(_strip_namespace(key), value, prefix))
        }
    _unwrap_groups(root)
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


def _cut_heading(root: ElementTree.Element) -> None:
    """Leave out a diagram's heading, and the room it had."""
    parent = root.find(f".//*[@id='{HEADING}']/..")
    if parent is None:
        return
    parent.remove(next(child for child in parent if child.get("id") == HEADING))
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    cut = 72 * HEADING_IN
    root.attrib["viewBox"] = f"{left:g} {top + cut:g} {width:g} {height - cut:g}"


def _unwrap_groups(parent: ElementTree.Element) -> None:
    """Put the children of groups that say nothing in their place."""
    for child in list(parent):
        _unwrap_groups(child)
        empty = child.tag == "defs" and not len(child)
        if empty or (child.tag == "g" and not child.attrib):
            place = list(parent).index(child)
            parent[place : place + 1] = list(child)


def _strip_namespace(name: str) -> str:
    """A tag or attribute without its namespace."""
    return name.rpartition("}")[2]


def _adapt_attribute(key: str, value: str, prefix: str) -> str:
    """An attribute with prefixed ids and the page's colours."""
    if key == "id":
        return prefix + value
    if key == "href" and value.startswith("#"):
        return f"#{prefix}{value[1:]}"
    if key == "clip-path":  # nothing is drawn outside its axes
        return ""
    if key == "style":
        value = _IDLE.sub("", value).replace("; ", ";").replace(": ", ":")
        return _COLOR.sub(lambda match: f"var({_VARIABLES[match.group()]})", value)
    if key in _MEASURES:
        value = _LONG_NUMBER.sub(lambda match: f"{float(match.group()):.1f}", value)
        return _NO_ROTATION.sub("", value).strip()
    return _REFERENCE.sub(lambda match: f"url(#{prefix}{match.group(1)})", value)
