"""Starting geometries: each form of an adsorbate on each site, without clashes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice, product
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.errors import LibraryError
from clusterflow.records.structure import Structure
from clusterflow.science.geometry.bonds import NONMETALS, connected_pieces, radii
from clusterflow.science.sites.pairs import site_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterflow.library.adsorbates import AdsorbateForm, AdsorbateSpec
    from clusterflow.records.adsorption import Placed, Site
    from clusterflow.science.geometry.bonds import FloatArray
    from clusterflow.science.sites.pairs import SitePair

# Bonds to the surface start a little long, so that the relaxation pulls them in.
_BOND_STRETCH = 1.05
# They bind by a lone pair, which metal atoms take and anions repel.
_DONORS = {"O", "N", "F", "Cl"}
# Two atoms not meant to be bonded start at least this far apart, in sums of radii.
_CLASH = 1.05
# Two molecules that sit apart keep this distance: a bond counts as broken at 1.35.
_APART = 1.5
_LIFT_STEP_A = 0.1
_MAX_LIFT_A = 0.8
_N_AZIMUTHS = 12
# So many of them are tried, none of which the site's symmetry makes of another: the
# roomiest leads all tails away from the cluster, and what binds by its tail is missed.
_KEPT_AZIMUTHS = 2
# Orientations are one if no distance to the cluster differs more, Å: as for its sites.
_SAME_A = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One starting geometry, and where it comes from."""

    structure: Structure
    site: Site
    form: str
    clearance: float
    # Of the second of two molecules that sit apart.
    second_site: Site | None = None
    placed: Placed = "site"


def place_adsorbate(
    host: Structure,
    sites: Sequence[Site],
    adsorbate: AdsorbateSpec,
    *,
    multiplicity: int,
    max_starts: int,
) -> list[Start]:
    """At most `max_starts` geometries, in an order that is the same every time.

    Forms and kinds of site take turns, so that a short list already holds every way of
    binding. Within a kind, lone pairs meet metals before anions, and sites of low
    coordination and high multiplicity come first.

    An adsorbate that fits no site gives an empty list.

    Raises
    ------
    LibraryError
        If it has no form, or one that sits apart is not two molecules.
    """
    if not adsorbate.forms:
        raise LibraryError(
            f"adsorbate {adsorbate.name!r} has no forms, so nothing can be placed; add "
            "a geometry, or use it with energies of your own"
        )
    groups = []
    for form in adsorbate.forms:
        starts = _place_on_pairs if form.apart else _place_on_sites
        groups += starts(host, sites, form, adsorbate, multiplicity)
    # Starts are made one by one: a large cluster has far more than are asked for.
    return list(islice(_take_turns(groups), max_starts))


def _place_on_sites(
    host: Structure,
    sites: Sequence[Site],
    form: AdsorbateForm,
    adsorbate: AdsorbateSpec,
    multiplicity: int,
) -> list[Iterator[Start]]:
    """The starts of a form, by kind of site."""
    return [
        _take_turns(
            [
                _place_on_site(host, site, form, adsorbate, multiplicity)
                for site in sorted(
                    (site for site in sites if site.kind == kind),
                    key=lambda site: _rank_site(site, form),
                )
            ]
        )
        for kind in form.sites
    ]


