"""The isomer pool: a copper rhombus that hydrogen pulls into lower isomers, by EMT."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from ase.calculators.emt import EMT

from clusterflow.records.adsorption import PooledIsomer
from clusterflow.records.atoms import to_atoms
from clusterflow.records.cluster_records import ClusterRecords
from clusterflow.records.clusters import BuildRecord, Isomer
from clusterflow.records.vibrations import VibrateRecord
from clusterflow.science.adsorption.bare_isomers import (
    boltzmann_weights,
    isomer_weights,
    isomers_of_minimum,
    split_pool,
    why_other_species,
)
from clusterflow.science.adsorption.chosen_minimum import choose_minimum
from clusterflow.science.geometry.bonds import changed_bonds, like_ion_bonds
from clusterflow.science.geometry.symmetry import own_permutations
from clusterflow.science.thermochemistry.species import Layers
from clusterflow.settings import (
    AdsorbSettings,
    PoolSettings,
    RelaxSettings,
    SitesSettings,
    ThermoSettings,
    VibrateSettings,
)
from clusterflow.stages.adsorb import Round, adsorb
from clusterflow.stages.inputs import level_record
from clusterflow.stages.parts.job import Job
from clusterflow.stages.parts.relaxation import same_geometry
from clusterflow.stages.pool import pool
from clusterflow.stages.relax import relax
from clusterflow.stages.sites import sites
from clusterflow.stages.thermo import thermo
from clusterflow.stages.vibrate import vibrate

pytestmark = pytest.mark.rounding

RHOMBUS = [[0.0, 0, 0], [2.3, 0, 0], [1.15, 2.0, 0], [1.15, -2.0, 0]]
ADSORB = AdsorbSettings(max_relaxed=2)
WINDOW_EV = 0.5


class Rounds:
    """Two rounds of adsorption of hydrogen and carbon on the rhombus."""

    def __init__(self, library, structure, provenance):
        self.library = library
        built = BuildRecord(
            cluster="Rhombus",
            formula="Cu4",
            material="metal",
            source="unpublished: a test",
            structures=(structure(["Cu"] * 4, RHOMBUS),),
            provenance=provenance,
        )
        level = level_record("emt", "Rhombus")
        # Unrattled: on its flat top the rhombus of EMT is not to roll down by itself.
        still = RelaxSettings(rattle_a=0.0)
        self.relaxed = relax(built, level, still, Job("relax"))
        self.sites = sites(self.relaxed, SitesSettings(), Job("sites"))
        everything = library.paths("adsorbates")
        self.others = {name: library.adsorbate(name) for name in everything}
        # Whether carbon pulls at the rhombus too is up to rounding; here it does not.
        carbon = only(self.adsorb("C"), lambda minimum: minimum.core_intact)
        self.first = [self.adsorb("H"), carbon]
        self.pool = self.pooled(self.first)
        self.second = [self.adsorb(r.adsorbate, r) for r in self.first]
        self.last_pool = self.pooled(self.second, self.pool)

    def adsorb(self, name, before=None, found=None):
        record = adsorb(
            self.relaxed,
            self.sites,
            self.others[name],
            ADSORB,
            Job("adsorb"),
            others=self.others,
            relax=RelaxSettings(),
            before=before
            and Round(adsorbed=before, pool=found or self.pool, sites=SitesSettings()),
        )
        # The hydrogen of EMT leaves from some starts, which is of no interest here.
        bound = tuple(m for m in record.minima if m.fate != "desorbed")
        return record.model_copy(update={"minima": bound})

    def pooled(self, adsorptions, before=None, **settings):
        return pool(
            self.relaxed,
            adsorptions,
            PoolSettings(window_ev=WINDOW_EV, **settings),
            Job("pool"),
            relax=RelaxSettings(),
            before=before,
        )


@pytest.fixture(scope="module")
def rounds(library, structure, provenance):
    return Rounds(library, structure, provenance)


def emt_minimum(atoms):
    """Energy of the minimum below a geometry, by ASE's own optimiser."""
    from ase.optimize import BFGS

    atoms = atoms.copy()
    atoms.calc = EMT()
    BFGS(atoms, logfile=None).run(fmax=0.001)
    return atoms.get_potential_energy()


@pytest.fixture(scope="module")
def tetrahedron_ev():
    from ase import Atoms

    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    return emt_minimum(Atoms("Cu4", positions=corners * 2.3 / np.sqrt(8)))


