"""Finding items of ``structures/``: a person's own folder first, then the package's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from filecmp import cmpfiles
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from clusterflow.errors import LibraryError, hide_passwords, name_near
from clusterflow.library.adsorbates import AdsorbateSpec
from clusterflow.library.clusters import ClusterSpec, LigandSpec
from clusterflow.library.common import Spec, drawn_bonds
from clusterflow.library.gases import ElementData, GasSpec
from clusterflow.library.groups import GroupSpec
from clusterflow.library.ions import IonSpec
from clusterflow.library.level_errors import LevelErrorsSpec
from clusterflow.library.levels import DomainSpec, LevelSpec
from clusterflow.library.reactions import CoupleSpec, ReactionSpec
from clusterflow.library.solutes import SoluteSpec
from clusterflow.library.yaml_file import find_place, read_yaml
from clusterflow.model import Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clusterflow.library.reactions import LossRoute

KINDS: dict[str, type[Spec]] = {
    "clusters": ClusterSpec,
    "adsorbates": AdsorbateSpec,
    "gases": GasSpec,
    "groups": GroupSpec,
    "reactions": ReactionSpec,
    "levels": LevelSpec,
    "couples": CoupleSpec,
    "elements": ElementData,
    "solutes": SoluteSpec,
    "ligands": LigandSpec,
    "ions": IonSpec,
    "domain": DomainSpec,
    "level_errors": LevelErrorsSpec,
}

SINGULAR = {kind: kind[:-1] for kind in KINDS} | {
    "gases": "gas",
    "domain": "domain entry",
    "level_errors": "table of level errors",
}

_LONGEST_SHOWN = 80  # characters of a value in a message

S = TypeVar("S", bound=Spec)
M = TypeVar("M", bound=Model)


def package_data() -> Path:
    """Where Snakefile, workflow/ and structures/ are: in the wheel, or the checkout."""
    inside = Path(str(files("clusterflow") / "data"))
    return inside if inside.is_dir() else Path(__file__).resolve().parents[3]


def default_roots() -> tuple[Path, ...]:
    """The folders searched: ``structures/`` here, then the one of the package."""
    own, packaged = Path("structures"), package_data() / "structures"
    if own.is_dir() and own.resolve() != packaged.resolve():
        return (own, packaged)
    # Where the two are one (a checkout) the relative path keeps records portable.
    return (own if own.is_dir() else packaged,)


def describe_error(error: ValidationError) -> str:
    """One line for the first problem of a validation, with its place and value."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        return f"unknown key {place!r}; remove it or correct its name"
    if first["type"] == "missing":
        return f"key {place!r} is missing"
    if not place:
        return message
    value = first["input"]
    return hide_passwords(f"{place} = {_show_value(value)}: {message}")


def _show_value(value: object) -> str:
    if not isinstance(value, str | int | float | bool):
        return "its value"
    shown = hide_passwords(repr(value))
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}..."


def validate(content: object, model: type[M]) -> M:
    """A model of what a person wrote.

    Raises
    ------
    pydantic.ValidationError
        If it is none; also for a truth value in the place of a number, which pydantic
        would take for 0 or 1.
    """
    found = model.model_validate(content)
    wrong = [
        InitErrorDetails(
            type=PydanticCustomError("truth", "must be a number"),
            loc=place,
            input=truth,
        )
        for place, truth in _list_truths_as_numbers(content, found)
    ]
    if wrong:
        raise ValidationError.from_exception_data(model.__name__, wrong)
    return found


def _list_truths_as_numbers(
    content: Any, value: Any, place: tuple[int | str, ...] = ()
) -> Iterator[tuple[tuple[int | str, ...], bool]]:
    """Truth values in `content` of which a number was made, and where they stand."""
    if isinstance(content, bool):
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield place, content
    elif isinstance(content, dict) and isinstance(value, Model | dict):
        for key, inner in content.items():
            made = value.get(key) if isinstance(value, dict) else getattr(value, key)
            yield from _list_truths_as_numbers(inner, made, (*place, key))
    elif isinstance(content, list) and isinstance(value, list | tuple):
        for i, (inner, made) in enumerate(zip(content, value, strict=False)):
            yield from _list_truths_as_numbers(inner, made, (*place, i))