def _place_on_pairs(
    host: Structure,
    sites: Sequence[Site],
    form: AdsorbateForm,
    adsorbate: AdsorbateSpec,
    multiplicity: int,
) -> list[Iterator[Start]]:
    """The starts of two molecules on two sites, by kinds of site, nearest first."""
    first, second = split_form(form, adsorbate.name)
    allowed = [site for site in sites if site.kind in form.sites]
    pairs = site_pairs(host, allowed, alike=first.form.atoms == second.form.atoms)
    by_kinds: dict[tuple[int, ...], list[SitePair]] = {}
    for pair in pairs:
        kinds = tuple(form.sites.index(s.kind) for s in (pair.first, pair.second))
        by_kinds.setdefault(kinds, []).append(pair)
    return [
        _take_turns(
            [
                _place_on_pair(host, pair, (first, second), adsorbate, multiplicity)
                for pair in by_kinds[kinds]
            ]
        )
        for kinds in sorted(by_kinds)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _FormPart:
    """One of two molecules, its binding atom at the origin, and which atoms it is."""

    form: AdsorbateForm
    atoms: tuple[int, ...]


def split_form(form: AdsorbateForm, who: str) -> list[_FormPart]:
    """The two molecules of a form that sits on two sites.

    Raises
    ------
    LibraryError
        If it is not two molecules, or one has no binding atom of its own.
    """
    symbols = [line[0] for line in form.atoms]
    positions = np.array([line[1:] for line in form.atoms], dtype=float)
    pieces = connected_pieces(symbols, positions)
    if [len(set(piece) & set(form.binding)) for piece in pieces] != [1, 1]:
        raise LibraryError(
            f"{who}: form {form.name!r}: apart needs two molecules with a binding atom "
            f"each, and this draws {len(pieces)}; correct binding, or draw them apart"
        )
    found = []
    for piece in pieces:
        (bound,) = set(piece) & set(form.binding)
        lines = tuple(
            (symbols[i], *map(float, positions[i] - positions[bound])) for i in piece
        )
        own = {"atoms": lines, "binding": (piece.index(bound),)}
        found.append(_FormPart(form=form.model_copy(update=own), atoms=tuple(piece)))
    return found


def _place_on_pair(
    host: Structure,
    pair: SitePair,
    molecules: Sequence[_FormPart],
    adsorbate: AdsorbateSpec,
    multiplicity: int,
) -> Iterator[Start]:
    """The roomiest orientation of two molecules that do not touch; none if they do."""
    ways = [
        _find_poses(host, site, molecule.form)[:_KEPT_AZIMUTHS]
        for site, molecule in zip((pair.first, pair.second), molecules, strict=True)
    ]
    order = np.argsort([i for molecule in molecules for i in molecule.atoms])
    lines = [line for molecule in molecules for line in molecule.form.atoms]
    symbols = [lines[i][0] for i in order]
    for one, other in product(*ways):
        reach = radii([line[0] for line in lines])
        n_first = len(one[0])
        gaps = np.linalg.norm(one[0][:, None] - other[0][None, :], axis=-1)
        apart = gaps / (reach[:n_first, None] + reach[None, n_first:])
        if apart.min() > _APART:
            placed = np.vstack([one[0], other[0]])[order]
            yield Start(
                structure=join(host, symbols, placed, adsorbate, multiplicity),
                site=pair.first,
                form=molecules[0].form.name,
                clearance=min(one[1], other[1], float(apart.min())),
                second_site=pair.second,
            )
            return


def _rank_site(site: Site, form: AdsorbateForm) -> tuple[int, int, int]:
    """Sort key of a site for a form: what is likely to bind comes first."""
    donors = all(form.atoms[b][0] in _DONORS for b in form.binding)
    anions = sum(element in NONMETALS for element in site.elements) if donors else 0
    return anions, sum(site.coordination_numbers), -site.multiplicity


def _take_turns(groups: Sequence[Iterator[Start]]) -> Iterator[Start]:
    """The first of each group, then the second of each, and so on."""
    waiting = deque(groups)
    while waiting:
        group = waiting.popleft()
        start = next(group, None)
        if start is not None:
            yield start
            waiting.append(group)


def _place_on_site(
    host: Structure,
    site: Site,
    form: AdsorbateForm,
    adsorbate: AdsorbateSpec,
    multiplicity: int,
) -> Iterator[Start]:
    """The roomiest orientation of a form on a site, and the one least like it."""
    symbols = [line[0] for line in form.atoms]
    for placed, clearance in _find_poses(host, site, form)[:_KEPT_AZIMUTHS]:
        yield Start(
            structure=join(host, symbols, placed, adsorbate, multiplicity),
            site=site,
            form=form.name,
            clearance=clearance,
        )


def _find_poses(
    host: Structure, site: Site, form: AdsorbateForm
) -> list[tuple[FloatArray, float]]:
    """Positions and clearance of the distinct orientations that fit.

    The roomiest comes first, then the one that is least like those before it.
    """
    symbols = [line[0] for line in form.atoms]
    own = np.array([line[1:] for line in form.atoms], dtype=float)
    frame = _make_site_frame(site, host)
    bound = _list_bound_pairs(site, form)
    poses = [
        pose
        for angle in _choose_azimuths(form, site, own)
        if (
            pose := _settle_pose(
                host, site, symbols, own @ _make_turn_matrix(angle) @ frame, bound
            )
        )
    ]
    poses.sort(key=lambda pose: -round(pose[1], 3))
    return _keep_distinct_poses(host, symbols, poses)


def _keep_distinct_poses(
    host: Structure, symbols: Sequence[str], poses: Sequence[tuple[FloatArray, float]]
) -> list[tuple[FloatArray, float]]:
    """Poses without the images that the symmetry of the site makes of them.

    The first stays first; then comes the one that is least like those before it.
    """
    there = host.xyz
    elements = np.unique(host.symbols, return_inverse=True)[1]
    own = np.unique(symbols, return_inverse=True)[1]
    pairs = (own[:, None] * len(there) + elements[None, :]).ravel()
    spectra = []
    for placed, _ in poses:
        gaps = np.linalg.norm(placed[:, None] - there[None, :], axis=-1).ravel()
        spectra.append(gaps[np.lexsort((gaps, pairs))])
    kept = [0] if poses else []
    while kept:
        unlike = [
            min(float(np.abs(spectrum - spectra[i]).max()) for i in kept)
            for spectrum in spectra
        ]
        farthest = int(np.argmax(unlike))
        if unlike[farthest] <= _SAME_A:
            break
        kept.append(farthest)
    return [poses[i] for i in kept]


def _make_site_frame(site: Site, host: Structure) -> FloatArray:
    """Rows x, y, z of the site: z along its normal, x along its first bond."""
    z = np.array(site.normal)
    positions = host.xyz
    if len(site.atoms) > 1:
        along = positions[site.atoms[1]] - positions[site.atoms[0]]
    else:
        along = np.eye(3)[np.abs(z).argmin()]
    x = along - (along @ z) * z
    x = x / np.linalg.norm(x)
    return np.array([x, np.cross(z, x), z])


def _make_turn_matrix(angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])


