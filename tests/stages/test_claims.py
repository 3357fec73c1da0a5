"""Verdicts on claims, from records in files: against numbers drawn by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import erf

import numpy as np
import pytest

from clusterflow.errors import ConfigError
from clusterflow.records.energies import (
    FreeEnergyTerms,
    LostVibrations,
    SpeciesFreeEnergy,
    ThermoRecord,
)
from clusterflow.records.files import write_record
from clusterflow.records.refinements import RefinedCheRecord, RefinedThermoRecord
from clusterflow.science.thermochemistry.partition_functions import electronic_only
from clusterflow.settings import CheSettings
from clusterflow.stage_table import record_name
from clusterflow.stages.che import che
from clusterflow.stages.claims import run
from clusterflow.stages.inputs import Inputs
from clusterflow.stages.parts.job import Job
from tests.records.study_records import anchors_of

# Four standard deviations of a frequency of one half in 10,000 samples.
PROBABILITY_ABS = 0.02
GASES = {"CO2(g)": 0.0, "H2(g)": 0.0, "H2O(l)": 0.0, "CO(g)": 0.2, "HCOOH(g)": 0.4}
BONDS = {
    "*H": "hydride on Cu",
    "*COOH": "carbon on Cu",
    "*CO": "carbon on Cu",
    "*OCHO": "oxygen on Cu",
    "*HCOOH": "oxygen on Cu",
}
# Mean and standard deviation of free energies of formation, eV.
ONE = {
    "*H": (0.3, 0.2),
    "*COOH": (0.5, 0.25),
    "*CO": (-0.4, 0.3),
    "*OCHO": (0.1, 0.3),
    "*HCOOH": (0.6, 0.2),
}
OTHER = {
    "*H": (0.1, 0.1),
    "*COOH": (0.6, 0.3),
    "*CO": (0.2, 0.2),
    "*OCHO": (-0.3, 0.2),
    "*HCOOH": (0.5, 0.3),
}
REACTIONS = ("HER", "CO2-to-CO", "CO2-to-HCOOH")


@dataclass
class MadeUp:
    """Records of clusters whose free energies somebody made up."""

    library: object
    provenance: object
    records: list = field(default_factory=list)

    def add(self, cluster, energies, level="gfn1-xtb", temperature_k=298.15, **more):
        """Free energies and profiles of one cluster."""
        settings = CheSettings(**more)
        thermo = self.thermo(cluster, energies, level, temperature_k)
        self.records += [thermo, self.profiles(thermo, settings)]
        return self

    def refine(self, cluster, energies):
        """The same of a composite level."""
        level = self.library.level("gfn1-xtb")
        dft = self.library.level("pbe-d3-tzvp")
        thermo = self.thermo(cluster, energies, "gfn1-xtb", 298.15)
        of = {"cluster": cluster, "level": level, "dft_level": dft}
        profiles = self.profiles(thermo, CheSettings())
        self.records += [
            RefinedThermoRecord(**of, energies=thermo, provenance=self.provenance),
            RefinedCheRecord(**of, profiles=profiles, provenance=self.provenance),
        ]
        return self

    def thermo(self, cluster, energies, level, temperature_k):
        def known(name, value, **more):
            return SpeciesFreeEnergy(name=name, status="ok", formation_ev=value, **more)

        return ThermoRecord(
            cluster=cluster,
            level=self.library.level(level),
            temperature_k=temperature_k,
            half_hydrogen_ev=0.0,
            species=(
                known("*", 0.0),
                *(known(n, v, deviations={"gas": 0.0}) for n, v in GASES.items()),
                *(
                    SpeciesFreeEnergy(name=name, status="gate", reason=value)
                    if isinstance(value, str)
                    else known(
                        name,
                        value[0],
                        deviations={} if value[1] is None else {"level": value[1]},
                        bonds=(BONDS[name],),
                        flags=("doubtful",),
                    )
                    for name, value in energies.items()
                ),
            ),
            provenance=self.provenance,
        )

    def profiles(self, thermo, settings):
        reactions = [self.library.reaction(name) for name in REACTIONS]
        return che(thermo, reactions, settings, self.library, Job("che"))

    def write(self, folder):
        """The records as files of a study."""
        paths = [folder / record_name(record) for record in self.records]
        for record, path in zip(self.records, paths, strict=True):
            write_record(record, path)
        return paths

    def judge(self, folder, claim, **more):
        """The record of a claim, from files."""
        spec = {"name": "mine", "claim": claim, "source": "unpublished: x", **more}
        paths = [str(path) for path in self.write(folder)]
        inputs = Inputs.read("claims", paths, settings={"claims": spec})
        return run(inputs, inputs.job())


@pytest.fixture
def made_up(library, provenance):
    return MadeUp(library, provenance)


@pytest.fixture
def two(made_up):
    return made_up.add("Cu4", ONE).add("Cu8", OTHER)


def draw(n_samples=400_000):
    """Free energies of both clusters, eV: a third of each variance three times."""
    generator = np.random.default_rng(7)
    common = generator.standard_normal(n_samples)
    of_bond = {b: generator.standard_normal(n_samples) for b in set(BONDS.values())}
    return [
        {
            name: mean
            + sigma
            * (common + of_bond[BONDS[name]] + generator.standard_normal(n_samples))
            / np.sqrt(3)
            for name, (mean, sigma) in energies.items()
        }
        for energies in (ONE, OTHER)
    ]


def potentials(g):
    """U_L of each reaction, V: every step has one electron."""
    through = [
        -np.maximum(g[name], g["*HCOOH"] - g[name]) for name in ("*OCHO", "*COOH")
    ]
    return {
        "HER": -np.abs(g["*H"]),
        "CO2-to-CO": -np.maximum(g["*COOH"], g["*CO"] - g["*COOH"]),
        "CO2-to-HCOOH": np.maximum(*through),
    }


def lead(own, other):
    """Whether one is ahead; where *COOH limits both they are equal, which is half."""
    return (own > other) + (own == other) / 2


def test_probabilities_are_those_of_numbers_drawn_by_hand(two, tmp_path):
    one, other = draw()
    u, v = potentials(one), potentials(other)
    far = one["*COOH"] - other["*COOH"]
    second = other["*CO"] - other["*COOH"]
    name = "*COOH + H+ + e- -> *CO + H2O(l)"
    expected = {
        "U_L(CO2-to-CO, Cu4) > U_L(CO2-to-CO, Cu8)": u["CO2-to-CO"] > v["CO2-to-CO"],
        "U_L(CO2-to-CO, Cu8) < U_L(HER, Cu8) - 0.3 V": v["CO2-to-CO"] < v["HER"] - 0.3,
        "dG(*COOH, Cu4) > dG(*COOH, Cu8) - 0.1 eV": far > -0.1,
        f'dG("{name}", Cu8) > -0.5 eV': second > -0.5,
        f'determining_step(CO2-to-CO, Cu8) = "{name}"': second > other["*COOH"],
        "product(Cu4) = HCOOH": lead(u["CO2-to-HCOOH"], u["CO2-to-CO"]),
        "product(Cu8) = CO": lead(v["CO2-to-CO"], v["CO2-to-HCOOH"]),
    }
    for text, holds in expected.items():
        found = two.judge(tmp_path, text).verdicts[0].judgement
        assert found.probability == pytest.approx(holds.mean(), abs=PROBABILITY_ABS), (
            text
        )
    found = two.judge(tmp_path, "dG(*COOH, Cu4) = dG(*COOH, Cu8)", tolerance="0.2 eV")
    (near,) = (v.judgement.probability for v in found.verdicts)
    assert near == pytest.approx((abs(far) <= 0.2).mean(), abs=PROBABILITY_ABS)


def test_median_and_interval_are_of_the_quantities_left_less_right(two, tmp_path):
    one, other = draw()
    off = potentials(one)["CO2-to-CO"] - potentials(other)["CO2-to-CO"]
    claim = "U_L(CO2-to-CO, Cu4) > U_L(CO2-to-CO, Cu8) + 0.4 V"
    record = two.judge(tmp_path, claim, published="0.2 V", tolerance="0.1 V")
    found = record.verdicts[0].judgement
    assert (found.lower, found.median, found.upper) == pytest.approx(
        np.quantile(off, (0.05, 0.5, 0.95)), abs=0.015
    )
    assert found.published_probability == pytest.approx(
        (abs(off - 0.2) <= 0.1).mean(), abs=PROBABILITY_ABS
    )
    assert record.unit == "V"
    assert two.judge(tmp_path, "U_L(HER, Cu4) > -0.1 V").unit == "V vs RHE"


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("dG(*COOH, Cu4) > -1 eV", "supported"),
        ("dG(*COOH, Cu4) < -1 eV", "contradicted"),
        ("dG(*COOH, Cu4) > 0.45 eV", "undecided"),
        ("dG(*COOH, Ag4) > 0.45 eV", "not computed"),
    ],
)
def test_each_verdict(two, tmp_path, claim, verdict):
    record = two.judge(tmp_path, claim)
    assert record.verdicts[0].judgement.verdict == verdict
    assert record.status == ("failed" if verdict == "not computed" else "ok")


def test_the_species_that_decide_a_linear_difference(two, tmp_path):
    found = two.judge(tmp_path, "dG(*COOH, Cu4) - dG(*H, Cu4) > 0.1 eV")
    first, second = found.verdicts[0].judgement.deciding
    # Common: a third of each variance; the rest is each one's own.
    a, b = 0.25, 0.2
    both = np.array([[a**2, a * b / 3], [a * b / 3, b**2]])
    with_difference = both @ [1, -1]
    total = np.array([1, -1]) @ with_difference
    assert (first.species, second.species) == ("*COOH", "*H")
    shares = with_difference * [1, -1] / total
    assert (first.share, second.share) == pytest.approx(shares, abs=0.02)
    assert first.share + second.share == pytest.approx(1.0, abs=1e-9)
    assert (first.deviation_ev, second.deviation_ev) == pytest.approx((a, b), abs=0.005)
    # The median lies 0.1 eV ahead: 0.9 of a normal distribution need σ = 0.1/1.28.
    factor = first.needed_ev / first.deviation_ev
    assert factor * np.sqrt(total) <= 0.1 / 1.2816 < 1.01 * 0.5 * np.sqrt(total)
    assert factor == pytest.approx(0.25)
    assert second.needed_ev == pytest.approx(factor * second.deviation_ev)


def test_nothing_decides_where_both_sides_are_equal(two, tmp_path):
    found = two.judge(tmp_path, "dG(*COOH, Cu4) > 0.5 eV").verdicts[0].judgement
    (only,) = found.deciding
    assert only.needed_ev is None
    assert only.share == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("cu8", "reason"),
    [
        ({"level": "gfn2-xtb"}, r"Cu4 and Cu8 cannot be compared: level gfn1-xtb"),
        ({"temperature_k": 350.0}, r"temperature_k 298.15 against 350"),
        ({"pcet": "split"}, r"che.pcet combined against split"),
    ],
)
def test_what_is_not_alike_is_not_compared(made_up, tmp_path, cu8, reason):
    study = made_up.add("Cu4", ONE).add("Cu8", OTHER, **cu8)
    record = study.judge(tmp_path, "U_L(HER, Cu4) > U_L(HER, Cu8)")
    found = record.verdicts[0].judgement
    assert found.verdict == "not computed"
    assert reason in found.reason and "\n" not in found.reason
    assert record.reason == found.reason


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("U_L(CO2-to-CO, Cu4) > -1 V", "*COOH: no minimum"),
        ("dG(*COOH, Cu4) > -1 eV", "*COOH: no minimum"),
        ("product(Cu4) = HCOOH", "*COOH: no minimum"),
        ("U_L(CO2-to-CH4, Cu4) > -1 V", "no profile of CO2-to-CH4 on Cu4"),
        ("dG(*OH, Cu4) > -1 eV", "*OH: not computed"),
        ("U_L(HER, Cu4) > U_L(HER, Ag4)", "no profiles of Ag4"),
    ],
)
def test_a_hole_has_its_reason(made_up, tmp_path, claim, reason):
    study = made_up.add("Cu4", {**ONE, "*COOH": "no minimum"})
    found = study.judge(tmp_path, claim).verdicts[0].judgement
    assert (found.verdict, found.probability) == ("not computed", None)
    assert reason in found.reason


def test_unknown_errors_give_no_verdict(made_up, tmp_path):
    study = made_up.add("Cu4", {**ONE, "*COOH": (0.5, None)})
    found = study.judge(tmp_path, "dG(*COOH, Cu4) > -1 eV").verdicts[0].judgement
    assert found.reason == "the errors of Cu4 are not known"


def test_the_composite_level_has_a_verdict_of_its_own(two, tmp_path):
    narrow = {name: (mean - 1, 0.01) for name, (mean, _) in ONE.items()}
    study = two.refine("Cu4", narrow).refine("Cu8", OTHER)
    level, composite = study.judge(tmp_path, "dG(*COOH, Cu4) > 0.4 eV").verdicts
    assert (level.level, level.is_composite) == ("gfn1-xtb", False)
    assert composite.level == "pbe-d3-tzvp//gfn1-xtb"
    assert composite.is_composite
    assert level.judgement.verdict == "undecided"
    assert composite.judgement.verdict == "contradicted"


def test_a_cluster_that_is_not_refined_leaves_the_composite_level_without(
    two, tmp_path
):
    record = two.refine("Cu4", ONE).judge(tmp_path, "U_L(HER, Cu4) < U_L(HER, Cu8)")
    level, composite = record.verdicts
    assert level.judgement.probability is not None
    assert composite.judgement.reason == "no profiles of Cu8"


def test_flags_name_the_cluster_and_the_species(two, tmp_path):
    record = two.judge(tmp_path, "U_L(HER, Cu4) > U_L(HER, Cu8)")
    assert record.verdicts[0].flags == ("Cu4 *H: doubtful", "Cu8 *H: doubtful")
    assert "late" in record.flagged("late").verdicts[0].flags


def test_a_step_that_the_reaction_lacks_is_no_verdict(two, tmp_path):
    for quantity in (
        'determining_step(HER, Cu4) = "*H -> * + H+ + e-"',
        'dG("*COOH + H+ + e- -> *CO", Cu4) < 0 eV',
    ):
        with pytest.raises(ConfigError, match=r"^claims: mine: .* (no step|balanced)"):
            two.judge(tmp_path, quantity)


def test_a_claim_that_cannot_be_read_is_refused(two, tmp_path):
    with pytest.raises(ConfigError, match=r"claims: mine: .* a unit is missing"):
        two.judge(tmp_path, "dG(*H, Cu4) > 0.5")
    with pytest.raises(ConfigError, match=r"claims: .*source = 'a friend'"):
        two.judge(tmp_path, "dG(*H, Cu4) > 0.5 eV", source="a friend")


# Free energies of gases, eV: those of the anchors, and of what is beside them.
GAS_G_EV = {"CO2": -300.0, "H2": -30.0, "H2O": -140.0, "H2S": -280.0}
PARENT_EV, LEAVING_EV = -100.0, 0.15
LOSSES = ("thiolate-loss", "thiolate-loss-radical", "thiolate-loss-anion")
# Of HS(g) from H2S and hydrogen, eV.
RADICAL_EV = 1.5


@dataclass
class MadeUpLosses(MadeUp):
    """Records of clusters that lose a thiolate, at a free energy that is given."""

    def lose(self, cluster, state, loss_ev, reason=""):
        """A cluster and what is left of it, where one thiol costs `loss_ev`."""
        thiol_ev = GAS_G_EV["H2S"] - GAS_G_EV["H2"] / 2
        left_ev = PARENT_EV + loss_ev - thiol_ev + LEAVING_EV
        group = FreeEnergyTerms(
            energy_ev=0.0,
            zpe_ev=0.2,
            thermal_ev=0.0,
            minus_ts_ev=LEAVING_EV - 0.2,
            gibbs_ev=LEAVING_EV,
            minus_ts_undamped_ev=LEAVING_EV - 0.2,
        )
        lost = LostVibrations(state=state, terms=None if reason else group)
        lost = lost.model_copy(update={"reason": reason})
        parent = self.bare(cluster, PARENT_EV, lost_vibrations=(lost,))
        left = self.bare(state, left_ev)
        reactions = [self.library.reaction(name) for name in LOSSES]
        profiles = che(
            *(parent, reactions, CheSettings(), self.library, Job("che")), states=[left]
        )
        self.records += [parent, left, profiles]
        return self

    def bare(self, cluster, energy_ev, **more):
        """Free energies of a cluster without adsorbates, by sulfur's anchors too."""

        def gas(name):
            terms = electronic_only(GAS_G_EV[name], 1, 298.15)
            return SpeciesFreeEnergy(
                name=f"{name}(g)",
                status="ok",
                terms=terms,
                formation_ev=0.0,
                formation_uncorrected_ev=0.0,
                deviations={"gas": 0.0},
            )

        radical = SpeciesFreeEnergy(
            name="HS(g)",
            status="ok",
            formation_ev=RADICAL_EV,
            deviations={"gas": 0.0},
        )
        clean = SpeciesFreeEnergy(
            name="*",
            status="ok",
            terms=electronic_only(energy_ev, 1, 298.15),
            formation_ev=0.0,
            formation_uncorrected_ev=0.0,
        )
        return ThermoRecord(
            cluster=cluster,
            level=self.library.level("gfn1-xtb"),
            temperature_k=298.15,
            half_hydrogen_ev=0.0,
            species=(clean, *map(gas, GAS_G_EV), radical),
            gas_corrections=anchors_of(GAS_G_EV),
            provenance=self.provenance,
            **more,
        )