@pytest.fixture(scope="module")
def rhombus_ev(rounds):
    return emt_minimum(to_atoms(rounds.relaxed.isomers[0].structure))


def names(record):
    return [pooled.isomer.structure.name for pooled in record.isomers]


def test_hydrogen_finds_the_tetrahedron(rounds, tetrahedron_ev, rhombus_ev):
    found, own = rounds.pool.isomers
    assert found.isomer.energy_ev == pytest.approx(tetrahedron_ev, abs=1e-3)
    assert own.isomer.energy_ev == pytest.approx(rhombus_ev, abs=1e-3)
    assert rounds.pool.new == (found.isomer.structure.name,)
    assert (found.found_by, found.round, found.fate) == ("H", 1, "reconstructed")
    # Six edges of a tetrahedron; the rhombus lacks one diagonal.
    assert len(found.bonds) == 6 and len(own.bonds) == 5
    assert rounds.pool.reconstructed_by == ("H",)
    assert found.isomer.structure.symbols == ("Cu",) * 4


def test_the_fall_is_the_difference_of_two_isomers(rounds, tetrahedron_ev, rhombus_ev):
    (lowest, *_) = rounds.first[0].minima
    host = isomers_of_minimum(rounds.pool, "H", lowest)
    assert host.fall_ev == pytest.approx(tetrahedron_ev - rhombus_ev, abs=2e-3)
    kept = [m for m in rounds.first[0].minima if m.core_intact]
    assert kept
    for minimum in kept:
        host = isomers_of_minimum(rounds.pool, "H", minimum)
        assert (host.host, host.fall_ev) == ("main", 0.0)


def test_a_pool_without_news_costs_nothing(rounds):
    # Carbon leaves the rhombus as it is.
    plain = rounds.pooled([rounds.first[1]])
    assert plain.new == () and names(plain) == ["main"]
    assert plain.provenance.n_gradients == 0
    copy = rounds.adsorb("C", rounds.first[1], plain)
    assert copy.provenance.n_gradients == 0
    assert rounds.first[1].provenance.n_gradients > 0
    assert copy.minima == rounds.first[1].minima
    assert copy.isomers_tried == ("main",)
    # What the round before has stripped is not stripped again.
    assert rounds.last_pool.provenance.n_gradients == 0
    assert rounds.last_pool.new == ()
    assert rounds.last_pool.isomers == rounds.pool.isomers


def test_the_second_round_tries_the_new_isomer(rounds):
    new = rounds.pool.new[0]
    for before, after in zip(rounds.first, rounds.second, strict=True):
        assert after.isomers_tried == ("main", new)
        assert [m for m in after.minima if m.isomer == "main"] == list(before.minima)
        assert any(m.fate == "intact" for m in after.minima if m.isomer == new)
        assert after.n_starts > before.n_starts
        assert all(a.energy_ev <= b.energy_ev for a, b in pairwise(after.minima))
    # On the rhombus carbon never met the tetrahedron, on which it binds better.
    carbon = rounds.second[1]
    assert min(m.energy_ev for m in carbon.minima) < rounds.first[1].minima[0].energy_ev


def test_a_fate_is_judged_on_the_isomer_placed_on(rounds):
    isomers = {p.isomer.structure.name: p.isomer.structure for p in rounds.pool.isomers}
    for record in rounds.second:
        for minimum in record.minima:
            host = isomers[minimum.isomer]
            after = minimum.structure.xyz[: len(host.symbols)]
            before, images = host.xyz, own_permutations(host)
            changed = changed_bonds(host.symbols, before, after, images)
            assert minimum.core_intact == (not changed)


@pytest.mark.parametrize(
    ("mode", "isomers", "fate"),
    [
        ("fixed_core_first", {"main"}, "intact"),
        ("fixed_core", {"main"}, "intact"),
        ("pool", {"main", "H-1-0"}, None),
    ],
)
def test_each_mode_takes_the_lowest_of_its_minima(rounds, mode, isomers, fate):
    for record in rounds.second:
        chosen = record.minima[choose_minimum(record, mode, rounds.last_pool)]
        allowed = [
            m.energy_ev
            for m in record.minima
            if m.isomer in isomers
            and (m.fate == fate if fate else m.fate in ("intact", "reconstructed"))
        ]
        assert chosen.energy_ev == min(allowed)


