"""Named standard deviations of free energies, and which of them surfaces share."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Final

from clusterflow.errors import RecordError
from clusterflow.science.reactions.network import SITE
from clusterflow.science.thermochemistry.group_errors import shared_loads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clusterflow.records.energies import ThermoRecord

# Assumption, not a measurement: a third of the level's variance to each part, where no
# residuals say otherwise.
DIAGRAM_SHARE: Final = 1 / 3
BOND_SHARE: Final = 1 / 3
_ROUNDING: Final = 1e-9

# What the method is off by in an adsorbate: as a whole, or by source.
_DFT_PARTS: Final = ("functional", "basis", "relativity", "geometry")
METHOD_PARTS: Final = ("level", *_DFT_PARTS)
# What each surface draws anew for each adsorbate.
SURFACE_PARTS: Final = ("isomer", "site", "cutoff", "solvation")
_ADSORBATE_PARTS: Final = frozenset({*METHOD_PARTS, "group", *SURFACE_PARTS})
_GAS_PARTS: Final = frozenset({"gas"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """How the variance of the level's error splits; the rest is independent.

    Parameters
    ----------
    diagram
        Common to all adsorbates of a surface.
    bond
        Common to those held by the same kind of bond, beyond that.
    of_surface
        Each surface draws the common parts for itself, as of an error that was
        measured on others. Else surfaces share them, and a bias of the method cancels
        between them.
    """

    diagram: float = DIAGRAM_SHARE
    bond: float = BOND_SHARE
    of_surface: bool = False

    def __post_init__(self) -> None:
        total = self.diagram + self.bond
        if not (min(self.diagram, self.bond) >= 0 and total <= 1 + _ROUNDING):
            raise RecordError(
                f"shares of the level's variance: {self.diagram} by diagram and "
                f"{self.bond} by bond; "
                "each must be at least 0, and their sum at most 1"
            )

    @property
    def independent(self) -> float:
        """The share of the variance that each species has for itself."""
        return max(0.0, 1.0 - self.diagram - self.bond)


EQUAL_THIRDS: Final = Correlation()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviations:
    """Standard deviations of the species of one surface, by name of the source.

    Parameters
    ----------
    sigma_ev
        Of each term, its standard deviations in eV. A gas or liquid has ``gas``; an
        adsorbate has ``level``, or for an energy of DFT ``functional``, ``basis`` and
        ``geometry`` (that of a cheaper level), ``group`` (of the errors of its bonds,
        fitted to gases), ``isomer``, ``site`` (of the search for its minimum),
        ``cutoff`` (of the low modes) and ``solvation`` (of the hydrogen bonds of
        water). A term that is exact has an empty entry; only ``*`` needs none.
    bond
        What holds each adsorbate that has such a deviation of the method.
    inherits
        How many times a term carries the error of a molecule: ``{"*CO": {"CO": 1}}``.
        It is that of ``CO(g)``, which must be in `sigma_ev`.
    group_loads
        Of a term's ``group``, what it shares with other terms: by name of a standard
        normal variable, what this adds, eV. What is left of ``group`` is its own.
    correlation
        How the variance of ``level`` splits, and of each of the other three.

    Raises
    ------
    RecordError
        If a name is unknown, a deviation negative, the bond or an inherited molecule
        missing, or more shared than there is.
    """

    sigma_ev: Mapping[str, Mapping[str, float]]
    bond: Mapping[str, str]
    inherits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    group_loads: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    correlation: Correlation = EQUAL_THIRDS

    def __post_init__(self) -> None:
        for term, parts in self.sigma_ev.items():
            _check_parts(term, parts)
            if parts.keys() & set(METHOD_PARTS) and term not in self.bond:
                raise RecordError(
                    f"deviations of {term}: the level's error needs its bond"
                )
        for term, molecules in self.inherits.items():
            for molecule in molecules:
                if f"{molecule}(g)" not in self.sigma_ev:
                    raise RecordError(
                        f"deviations of {term}: inherits {molecule}, but "
                        f"{molecule}(g) has no entry; add it, empty if it is exact"
                    )

        for term, loads in self.group_loads.items():
            shared = sum(load**2 for load in loads.values())
            if shared > self.of(term).get("group", 0.0) ** 2 + _ROUNDING:
                raise RecordError(
                    f"deviations of {term}: it shares {shared**0.5:.3g} eV of group, "
                    "more than it has"
                )

    def of(self, term: str) -> Mapping[str, float]:
        """The standard deviations of a term, eV, by name.

        What is dissolved is measured, and counts as exact.

        Raises
        ------
        RecordError
            If the term has no entry: unknown is not exact.
        """
        if not self.has(term):
            raise RecordError(
                f"no deviations for {term}; add an entry, empty if it is exact"
            )
        return self.sigma_ev.get(term, {})

    def has(self, term: str) -> bool:
        """Whether the deviations of a term are known."""
        return term in self.sigma_ev or term == SITE or term.endswith("(aq)")


def not_included(deviations: Deviations, species: Iterable[str]) -> tuple[str, ...]:
    """Named deviations that none of some species carries, so that no interval has them.

    >>> oxygen = Deviations(sigma_ev={"*O": {"level": 0.3}}, bond={"*O": "oxide"})
    >>> not_included(oxygen, ["*O"])
    ('isomer', 'site', 'cutoff', 'solvation')
    """
    carried = {part for term in species for part in deviations.of(term)}
    method = _DFT_PARTS if carried & set(_DFT_PARTS) else ("level",)
    wanted = (*method, *SURFACE_PARTS)
    return tuple(part for part in wanted if part not in carried)


def _check_parts(term: str, parts: Mapping[str, float]) -> None:
    legal = _ADSORBATE_PARTS if term.startswith(SITE) else _GAS_PARTS
    if term == SITE:  # the zero of the scale
        legal = frozenset()
    if unknown := sorted(parts.keys() - legal):
        raise RecordError(
            f"deviations of {term}: unknown {', '.join(unknown)}; "
            f"legal are {', '.join(sorted(legal)) or 'none'}"
        )
    for name, sigma in parts.items():
        if not (isfinite(sigma) and sigma >= 0):
            raise RecordError(
                f"deviations of {term}: {name} is {sigma}; it must be 0 eV or more"
            )


def deviations_of(thermo: ThermoRecord) -> Deviations | None:
    """The named standard deviations of a cluster's species; None where unknown."""
    known = [s for s in thermo.species if s.formation_ev is not None and s.name != "*"]
    adsorbed = [s for s in known if s.name.startswith("*")]
    if not all(s.deviations.keys() & set(METHOD_PARTS) for s in adsorbed):
        return None
    inherited = {f"{molecule}(g)" for s in adsorbed for molecule in s.inherits}
    if not inherited <= {s.name for s in known}:
        return None
    errors = thermo.group_errors
    prefix = thermo.level.hash if thermo.level else ""
    return Deviations(
        sigma_ev={s.name: s.deviations for s in known},
        bond={s.name: "; ".join(s.bonds) for s in adsorbed},
        inherits={s.name: s.inherits for s in adsorbed if s.inherits},
        group_loads={
            s.name: {
                f"{prefix} {group}": load
                for group, load in shared_loads(s.groups, errors).items()
            }
            for s in adsorbed
            if errors is not None and s.groups
        },
        correlation=_split_level_variance(thermo),
    )


def _split_level_variance(thermo: ThermoRecord) -> Correlation:
    """The shares that were measured, or the assumption."""
    shares = thermo.level_shares
    if shares is None:
        return EQUAL_THIRDS
    return Correlation(diagram=shares.cluster, bond=shares.bond, of_surface=True)