def _is_axial(own: FloatArray) -> bool:
    """Whether all atoms lie on the normal, so that turning changes nothing."""
    return bool(np.abs(own[:, :2]).max() < 1e-3)


def _choose_azimuths(form: AdsorbateForm, site: Site, own: FloatArray) -> list[float]:
    if _is_axial(own):
        return [0.0]
    if len(form.binding) == 2 and len(site.atoms) == 2:
        return [0.0, np.pi]
    if len(form.binding) == 3 and len(site.atoms) == 3:
        return [np.pi / 3 * k for k in range(6)]
    return [2 * np.pi * k / _N_AZIMUTHS for k in range(_N_AZIMUTHS)]


def _list_bound_pairs(site: Site, form: AdsorbateForm) -> list[tuple[int, int]]:
    """Pairs (site atom, adsorbate atom) that are meant to bind."""
    return [(i, b) for b in form.binding for i in site.atoms]


def _settle_pose(
    host: Structure,
    site: Site,
    symbols: Sequence[str],
    oriented: FloatArray,
    bound: Sequence[tuple[int, int]],
) -> tuple[FloatArray, float] | None:
    """Positions at bonding height, lifted until nothing clashes; None if it never fits.

    The second value is the clearance: the closest contact not meant to bind, in sums
    of covalent radii.
    """
    normal, foot = np.array(site.normal), np.array(site.position)
    positions = host.xyz
    lateral = oriented + foot
    radius_host, radius_own = radii(host.symbols), radii(symbols)
    partners = _find_nearest_partners(bound, positions, lateral)
    below, site_atoms = {i for i, _ in partners}, {i for i, _ in bound}
    if len(below) < len(partners) == len(site_atoms):
        return None  # as many binding atoms as site atoms: one over each
    height = max(
        _find_bond_height(
            lateral[b] - positions[i], normal, radius_host[i] + radius_own[b]
        )
        for i, b in partners
    )
    reach = radius_host[:, None] + radius_own[None, :]
    unbound = np.ones_like(reach, dtype=bool)
    for i, b in bound:
        unbound[i, b] = False
    for lift in np.arange(0.0, _MAX_LIFT_A, _LIFT_STEP_A):
        placed = lateral + (height + lift) * normal
        gaps = np.linalg.norm(positions[:, None] - placed[None, :], axis=-1) / reach
        if not unbound.any():
            return placed, float(gaps.min())
        clearance = float(gaps[unbound].min())
        if clearance > _CLASH:
            return placed, clearance
    return None


def _find_nearest_partners(
    bound: Sequence[tuple[int, int]], positions: FloatArray, lateral: FloatArray
) -> list[tuple[int, int]]:
    """For each binding atom the site atom below it."""
    nearest: dict[int, tuple[float, int]] = {}
    for i, b in bound:
        gap = float(np.linalg.norm(positions[i] - lateral[b]))
        if b not in nearest or gap < nearest[b][0]:
            nearest[b] = (gap, i)
    return [(i, b) for b, (_, i) in nearest.items()]


def _find_bond_height(offset: FloatArray, normal: FloatArray, bond: float) -> float:
    """How far along the normal to move an atom so that its bond has the right length.

    `offset` points from the site atom to the atom before it is moved.
    """
    along = float(offset @ normal)
    across = float(offset @ offset) - along**2
    return float(np.sqrt(max((_BOND_STRETCH * bond) ** 2 - across, 0.01))) - along


def join(
    host: Structure,
    symbols: Sequence[str],
    placed: FloatArray,
    adsorbate: AdsorbateSpec,
    multiplicity: int,
) -> Structure:
    """A host with an adsorbate's atoms, shape (n, 3) in Å, behind its own."""
    added = tuple((float(x), float(y), float(z)) for x, y, z in placed)
    return Structure(
        name=f"{host.name}-{adsorbate.name}",
        symbols=(*host.symbols, *symbols),
        positions=(*host.positions, *added),
        roles=(*host.roles, *(["adsorbate"] * len(symbols))),
        charge=host.charge + adsorbate.charge,
        multiplicity=multiplicity,
        cell=host.cell,
    )
