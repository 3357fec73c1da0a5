"""Uncertainty: analytic variances and probabilities, and the ranking of che."""

from __future__ import annotations

from math import erf, sqrt

import numpy as np
import pytest

from clusterflow.errors import RecordError
from clusterflow.library.find import Library
from clusterflow.library.reactions import ReactionSpec
from clusterflow.science.geometry.bond_groups import drawn_molecules_of
from clusterflow.science.reactions.che import Electrode, FreeEnergies, evaluate_network
from clusterflow.science.reactions.evaluate import composition_of
from clusterflow.science.reactions.network import Network, build_network, parse_equation
from clusterflow.science.uncertainty.deviations import (
    EQUAL_THIRDS,
    Correlation,
    Deviations,
)
from clusterflow.science.uncertainty.sampling import (
    N_SAMPLES,
    probability_better,
    propagate,
    sample_species,
)

# Four times the standard error of a standard deviation, 1/√(2n), and of a
# probability, at most 1/√(4n).
SIGMA_REL = 4 / sqrt(2 * N_SAMPLES)
PROBABILITY_ABS = 4 / sqrt(4 * N_SAMPLES)
# First three shifts of *CO on Cu4 by 0.3 eV, from the stream of numpy's PCG64.
PINNED = (0.35035895, -0.02233425, -0.20730705)

UNCORRELATED = Correlation(diagram=0.0, bond=0.0)
BINDING = {
    "*COOH": "C",
    "*CHO": "C",
    "*CO": "C",
    "*CO2": "C",
    "*CH2O": "O",
    "*OCHO": "O",
    "*HCOOH": "O",
    "*OCH3": "O",
    "*COH": "C",
    "*CHOH": "C",
    "*CH2OH": "C",
    "*H": "H",
}


def normal_cdf(x):
    return (1 + erf(x / sqrt(2))) / 2


def single_step(text):
    step = parse_equation(text)
    spec = ReactionSpec(
        name="one", source="doi:1", product="X", equation=text, steps=(text,)
    )
    return Network(spec=spec, overall=step, pathways=((step,),))


def flat_energies(network, **values):
    zeros = dict.fromkeys(network.species, 0.0)
    return FreeEnergies(values={**zeros, **values}, reasons={})


def level_only(*adsorbates, sigma=0.3, correlation=EQUAL_THIRDS, **extra):
    return Deviations(
        sigma_ev={**{a: {"level": sigma} for a in adsorbates}, **extra},
        bond=BINDING,
        correlation=correlation,
    )


def deviation_of(text, deviations, electrode=None):
    network = single_step(text)
    shifts = sample_species(network.species, deviations, surface="Cu4")
    found = propagate(network, flat_energies(network), electrode or Electrode(), shifts)
    return found.best.deviation_v


class TestOneStep:
    def test_deviation_is_that_of_the_adsorbate(self):
        found = deviation_of("* + H+ + e- -> *H", level_only("*H"))
        assert found == pytest.approx(0.3, rel=SIGMA_REL)

    def test_deviation_is_divided_by_the_number_of_electrons(self):
        found = deviation_of("* + 2 H+ + 2 e- -> *H", level_only("*H"))
        assert found == pytest.approx(0.15, rel=SIGMA_REL)

    def test_interval_is_the_central_ninety_percent_of_a_normal(self):
        network = single_step("* + H+ + e- -> *H")
        shifts = sample_species(["*H"], level_only("*H"), surface="Cu4")
        energies = flat_energies(network, **{"*H": 0.5})
        best = propagate(network, energies, Electrode(), shifts).best
        assert best.median_v_rhe == pytest.approx(-0.5, abs=0.015)
        assert best.lower_v_rhe == pytest.approx(-0.5 - 1.645 * 0.3, abs=0.03)
        assert best.upper_v_rhe == pytest.approx(-0.5 + 1.645 * 0.3, abs=0.03)
        assert np.mean(
            (best.samples_v_rhe > best.lower_v_rhe)
            & (best.samples_v_rhe < best.upper_v_rhe)
        ) == pytest.approx(0.9, abs=1e-3)

    def test_named_deviations_add_in_squares(self):
        parts = {
            "level": 0.3,
            "group": 0.2,
            "isomer": 0.1,
            "site": 0.15,
            "cutoff": 0.05,
        }
        deviations = Deviations(sigma_ev={"*H": parts}, bond=BINDING)
        expected = sqrt(sum(sigma**2 for sigma in parts.values()))
        found = deviation_of("* + H+ + e- -> *H", deviations)
        assert found == pytest.approx(expected, rel=SIGMA_REL)

    def test_without_any_deviation_nothing_spreads(self):
        exact = Deviations(sigma_ev={"*H": {}}, bond={})
        assert deviation_of("* + H+ + e- -> *H", exact) == 0.0

    def test_ph_moves_a_step_with_more_electrons_than_protons(self):
        network = single_step("* + CO2(g) + H+ + 2 e- -> *OCHO")
        electrode = Electrode(ph=7.0)
        shifts = sample_species(
            network.species, level_only("*OCHO", **{"CO2(g)": {}}), surface="Cu4"
        )
        best = propagate(network, flat_energies(network), electrode, shifts).best
        expected = electrode.turning_point_rhe_v(0.0, 2, 1)
        assert best.median_v_rhe == pytest.approx(expected, abs=0.008)
        assert best.deviation_v == pytest.approx(0.15, rel=SIGMA_REL)