def test_only_a_strict_core_leaves_a_hole(rounds):
    record = only_changed(rounds.first[0])
    assert choose_minimum(record, "fixed_core") is None
    assert choose_minimum(record) == choose_minimum(record, "fixed_core_first") == 0


def test_another_species_is_no_global_minimum(rounds):
    isomers = [
        p.model_copy(update={"other_species": p.found_by is not None})
        for p in rounds.pool.isomers
    ]
    inside, outside = split_pool(isomers, WINDOW_EV, ["main"])
    barred = rounds.pool.model_copy(
        update={"isomers": tuple(inside), "left_out": tuple(outside)}
    )
    record = rounds.first[0]
    assert record.minima[choose_minimum(record, "pool", barred)].core_intact
    assert not record.minima[choose_minimum(record, "pool", rounds.pool)].core_intact


def isomer(structure, name, energy_ev):
    place = [[0.0, 0, 0], [2.2, 0, 0]]
    return PooledIsomer(
        isomer=Isomer(
            structure=structure(["Cu", "Cu"], place, name=name),
            energy_ev=energy_ev,
            fmax_ev_per_a=0.0,
            n_gradients=1,
        )
    )


def test_the_window_counts_from_the_lowest(structure):
    levels = {"own": 0.0, "low": -1.0, "near": -0.6, "far": -0.4}
    found = [isomer(structure, name, energy) for name, energy in levels.items()]
    inside, outside = split_pool(found, 0.5, ["own"])
    assert [p.isomer.structure.name for p in inside] == ["low", "near", "own"]
    (left,) = outside
    assert left.isomer.structure.name == "far"
    assert "0.60 eV above the lowest" in left.reason


def free_energies(rounds, gas_record, adsorptions, found, mode, vibrations=None):
    host = rounds.relaxed.isomers[0]
    vibrations = vibrations or [
        vibrate(
            record,
            host,
            rounds.others[record.adsorbate],
            VibrateSettings(),
            Job("vibrate"),
            relax=RelaxSettings(),
            isomers=mode,
            pool=found,
        )
        for record in adsorptions
    ]
    records = ClusterRecords(
        relaxed=rounds.relaxed,
        adsorptions=adsorptions,
        vibrations=vibrations,
        gases=[gas_record("H2", "emt")],
        pool=found,
    )
    settings = ThermoSettings(anchors=("H2",), isomers=mode)
    return thermo(records, settings, rounds.library, Job("thermo"))


def at_rest(record, found, mode, provenance, down_ev=0.0):
    """Vibrations right where the search ended.

    Minima of EMT's hydrogen are so flat that rounding decides whether a mode of them
    is imaginary, and they roll on.
    """
    index = choose_minimum(record, mode, found)
    minimum = record.minima[index]
    # Other numbers for each minimum.
    modes = tuple(n * (500.0 + 10 * index) for n in (1, 2, 3))
    return VibrateRecord(
        cluster=record.cluster,
        adsorbate=record.adsorbate,
        level=record.level,
        minimum=index,
        structure=minimum.structure,
        energy_ev=minimum.energy_ev - down_ev,
        frequencies_cm1=modes,
        provenance=provenance,
    )


def only_changed(record):
    return only(record, lambda minimum: not minimum.core_intact)


def only(record, wanted):
    return record.model_copy(update={"minima": tuple(filter(wanted, record.minima))})


def species(record):
    return {item.name: item for item in record.species}


def test_three_energies_differ_by_the_bare_clusters(
    rounds, gas_record, tetrahedron_ev, rhombus_ev
):
    record = free_energies(
        rounds, gas_record, rounds.second[:1], rounds.last_pool, "pool"
    )
    half_h2 = gas_record("H2", "emt").energy_ev / 2
    bare = {"main": rhombus_ev, rounds.pool.new[0]: tetrahedron_ev}
    for energies, minimum in zip(record.minima, rounds.second[0].minima, strict=True):
        bound = minimum.energy_ev - half_h2
        own = bare[minimum.isomer] if minimum.core_intact else tetrahedron_ev
        for name, reference in (
            ("de_placed_ev", bare[minimum.isomer]),
            ("de_host_ev", own),
            ("de_pool_ev", tetrahedron_ev),
        ):
            expected = bound - reference
            assert getattr(energies, name) == pytest.approx(expected, abs=2e-3), name
    found = rounds.last_pool
    on_tetrahedron = only(
        rounds.second[0], lambda m: m.core_intact and m.isomer == rounds.pool.new[0]
    )
    changed = [
        free_energies(rounds, gas_record, [r], found, mode)
        for r, mode in (
            (only_changed(rounds.first[0]), "fixed_core_first"),
            (on_tetrahedron, "pool"),
        )
    ]
    pulled, placed = (species(record)["*H"] for record in changed)
    assert (pulled.status, placed.status) == ("reconstructed", "intact")
    fall = pulled.de_placed_ev - pulled.de_host_ev
    assert fall == pytest.approx(tetrahedron_ev - rhombus_ev, abs=2e-3)
    assert pulled.de_host_ev == pulled.de_pool_ev
    # Placed on the tetrahedron, the same atom finds no hill to fall down.
    assert placed.de_placed_ev == placed.de_host_ev == placed.de_pool_ev
    assert placed.de_placed_ev == pytest.approx(pulled.de_host_ev, abs=1e-3)