def load_spec(path: Path, model: type[M]) -> M:
    """One item from its file.

    Raises
    ------
    LibraryError
        If the file is missing, not YAML or not a valid item.
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise LibraryError(f"{path}: holds no keys; see structures/README.md")
    try:
        spec = validate(content, model)
    except ValidationError as error:
        place = find_place(path, error.errors()[0]["loc"])
        raise LibraryError(f"{path}{place}: {describe_error(error)}") from None
    if isinstance(spec, Spec) and spec.name != path.stem:
        raise LibraryError(
            f"{path}: name is {spec.name!r}; a file is named after its item, "
            f"so rename it {spec.name}.yaml"
        )
    return spec


@dataclass(frozen=True)
class Library:
    """All items within reach, by kind and name; read only when asked for.

    A folder is listed once: a plan of a thousand clusters looks up tens of thousands of
    files. What is written later is seen by the next library.
    """

    roots: tuple[Path, ...]
    _listed: dict[str, dict[str, Path]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def default(cls) -> Library:
        """The library of the current folder and the package."""
        return cls(default_roots())

    def paths(self, kind: str) -> dict[str, Path]:
        """File of each item of a kind; of one name, that of the first folder."""
        if kind not in self._listed:
            found: dict[str, Path] = {}
            for path in self._files(kind):
                found.setdefault(path.stem, path)
            self._listed[kind] = found
        return self._listed[kind]

    def _files(self, kind: str) -> Iterator[Path]:
        """All files of a kind, folder by folder."""
        for root in self.roots:
            try:  # Path.glob passes over a folder that may not be looked into
                files_here = [p for p in (root / kind).iterdir() if p.suffix == ".yaml"]
            except (FileNotFoundError, NotADirectoryError):
                continue
            # By name: paths compare part by part, which takes most of a look-up.
            yield from sorted(files_here, key=lambda path: path.name)

    def shadowed(self) -> list[tuple[str, Path, Path]]:
        """Items that another one of their name hides.

        Returns
        -------
        What it is, as ``cluster 'Pt4'``, the file that counts and the file that does
        not; items of equal content are left out.

        Raises
        ------
        LibraryError
            If a cluster that hides another one cannot be read.
        """
        found = []
        for kind, model in KINDS.items():
            used = self.paths(kind)
            for path in self._files(kind):
                first = used[path.stem]
                if path != first and not _are_equal(first, path, model):
                    found.append((f"{SINGULAR[kind]} {path.stem!r}", first, path))
        return found

    def path(self, kind: str, name: str) -> Path:
        """File of one item.

        Raises
        ------
        LibraryError
            If there is none; the message lists those there are.
        """
        found = self.paths(kind)
        if name not in found:
            folders = ", ".join(str(root / kind) for root in self.roots)
            raise LibraryError(
                f"no {SINGULAR[kind]} called {name!r} in {folders}; "
                f"{name_near(name, found, listed_by=f'clusterflow list {kind}')}"
            )
        return found[name]

    def cluster(self, name: str) -> ClusterSpec:
        """A cluster by name."""
        return _load_cached(self.path("clusters", name), ClusterSpec)

    def cluster_states(
        self, cluster: str, change: Mapping[str, int]
    ) -> tuple[str, ...]:
        """States of a cluster that differ from it by these atoms, if it is known.

        A state and its parent are states of each other, so a change may also be a gain.
        The atoms come and go as neutral ones, so the charge stays.
        """
        if cluster not in self.paths("clusters"):
            return ()
        own = self.cluster(cluster)
        wanted = own.counts.copy()
        wanted.update(change)
        specs = [self.cluster(name) for name in self._relatives.get(cluster, ())]
        return tuple(
            spec.name
            for spec in specs
            if spec.charge == own.charge and spec.counts == wanted
        )

    @cached_property
    def _relatives(self) -> dict[str, list[str]]:
        """Of each cluster that has any, its parent and its states, as listed."""
        ranks = {name: rank for rank, name in enumerate(self.paths("clusters"))}
        found: dict[str, set[str]] = defaultdict(set)
        for name in ranks:
            parent = self.cluster(name).parent
            if parent in ranks:
                found[parent].add(name)
                found[name].add(parent)
        return {
            name: sorted(them, key=ranks.__getitem__) for name, them in found.items()
        }

    def adsorbate(self, name: str) -> AdsorbateSpec:
        """An adsorbate by name."""
        return _load_cached(self.path("adsorbates", name), AdsorbateSpec)

    def adsorbates(self) -> Mapping[str, AdsorbateSpec]:
        """All adsorbates by name, each read when it is wanted."""
        return _Adsorbates(self)

    def groups(self) -> list[GroupSpec]:
        """All kinds of bonds whose errors are fitted to gases."""
        paths = self.paths("groups").values()
        return [_load_cached(path, GroupSpec) for path in paths]

    def error_gases(self, adsorbates: Iterable[str]) -> set[str]:
        """Gases that say what a level is off by in the bonds of some adsorbates.

        Those that the errors of groups of bonds are fitted to, and those of the same
        atoms, which an adsorbate may be. Groups are of bonds that are drawn, of those
        to hydrogen and nitrogen, and of what else their gases have of the same
        elements.
        """
        specs = [self.adsorbate(name) for name in adsorbates]
        counts = [spec.counts for spec in specs]
        elements = {"H", *(element for one in counts for element in one)}
        bonds = {frozenset((a, b)) for a in elements for b in ("H", "N")}
        bonds.update(*(drawn_bonds(f.atoms) for spec in specs for f in spec.forms))
        groups = [g for g in self.groups() if elements.issuperset(g.bond)]
        fitted: set[str] = set()
        while (
            more := {
                gas for g in groups if frozenset(g.bond) in bonds for gas in g.gases
            }
            - fitted
        ):
            fitted |= more
            bonds.update(*(drawn_bonds(self.gas(gas).atoms) for gas in more))
        same = {g for g in self.paths("gases") if self.gas(g).counts in counts}
        return same | fitted

    def gas(self, name: str) -> GasSpec:
        """A gas by name."""
        return _load_cached(self.path("gases", name), GasSpec)

    def solute(self, name: str) -> SoluteSpec:
        """A dissolved molecule or ion by name."""
        return _load_cached(self.path("solutes", name), SoluteSpec)

    def reaction(self, name: str) -> ReactionSpec:
        """A reaction by name."""
        return _load_cached(self.path("reactions", name), ReactionSpec)

    def ligand_loss(self, ligand: str, route: LossRoute) -> ReactionSpec:
        """The reaction by which a ligand, by name or alias, leaves a cluster.

        Raises
        ------
        LibraryError
            If there is no such ligand, or no such reaction of it; with the reason.
        """
        wanted = self.ligand(ligand)
        reactions = [self.reaction(name) for name in self.paths("reactions")]
        own = {
            s.loss.route: s
            for s in reactions
            if s.loss and s.loss.ligand == wanted.name
        }
        if route in own:
            return own[route]
        if (route == "neutral") != (wanted.kind == "L"):
            why = (
                "it is neutral when free, and leaves as neutral"
                if wanted.kind == "L"
                else "it is a radical when free, and leaves as acid, radical or anion"
            )
        else:
            why = (
                "the library has no measured free energy of what it would be; add the "
                "gas or solute, and a reaction with `loss`"
            )
        known = f"; known is {', '.join(own)}" if own else ""
        raise LibraryError(
            f"no reaction by which {ligand} leaves as {route}: {why}{known}"
        )

    def level(self, name: str) -> LevelSpec:
        """A level by name."""
        return _load_cached(self.path("levels", name), LevelSpec)

    def couple(self, name: str) -> CoupleSpec:
        """A redox couple by name."""
        return _load_cached(self.path("couples", name), CoupleSpec)

    def element(self, symbol: str) -> ElementData:
        """Standard-state data of an element."""
        return _load_cached(self.path("elements", symbol), ElementData)

    def ligands(self) -> list[LigandSpec]:
        """All ligands."""
        paths = self.paths("ligands").values()
        return [_load_cached(path, LigandSpec) for path in paths]

    def ions(self) -> list[IonSpec]:
        """All counter-ions."""
        paths = self.paths("ions").values()
        return [_load_cached(path, IonSpec) for path in paths]

    def ligand(self, name: str) -> LigandSpec:
        """A ligand by name or alias.

        Raises
        ------
        LibraryError
            If there is none.
        """
        for ligand in self.ligands():
            if name in (ligand.name, *ligand.aliases):
                return ligand
        raise LibraryError(f"no ligand called {name!r}; see `clusterflow list ligands`")

    def ancestors(self, name: str) -> list[str]:
        """Clusters a cluster is made from, and those that these are made from.

        Raises
        ------
        LibraryError
            If one is not there, or is made from itself.
        """
        found: list[str] = []
        waiting = [*self.cluster(name).parents]
        while waiting:
            parent = waiting.pop(0)
            if parent == name:
                raise LibraryError(f"{name}: it is made from itself; correct a parent")
            if parent not in found:
                found.append(parent)
                waiting += self.cluster(parent).parents
        return found

    def domain(self) -> list[DomainSpec]:
        """The whole table of where methods are not to be trusted."""
        paths = self.paths("domain").values()
        return [_load_cached(path, DomainSpec) for path in paths]

    def level_errors(self) -> list[LevelErrorsSpec]:
        """All tables of measured errors of levels."""
        paths = self.paths("level_errors").values()
        return [_load_cached(path, LevelErrorsSpec) for path in paths]

    def level_errors_of(
        self, level: LevelSpec, elements: Iterable[str]
    ) -> LevelErrorsSpec | None:
        """The errors of a level on clusters of these elements, if measured."""
        wanted = set(elements)
        return next((t for t in self.level_errors() if t.is_of(level, wanted)), None)


@dataclass(frozen=True)
class _Adsorbates(Mapping[str, AdsorbateSpec]):
    library: Library

    def __getitem__(self, name: str) -> AdsorbateSpec:
        return self.library.adsorbate(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.library.paths("adsorbates"))

    def __len__(self) -> int:
        return len(self.library.paths("adsorbates"))


def _are_equal(one: Path, other: Path, model: type[Spec]) -> bool:
    """Whether two items have the same YAML and, beside it, the same geometries."""
    names = [one.name]
    if model is ClusterSpec:
        starts = _load_cached(one, ClusterSpec).structures
        names += [start.file for start in starts if start.file is not None]
    _, differing, unreadable = cmpfiles(one.parent, other.parent, names, shallow=False)
    return not differing and not unreadable


_LOADED: dict[Path, Spec] = {}


def _load_cached(path: Path, model: type[S]) -> S:
    """An item read once a process: files of the library do not change under a run."""
    # Relative paths mean another file once the working folder changes.
    key = path.absolute()
    if key not in _LOADED:
        _LOADED[key] = load_spec(path, model)
    found = _LOADED[key]
    assert isinstance(found, model)
    return found
