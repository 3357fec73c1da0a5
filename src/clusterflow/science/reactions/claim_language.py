"""The language of claims: comparisons of limiting potentials and free energies.

``U_L(CO2-to-CO, Cu4) > U_L(CO2-to-CO, Cu8)``,
``dG(*CHO, Cu4) - dG(*OCH3, Cu4) > 0.5 eV``,
``loss(SH, PdAu24SH18) > loss(SH, Au25SH18)``,
``bond_length(Cd-S, Cd6S6) > 2.5 A``,
``determining_step(CO2-to-CO, Cu4) = "* + CO2(g) + H+ + e- -> *COOH"`` and
``product(Cu4) = HCOOH``. U_L is in V against RHE, dG and loss in eV at 0 V against RHE,
a bond length in Å.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast, get_args

import pyparsing as pp
from ase.data import atomic_numbers

from clusterflow.errors import ConfigError, LibraryError
from clusterflow.library.reactions import LossRoute
from clusterflow.science.reactions.network import Equation, parse_equation

if TYPE_CHECKING:
    from clusterflow.library.claims import ClaimSpec

Kind = Literal["U_L", "dG", "loss", "bond_length"]
Relation = Literal[">", "<", "="]
# Which bonds count: all, or those between atoms that belong to no ligand.
BondsOf = Literal["all", "core"]
UNITS: Final[dict[Kind, str]] = {
    "U_L": "V",
    "dG": "eV",
    "loss": "eV",
    "bond_length": "Å",
}
# As a unit may be written, beside itself.
_SPELLINGS: Final = {"A": "Å"}
# Signs of print, as they are copied from a page or a paper.
_PRINTED: Final = str.maketrans(
    {"→": "->", "−": "-", "–": "-", "‑": "-", "⁺": "+", "⁻": "-", "\u212b": "Å"}
    | {chr(0x2080 + digit): str(digit) for digit in range(10)}  # subscripts
)
# By which a ligand leaves where nothing is said.
_USUAL_ROUTE: Final[LossRoute] = "acid"
_EXAMPLES: Final = (
    "write it as U_L(REACTION, CLUSTER) > U_L(REACTION, CLUSTER), "
    "dG(*SPECIES, CLUSTER) < 0.5 eV, loss(LIGAND, CLUSTER) > 0.5 eV, "
    "bond_length(Cd-S, CLUSTER) > 2.5 A, "
    'determining_step(REACTION, CLUSTER) = "STEP" or product(CLUSTER) = MOLECULE'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """The U_L of a reaction, the free energy of a species, a step or a loss, a length.

    `of` is a reaction, a surface species such as ``*CO``, an equation, a ligand that
    leaves by a `route`, or a pair such as ``Cd-S``, of whose bonds `bonds` says which
    count. The `step` of a loss is in the library: see `resolve_steps`.
    """

    kind: Kind
    of: str
    cluster: str
    route: LossRoute = _USUAL_ROUTE
    step: str = ""
    bonds: BondsOf = "all"

    @property
    def elements(self) -> tuple[str, str]:
        """Those whose bonds a length is of.

        >>> Quantity(kind="bond_length", of="Cd-S", cluster="Cd6S6").elements
        ('Cd', 'S')
        """
        first, _, second = self.of.partition("-")
        return first, second

    @property
    def equation(self) -> Equation:
        """What happens where it is the free energy of something.

        Raises
        ------
        LibraryError
            If it cannot be read.

        Examples
        --------
        >>> Quantity(kind="dG", of="*CO", cluster="Cu4").equation.products
        Counter({'*CO': 1})
        """
        try:
            if self.step or "->" in self.of:
                return parse_equation(self.step or self.of)
            formed = parse_equation(f"* -> {self.of}").products
        except LibraryError as error:
            raise LibraryError(f"{self}: {error}") from None
        return Equation(name=self.of, reactants=Counter(), products=formed)

    def __str__(self) -> str:
        shown = f'"{self.of}"' if "->" in self.of else self.of
        more = f", {self.route}" if self.route != _USUAL_ROUTE else ""
        more += f", {self.bonds}" if self.bonds != "all" else ""
        return f"{self.kind}({shown}, {self.cluster}{more})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Quantities, left less right, against a number: ``Σ sign · quantity > number``."""

    terms: tuple[tuple[int, Quantity], ...]
    relation: Relation
    threshold: float
    unit: str

    @property
    def clusters(self) -> tuple[str, ...]:
        """The clusters that it names."""
        return tuple(dict.fromkeys(quantity.cluster for _, quantity in self.terms))

    @property
    def is_of_lengths(self) -> bool:
        """Whether it is about geometries, and so about no free energy."""
        return self.unit == UNITS["bond_length"]

    def __str__(self) -> str:
        """The quantities alone, left less right."""
        parts = [f"{'+' if sign > 0 else '−'} {q}" for sign, q in self.terms]
        return " ".join(parts).removeprefix("+ ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which step determines a reaction, or which product comes at the least potential.

    `reaction` is empty where it is about the product.
    """

    of: Literal["determining_step", "product"]
    reaction: str
    cluster: str
    value: str

    @property
    def clusters(self) -> tuple[str, ...]:
        """The one cluster that it names."""
        return (self.cluster,)

    def __str__(self) -> str:
        return f"{self.of}({', '.join(filter(None, (self.reaction, self.cluster)))})"


Claim: TypeAlias = Difference | Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadClaim:
    """A claim that was read, with its published value and tolerance as numbers."""

    claim: Claim
    published: float | None = None
    tolerance: float | None = None


def read_claim(spec: ClaimSpec) -> ReadClaim:
    """A claim of a study, with its numbers.

    Raises
    ------
    ConfigError
        Which names the claim, if it cannot be read, a unit is missing or of another
        dimension, or a tolerance is missing or of no use.
    """
    where = f"claims: {spec.name}"
    try:
        claim = parse_claim(spec.claim)
        if isinstance(claim, Choice):
            if spec.published is not None or spec.tolerance is not None:
                raise ConfigError(
                    f"{claim} has no unit: leave out published and tolerance"
                )
            return ReadClaim(claim=claim)
        needs_one = claim.relation == "=" or spec.published is not None
        if needs_one and spec.tolerance is None:
            what = "published" if spec.published is not None else "="
            raise ConfigError(
                f"{what} needs a tolerance: how far from it still counts; add "
                f"tolerance: 0.1 {claim.unit}"
            )
        if spec.tolerance is not None and not needs_one:
            raise ConfigError(
                f"tolerance {spec.tolerance}: there is neither = nor published; "
                "leave it out"
            )
        tolerance = _read_amount("tolerance", spec.tolerance, claim.unit)
        if tolerance is not None and tolerance <= 0:
            raise ConfigError(f"tolerance {spec.tolerance}: must be above 0")
        return ReadClaim(
            claim=claim,
            published=_read_amount("published", spec.published, claim.unit),
            tolerance=tolerance,
        )
    except (ConfigError, LibraryError) as error:
        raise ConfigError(f"{where}: {error}") from None


@lru_cache(maxsize=256)
def parse_claim(text: str) -> Claim:
    """A claim from its text.

    Raises
    ------
    ConfigError
        If it cannot be read, a number has no unit, units are unlike, or left and right
        are the same.

    Examples
    --------
    >>> found = parse_claim("dG(*CHO, Cu4) > dG(*OCH3, Cu4) + 0.5 eV")
    >>> str(found), found.relation, found.threshold, found.unit
    ('dG(*CHO, Cu4) − dG(*OCH3, Cu4)', '>', 0.5, 'eV')
    >>> parse_claim("product(Cu4) = HCOOH").value
    'HCOOH'
    """
    found = _parse_with(_GRAMMAR, text)
    if isinstance(found[0], Choice):
        return found[0]
    left, (relation, right) = found[0], found[1:]
    terms, constant, units = [], 0.0, []
    for side, part in ((1, left), (-1, right)):
        for sign, item in part:
            if isinstance(item, Quantity):
                terms.append((side * sign, item))
                units.append((str(item), UNITS[item.kind]))
            else:
                constant -= side * sign * item[0]
                units.append((f"{item[0]:g} {item[1]}", item[1]))
    if not terms:
        raise ConfigError(f"{text!r} names no quantity; {_EXAMPLES}")
    first, unit = units[0]
    for other, its_unit in units:
        if its_unit != unit:
            raise ConfigError(
                f"{text!r} compares {first}, in {unit}, with {other}, in {its_unit}; "
                "compare like with like"
            )
    counts: Counter[Quantity] = Counter()
    for sign, quantity in terms:
        counts[quantity] += sign
    if not any(counts.values()):
        raise ConfigError(
            f"{text!r}: {first} cancels, which leaves nothing to judge; compare two "
            "quantities, or one with a number"
        )
    return Difference(
        terms=tuple(terms),
        relation=cast("Relation", relation),
        threshold=constant + 0.0,  # no negative zero
        unit=unit,
    )


def _read_amount(what: str, text: str | None, unit: str) -> float | None:
    """A number with a unit, which must be that of the claim."""
    if text is None:
        return None
    (sign, item), *others = _parse_with(_SIDE + pp.StringEnd(), text)[0]
    if others or isinstance(item, Quantity):
        raise ConfigError(f"{what} {text!r}: must be a number and {unit}")
    if item[1] != unit:
        raise ConfigError(f"{what} {text!r}: the claim is in {unit}")
    return float(sign * item[0])


def _parse_with(grammar: pp.ParserElement, text: str) -> pp.ParseResults:
    plain = text.translate(_PRINTED)
    try:
        return grammar.parse_string(plain)
    except pp.ParseBaseException as error:
        if isinstance(error, pp.ParseFatalException):
            raise ConfigError(f"{text!r}: {error.msg}") from None
        rest = plain[error.loc :].strip() or "its end"
        raise ConfigError(
            f"{text!r}: cannot be read at {rest!r}; {_EXAMPLES}"
        ) from None


def _make_quantity(tokens: pp.ParseResults) -> Quantity:
    kind, of, cluster = tokens
    if kind == "U_L" or "->" in of or of.startswith("*"):
        return Quantity(kind=kind, of=" ".join(of.split()), cluster=cluster)
    meant = f"dG(*{of}, {cluster})" if of.isalnum() else "dG(*SPECIES, CLUSTER)"
    raise pp.ParseFatalException(
        f"dG({of}, {cluster}) is of no surface species; write {meant}, or an equation "
        'as dG("*CO -> * + CO(g)", CLUSTER)'
    )


def _make_loss(tokens: pp.ParseResults) -> Quantity:
    ligand, cluster, route = tokens
    routes = get_args(LossRoute)
    if route not in routes:
        raise pp.ParseFatalException(
            f"loss({ligand}, {cluster}, {route}): a ligand leaves as "
            f"{', '.join(routes)}"
        )
    return Quantity(kind="loss", of=ligand, cluster=cluster, route=route)


def _make_length(tokens: pp.ParseResults) -> Quantity:
    pair, cluster, bonds = tokens
    first, _, second = pair.partition("-")
    # X is an atom of ASE that is no element.
    if not {first, second} <= atomic_numbers.keys() - {"X"}:
        raise pp.ParseFatalException(
            f"bond_length({pair}, {cluster}): write two elements with a hyphen "
            "between, such as Cd-S"
        )
    if bonds not in get_args(BondsOf):
        raise pp.ParseFatalException(
            f"bond_length({pair}, {cluster}, {bonds}): of all bonds, or those of the "
            "core; write core, or leave it out"
        )
    return Quantity(kind="bond_length", of=pair, cluster=cluster, bonds=bonds)


def _make_amount(tokens: pp.ParseResults) -> tuple[float, str]:
    number, written = tokens
    unit = _SPELLINGS.get(written, written)
    if "," in number or "_" in number:
        raise pp.ParseFatalException(f"{number}: write a number as 1000 or 0.5")
    if not unit:
        raise pp.ParseFatalException(
            f"{number}: a unit is missing; write {number} eV, {number} V or {number} A"
        )
    if unit not in UNITS.values():
        raise pp.ParseFatalException(
            f"{number}: the unit {unit!r} is not known; give it in eV, V or A"
        )
    if not isfinite(float(number)):
        raise pp.ParseFatalException(f"{number}: the number is too large")
    return float(number), unit


def _make_choice(tokens: pp.ParseResults) -> Choice:
    *of, cluster, value = tokens
    return Choice(
        of=of[0],
        reaction=of[1] if len(of) > 1 else "",
        cluster=cluster,
        value=" ".join(value.split()),
    )


def _make_sign(tokens: pp.ParseResults) -> int:
    return 1 if tokens[0] == "+" else -1


def _make_grammar() -> tuple[pp.ParserElement, pp.ParserElement]:
    """Of a whole claim, and of what stands on one side of its sign."""
    opening, comma, closing, equal = map(pp.Suppress, "(,)=")
    word, quoted = pp.Regex(r'[^\s,()"=<>]+'), pp.QuotedString('"')
    # Commas and underlines are read to be refused.
    number = pp.Regex(r"(\d[\d,_]*\.?\d*|\.\d+)([eE][+-]?\d+)?")
    unit = pp.Optional(pp.Regex(r"[^\W\d_](?:[^\W\d_]|/)*"), default="")
    quantity = pp.one_of("U_L dG") + opening + (quoted | word) + comma + word + closing
    loss = pp.Keyword("loss").suppress() + opening + word + comma + word
    loss = loss + pp.Optional(comma + word, default=_USUAL_ROUTE) + closing
    length = pp.Keyword("bond_length").suppress() + opening + word + comma + word
    length = length + pp.Optional(comma + word, default="all") + closing
    item = (
        quantity.add_parse_action(_make_quantity)
        | loss.add_parse_action(_make_loss)
        | length.add_parse_action(_make_length)
        | (number + unit).add_parse_action(_make_amount)
    )
    sign = pp.one_of("+ -").add_parse_action(_make_sign)
    first = pp.Group(pp.Optional(sign, default=1) + item)
    side = pp.Group(first + pp.ZeroOrMore(pp.Group(sign + item)))
    step = pp.Keyword("determining_step") + opening + word + comma + word + closing
    product = pp.Keyword("product") + opening + word + closing
    choice = (
        step + equal + quoted | product + equal + (quoted | word)
    ).add_parse_action(_make_choice)
    comparison = side + pp.one_of("> < =") + side
    return (choice | comparison) + pp.StringEnd(), side


_GRAMMAR, _SIDE = _make_grammar()