@pytest.fixture
def losses(library, provenance):
    return (
        MadeUpLosses(library, provenance)
        .lose("Au25SH18", "Au25SH17", 0.4)
        .lose("PdAu24SH18", "PdAu24SH17", 0.9)
    )


def below(threshold, mean, deviation):
    """Share of a normal distribution above a threshold."""
    return (1 + erf((mean - threshold) / deviation / 2**0.5)) / 2


def test_losses_of_one_ligand_share_two_thirds_of_the_variance(losses, tmp_path):
    deviation = losses.library.level("gfn1-xtb").uncertainty_ev
    claim = "loss(SH, PdAu24SH18) > loss(SH, Au25SH18)"
    record = losses.judge(tmp_path, claim)
    found = record.verdicts[0].judgement
    # What is left is a third on each side.
    width = deviation * (2 / 3) ** 0.5
    assert found.probability == pytest.approx(
        below(0.0, 0.5, width), abs=PROBABILITY_ABS
    )
    assert found.median == pytest.approx(0.5, abs=0.02)
    assert found.upper - found.lower == pytest.approx(2 * 1.645 * width, rel=0.04)
    assert record.unit == "eV"
    one, other = found.deciding
    assert {one.species, other.species} == {"*[-HS]"}
    assert {one.cluster, other.cluster} == {"Au25SH18", "PdAu24SH18"}
    flags = record.verdicts[0].flags
    assert "Au25SH18 *[-HS]: cluster-state" in flags
    alone = losses.judge(tmp_path, "loss(HS, Au25SH18) > 0.6 eV")
    assert alone.verdicts[0].judgement.probability == pytest.approx(
        below(0.6, 0.4, deviation), abs=PROBABILITY_ABS
    )


def test_routes_differ_by_what_is_measured_of_the_free_ligand(losses, tmp_path):
    def median(route):
        record = losses.judge(tmp_path, f"loss(SH, Au25SH18, {route}) > 0 eV")
        return record.verdicts[0].judgement.median

    acid = median("acid")
    assert acid == pytest.approx(0.4, abs=0.02)
    assert median("radical") - acid == pytest.approx(RADICAL_EV)
    # pK_a of hydrogen sulfide from the gas: 7.0, and its solubility, 0.10 mol/kg/bar.
    assert median("anion") - acid == pytest.approx(
        np.log(10) * 0.025693 * (7.0 - np.log10(0.10)), abs=0.02
    )


def test_a_loss_without_vibrations_is_a_hole(losses, tmp_path):
    study = losses.lose("Au25SH18-anion", "Au25SH17-anion", 0.4, "scf-failed")
    claim = "loss(SH, PdAu24SH18) > loss(SH, Au25SH18-anion)"
    found = study.judge(tmp_path, claim).verdicts[0].judgement
    assert found.verdict == "not computed"
    assert found.reason == "loss(SH, Au25SH18-anion): *[-HS]: scf-failed"
