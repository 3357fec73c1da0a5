"""What an item of ``structures/`` may say: one model a kind, one file an item."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from clusterflow.errors import LibraryError
from clusterflow.formula import (
    ATOMIC_NUMBERS,
    check_parity,
    lowest_multiplicity,
    parse_formula,
)
from clusterflow.models import Model, Name

BandEdge = Literal["conduction", "valence"]
Role = Literal["core", "ligand", "hydride", "support", "adsorbate"]
SiteKind = Literal["top", "bridge", "hollow3", "hollow4", "pair", "hydride"]
Material = Literal["metal", "ii-vi", "other"]
# Which isomers the minima of a diagram may sit on; see `ThermoSettings.isomers`.
IsomerMode = Literal["fixed_core_first", "fixed_core", "pool"]
AtomLine = tuple[str, float, float, float]
SitePlace = Literal["vertex", "edge", "face", "core", "shell"]
SUBSTITUTE = "substitute"
# Parameter of builders that names an item of structures/ligands.
LIGAND = "ligand"
Source = Annotated[str, Field(min_length=1, description="A DOI or `unpublished: NAME`")]


def _traceable(source: str) -> str:
    if not re.match(r"10\.\d{4,9}/\S|unpublished: \S", source):
        raise ValueError("give a DOI such as 10.1038/nmat1056, or `unpublished: NAME`")
    return source


# That of a geometry must be one that others can follow or ask about.
GeometrySource = Annotated[Source, AfterValidator(_traceable)]


class Spec(Model):
    """What all kinds share."""

    name: Name
    source: Source
    description: str = ""


class Composed(Spec):
    """Something made of atoms, with a charge and a multiplicity that must fit it."""

    formula: str
    charge: int = 0
    multiplicity: int = Field(ge=1)

    @property
    def counts(self) -> Counter[str]:
        """Number of atoms by element."""
        return parse_formula(self.formula)

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return self.counts.total()

    @model_validator(mode="after")
    def _check_parity(self) -> Self:
        try:
            check_parity(self.counts, self.charge, self.multiplicity, self.name)
        except LibraryError as error:
            raise ValueError(str(error)) from None
        return self

    def _check_atoms(self, atoms: tuple[AtomLine, ...], where: str) -> None:
        found = Counter(line[0] for line in atoms)
        if found != self.counts:
            raise ValueError(
                f"{self.name}: {where} holds {dict(found)}, "
                f"but the formula is {self.formula}"
            )


class Cap(Model):
    """Ligands put on the atoms of one element that have room for them."""

    ligand: str = Field(description="By name or alias; it needs `atoms`")
    element: str = Field(description="Element that is capped")
    count: int | None = Field(default=None, ge=1, description="All there is room for")
    coordination: int = Field(
        default=4, ge=1, description="Non-metal neighbours at which an atom is full"
    )


class Hydrides(Model):
    """Hydrides put into places of a cluster by rule, a given number of them."""

    count: int = Field(ge=1)
    neighbours: tuple[int, ...] = Field(
        default=(2, 3, 4, 5, 6), description="Metal atoms that one may touch"
    )
    apart_a: float = Field(default=2.0, gt=0, description="Closest two may be, Å")
    choices: int = Field(
        default=1, ge=1, description="Starting structures, of lowest energy first"
    )


class Substitution(Model):
    """Atoms of another cluster replaced in all distinct ways: builder `substitute`."""

    parent: Name
    isomer: Name | None = Field(default=None, description="All of the parent's")
    element: str
    count: int = Field(ge=1)
    replaces: str | None = Field(
        default=None, description="Element replaced; the only one of the parent's"
    )
    sites: tuple[SitePlace, ...] = Field(
        default=(), description="Places on the convex hull; everywhere unless given"
    )
    mirror_images: Literal["merged", "kept"] = "merged"
    choices: int | None = Field(
        default=None,
        ge=1,
        description="So many, new atoms farthest apart first; all unless given",
    )

    @field_validator("sites", mode="before")
    @classmethod
    def _one_or_many(cls, sites: object) -> object:
        return (sites,) if isinstance(sites, str) else sites


class Host(Model):
    """What a cluster lies on or in: frozen, without sites, behind the cluster's atoms.

    Unless `centre_a` says where, the cluster comes down along `direction` towards the
    middle of the host, until two atoms touch.
    """

    cluster: Name | None = Field(default=None, description="One of the library")
    builder: str | None = None
    parameters: dict[str, Any] = {}
    centre_a: tuple[float, float, float] | None = Field(
        default=None, description="Where the middle of the cluster is to be, Å"
    )
    direction: tuple[float, float, float] = Field(
        default=(0.0, 0.0, 1.0), description="From the host to the cluster"
    )
    contact: float = Field(
        default=1.0, gt=0.7, le=2.0, description="Touching, in sums of covalent radii"
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.builder is None) == (self.cluster is None):
            raise ValueError("a host needs either builder or cluster")
        if not any(self.direction):
            raise ValueError("direction of a host: must not be 0, 0, 0")
        return self


class StartingStructure(Model):
    """One starting geometry of a cluster: built by rule, or read from a file.

    The builder `substitute` gives as many as there are distinct ways.
    """

    name: Name = "main"
    source: GeometrySource | None = Field(
        default=None, description="Where it is not that of the whole cluster"
    )
    builder: str | None = None
    parameters: dict[str, Any] = {}
    file: str | None = None
    caps: tuple[Cap, ...] = ()
    host: Host | None = None
    hydrides: Hydrides | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.builder is None) == (self.file is None):
            raise ValueError(f"structure {self.name!r} needs either builder or file")
        if self.host and self.builder == SUBSTITUTE:
            raise ValueError(
                f"structure {self.name!r}: substitute in the cluster first, then give "
                "it a host from a file"
            )
        if self.builder == SUBSTITUTE:
            Substitution.model_validate(self.parameters)
        return self

    @property
    def substitution(self) -> Substitution | None:
        """What is replaced of another cluster, for the builder `substitute`."""
        if self.builder != SUBSTITUTE:
            return None
        return Substitution.model_validate(self.parameters)

    @property
    def ligands(self) -> tuple[str, ...]:
        """Ligands that are put on, by its builder and by caps."""
        own = self.parameters.get(LIGAND)
        caps = (cap.ligand for cap in self.caps)
        return (*([str(own)] if own is not None else []), *caps)


class IsomerSearch(Model):
    """A global search of a cluster's isomers, from each of its structures."""

    method: Literal["basin_hopping"] = "basin_hopping"
    steps: int = Field(
        default=30, ge=1, le=10_000, description="Hops from each structure"
    )
    seed: int = Field(default=0, ge=0)
    level: Name | None = Field(
        default=None, description="A cheap one to search at; the cluster's own if none"
    )
    keep: int = Field(default=3, ge=1, description="Lowest isomers that are relaxed")
    window_ev: float = Field(
        default=1.0, gt=0, description="Isomers higher than this are not kept, eV"
    )
    hop_ev: float = Field(
        default=0.5, gt=0, le=10, description="kT of the walk: how high it climbs, eV"
    )
    fmax_ev_per_a: float = Field(
        default=0.1, gt=0, description="Force at which a hop ends; loose is enough"
    )
    max_steps: int = Field(default=150, ge=1, description="Gradients of one hop")


