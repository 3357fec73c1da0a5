"""What one adsorbate has become is a start of the other, in the round that follows."""

from __future__ import annotations

import numpy as np
import pytest

from clusterflow.records.clusters import BuildRecord
from clusterflow.science.adsorption.outcome import judge_complex
from clusterflow.settings import (
    AdsorbSettings,
    PoolSettings,
    RelaxSettings,
    SitesSettings,
)
from clusterflow.stages.adsorb import Round, adsorb
from clusterflow.stages.inputs import level_record
from clusterflow.stages.parts.job import Job
from clusterflow.stages.pool import pool
from clusterflow.stages.relax import relax
from clusterflow.stages.sites import sites

pytestmark = [pytest.mark.xtb, pytest.mark.rounding]


class Formate:
    """Formate on two copper atoms, and the same found by putting down carboxyl."""

    def __init__(self, library, structure, provenance):
        self.library = library
        built = BuildRecord(
            cluster="Cu2",
            formula="Cu2",
            material="metal",
            source="unpublished: a test",
            structures=(structure(["Cu", "Cu"], [[0, 0, 0], [2.2, 0, 0]]),),
            provenance=provenance,
        )
        level = level_record("gfn1-xtb", "Cu2")
        self.relaxed = relax(built, level, RelaxSettings(), Job("relax"))
        self.sites = sites(self.relaxed, SitesSettings(), Job("sites"))
        self.found = self.adsorb("OCHO")
        self.minimum = self.found.minima[0]
        # Carboxyl that has become it: its atoms are C, O, O, H in the library.
        carboxyl = [line[0] for line in library.adsorbate("COOH").forms[0].atoms]
        self.became = self.turned(carboxyl)
        self.nothing = self.found.model_copy(update={"minima": (), "n_starts": 0})
        self.carboxyl = self.nothing.model_copy(
            update={"adsorbate": "COOH", "minima": (self.became,)}
        )

    def adsorb(self, name, before=None):
        return adsorb(
            self.relaxed,
            self.sites,
            self.library.adsorbate(name),
            AdsorbSettings(),
            Job("adsorb"),
            others=self.library.adsorbates(),
            relax=RelaxSettings(),
            before=before,
        )

    def turned(self, symbols):
        """The minimum of formate with its atoms in another order, as it is judged."""
        old = self.minimum.structure
        left, order = list(range(2, len(old.symbols)))[::-1], [0, 1]
        for symbol in symbols:
            order.append(next(i for i in left if old.symbols[i] == symbol))
            left.remove(order[-1])
        changed = old.model_copy(
            update={
                "symbols": tuple(old.symbols[i] for i in order),
                "positions": tuple(old.positions[i] for i in order),
            }
        )
        others = self.library.adsorbates()
        host = self.relaxed.isomers[0].structure
        verdict = judge_complex(changed, host, others["COOH"], others)
        fate = {"fate": verdict.fate, "detail": verdict.detail}
        return self.minimum.model_copy(update={"structure": changed, **fate})

    def pool(self, *adsorptions, before=None):
        return pool(
            self.relaxed,
            adsorptions,
            PoolSettings(),
            Job("pool"),
            relax=RelaxSettings(),
            before=before,
        )

    def again(self, found, before):
        """The next round of formate, after what was found and a pool."""
        return self.adsorb(
            "OCHO", Round(adsorbed=found, pool=before, sites=SitesSettings())
        )


@pytest.fixture(scope="module")
def formate(library, structure, provenance):
    return Formate(library, structure, provenance)


def test_what_has_become_another_is_a_start_of_that_one(formate):
    assert (formate.became.fate, formate.became.detail) == ("became", "OCHO")
    pooled = formate.pool(formate.nothing, formate.carboxyl)
    (offer,) = pooled.offers
    assert (offer.adsorbate, offer.found_by) == ("OCHO", "COOH")
    record = formate.again(formate.nothing, pooled)
    (minimum,) = record.minima
    assert (minimum.fate, minimum.placed) == ("intact", "offered")
    assert minimum.energy_ev == pytest.approx(formate.minimum.energy_ev, abs=2e-3)
    form = formate.library.adsorbate("OCHO").forms[0]
    assert list(minimum.structure.symbols[2:]) == [line[0] for line in form.atoms]
    assert record.n_starts == 1
    # It was at rest, so that there is little to do beside a search.
    searched = formate.found.provenance.n_gradients
    assert 0 < record.provenance.n_gradients < searched / 2


def test_a_minimum_that_is_known_counts_once(formate):
    pooled = formate.pool(formate.found, formate.carboxyl)
    record = formate.again(formate.found, pooled)
    assert len(record.minima) == len(formate.found.minima)
    starts = [sum(m.n_starts for m in r.minima) for r in (record, formate.found)]
    assert starts[0] == starts[1] + 1


def test_offers_are_made_once_and_only_within_the_study(formate):
    first = formate.pool(formate.nothing, formate.carboxyl)
    assert formate.pool(formate.nothing, formate.carboxyl, before=first).offers == ()
    assert formate.pool(formate.carboxyl).offers == ()
    intact = formate.pool(formate.found)
    assert intact.offers == ()
    same = formate.again(formate.found, intact)
    assert same.minima == formate.found.minima
    assert same.provenance.n_gradients == 0


def test_another_charge_is_no_start(formate):
    pooled = formate.pool(formate.nothing, formate.carboxyl)
    charged = formate.library.adsorbate("OCHO").model_copy(update={"charge": -1})
    record = adsorb(
        formate.relaxed,
        formate.sites,
        charged,
        AdsorbSettings(),
        Job("adsorb"),
        others=formate.library.adsorbates(),
        relax=RelaxSettings(),
        before=Round(adsorbed=formate.nothing, pool=pooled, sites=SitesSettings()),
    )
    assert record.n_starts == 0
    assert np.isclose(record.provenance.n_gradients, 0)