def test_global_minima_are_offered_only_after_all_was_tried(rounds, gas_record):
    early = free_energies(rounds, gas_record, rounds.first[:1], rounds.pool, "pool")
    for name in ("*", "*H"):
        assert species(early)[name].formation_ev is None
        assert "*H was not tried on isomer H-1-0" in species(early)[name].reason
    late, fixed = (
        free_energies(rounds, gas_record, rounds.second[:1], rounds.pool, mode)
        for mode in ("pool", "fixed_core_first")
    )
    clean = species(late)["*"], species(fixed)["*"]
    lowest, own = (p.isomer.energy_ev for p in rounds.pool.isomers)
    assert [s.terms.energy_ev for s in clean] == [lowest, own]
    assert [s.formation_ev for s in clean] == [0.0, 0.0]
    assert clean[1].de_pool_ev == pytest.approx(own - lowest)
    for record in (late, fixed):
        terms = species(record)["*H"].terms
        surface = species(record)["*"].terms.energy_ev
        by_hand = terms.gibbs_ev - surface - species(record)["H2(g)"].gibbs_ev / 2
        assert species(record)["*H"].formation_ev == pytest.approx(by_hand, abs=1e-9)


def test_of_a_pool_that_was_given_up_the_lowest_isomer_is_unknown(rounds, gas_record):
    crashed = {"status": "failed", "reason": "SIGSEGV"}
    found = rounds.pooled([]).model_copy(update=crashed)
    adsorbed = [only(rounds.second[0], lambda m: m.core_intact and m.isomer == "main")]
    fixed, late = (
        free_energies(rounds, gas_record, adsorbed, found, mode)
        for mode in ("fixed_core_first", "pool")
    )
    for name in ("*", "*H"):
        one = species(fixed)[name]
        assert one.formation_ev is not None and one.de_placed_ev is not None
        assert one.de_pool_ev is None
        assert species(late)[name].formation_ev is None
        assert "not all known: SIGSEGV" in species(late)[name].reason


# A saddle point that vibrate has followed lies lower than its record of adsorb says.
@pytest.mark.parametrize("followed_ev", [0.0, 0.048])
def test_the_other_mode_stands_beside(rounds, gas_record, provenance, followed_ev):
    from clusterflow.settings import CheSettings
    from clusterflow.stages.che import che

    hydrogen, found = rounds.second[0], rounds.pool
    late, fixed = (
        free_energies(
            rounds,
            gas_record,
            [hydrogen],
            found,
            mode,
            [at_rest(hydrogen, found, mode, provenance, down_ev)],
        )
        for mode, down_ev in (("pool", 0.0), ("fixed_core_first", followed_ev))
    )
    other = fixed.other_isomers
    assert other.isomers == "pool" and not other.reason
    # The electronic part is exact; the vibrations are those of the other minimum.
    here, there = species(fixed)["*H"], species(late)["*H"]
    vibrations = [s.terms.gibbs_ev - s.terms.energy_ev for s in (here, there)]
    assert vibrations[0] != vibrations[1]
    moved = there.formation_ev - vibrations[1] + vibrations[0]
    assert other.formation_ev["*H"] == pytest.approx(moved, abs=1e-9)
    reaction = rounds.library.reaction("HER")
    profiles = che(fixed, [reaction], CheSettings(), rounds.library, Job("che"))
    (result,) = profiles.results
    assert profiles.isomers == "fixed_core_first" and profiles.other_isomers == "pool"
    # Two steps of one electron: up and down by the same amount.
    limit = -abs(other.formation_ev["*H"])
    assert result.other_isomers_potential_v_rhe == pytest.approx(limit)
    limit = -abs(species(fixed)["*H"].formation_ev)
    assert result.limiting_potential_v_rhe == pytest.approx(limit)