class Removed(Model):
    """What a state lacks of its parent: `count` atoms of an element, or ligands."""

    element: str | None = None
    ligand: str | None = Field(default=None, description="By name or alias")
    count: int = Field(ge=1)
    keep_binding_atom: bool = Field(
        default=False,
        description="Of a ligand only the rest leaves; its binding atom joins the core",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.element is None) == (self.ligand is None):
            raise ValueError("removed needs either element or ligand")
        if self.keep_binding_atom and self.ligand is None:
            raise ValueError("removed.keep_binding_atom is for a ligand")
        return self

    @property
    def what(self) -> str:
        """Element or ligand."""
        return str(self.element or self.ligand)


class ClusterSpec(Composed):
    """A cluster, or a state of one (a `parent` with something `removed`).

    ``multiplicity: auto`` in its YAML stands for the lowest that parity allows, with
    `auto_multiplicity` set: higher ones are then tried as well.
    """

    source: GeometrySource
    auto_multiplicity: bool = False
    material: Material = "other"
    structures: tuple[StartingStructure, ...] = ()
    parent: Name | None = None
    removed: Removed | None = None
    search: IsomerSearch | None = None
    roles: dict[Role, tuple[int, ...]] = {}

    @model_validator(mode="before")
    @classmethod
    def _read_auto(cls, content: Any) -> Any:
        if not isinstance(content, dict) or content.get("multiplicity") != "auto":
            return content
        try:
            counts = parse_formula(str(content.get("formula", "")))
            lowest = lowest_multiplicity(counts, int(content.get("charge", 0)))
        except (LibraryError, TypeError, ValueError):
            lowest = 1  # formula or charge is refused by its own check
        return {**content, "multiplicity": lowest, "auto_multiplicity": True}

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if bool(self.structures) == (self.parent is not None):
            raise ValueError(f"{self.name}: give either structures or a parent")
        if (self.parent is None) != (self.removed is None):
            raise ValueError(f"{self.name}: parent and removed go together")
        names = [structure.name for structure in self.structures]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.name}: two structures share a name: {names}")
        return self

    @property
    def status(self) -> Literal["built", "imported", "searched", "state"]:
        """What its geometries are: by rule, from a file, looked for, or of a parent."""
        if self.parent is not None:
            return "state"
        if self.search is not None:
            return "searched"
        is_file = any(structure.file is not None for structure in self.structures)
        return "imported" if is_file else "built"

    @property
    def parents(self) -> tuple[str, ...]:
        """Clusters whose geometries this one is made from."""
        changed = (s.substitution for s in self.structures)
        own = () if self.parent is None else (self.parent,)
        hosts = (s.host.cluster for s in self.structures if s.host and s.host.cluster)
        return tuple(
            dict.fromkeys((*own, *(s.parent for s in changed if s is not None), *hosts))
        )

    @property
    def ligands(self) -> tuple[str, ...]:
        """Ligands that are put on or taken away, as the YAML names them."""
        put_on = [ligand for s in self.structures for ligand in s.ligands]
        removed = self.removed.ligand if self.removed else None
        return tuple(dict.fromkeys([*put_on, *([removed] if removed else [])]))


