"""The search for minima: what is the same, what goes on, and what it finds."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import least_squares

from clusterflow.library.adsorbates import AdsorbateForm, AdsorbateSpec
from clusterflow.library.levels import LevelSpec
from clusterflow.records.atoms import from_atoms, to_atoms
from clusterflow.records.clusters import BuildRecord
from clusterflow.science.adsorption.kicks import kicked
from clusterflow.science.adsorption.outcome import judge_complex
from clusterflow.science.adsorption.same_minimum import same_shape, shape_of
from clusterflow.science.adsorption.search_decisions import (
    better_half,
    group_candidates,
    is_exhausted,
)
from clusterflow.science.adsorption.starts_at_random import place_anywhere
from clusterflow.science.adsorption.surface_bonds import surface_bonds
from clusterflow.science.clusters.builders.metal import icosahedron, octahedron
from clusterflow.science.geometry.bonds import distance_ratios
from clusterflow.science.geometry.symmetry import find_symmetry
from clusterflow.settings import (
    THOROUGH_SEARCH,
    AdsorbSettings,
    RelaxSettings,
    SitesSettings,
    VibrateSettings,
)
from clusterflow.stages.adsorb import adsorb
from clusterflow.stages.build import build
from clusterflow.stages.inputs import level_record
from clusterflow.stages.parts import minimum_search
from clusterflow.stages.parts.job import Job
from clusterflow.stages.parts.relaxation import Relaxation, same_geometry
from clusterflow.stages.relax import relax
from clusterflow.stages.sites import sites
from clusterflow.stages.vibrate import vibrate
from tests.stages.parts.test_relaxation import Whirl

pytestmark = pytest.mark.rounding


def candidate(energy_ev, is_intact=True, at=0, way="", bonds=()):
    return SimpleNamespace(
        energy_ev=energy_ev, is_intact=is_intact, at=at, ways=(way,), bonds=bonds
    )


def energies(rng):
    """Up to 30 energies, some of them equal."""
    return (rng.integers(0, 400, size=rng.integers(1, 31)) / 100).tolist()


@pytest.mark.parametrize("seed", range(20))
def test_merging_loses_nothing_and_compares_only_neighbours(seed):
    rng = np.random.default_rng(seed)
    values, n_places = energies(rng), int(rng.integers(1, 6))
    asked = []

    def same(a, b):
        asked.append(abs(a.energy_ev - b.energy_ev))
        return a.at == b.at

    found = [candidate(e, at=i % n_places) for i, e in enumerate(values)]
    groups = group_candidates(found, same, 0.5)
    assert sorted(id(c) for g in groups for c in g) == sorted(map(id, found))
    assert all(gap <= 0.5 for gap in asked)
    leaders = [group[0].energy_ev for group in groups]
    assert leaders == sorted(leaders)
    for group in groups:
        assert len({c.at for c in group}) == 1
        assert group[0].energy_ev == min(c.energy_ev for c in group)


@pytest.mark.parametrize("seed", range(20))
def test_the_better_half_keeps_the_lowest_of_each_kind(seed):
    rng = np.random.default_rng(seed)
    good, changed, least = energies(rng), energies(rng), int(rng.integers(1, 5))
    found = [candidate(e) for e in good] + [candidate(e - 3, False) for e in changed]
    kept = better_half(found, 1.0, intact=least)
    for kind, values in ((True, good), (False, [e - 3 for e in changed])):
        own = sorted(c.energy_ev for c in kept if c.is_intact is kind)
        assert own[0] == min(values) and own[-1] <= min(values) + 1.0
        # Whatever the other kind holds, what is kept are the lowest ones.
        assert own == sorted(values)[: len(own)]
        assert len(own) <= max(least if kind else 1, (len(values) + 1) // 2)


@pytest.mark.parametrize("seed", range(20))
def test_the_lowest_of_each_way_of_binding_goes_on(seed):
    rng = np.random.default_rng(seed)
    ways = rng.choice(["top", "bridge", "hollow3", "random"], size=24)
    found = [
        candidate(float(e), way=way)
        for e, way in zip(rng.permutation(24), ways, strict=True)
    ]
    found += [candidate(float(e) - 50, is_intact=False, way="pair") for e in range(4)]
    kept = [c for c in better_half(found, 99.0) if c.is_intact]
    for way in set(ways):
        own = [c.energy_ev for c in found if c.is_intact and c.ways == (way,)]
        assert min(own) in [c.energy_ev for c in kept]
    # Those above the middle are there for their way alone.
    upper = [c.ways for c in kept if c.energy_ev >= 12]
    assert len(upper) == len(set(upper))
    assert {c.energy_ev for c in kept} >= set(range(12))


def test_the_search_stops_after_trials_without_news():
    news = [True, False, True, False, False, False, True]
    stops = [is_exhausted(news[:n], 3) for n in range(len(news) + 1)]
    assert stops == [False] * 6 + [True, False]


def complexes(structure, symbols, positions, places):
    """Shapes of a host with hydrogen at each of some places, and its symmetry."""
    symmetry = find_symmetry(symbols, positions)
    shapes = [
        shape_of(
            structure([*symbols, "H"], np.vstack([positions, place])),
            len(symbols),
            core_intact=True,
        )
        for place in places
    ]
    return shapes, symmetry.permutations


@pytest.mark.parametrize(
    "atoms", [octahedron("Cu", 3, 1, 2.5), icosahedron("Cu", 2, 2.42)]
)
def test_images_by_symmetry_are_one_and_other_places_are_not(structure, atoms):
    positions = atoms.positions - atoms.positions.mean(axis=0)
    symbols = atoms.get_chemical_symbols()
    place = np.array([2.9, 1.7, 0.6])  # on no element of symmetry
    rotations = find_symmetry(symbols, positions).rotations
    images = [rotation @ place for rotation in rotations]
    moved = place + np.array([0.0, -0.6, 0.4])
    (first, *others, other), group = complexes(
        structure, symbols, positions, [*images, moved]
    )
    assert len(group) >= 48
    assert all(same_shape(first, image, group, 0.05) for image in others)
    assert not same_shape(first, other, group, 0.2)
    # Without the symmetry nearly all of them are places of their own.
    identity = np.arange(13)[None, :]
    assert sum(same_shape(first, image, identity, 0.05) for image in others) == 0


def test_sorted_distances_alone_would_take_two_places_for_one(structure):
    triangle = np.array([[0.0, 0, 0], [2.4, 0, 0], [1.0, 2.3, 0]])
    lengths = (1.6, 1.75, 1.9)

    def at(*wanted):
        gaps = lambda x: np.linalg.norm(triangle - x, axis=1) - wanted  # noqa: E731
        return least_squares(gaps, [1.0, 0.8, 1.0], xtol=1e-12).x

    places = [at(*lengths), at(*lengths[1:], lengths[0])]
    (first, second), group = complexes(structure, ["Cu"] * 3, triangle, places)
    both = [
        to_atoms(structure(["Cu"] * 3 + ["H"], np.vstack([triangle, place])))
        for place in places
    ]
    assert same_geometry(*both, 0.01)
    assert not same_shape(first, second, group, 0.1)


def test_a_changed_cluster_is_known_by_its_distances(structure):
    """Two atoms of the host have changed places: no symmetry of the bare one."""
    host = np.array([[0.0, 0, 0], [2.4, 0, 0], [1.0, 2.3, 0], [3.5, 2.0, 0.3]])
    swapped = host[[1, 0, 2, 3]]
    place = np.array([1.2, 0.8, 1.4])
    for intact, expected in ((False, True), (True, False)):
        first, second = (
            shape_of(
                structure(["Cu"] * 4 + ["H"], np.vstack([h, place])),
                4,
                core_intact=intact,
            )
            for h in (host, swapped)
        )
        group = np.arange(4)[None, :]
        assert same_shape(first, second, group, 0.05) is expected


def test_random_starts_touch_the_cluster_and_follow_their_seed(library, structure):
    atoms = octahedron("Cu", 3, 1, 2.5)
    host = structure(atoms.get_chemical_symbols(), atoms.positions)
    spec = library.adsorbate("COOH")
    starts = [
        place_anywhere(host, spec, multiplicity=2, seed=(1, i)) for i in range(60)
    ]
    for start in starts:
        ratios = distance_ratios(start.structure.symbols, start.structure.xyz)[:13, 13:]
        assert ratios.min() == pytest.approx(1.05, abs=1e-6)
        assert ratios[start.site.atoms[0]].min() == ratios.min()
        assert start.placed == "random"
    # The twelve atoms of the surface, all forms, from all sides.
    assert len({start.site.atoms for start in starts}) == 12
    assert {start.form for start in starts} == {form.name for form in spec.forms}
    assert np.linalg.norm(np.mean([s.site.normal for s in starts], axis=0)) < 0.3
    again = place_anywhere(host, spec, multiplicity=2, seed=(1, 7))
    assert again == starts[7]
    assert place_anywhere(host, spec, multiplicity=2, seed=(2, 7)) != starts[7]


def test_random_starts_do_not_stop_at_ligands(library, structure):
    bare = structure(["Cu", "Cu"], [[0, 0, 0], [2.4, 0, 0]])
    shell = [[-2.5, 0, 0], [0, 2.5, 0], [0, -2.5, 0], [0, 0, 2.5], [0, 0, -2.5]]
    host = bare.model_copy(
        update={
            "symbols": ("Cu", "Cu", *["P"] * 5),
            "positions": (*bare.positions, *map(tuple, shell)),
            "roles": ("core", "core", *["ligand"] * 5),
        }
    )
    spec = library.adsorbate("H")
    for i in range(20):
        start = place_anywhere(host, spec, multiplicity=1, seed=(i,))
        assert host.roles[start.site.atoms[0]] == "core"
    covered = host.model_copy(update={"roles": ("ligand",) * 7})
    assert place_anywhere(covered, spec, multiplicity=1, seed=(0,)) is None


class Bare:
    """An octahedron with faces of four kinds, and searches for oxygen on it, by EMT."""

    def __init__(self, library, structure, provenance):
        self.library = library
        corners = np.vstack([np.eye(3), -np.eye(3)]) * 1.7
        built = BuildRecord(
            cluster="Cu3Au3",
            formula="Cu3Au3",
            material="metal",
            source="unpublished: a test",
            structures=(structure(["Cu"] * 3 + ["Au"] * 3, corners),),
            provenance=provenance,
        )
        self.relaxed = relax(
            built, level_record("emt", "Cu3Au3"), RelaxSettings(), Job("relax")
        )
        self.sites = sites(self.relaxed, SitesSettings(), Job("sites"))
        self.host = self.relaxed.isomers[0].structure

    def search(self, settings=THOROUGH_SEARCH, scratch=None):
        job = Job("adsorb", scratch=scratch)
        oxygen = self.library.adsorbate("O")
        found = self.adsorb(oxygen, self.relaxed, settings, job)
        return found, job.meter.n_gradients

    def adsorb(self, adsorbate, relaxed, settings, job=None):
        return adsorb(
            relaxed,
            self.sites,
            adsorbate,
            settings,
            job or Job("adsorb"),
            others=self.library.adsorbates(),
            relax=RelaxSettings(),
        )

    def brute_force(self, n_starts):
        """Energies of intact minima below random starts, and all gradients."""
        others = self.library.adsorbates()
        job, energies_ev = Job("adsorb"), []
        for index in range(n_starts):
            start = place_anywhere(
                self.host, self.library.adsorbate("O"), multiplicity=1, seed=(99, index)
            )
            calculator = job.calculator(self.relaxed.level, 0, 1)
            relaxation = Relaxation(to_atoms(start.structure), calculator)
            done = relaxation.finish(0.02, 400) == "converged"
            end = from_atoms(relaxation.atoms, charge=0, multiplicity=1)
            verdict = judge_complex(end, self.host, others["O"], others)
            if done and verdict.fate == "intact":
                energies_ev.append(relaxation.energy_ev)
        return energies_ev, job.meter.n_gradients


@pytest.fixture(scope="module")
def bare(library, structure, provenance):
    return Bare(library, structure, provenance)


@pytest.fixture
def relaxed_of(monkeypatch):
    """The energies of what is relaxed to the end; those of `falling` change before.

    They come to rest 5 eV lower, all in minima of their own.
    """

    def run(good, reserve=(), changed=(), falling=(), wanted=2, patience=3, bonds=()):
        relaxed, bonds = [], dict(bonds)

        def followed(_search, coarse, _found):
            if coarse.energy_ev not in falling:
                return coarse
            return candidate(coarse.energy_ev - 5, is_intact=False)

        def relax_one(_search, coarse, found):
            relaxed.append(coarse.energy_ev)
            return found.add(coarse, ())

        monkeypatch.setattr(minimum_search, "_follow_candidate", followed)
        monkeypatch.setattr(minimum_search, "_relax_candidate", relax_one)
        monkeypatch.setattr(minimum_search._Found, "alike", lambda *_: False)
        found = minimum_search._Found(host=None)
        found.reserve = [candidate(e, bonds=bonds.get(e, ())) for e in reserve]
        settings = SimpleNamespace(max_relaxed=wanted, patience=patience)
        candidates = [candidate(e, bonds=bonds.get(e, ())) for e in good]
        candidates += [candidate(e, is_intact=False) for e in changed]
        minimum_search._relax_best(
            SimpleNamespace(settings=settings, spare=2), candidates, found
        )
        return relaxed

    return run


def test_good_ones_are_relaxed_until_there_are_enough(relaxed_of):
    assert relaxed_of([3.0, 1.0, 2.0], reserve=[0.5], changed=[4.0]) == [1, 2]
    # Above the lowest three times: no news to come. The reserve has its own chance.
    assert relaxed_of([3.0, 1.0, 2.0, 4.0, 5.0], wanted=9) == [1, 2, 3, 4]
    assert relaxed_of([1.0], reserve=[3.0, 2.0], wanted=2) == [1, 2]


def test_good_ones_that_fall_make_room_for_those_that_stay(relaxed_of):
    good = [0.0, 1.0, 2.0, 3.0]
    assert relaxed_of(good, falling=[0.0, 1.0]) == [2, 3, -5, -4]
    # Nothing stays: reserves are tried, and then the lowest of what has changed.
    fallen = relaxed_of([0.0, 1.0], reserve=[2.0, 3.0], falling=[0.0, 1.0, 2.0, 3.0])
    assert fallen == [-5, -4]


def test_the_lowest_of_each_way_to_be_bonded_is_relaxed_beyond_what_is_wanted(
    relaxed_of,
):
    bonds = {2.0: ("acyl on Cd",), 7.0: ("acyl on Cd",), 8.0: ("carbene on Se",)}
    good = [0.0, 1.0, 2.0, 7.0]
    assert relaxed_of(good, reserve=[8.0], wanted=1, bonds=bonds) == [0, 2, 8]
    # Where one falls, the next that looks like it is tried, up to three.
    assert relaxed_of(good, falling=[2.0], wanted=1, bonds=bonds) == [0, 7, -3]
    # Those that are wanted anyway may already hold all.
    assert relaxed_of(good, wanted=3, bonds=bonds) == [0, 1, 2]


def test_what_changed_is_relaxed_where_it_is_low_or_nothing_else_is_there(relaxed_of):
    assert relaxed_of([1.0, 2.0], changed=[1.5, 0.5]) == [1, 2, 0.5]
    assert relaxed_of([1.0, 2.0], changed=[0.5, 0.4, 0.3]) == [1, 2, 0.3, 0.4]
    assert relaxed_of([1.0], changed=[3.0, 4.0, 5.0]) == [1, 3, 4]
    assert relaxed_of([], changed=[5.0, 3.0, 4.0]) == [3, 4]


def test_what_goes_in_circles_is_no_minimum(bare):
    level = LevelSpec(
        name="whirl",
        source="unpublished: a test",
        engine={"calculator": f"{Whirl.__module__}:Whirl", "spinless": True},
    )
    relaxed = bare.relaxed.model_copy(update={"level": level})
    oxygen = bare.library.adsorbate("O")
    found = bare.adsorb(oxygen, relaxed, AdsorbSettings(patience=9))
    assert found.minima == () and found.status == "failed"
    assert found.failures == {"oscillating": found.n_starts}
    assert found.reason == f"{found.n_starts} oscillating"


def test_an_adsorbate_larger_than_any_site_has_no_start_and_a_reason(bare):
    """A ring that would have to go around the atom it sits on, as no YAML may say."""
    angles = 2 * np.pi * np.arange(12) / 12
    ring = tuple(("C", 1.7 * np.cos(a), 1.7 * np.sin(a), -2.0) for a in angles)
    foot = ("C", 0.0, 0.0, 0.0)
    form = AdsorbateForm(
        name="crown", binding=(0,), sites=("top", "hollow3"), atoms=(foot,)
    )
    huge = AdsorbateSpec(
        name="crown",
        source="unpublished: a test",
        formula="C",
        multiplicity=1,
        forms=(form,),
    )
    around = form.model_copy(update={"atoms": (foot, *ring)})
    huge = huge.model_copy(update={"formula": "C13", "forms": (around,)})
    job = Job("adsorb")
    found = bare.adsorb(huge, bare.relaxed, AdsorbSettings(random_starts=0), job)
    assert (found.status, found.n_starts, found.minima) == ("failed", 0, ())
    assert "*crown is too large: none of its forms (crown) fits" in found.reason
    assert job.meter.n_gradients == 0


def test_all_minima_of_brute_force_are_found_for_half_of_its_gradients(bare):
    energies_ev, n_brute = bare.brute_force(24)
    found, n_gradients = bare.search()
    ranked = [minimum.energy_ev for minimum in found.minima]
    # Oxygen sits on faces: of three Cu, of three Au, and two mixed ones.
    assert {minimum.fate for minimum in found.minima} == {"intact"}
    assert len(ranked) == 4 and ranked == sorted(ranked)
    for energy in energies_ev:
        assert np.abs(np.array(ranked) - energy).min() < 5e-4
    assert n_gradients < n_brute / 2
    assert 4 <= sum(m.n_starts for m in found.minima) <= found.n_starts


def test_the_default_search_keeps_the_lowest_minimum_of_each_way_to_be_bonded(bare):
    def lowest_by_bonds(settings):
        minima = bare.search(settings)[0].minima  # lowest first
        return {surface_bonds(m.structure): m.energy_ev for m in reversed(minima)}

    expected = lowest_by_bonds(THOROUGH_SEARCH)
    assert len(expected) == 3  # oxygen on copper, on gold and on both
    found = lowest_by_bonds(AdsorbSettings())
    assert found == pytest.approx(expected, abs=5e-4)


def test_kicks_lead_from_a_single_start_to_the_lowest_minimum(bare):
    one = AdsorbSettings(max_screened=1, random_starts=0)
    first, _ = bare.search(one)
    back, _ = bare.search(one.model_copy(update={"kicks": 24}))
    lower, _ = bare.search(one.model_copy(update={"kicks": 24, "seed": 3}))
    lowest, _ = bare.search()
    assert first.minima[0].energy_ev > lowest.minima[0].energy_ev + 0.1
    assert lower.minima[0].energy_ev == pytest.approx(
        lowest.minima[0].energy_ev, abs=5e-4
    )
    assert [m.placed for m in lower.minima] == ["kicked", "site"]
    # One atom gets a quarter of the kicks, anew after each lower minimum; all count.
    assert [m.placed for m in back.minima] == ["site"]
    assert back.n_starts == back.minima[0].n_starts == 1 + 6
    assert lower.n_starts == sum(m.n_starts for m in lower.minima) > 1 + 6


def test_a_kick_moves_the_core_and_turns_the_adsorbate(structure):
    symbols = ["Pt", "Cu", "Cu", "S", "C", "O"]
    roles = ("support", "core", "core", "ligand", "adsorbate", "adsorbate")
    positions = np.array(
        [[0, 0, 3.0 * i] for i in range(4)] + [[2, 0, 3], [3.15, 0, 3]]
    )
    resting = structure(symbols, positions).model_copy(update={"roles": roles})
    moves = [
        np.array(kicked(resting, 4, (1, i)).positions) - positions for i in range(400)
    ]
    assert (
        np.array(kicked(resting, 4, (1, 7)).positions) == positions + moves[7]
    ).all()
    spread = np.std(moves, axis=0)
    assert (spread[[0, 3]] == 0).all()
    assert spread[[1, 2]] == pytest.approx(0.2, rel=0.15)
    for move in moves:
        bond = np.diff((positions + move)[4:], axis=0)
        assert np.linalg.norm(bond) == pytest.approx(1.15)
    # Half a bond at 0.4 rad, on top of the shift of the middle.
    across = np.hypot(0.2, 0.4 * 1.15 / 2)
    assert spread[5, 1:] == pytest.approx(across, rel=0.15)


@pytest.mark.xtb
def test_a_frozen_shell_stays_and_its_sulfur_moves(library):
    spec = library.cluster("Cu2S2H2")
    built = build(
        spec, library.path("clusters", spec.name).parent, library, Job("build")
    )
    relaxed = relax(
        built, level_record("gfn1-xtb", spec.name), RelaxSettings(), Job("relax")
    )
    host = relaxed.isomers[0].structure
    hydrogens = [i for i, symbol in enumerate(host.symbols) if symbol == "H"]
    few = AdsorbSettings(max_screened=1, random_starts=0, halvings=0)
    moved, energies_ev = {}, {}
    for freeze in ("none", "shell"):
        record = adsorb(
            relaxed,
            sites(relaxed, SitesSettings(), Job("sites")),
            library.adsorbate("H"),
            few.model_copy(update={"freeze": freeze}),
            Job("adsorb"),
            others=library.adsorbates(),
            relax=RelaxSettings(),
        )
        minimum = record.minima[0]
        shift = np.array(minimum.structure.positions)[:6] - host.positions
        moved[freeze] = np.linalg.norm(shift, axis=1)
        energies_ev[freeze] = minimum.energy_ev
        assert minimum.frozen == (tuple(hydrogens) if freeze == "shell" else ())
        vibrated = vibrate(
            record,
            relaxed.isomers[0],
            library.adsorbate("H"),
            VibrateSettings(include_binding_atoms=True),
            Job("vibrate"),
            relax=RelaxSettings(),
        )
        assert not set(vibrated.moving) & set(minimum.frozen)
    assert (moved["none"] > 0).all()
    assert (moved["shell"][hydrogens] == 0).all()
    assert (np.delete(moved["shell"], hydrogens) > 0).all()
    assert energies_ev["none"] < energies_ev["shell"] < energies_ev["none"] + 0.5


def test_a_killed_search_goes_on_to_the_same_end(bare, tmp_path):
    whole, n_gradients = bare.search()
    folder = tmp_path / "scratch"
    first, n_first = bare.search(scratch=folder)
    assert first.minima == whole.minima and n_first == n_gradients > 0
    pieces = sorted(folder.iterdir())
    for piece in pieces[::2]:
        piece.unlink()
    resumed, n_resumed = bare.search(scratch=folder)
    assert resumed.minima == whole.minima
    assert 0 < n_resumed < n_gradients
    assert bare.search(scratch=folder)[1] == 0