class TestCorrelation:
    """Var(δA − δB) = 2σ²(1 − ρ), with ρ the shared part of the variance."""

    def test_same_atom_leaves_the_independent_thirds(self):
        # ρ = 2/3: 2σ²/3
        found = deviation_of("*COOH + H+ + e- -> *CHO", level_only("*COOH", "*CHO"))
        assert found == pytest.approx(0.3 * sqrt(2 / 3), rel=SIGMA_REL)

    def test_other_atom_cancels_only_the_diagram(self):
        # ρ = 1/3: 4σ²/3
        found = deviation_of("*CHO + H+ + e- -> *CH2O", level_only("*CHO", "*CH2O"))
        assert found == pytest.approx(0.3 * sqrt(4 / 3), rel=SIGMA_REL)

    def test_without_correlation_a_step_widens_by_root_two(self):
        # ρ = 0: 2σ², so √2 against one species and √3 against equal thirds
        found = deviation_of(
            "*COOH + H+ + e- -> *CHO",
            level_only("*COOH", "*CHO", correlation=UNCORRELATED),
        )
        assert found == pytest.approx(0.3 * sqrt(2), rel=SIGMA_REL)

    def test_one_shared_draw_alone_cancels(self):
        found = deviation_of(
            "*COOH + H+ + e- -> *CHO",
            level_only("*COOH", "*CHO", correlation=Correlation(diagram=1.0, bond=0.0)),
        )
        assert found == pytest.approx(0.0, abs=1e-12)

    def test_correlation_does_not_change_the_deviation_of_a_species(self):
        for correlation in (UNCORRELATED, Correlation(diagram=0.9, bond=0.1)):
            deviations = level_only("*CO", correlation=correlation)
            shifts = sample_species(["*CO"], deviations, surface="Cu4")
            assert shifts.values_ev.std() == pytest.approx(0.3, rel=SIGMA_REL)

    def test_an_assumed_error_cancels_between_surfaces_and_a_measured_one_not(self):
        """ρ = 2/3 between surfaces, against 0: 2σ²(1 − ρ)."""

        def spread(*, of_surface):
            correlation = Correlation(of_surface=of_surface)
            deviations = level_only("*CO", correlation=correlation)
            first, second = (
                sample_species(["*CO"], deviations, surface=name).values_ev
                for name in ("Cu4", "Cu8")
            )
            return (first - second).std()

        assert spread(of_surface=False) == pytest.approx(
            0.3 * sqrt(2 / 3), rel=SIGMA_REL
        )
        assert spread(of_surface=True) == pytest.approx(0.3 * sqrt(2), rel=SIGMA_REL)

    @pytest.mark.parametrize("shares", [(-0.1, 0.5), (0.7, 0.4), (float("nan"), 0.0)])
    def test_impossible_shares_are_refused(self, shares):
        with pytest.raises(RecordError, match="shares"):
            Correlation(diagram=shares[0], bond=shares[1])