class AdsorbateForm(Model):
    """One way an adsorbate can sit: its binding atom at the origin, +z outward.

    A form with two binding atoms has them along x, one with three has them around the
    origin, at equal height. With `apart` each of two molecules, with a binding atom of
    its own, goes to a site of its own.
    """

    name: Name
    atoms: tuple[AtomLine, ...]
    binding: tuple[int, ...] = Field(min_length=1, max_length=3)
    sites: tuple[SiteKind, ...]
    apart: bool = Field(
        default=False, description="Two molecules on neighbouring sites"
    )

    @model_validator(mode="after")
    def _binding_exists(self) -> Self:
        for index in self.binding:
            if not 0 <= index < len(self.atoms):
                raise ValueError(
                    f"form {self.name!r}: binding atom {index} is not among "
                    f"its {len(self.atoms)} atoms (counted from 0)"
                )
        if self.apart and len(self.binding) != 2:
            raise ValueError(
                f"form {self.name!r}: apart needs two binding atoms, one a molecule"
            )
        return self


class Solvation(Model):
    """What water adds to the free energy of an adsorbate, by hydrogen bonds."""

    value: float = Field(ge=-2, le=2, description="eV; negative means stabilised")
    source: Source
    note: str = ""


class AdsorbateSpec(Composed):
    """A surface species, and the gas-phase errors its bonds inherit."""

    forms: tuple[AdsorbateForm, ...] = Field(min_length=1)
    inherits: dict[Name, float] = {}
    may_inherit: dict[Name, float] = Field(
        default={},
        description="Motifs of which it keeps an unknown share: a named uncertainty",
    )
    solvation_ev: Solvation | None = Field(
        default=None, description="Used by the layer `solvation`; none is no number"
    )
    multiplicity_on: dict[Name, int] = Field(
        default={}, description="Multiplicity of the complex, by cluster, if not found"
    )

    @model_validator(mode="after")
    def _forms_match(self) -> Self:
        for form in self.forms:
            self._check_atoms(form.atoms, f"form {form.name!r}")
        return self


