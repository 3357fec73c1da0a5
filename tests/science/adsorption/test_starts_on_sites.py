"""Starting geometries: bonds at the site, nothing in the way, the same every time."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from ase.data import atomic_numbers, covalent_radii

from clusterflow.library.adsorbates import AdsorbateForm
from clusterflow.science.adsorption.same_minimum import same_shape, shape_of
from clusterflow.science.adsorption.starts_on_sites import place_adsorbate
from clusterflow.science.clusters.builders.binary import stacked_rings
from clusterflow.science.clusters.builders.metal import icosahedron, octahedron
from clusterflow.science.geometry.symmetry import find_symmetry
from clusterflow.science.sites.sites import find_sites

pytestmark = pytest.mark.rounding

ICO = icosahedron("Cu", 2, 2.42)
OCT = octahedron("Cu", 3, 1, 2.5)
PRISM = stacked_rings("Cd", "Se", n=3, layers=2, bond_a=2.6, spacing_a=2.7)
STRETCH = 1.05  # bonds start 5 % long


def radius(symbol):
    return covalent_radii[atomic_numbers[symbol]]


@pytest.fixture(scope="module")
def place(library, structure):
    def run(atoms, name, max_starts=1000, spec=None, **changes):
        symbols = atoms.get_chemical_symbols()
        host = structure(symbols, atoms.positions, **changes)
        _, sites = find_sites(symbols, atoms.positions)
        return host, place_adsorbate(
            host,
            sites,
            spec or library.adsorbate(name),
            multiplicity=2,
            max_starts=max_starts,
        )

    return run


def gaps(start, n_host):
    positions = start.structure.xyz
    return np.linalg.norm(positions[:n_host, None] - positions[None, n_host:], axis=-1)


NAMES = ["H", "CO", "OH", "COOH", "CO2", "OCHO", "HCOOH", "CH2O", "OCH3", "CHOH"]


@pytest.mark.parametrize("kind", ["top", "bridge", "hollow3"])
def test_hydrogen_sits_at_bonding_distance(place, kind):
    _, starts = place(OCT, "H")
    starts = [s for s in starts if s.site.kind == kind]
    assert starts
    for start in starts:
        lengths = gaps(start, 13)[list(start.site.atoms), 0]
        # On a symmetric site all its atoms are equally far; 1e-5 Å: six decimals.
        assert lengths == pytest.approx(STRETCH * (1.32 + 0.31), abs=1e-5)


def test_what_would_fall_through_a_wide_hollow_lies_just_above_it(place):
    # Half the diagonal of the square, 1.77 Å, is longer than the bond of 1.71 Å.
    _, starts = place(OCT, "H")
    for start in [s for s in starts if s.site.kind == "hollow4"]:
        above = start.structure.xyz[13] - start.site.position
        assert 0 < above @ np.array(start.site.normal) < 0.2


@pytest.mark.parametrize(
    ("cluster", "name"), [(ICO, "OCHO"), (ICO, "COOH"), (PRISM, "OCHO"), (OCT, "CH2O")]
)
def test_no_start_is_an_image_of_another(place, cluster, name):
    """By the operations of the point group, which placement does not know."""
    host, starts = place(cluster, name)
    group = find_symmetry(host.symbols, host.xyz).permutations
    shapes = [
        shape_of(start.structure, len(host.symbols), core_intact=True)
        for start in starts
    ]
    assert len({start.clearance for start in starts}) > 1
    for first, second in combinations(shapes, 2):
        assert not same_shape(first, second, group, 0.05)


def test_the_shortest_bond_is_never_short_of_its_length(place, library):
    for name in NAMES:
        _, starts = place(ICO, name)
        for start in starts:
            form = next(
                f for f in library.adsorbate(name).forms if f.name == start.form
            )
            lengths = gaps(start, 13)
            for b in form.binding:
                bond = STRETCH * (1.32 + radius(form.atoms[b][0]))
                assert lengths[list(start.site.atoms), b].min() > bond - 1e-5


@pytest.mark.parametrize("atoms", [ICO, PRISM], ids=["Cu13", "Cd6Se6"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_clashes(place, library, atoms, name):
    _, starts = place(atoms, name)
    symbols = atoms.get_chemical_symbols()
    assert starts
    for start in starts:
        form = next(f for f in library.adsorbate(name).forms if f.name == start.form)
        own = [line[0] for line in form.atoms]
        ratios = gaps(start, len(symbols)) / np.add.outer(
            [radius(s) for s in symbols], [radius(s) for s in own]
        )
        meant = {(i, b) for i in start.site.atoms for b in form.binding}
        others = [
            ratios[i, b]
            for i in range(len(symbols))
            for b in range(len(own))
            if (i, b) not in meant
        ]
        # No bond forms by accident: a bond ends at 1.15, a start keeps 1.05 and is
        # lifted where it cannot; what is meant to bind is no closer than its bond.
        assert min(others) > 1.05
        assert start.clearance == pytest.approx(min(others), abs=1e-6)
        assert all(ratios[i, b] > 1.0 for i, b in meant)


@pytest.mark.parametrize("name", NAMES)
def test_the_adsorbate_keeps_its_shape_and_hand(place, library, name):
    _, starts = place(OCT, name)
    for start in starts:
        form = next(f for f in library.adsorbate(name).forms if f.name == start.form)
        drawn = np.array([line[1:] for line in form.atoms])
        placed = start.structure.xyz[13:]
        for points in (drawn, placed):
            points -= points.mean(axis=0)
        # Same distances and same handedness: one proper rotation maps them.
        u, _, vt = np.linalg.svd(drawn.T @ placed)
        turn = u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt
        assert np.abs(drawn @ turn - placed).max() < 1e-5


def test_the_free_end_points_away(place):
    _, starts = place(ICO, "CO")
    for start in [s for s in starts if s.form == "c-down"]:
        carbon, oxygen = start.structure.xyz[13:]
        along = (oxygen - carbon) / np.linalg.norm(oxygen - carbon)
        assert along @ np.array(start.site.normal) == pytest.approx(1.0, abs=1e-5)


def test_the_host_is_untouched(place):
    host, starts = place(OCT, "COOH", charge=-1, multiplicity=1)
    for start in starts:
        made = start.structure
        assert made.symbols[:13] == host.symbols
        assert made.positions[:13] == host.positions
        assert made.roles == ("core",) * 13 + ("adsorbate",) * 4
        assert (made.charge, made.multiplicity) == (-1, 2)


def test_every_time_the_same(place):
    _, first = place(ICO, "COOH")
    _, again = place(ICO, "COOH")
    assert first == again
    _, short = place(ICO, "COOH", max_starts=4)
    assert short == first[:4]


@pytest.mark.parametrize("name", ["H", "CO"])
def test_what_stands_upright_is_not_turned(place, name):
    _, starts = place(ICO, name)
    starts = [s for s in starts if s.form != "bent"]
    keys = [(s.form, s.site.kind, s.site.atoms, s.site.normal) for s in starts]
    assert len(set(keys)) == len(keys)


def test_what_lies_tilted_is_turned(place):
    _, starts = place(ICO, "OH")
    tops = [s for s in starts if s.site.kind == "top"]
    assert len(tops) == 2
    first, second = (s.structure.xyz[-1] for s in tops)
    assert np.linalg.norm(first - second) > 0.2


def test_a_short_list_already_holds_every_kind_of_site(place):
    _, starts = place(OCT, "H", max_starts=4)
    assert {s.site.kind for s in starts} == {"top", "bridge", "hollow3", "hollow4"}


def test_two_binding_atoms_lie_over_two_site_atoms(place):
    _, starts = place(PRISM, "CH2O")
    across = [s for s in starts if s.form == "eta2-co" and s.site.kind == "pair"]
    assert across
    for start in across:
        positions = start.structure.xyz
        bond = positions[start.site.atoms[1]] - positions[start.site.atoms[0]]
        own = positions[13] - positions[12]
        cosine = bond @ own / np.linalg.norm(bond) / np.linalg.norm(own)
        # The C-O axis is level with the surface, the bond need not be.
        assert abs(cosine) > 0.8


def test_three_binding_atoms_lie_over_three_site_atoms(place, library):
    flat = AdsorbateForm(
        name="flat",
        atoms=(("O", -1.3, -0.75, 0), ("O", 1.3, -0.75, 0), ("C", 0, 1.5, 0)),
        binding=(0, 1, 2),
        sites=("hollow3",),
    )
    spec = library.adsorbate("CO2").model_copy(update={"forms": (flat,)})
    _, starts = place(ICO, "CO2", spec=spec)
    assert starts
    for start in starts:
        below = gaps(start, 13)[list(start.site.atoms)]
        # Each binding atom has an atom of the site of its own, all about as far.
        assert sorted(below.argmin(axis=0)) == [0, 1, 2]
        assert np.ptp(below.min(axis=0)) < 0.2


def test_what_fits_nowhere_gives_nothing(place, library):
    spec = library.adsorbate("H")
    none = AdsorbateForm(
        name="none", atoms=(("H", 0, 0, 0),), binding=(0,), sites=("hydride",)
    )
    _, starts = place(ICO, "H", spec=spec.model_copy(update={"forms": (none,)}))
    assert starts == []


def test_what_is_larger_than_the_site_has_no_start(library, structure):
    # A shaft of carbon atoms over a square: the probe comes in, formate does not.
    square = np.array([[0, 0, 0], [2.5, 0, 0], [2.5, 2.5, 0], [0, 2.5, 0]], float)
    turn = 2 * np.pi * np.arange(8)[:, None] / 8
    out = 1.25 * np.array([1, 1, 0]) + 1.9 * np.hstack(
        [np.cos(turn), np.sin(turn), np.zeros((8, 1))]
    )
    shaft = [out + np.array([0, 0, height]) for height in (1.8, 3.2, 4.6, 6.0)]
    positions = np.vstack([square, *shaft])
    symbols = ["Cu"] * 4 + ["C"] * 32
    roles = ["core"] * 4 + ["ligand"] * 32
    _, sites = find_sites(symbols, positions, roles=roles, kinds=("hollow4",))
    inside = [site for site in sites if site.normal[2] > 0]
    assert len(inside) == 1
    host = structure(symbols, positions).model_copy(update={"roles": tuple(roles)})

    def starts(name):
        spec = library.adsorbate(name)
        forms = tuple(
            form.model_copy(update={"sites": ("hollow4",)}) for form in spec.forms
        )
        spec = spec.model_copy(update={"forms": forms})
        return place_adsorbate(host, inside, spec, multiplicity=2, max_starts=9)

    assert starts("H")
    assert starts("OCHO") == []