@pytest.mark.parametrize("layer_ev", [0.7, None])
def test_the_other_minimum_has_the_gas_layer_of_its_own_bonds(
    rounds, gas_record, provenance, monkeypatch, layer_ev
):
    hydrogen, mode = rounds.second[0], "fixed_core_first"
    vibrated = [at_rest(hydrogen, rounds.pool, mode, provenance)]
    given = (rounds, gas_record, [hydrogen], rounds.pool, mode, vibrated)
    before = free_energies(*given).other_isomers.formation_ev["*H"]
    # *H has no bond that a gas tells of, so the layer of the other minimum is made up.
    layers = None if layer_ev is None else {"gas": layer_ev, "level": 0.0}
    monkeypatch.setattr(Layers, "bond_layers_ev", lambda *_: layers)
    after = free_energies(*given).other_isomers.formation_ev
    if layer_ev is None:
        assert "*H" not in after
    else:
        assert after["*H"] - before == pytest.approx(layer_ev, abs=1e-9)


def test_spin_of_the_lowest_isomer_counts_in_the_other_mode(
    rounds, gas_record, provenance
):
    hydrogen, mode = rounds.second[0], "fixed_core_first"

    def other(multiplicity):
        first, *rest = rounds.pool.isomers
        structure = first.isomer.structure.model_copy(
            update={"multiplicity": multiplicity}
        )
        isomer = first.isomer.model_copy(update={"structure": structure})
        first = first.model_copy(update={"isomer": isomer})
        pool = rounds.pool.model_copy(update={"isomers": (first, *rest)})
        rest_of_it = [at_rest(hydrogen, pool, mode, provenance)]
        found = free_energies(
            *(rounds, gas_record, [hydrogen], pool, mode), rest_of_it
        ).other_isomers
        return found.formation_ev["*H"]

    # A bare cluster that lies kT ln 3 lower binds by as much less.
    assert other(3) - other(1) == pytest.approx(
        8.617333262e-5 * 298.15 * np.log(3), abs=1e-9
    )


def test_weights_are_those_of_boltzmann():
    # At kT = 1 eV: 1 : e⁻¹ : 2 e⁻², whatever the zero of energy.
    at_1_ev = 1 / 8.617333262e-5
    shares = np.array([1, np.exp(-1), 2 * np.exp(-2)])
    for zero in (0.0, -1605.0):
        found = boltzmann_weights([zero, zero + 1, zero + 2], at_1_ev, [1, 1, 2])
        assert found == pytest.approx(shares / shares.sum(), rel=1e-9)
    assert boltzmann_weights([5.0], 300).tolist() == [1.0]
    assert boltzmann_weights([], 300).tolist() == []
    # 0.0596 eV at 300 K is a factor of ten, as in kT ln 10.
    low, high = boltzmann_weights([0.0, 0.05953], 300)
    assert low / high == pytest.approx(10, rel=1e-3)


def test_every_isomer_has_its_weight_and_other_species_have_none(
    rounds, tetrahedron_ev, rhombus_ev
):
    warm = isomer_weights(rounds.relaxed, rounds.last_pool, 2000)
    assert sum(w.weight for w in warm) == pytest.approx(1)
    ratio = np.exp(-(rhombus_ev - tetrahedron_ev) / (8.617333262e-5 * 2000))
    by_name = {w.isomer: w for w in warm}
    assert by_name["main"].weight / warm[0].weight == pytest.approx(ratio, rel=0.05)
    assert warm[0].found_by == "H" and by_name["main"].found_by is None
    assert [w.isomer for w in isomer_weights(rounds.relaxed, None, 300)] == ["main"]
    other = rounds.last_pool.isomers[0].model_copy(update={"other_species": True})
    changed = rounds.last_pool.model_copy(
        update={"isomers": rounds.last_pool.isomers[1:], "left_out": (other,)}
    )
    left = isomer_weights(rounds.relaxed, changed, 2000)
    assert {w.isomer for w in left} == set(by_name) - {warm[0].isomer}