class TestGas:
    SIGMA = {"*CO": {"level": 0.3}, "CO(g)": {"gas": 0.8}, "*H": {}}

    def make(self, inherits):
        return Deviations(sigma_ev=self.SIGMA, bond=BINDING, inherits=inherits)

    def difference(self, deviations):
        shifts = sample_species(["*CO", "CO(g)"], deviations, surface="Cu4")
        return shifts.values_ev[:, 0] - shifts.values_ev[:, 1]

    def test_inherited_error_cancels_from_desorption(self):
        spread = self.difference(self.make({"*CO": {"CO": 1}})).std()
        assert spread == pytest.approx(0.3, rel=SIGMA_REL)

    def test_only_the_gas_moves_when_nothing_is_inherited(self):
        spread = self.difference(self.make({})).std()
        assert spread == pytest.approx(sqrt(0.3**2 + 0.8**2), rel=SIGMA_REL)

    def test_a_share_is_carried_in_proportion(self):
        spread = self.difference(self.make({"*CO": {"CO": 0.5}})).std()
        assert spread == pytest.approx(sqrt(0.3**2 + 0.4**2), rel=SIGMA_REL)

    def test_a_gas_and_its_liquid_move_together(self):
        water = Deviations(
            sigma_ev={"H2O(g)": {"gas": 0.1}, "H2O(l)": {"gas": 0.1}}, bond={}
        )
        values = sample_species(["H2O(g)", "H2O(l)"], water, surface="Cu4").values_ev
        assert np.array_equal(values[:, 0], values[:, 1])

    def test_gases_are_independent(self):
        both = Deviations(
            sigma_ev={"CO(g)": {"gas": 0.3}, "CH4(g)": {"gas": 0.4}}, bond={}
        )
        values = sample_species(["CO(g)", "CH4(g)"], both, surface="Cu4").values_ev
        assert abs(np.corrcoef(values.T)[0, 1]) < 4 / sqrt(N_SAMPLES)

    def test_an_uncertain_pair_inherits_half_of_hydrogen(self):
        # H2(g) against two pairs: they move as one.
        network = single_step("2 H+ + 2 e- -> H2(g)")
        deviations = Deviations(
            sigma_ev={"H2(g)": {"gas": 0.2}, "H+": {}},
            bond={},
            inherits={"H+": {"H2": 0.5}},
        )
        shifts = sample_species(["H2(g)", "H+"], deviations, surface="Cu4")
        found = propagate(network, flat_energies(network), Electrode(), shifts)
        assert found.best.deviation_v == pytest.approx(0.0, abs=1e-12)


class TestDraws:
    def test_same_seed_same_numbers(self):
        first, second = (
            sample_species(["*CO"], level_only("*CO"), surface="Cu4") for _ in "ab"
        )
        assert np.array_equal(first.values_ev, second.values_ev)

    def test_draws_are_the_same_in_every_process(self):
        # A hash that Python salts would change these from run to run.
        values = sample_species(["*CO"], level_only("*CO"), surface="Cu4").values_ev
        assert values[:3, 0] == pytest.approx(PINNED)

    def test_another_seed_other_numbers(self):
        first, second = (
            sample_species(["*CO"], level_only("*CO"), surface="Cu4", seed=seed)
            for seed in (1, 2)
        )
        assert not np.isclose(first.values_ev, second.values_ev).any()

    def test_a_further_species_changes_nothing(self):
        deviations = level_only("*CO", "*CHO", "*H")
        few = sample_species(["*CO"], deviations, surface="Cu4")
        many = sample_species(["*H", "*CHO", "*CO"], deviations, surface="Cu4")
        assert np.array_equal(few.values_ev[:, 0], many.values_ev[:, 2])

    @pytest.mark.parametrize("part", ["gas", "group"])
    def test_what_belongs_to_no_surface_is_the_same_on_all(self, part):
        term = "CO(g)" if part == "gas" else "*COOH"
        deviations = Deviations(sigma_ev={term: {part: 0.3}}, bond={})
        a, b = (sample_species([term], deviations, surface=s) for s in ("A", "B"))
        assert np.array_equal(a.values_ev, b.values_ev)

    def test_errors_of_groups_have_the_covariance_of_the_fit(self):
        """Two species share two groups; each has 0.05 eV of its own."""
        loads = {
            "*OCH3": {"C-H": 0.09, "C-O": 0.04},
            "*CH3": {"C-H": 0.06, "C-O": -0.08},
        }
        deviations = Deviations(
            sigma_ev={
                term: {"group": sqrt(sum(x**2 for x in own.values()) + 0.05**2)}
                for term, own in loads.items()
            },
            bond={},
            group_loads=loads,
        )
        here, there = (
            sample_species(loads, deviations, surface=s, n_samples=100_000).values_ev
            for s in ("Cu4", "Cd6Se6")
        )
        wanted = [
            [0.09**2 + 0.04**2 + 0.05**2, 0.09 * 0.06 - 0.04 * 0.08],
            [0.09 * 0.06 - 0.04 * 0.08, 0.06**2 + 0.08**2 + 0.05**2],
        ]
        assert np.cov(here.T) == pytest.approx(np.array(wanted), abs=2e-4)
        assert np.array_equal(here, there), "a bond has one error, wherever it is"

    @pytest.mark.parametrize("part", ["isomer", "site", "cutoff"])
    def test_what_belongs_to_a_surface_is_its_own(self, part):
        deviations = Deviations(sigma_ev={"*CO": {part: 0.3}}, bond={})
        assert self.between_surfaces("*CO", deviations) == pytest.approx(0, abs=0.04)

    def test_level_shares_two_thirds_between_surfaces_of_a_group(self):
        found = self.between_surfaces("*CO", level_only("*CO"))
        assert found == pytest.approx(2 / 3, abs=0.03)

    def test_level_shares_nothing_between_groups(self):
        a, b = (
            sample_species(["*CO"], level_only("*CO"), surface=s, level_group=s)
            for s in ("A", "B")
        )
        found = np.corrcoef(a.values_ev[:, 0], b.values_ev[:, 0])[0, 1]
        assert found == pytest.approx(0, abs=0.04)

    @staticmethod
    def between_surfaces(term, deviations):
        a, b = (sample_species([term], deviations, surface=s) for s in ("A", "B"))
        return np.corrcoef(a.values_ev[:, 0], b.values_ev[:, 0])[0, 1]