class Experiment(Model):
    """Measured enthalpy of formation and entropy at 298.15 K and 1 bar."""

    enthalpy_kj_per_mol: float
    entropy_j_per_mol_k: float = Field(gt=0)
    source: Source


class GasSpec(Composed):
    """A molecule: starting geometry, symmetry, and what experiment says of it."""

    atoms: tuple[AtomLine, ...]
    symmetry_number: int = Field(ge=1)
    experiment: Experiment
    liquid: Experiment | None = None

    @model_validator(mode="after")
    def _atoms_match(self) -> Self:
        self._check_atoms(self.atoms, "atoms")
        return self


class ReactionSpec(Spec):
    """A network of elementary steps from one molecule to its product."""

    product: Name
    equation: str
    steps: tuple[str, ...] = Field(min_length=1)


class OwnCalculator(Model):
    """Any ASE calculator, named by where Python finds it.

    The texts ``{charge}``, ``{multiplicity}`` and ``{unpaired}`` among the values of
    `kwargs` are replaced by the system's own numbers.
    """

    calculator: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    kwargs: dict[str, Any] = {}
    spinless: bool = Field(
        default=False,
        description="It knows no electrons: every multiplicity is the same surface",
    )

    @property
    def module(self) -> str:
        """Import path of the module."""
        return self.calculator.partition(":")[0]

    @property
    def class_name(self) -> str:
        """Name within the module."""
        return self.calculator.partition(":")[2]


class Solvent(Model):
    """An implicit solvent, by the model that makes it and its name."""

    model: Literal["alpb", "gbsa", "cpcm"]
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.model.upper()})"


