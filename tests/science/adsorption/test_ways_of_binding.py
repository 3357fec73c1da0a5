"""Which minima stand for the ways an adsorbate binds."""

from __future__ import annotations

import pytest

from clusterflow.records.adsorption import AdsorbRecord, Minimum
from clusterflow.records.vibrations import VibrateRecord
from clusterflow.science.adsorption.chosen_minimum import choose_minimum
from clusterflow.science.adsorption.ways_of_binding import ways_of_binding

# CO above a cadmium and above a selenium atom, by its carbon.
ON_CADMIUM, ON_SELENIUM = (0.0, 0, 0), (0, 0, 2.6)


@pytest.fixture
def make(structure, provenance):
    def minimum(place, energy_ev, fate="intact", isomer="main"):
        down = -1 if place == ON_CADMIUM else 1
        x, y, z = place
        whole = structure(
            ["Cd", "Se", "C", "O"],
            [ON_CADMIUM, ON_SELENIUM, (x, y, z + down * 2.0), (x, y, z + down * 3.15)],
        )
        roles = ("core", "core", "adsorbate", "adsorbate")
        return Minimum(
            structure=whole.model_copy(update={"roles": roles}),
            energy_ev=energy_ev,
            **{"fmax_ev_per_a": 0, "n_gradients": 1, "n_starts": 1},
            **{"fate": fate, "core_intact": True, "isomer": isomer, "form": "x"},
            **{"site_kind": "top", "site_atoms": (0,)},
        )

    def record(*minima):
        return AdsorbRecord(
            **{"cluster": "CdSe", "adsorbate": "CO", "level": None},
            **{"minima": minima, "n_starts": 1, "isomers_tried": ("main",)},
            provenance=provenance,
        )

    def vibrated(**changes):
        common = {"cluster": "CdSe", "adsorbate": "CO", "level": None}
        return VibrateRecord(**common, provenance=provenance, **changes)

    return minimum, record, vibrated


def test_each_way_has_its_lowest_minimum_however_far_up(make):
    minimum, record, _ = make
    adsorbed = record(
        minimum(ON_SELENIUM, -3.0),
        minimum(ON_SELENIUM, -2.9),
        minimum(ON_CADMIUM, -0.5),
    )
    found = ways_of_binding(adsorbed)
    assert [way.minimum for way in found] == [0, 2]
    bonds = [("carbonyl chalcogenide on Se",), ("carbonyl on Cd",)]
    assert [way.bonds for way in found] == bonds


def test_what_desorbed_or_is_on_another_isomer_is_no_way_of_binding(make):
    minimum, record, _ = make
    adsorbed = record(
        minimum(ON_SELENIUM, -3.0, fate="desorbed"),
        minimum(ON_SELENIUM, -2.0, isomer="other"),
        minimum(ON_CADMIUM, -0.5, fate="reconstructed"),
        minimum(ON_CADMIUM, -0.4),
    )
    # Bonds kept come before bonds changed.
    assert [way.minimum for way in ways_of_binding(adsorbed)] == [3]


def test_vibrations_say_which_minimum_stands_and_where_its_atoms_are(make):
    minimum, record, vibrated = make
    adsorbed = record(
        minimum(ON_SELENIUM, -3.0),
        minimum(ON_SELENIUM, -2.9),
        minimum(ON_CADMIUM, -0.5),
    )
    moved = minimum(ON_SELENIUM, 0.0).structure.model_copy(update={"name": "again"})
    modes = vibrated(minimum=1, not_minima=(0,), structure=moved)
    first, second = ways_of_binding(adsorbed, modes)
    assert (first.minimum, first.structure) == (1, moved)
    assert second.minimum == 2


def test_carbon_monoxide_stands_before_the_chalcogenide_below_it(make):
    minimum, record, _ = make
    both = record(minimum(ON_SELENIUM, -3.0), minimum(ON_CADMIUM, -0.5))
    assert choose_minimum(both) == 1
    # Where nothing else was found it stands, and its bonds are flagged.
    assert choose_minimum(record(minimum(ON_SELENIUM, -3.0))) == 0
