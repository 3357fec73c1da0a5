"""How numbers, formulas and times are written in diagrams and on the page."""

from __future__ import annotations

import re

from clusterflow.units import SCALE_NAMES

MINUS = "\N{MINUS SIGN}"
HOLE = "\N{EM DASH}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_COUNT = re.compile(r"(?<=[A-Za-z)])\d+")
_CHARGE = re.compile(r"(?<=[A-Za-z0-9])([+-])(?=[\s)]|$)")
_CHARGES = {"+": "⁺", "-": "⁻"}


def chem(text: str) -> str:
    """A reaction equation with subscripts, charges and arrows.

    >>> chem("CO2(g) + * + H+ + e- -> *COOH")
    'CO₂(g) + * + H⁺ + e⁻ → *COOH'
    """
    charged = _CHARGE.sub(lambda match: _CHARGES[match.group(1)], text)
    counted = _COUNT.sub(lambda match: match.group().translate(_SUBSCRIPTS), charged)
    return counted.replace("->", "→")


def number(value: float | None, digits: int = 2) -> str:
    """A number with a true minus sign, or a dash where there is none.

    >>> number(-0.001)
    '0.00'
    """
    if value is None:
        return HOLE
    rounded = round(value, digits) + 0.0
    return f"{rounded:.{digits}f}".replace("-", MINUS)


def signed(value: float | None, digits: int = 2) -> str:
    """A number that always shows its sign; zero has none."""
    written = number(value, digits)
    positive = value is not None and round(value, digits) > 0
    return f"+{written}" if positive else written


def duration(seconds: float) -> str:
    """A time as text, in seconds, minutes or hours.

    >>> duration(75.2), duration(3.456)
    ('1 min 15 s', '3.5 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def clip(text: str, length: int) -> str:
    """The text, cut to a length with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + ELLIPSIS


def potential_label(potential_v: float, scale: str, ph: float) -> str:
    """A potential with its scale; the pH where the scale needs it.

    >>> potential_label(0.0, "she", 7.0)
    'U = 0.00 V vs SHE, pH 7.0'
    """
    label = f"U = {number(potential_v)} V vs {SCALE_NAMES[scale]}"
    return label if scale == "rhe" else f"{label}, pH {ph:.1f}"