class LevelSpec(Spec):
    """Everything that fixes an energy surface."""

    engine: str | OwnCalculator
    method: str
    electronic_temperature_k: float = Field(default=300.0, gt=0)
    spin_polarization: float | None = Field(default=None, gt=0)
    solvent: str | Solvent | None = Field(
        default=None,
        description="Name of a solvent, by ALPB; or its name with another model",
    )
    uncertainty_ev: float | None = Field(
        default=None,
        ge=0,
        description="Standard deviation of an adsorbate's energy, eV, uncalibrated",
    )
    ip_ea_offset_ev: float | None = Field(
        default=None,
        description="Offset in both vertical IP and EA of this method, eV",
    )
    probe_window_ev: tuple[float, float] | None = Field(
        default=None,
        description=(
            "Where the energy of a probe must lie, from CO2, H2 and H2O at the level, "
            "eV, for the level to be sane on a cluster"
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _name_own_method(cls, content: Any) -> Any:
        engine = content.get("engine") if isinstance(content, dict) else None
        if isinstance(engine, dict) and "method" not in content:
            path = str(engine.get("calculator", ""))
            return {**content, "method": path.partition(":")[2] or path}
        return content

    @model_validator(mode="after")
    def _own_solvent(self) -> Self:
        if isinstance(self.engine, OwnCalculator) and self.solvent is not None:
            raise ValueError(
                f"solvent = {self.solvent!r} does not reach a calculator of your own; "
                "give it among its kwargs (gases will then feel it too)"
            )
        return self

    @property
    def engine_name(self) -> str:
        """The engine in one word, for people."""
        return self.engine if isinstance(self.engine, str) else self.engine.calculator

    @property
    def spin_polarised(self) -> bool:
        """Whether energies of two multiplicities may be compared."""
        return self.spin_polarization is not None

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that name the energy surface, not its label."""
        surface = self.model_dump_json(
            exclude={
                *("name", "source", "description"),
                *("uncertainty_ev", "ip_ea_offset_ev", "probe_window_ev"),
            }
        )
        if isinstance(self.engine, OwnCalculator):
            # The order of the keys of `kwargs` changes no energy.
            surface = json.dumps(json.loads(surface), sort_keys=True)
        return hashlib.sha256(surface.encode()).hexdigest()[:12]


class CoupleSpec(Spec):
    """A redox couple: by an equation of library molecules, or by a quoted potential."""

    equation: str | None = None
    electrons: int | None = Field(default=None, ge=1)
    protons: int | None = Field(default=None, ge=0)
    standard_potential_v: float | None = Field(
        default=None, description="V against SHE at pH 0 and 298.15 K"
    )
    edge: BandEdge = Field(
        default="conduction",
        description=(
            "Band edge asked to drive it: electrons of the conduction edge to the "
            "right, as the equation is written, or holes of the valence edge back"
        ),
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        quoted = (self.electrons, self.protons, self.standard_potential_v)
        given = [value is not None for value in quoted]
        if (self.equation is None) != all(given) or any(given) != all(given):
            raise ValueError(
                f"{self.name}: give an equation, or electrons, protons and "
                "standard_potential_v"
            )
        return self


class ElementData(Spec):
    """Entropy of an element in its standard state, per atom."""

    entropy_j_per_mol_k: float

    @field_validator("name")
    @classmethod
    def _is_element(cls, name: str) -> str:
        parse_formula(name)
        return name


class LigandSpec(Spec):
    """A ligand, and the valence electrons it takes from a cluster's superatom.

    In `formula` the letter ``R`` is any monovalent group.
    """

    formula: str
    aliases: tuple[str, ...] = ()
    kind: Literal["X", "L"] = Field(description="X: a radical when free; L: a pair")
    electrons_withdrawn: int = Field(ge=0, le=4)
    atoms: tuple[AtomLine, ...] = Field(
        default=(),
        description="Binding atom first, at the origin, the rest towards +z; to cap",
    )

    @property
    def counts(self) -> Counter[str]:
        """Number of atoms by element, and of groups ``R``."""
        return parse_formula(self.formula, groups=True)

    @model_validator(mode="after")
    def _readable(self) -> Self:
        try:
            electrons = sum(
                ATOMIC_NUMBERS.get(e, 1) * n for e, n in self.counts.items()
            )
        except LibraryError as error:
            raise ValueError(str(error)) from None
        if (electrons - self.electrons_withdrawn) % 2:
            raise ValueError(
                f"{self.name}: {self.formula} and {self.electrons_withdrawn} "
                "electrons is an open shell; correct formula or electrons_withdrawn"
            )
        return self

    @model_validator(mode="after")
    def _atoms_match(self) -> Self:
        if self.atoms and Counter(line[0] for line in self.atoms) != self.counts:
            raise ValueError(f"{self.name}: atoms do not make up {self.formula}")
        if self.atoms and any(self.atoms[0][1:]):
            raise ValueError(f"{self.name}: the first atom binds: put it at 0, 0, 0")
        return self


class DomainSpec(Spec):
    """A situation in which a method is not to be trusted.

    All conditions that are given must hold; `description` says why, with numbers.
    """

    description: str = Field(min_length=1)
    way_out: str = Field(min_length=1)
    methods: tuple[str, ...] = Field(min_length=1, description="Methods of levels")
    refuses: bool = Field(
        default=False, description="The stage `level` does not even try it"
    )
    elements: tuple[tuple[str, ...], ...] = Field(
        default=(), description="One of each group is among the cluster's elements"
    )
    charge: Literal["negative", "positive"] | None = Field(
        default=None, description="Sign of the charge of the cluster"
    )
    species: tuple[str, ...] = Field(
        default=(),
        description="Names as in equations: *CO2, CO(g); `edges` for IP and EA",
    )
    motifs: dict[Name, float] = Field(
        default={}, description="Bonds it keeps, by molecule, at least so many"
    )
    min_hydrides: int = Field(default=0, ge=0, description="H on the cluster")
    min_multiplicity: int = Field(default=1, ge=1)
    spin_polarised: bool | None = None
    without_layer: str | None = Field(
        default=None, description="Correction layer that would mend it"
    )

    @field_validator("elements")
    @classmethod
    def _known_elements(
        cls, groups: tuple[tuple[str, ...], ...]
    ) -> tuple[tuple[str, ...], ...]:
        for symbol in (symbol for group in groups for symbol in group):
            if symbol not in ATOMIC_NUMBERS:
                raise ValueError(f"unknown element {symbol!r}")
        return groups