class TestBetter:
    @pytest.mark.parametrize(
        ("groups", "spread"),
        [(("study", "study"), sqrt(2 / 3)), (("A", "B"), sqrt(2))],
        ids=["shared bias", "nothing shared"],
    )
    def test_two_single_steps(self, groups, spread):
        # P = Φ(Δ/s) with s the deviation of the difference.
        network, sigma, gap = single_step("* + H+ + e- -> *H"), 0.3, 0.2
        samples = []
        for name, group, energy in zip("AB", groups, (0.3, 0.3 + gap), strict=True):
            shifts = sample_species(
                ["*H"], level_only("*H"), surface=name, level_group=group
            )
            energies = flat_energies(network, **{"*H": energy})
            found = propagate(network, energies, Electrode(), shifts)
            samples.append(found.best.samples_v_rhe)
        expected = normal_cdf(gap / (sigma * spread))
        assert probability_better(*samples) == pytest.approx(
            expected, abs=PROBABILITY_ABS
        )
        assert probability_better(*samples) + probability_better(
            *reversed(samples)
        ) == pytest.approx(1.0)

    def test_a_surface_is_no_better_than_itself(self):
        samples = np.array([-0.1, -0.2])
        assert probability_better(samples, samples) == 0.5

    def test_samples_that_do_not_pair_are_refused(self):
        with pytest.raises(ValueError, match="pair"):
            probability_better(np.zeros(3), np.zeros(1))


def library_network(name):
    library = Library.default()
    return build_network(library.reaction(name), composition_of(library))


def library_deviations(species, sigma=0.3):
    library = Library.default()
    adsorbed = [s for s in species if s.startswith("*") and s != "*"]
    drawn = drawn_molecules_of(library)
    inherits = {s: drawn(library.adsorbate(s[1:])) for s in adsorbed}
    molecules = {m for motifs in inherits.values() for m in motifs}
    gases = {s for s in species if "(" in s} | {f"{m}(g)" for m in molecules}
    return Deviations(
        sigma_ev={
            **{s: {"level": sigma, "site": 0.05} for s in adsorbed},
            **{s: {"gas": 0.1} for s in gases},
        },
        bond=BINDING,
        inherits=inherits,
    )


def random_energies(network, seed):
    names = sorted(network.species - {"*"})
    values = np.random.default_rng(seed).normal(0.0, 0.5, len(names))
    return FreeEnergies(
        values={"*": 0.0, **dict(zip(names, values.tolist(), strict=True))},
        reasons={},
        pair_ev=0.01,
    )