def test_vibrations_of_another_minimum_are_refused(rounds, gas_record):
    record = rounds.second[0]
    fixed = vibrate(
        record,
        rounds.relaxed.isomers[0],
        rounds.others["H"],
        VibrateSettings(),
        Job("vibrate"),
        relax=RelaxSettings(),
    )
    mixed = free_energies(
        rounds, gas_record, [record], rounds.last_pool, "pool", [fixed]
    )
    assert species(mixed)["*H"].formation_ev is None
    assert "run vibrate again" in species(mixed)["*H"].reason


def test_without_relaxing_a_changed_host_is_a_hole(rounds):
    plain = rounds.pooled(rounds.first, relax=False)
    assert plain.provenance.n_gradients == 0 and plain.new == ()
    for minimum in rounds.first[0].minima:
        host = isomers_of_minimum(plain, "H", minimum)
        assert host.host == ("main" if minimum.core_intact else None)
        assert host.reason == (
            "" if minimum.core_intact else "not stripped: pool.relax is false"
        )
    # What may be another species is no global minimum either.
    record = rounds.first[0]
    assert record.minima[choose_minimum(record, "pool", plain)].core_intact


def test_a_shell_is_stripped_only_when_asked(rounds):
    own = rounds.relaxed.isomers[0]
    roles = ("core", "core", "core", "ligand")
    shelled = own.structure.model_copy(update={"roles": roles})
    relaxed = rounds.relaxed.model_copy(
        update={"isomers": (own.model_copy(update={"structure": shelled}),)}
    )

    def pooled(**settings):
        chosen = PoolSettings(**settings)
        job = Job("pool")
        return pool(relaxed, rounds.first[:1], chosen, job, relax=RelaxSettings())

    kept = pooled()
    assert kept.provenance.n_gradients == 0 and kept.new == ()
    changed = isomers_of_minimum(kept, "H", rounds.first[0].minima[0])
    assert changed.host is None and "pool.ligated" in changed.reason
    assert pooled(ligated=True).new


def test_a_killed_pool_goes_on_where_it_was(rounds, tmp_path):
    def run():
        return pool(
            rounds.relaxed,
            rounds.first,
            PoolSettings(),
            Job("pool", scratch=tmp_path / "scratch"),
            relax=RelaxSettings(),
        )

    first, second = run(), run()
    assert first.provenance.n_gradients > 0 and second.provenance.n_gradients == 0
    assert second.isomers == first.isomers


# CdSe: 2.6 Å; a dimer of selenium: 2.35 Å.
SQUARE = [[0.0, 0, 0], [2.6, 0, 0], [2.6, 2.6, 0], [0, 2.6, 0]]
REDOX = [[0.0, 0, 0], [1.95, -1.6, 0], [3.9, 0, 0], [1.95, 0.75, 0]]


def test_bonds_between_like_ions():
    assert like_ion_bonds(["Cd", "Se", "Cd", "Se"], np.array(SQUARE)) == []
    assert like_ion_bonds(["Cd", "Se", "Cd", "Se"], np.array(REDOX)) == [(1, 3)]
    # A cadmium atom that holds no anion is bonded to cadmium as metal is.
    metal = np.array([[0.0, 0, 0], [2.6, 0, 0], [-2.8, 0, 0]])
    assert like_ion_bonds(["Cd", "Se", "Cd"], metal) == [(0, 2)]
    # In a metal, and in a selenide of another one, such bonds are nothing special.
    assert like_ion_bonds(["Cu", "Cu"], np.array([[0.0, 0, 0], [2.3, 0, 0]])) == []


def test_other_species_are_no_isomers(structure):
    symbols = ["Cd", "Se", "Cd", "Se"]
    ring = structure(symbols, SQUARE)
    assert why_other_species(ring, ring) == ""
    redox = structure(symbols, REDOX)
    assert "bonds Se-Se between like ions" in why_other_species(redox, ring)
    # A cluster that has the bond from the start is no other species for it.
    assert why_other_species(redox, redox) == ""
    apart = [*SQUARE[:3], [0, 12.0, 0]]
    assert "2 pieces" in why_other_species(structure(symbols, apart), ring)


def test_mirror_images_and_renumbered_atoms_are_one(rounds):
    tetrahedron = to_atoms(rounds.pool.isomers[0].isomer.structure)
    turned = tetrahedron[[2, 0, 3, 1]]
    turned.positions[:, 0] *= -1
    assert same_geometry(tetrahedron, turned)
    assert not same_geometry(tetrahedron, to_atoms(rounds.relaxed.isomers[0].structure))