class TestNetwork:
    @pytest.mark.parametrize("reaction", ["CO2-to-CH3OH", "CO2-to-CO", "CO2-to-HCOOH"])
    def test_every_sample_is_what_the_hydrogen_electrode_finds(self, reaction):
        """Shift the energies by hand and ask che: the same best pathway."""
        network = library_network(reaction)
        energies, electrode = random_energies(network, seed=1), Electrode(ph=7.0)
        shifts = sample_species(
            sorted(network.species),
            library_deviations(network.species),
            surface="Cu4",
            n_samples=100,
        )
        found = propagate(network, energies, electrode, shifts)
        pathways, steps = [], []
        for row, potential, fixed in zip(
            shifts.values_ev,
            found.best.samples_v_rhe,
            found.fixed.samples_v_rhe,
            strict=True,
        ):
            moved = dict(energies.values)
            for name, shift in zip(shifts.species, row, strict=True):
                moved[name] += shift
            result = evaluate_network(
                network,
                FreeEnergies(values=moved, reasons={}, pair_ev=energies.pair_ev),
                electrode,
                surface="Cu4",
            )
            assert potential == pytest.approx(result.limiting_potential_v_rhe)
            by_name = {p.name: p.limiting_potential_v_rhe for p in result.pathways}
            assert fixed == pytest.approx(by_name[found.best_pathway])
            pathways.append(result.best_pathway)
            steps.append(result.determining_step)
        assert found.pathway_probability == pytest.approx(frequencies(pathways))
        assert found.best.determining_step_probability == pytest.approx(
            frequencies(steps)
        )
        assert found.best_pathway_probability == pytest.approx(
            frequencies(pathways).get(found.best_pathway, 0.0)
        )

    def test_best_pathway_is_that_of_the_unshifted_energies(self):
        network = library_network("CO2-to-CH3OH")
        for seed in range(5):
            energies = random_energies(network, seed)
            result = evaluate_network(network, energies, Electrode(), surface="Cu4")
            assert self.propagated(network, energies).best_pathway == (
                result.best_pathway
            )

    def test_probabilities_sum_to_one(self):
        network = library_network("CO2-to-CH3OH")
        found = self.propagated(network, random_energies(network, seed=2))
        for probability in (
            found.pathway_probability,
            found.best.determining_step_probability,
            found.fixed.determining_step_probability,
        ):
            assert sum(probability.values()) == pytest.approx(1.0)
            assert list(probability.values()) == sorted(
                probability.values(), reverse=True
            )

    def test_two_like_steps_determine_half_of_the_time_each(self):
        # *COOH and *HCOOH raise one step each, by deviations that can be exchanged.
        first = parse_equation("* + H+ + e- -> *COOH")
        second = parse_equation("*OCHO + H+ + e- -> *HCOOH")
        one = single_step(first.name)
        network = Network(spec=one.spec, overall=first, pathways=((first, second),))
        deviations = level_only("*COOH", "*HCOOH", **{"*OCHO": {}})
        shifts = sample_species(network.species, deviations, surface="Cu4")
        found = propagate(network, flat_energies(network), Electrode(), shifts)
        assert found.best.determining_step_probability[first.name] == pytest.approx(
            0.5, abs=PROBABILITY_ABS
        )

    def test_the_best_of_each_sample_is_never_below_the_fixed_pathway(self):
        network = library_network("CO2-to-HCOOH")
        values = {**random_energies(network, seed=3).values, "*CO2": -0.2}
        # Keep desorption and CO2 adsorption open in every sample.
        values |= {"*HCOOH": 0.2, "HCOOH(g)": -2.0, "CO2(g)": 2.0}
        found = self.propagated(network, FreeEnergies(values=values, reasons={}))
        assert (found.best.samples_v_rhe >= found.fixed.samples_v_rhe - 1e-6).all()
        assert found.best_pathway_probability < 1.0

    def test_a_closed_chemical_step_leaves_the_pathway_to_the_other(self):
        network = library_network("CO2-to-CO")
        values = dict.fromkeys(network.species, 0.0)
        closed = FreeEnergies(values={**values, "*CO2": 3.0, "*COOH": 1.0}, reasons={})
        found = self.propagated(network, closed)
        # Through *CO2 the limiting potential would be better by 2 V.
        assert found.best_pathway == "* > *COOH > *CO > *"
        assert found.best_pathway_probability == 1.0
        assert found.best.median_v_rhe == pytest.approx(-1.0, abs=0.05)

    def test_a_closed_step_that_all_share_does_not_open_another(self):
        # Desorption of CO is closed on both ways; through *CO2 a second one is.
        network = library_network("CO2-to-CO")
        values = dict.fromkeys(network.species, 0.0)
        values |= {"*CO2": 3.0, "*COOH": 1.0, "*CO": -3.0}
        energies = FreeEnergies(values=values, reasons={})
        drawn = evaluate_network(network, energies, Electrode(), surface="Cu4")
        found = self.propagated(network, energies)
        assert found.best_pathway == drawn.best_pathway == "* > *COOH > *CO > *"
        assert found.best_pathway_probability == 1.0

    @pytest.mark.parametrize(("behind", "tied"), [(0.05, True), (0.4, False)])
    def test_a_tie_is_within_the_deviation_of_the_difference(self, behind, tied):
        first = [parse_equation("* + H+ + e- -> *COOH")]
        second = [parse_equation("* + H+ + e- -> *OCHO")]
        one = single_step(first[0].name)
        network = Network(
            spec=one.spec, overall=first[0], pathways=(tuple(first), tuple(second))
        )
        energies = FreeEnergies(
            values={"*": 0.0, "*COOH": 0.5, "*OCHO": 0.5 + behind}, reasons={}
        )
        # Bound by C and by O: each has two thirds of 0.2² for itself, so that the
        # difference deviates by √(4/3) · 0.2 = 0.23 eV.
        deviations = Deviations(
            sigma_ev={"*COOH": {"level": 0.2}, "*OCHO": {"level": 0.2}},
            bond={"*COOH": "C", "*OCHO": "O"},
        )
        shifts = sample_species(["*COOH", "*OCHO"], deviations, surface="Cu4")
        found = propagate(network, energies, Electrode(), shifts)
        assert found.best_pathway == "* > *COOH"
        assert found.tied_pathways == (("* > *OCHO",) if tied else ())

    def test_an_incomplete_pathway_is_left_out(self):
        network = library_network("CO2-to-HCOOH")
        values = dict(random_energies(network, seed=1).values)
        del values["*COOH"]
        energies = FreeEnergies(values=values, reasons={"*COOH": "desorbed"})
        shifts = sample_species(
            values, library_deviations(network.species), surface="Cu4"
        )
        found = propagate(network, energies, Electrode(), shifts)
        assert not any("*COOH" in name for name in found.pathway_probability)

    def test_without_a_complete_pathway_there_is_no_potential(self):
        network = library_network("HER")
        shifts = sample_species(["*"], level_only(), surface="Cu4")
        assert (
            propagate(
                network,
                FreeEnergies(values={"*": 0.0}, reasons={}),
                Electrode(),
                shifts,
            )
            is None
        )

    def test_without_electrons_there_is_no_potential(self):
        network = single_step("*CO -> * + CO(g)")
        shifts = sample_species(["*"], level_only(), surface="Cu4")
        energies = flat_energies(network)
        assert propagate(network, energies, Electrode(), shifts) is None

    def test_a_species_without_shifts_is_named(self):
        network = single_step("* + H+ + e- -> *H")
        shifts = sample_species(["*"], level_only(), surface="Cu4")
        with pytest.raises(RecordError, match=r"no shifts of \*H"):
            propagate(network, flat_energies(network), Electrode(), shifts)

    @staticmethod
    def propagated(network, energies):
        shifts = sample_species(
            sorted(network.species),
            library_deviations(network.species, sigma=0.2),
            surface="Cu4",
        )
        return propagate(network, energies, Electrode(), shifts)


def frequencies(names):
    return {name: names.count(name) / len(names) for name in set(names)}


class TestRefused:
    @pytest.mark.parametrize(
        ("sigma", "message"),
        [
            ({"*CO": {"lvl": 0.3}}, "unknown lvl"),
            ({"*CO": {"gas": 0.3}}, "unknown gas"),
            ({"CO(g)": {"level": 0.3}}, "unknown level"),
            ({"*": {"level": 0.3}}, "legal are none"),
            ({"*CO": {"level": -0.3}}, "0 eV or more"),
            ({"*CO": {"site": float("nan")}}, "0 eV or more"),
            ({"*CCO": {"level": 0.3}}, "its bond"),
        ],
    )
    def test_a_wrong_deviation(self, sigma, message):
        with pytest.raises(RecordError, match=message):
            Deviations(sigma_ev=sigma, bond=BINDING)

    def test_more_shared_than_there_is(self):
        with pytest.raises(RecordError, match=r"\*CO: it shares 0.2 eV of group"):
            Deviations(
                sigma_ev={"*CO": {"group": 0.1}},
                bond={},
                group_loads={"*CO": {"C-H": 0.2}},
            )

    def test_an_inherited_molecule_without_entry(self):
        with pytest.raises(RecordError, match="inherits CO"):
            Deviations(sigma_ev={"*CO": {}}, bond={}, inherits={"*CO": {"CO": 1}})

    def test_a_species_without_entry_is_not_taken_as_exact(self):
        with pytest.raises(RecordError, match=r"no deviations for \*CHO"):
            sample_species(["*CHO"], level_only("*CO"), surface="Cu4")
