"""Free energies against ASE, against tables, and against their own derivatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.thermochemistry import (
    HarmonicThermo,
    HinderedThermo,
    IdealGasThermo,
    MSRRHOThermo,
)
from scipy import constants

from clusterflow.science.thermochemistry.partition_functions import (
    Barriers,
    electronic_only,
    gas_free_energy,
    harmonic_adsorbate,
    hindered_adsorbate,
    hindered_mode,
    ideal_gas,
    quasi_rrho_adsorbate,
    rotational_entropy,
    translational_entropy,
    vibrational_energy,
    vibrational_entropy,
    with_spin,
    zero_point_energy,
)
from clusterflow.units import BOLTZMANN_EV_PER_K as K
from clusterflow.units import EV_PER_WAVENUMBER, j_per_mol_k_from_ev_per_k

# ASE has the constants of CODATA 2014: k differs by 6e-7 of itself and the largest
# term is TS, about 1 eV at 500 K.
CODATA = 1e-6

MOLECULES = {
    # name: (wavenumbers in cm⁻¹, symmetry number, multiplicity, geometry)
    "H2": ([4401.0], 2, 1, "linear"),
    "CO": ([2170.0], 1, 1, "linear"),
    "CO2": ([667.0, 667.0, 1333.0, 2349.0], 2, 1, "linear"),
    "O2": ([1580.0], 2, 3, "linear"),
    "H2O": ([1595.0, 3657.0, 3756.0], 2, 1, "nonlinear"),
    "CH4": ([1306.0] * 3 + [1534.0] * 2 + [2917.0] + [3019.0] * 3, 12, 1, "nonlinear"),
    "OH": ([3738.0], 1, 2, "linear"),
}
ATOMS = {"Ar": Atoms("Ar"), "H": Atoms("H")}


def ours(name, temperature, pressure):
    wavenumbers, sigma, multiplicity, geometry = MOLECULES[name]
    atoms = molecule(name)
    return ideal_gas(
        energy_ev=-1.5,
        frequencies_cm1=wavenumbers,
        mass_amu=atoms.get_masses().sum(),
        moments_amu_a2=sorted(np.abs(atoms.get_moments_of_inertia())),
        symmetry_number=sigma,
        multiplicity=multiplicity,
        linear=geometry == "linear",
        temperature_k=temperature,
        pressure_pa=pressure,
    )


@pytest.mark.parametrize("name", MOLECULES)
@pytest.mark.parametrize(("temperature", "pressure"), [(298.15, 1e5), (500.0, 3500.0)])
def test_ideal_gas_term_by_term(name, temperature, pressure):
    wavenumbers, sigma, multiplicity, geometry = MOLECULES[name]
    theirs = IdealGasThermo(
        vib_energies=np.array(wavenumbers) * EV_PER_WAVENUMBER,
        geometry=geometry,
        potentialenergy=-1.5,
        atoms=molecule(name),
        symmetrynumber=sigma,
        spin=(multiplicity - 1) / 2,
    )
    enthalpy = theirs.get_enthalpy(temperature, verbose=False)
    entropy = theirs.get_entropy(temperature, pressure, verbose=False)
    gibbs = theirs.get_gibbs_energy(temperature, pressure, verbose=False)
    found = ours(name, temperature, pressure)
    zpe = sum(wavenumbers) * EV_PER_WAVENUMBER / 2
    assert found.energy_ev == -1.5
    assert found.zpe_ev == pytest.approx(zpe, abs=1e-12)
    assert found.thermal_ev == pytest.approx(enthalpy + 1.5 - zpe, abs=CODATA)
    assert found.minus_ts_ev == pytest.approx(-temperature * entropy, abs=CODATA)
    assert found.gibbs_ev == pytest.approx(gibbs, abs=2 * CODATA)
    assert found.minus_ts_undamped_ev == found.minus_ts_ev


@pytest.mark.parametrize("symbol", ["Ar", "H"])
def test_an_atom_only_moves(symbol):
    atoms = Atoms(symbol)
    found = ideal_gas(
        energy_ev=0.0,
        frequencies_cm1=[],
        mass_amu=atoms.get_masses().sum(),
        moments_amu_a2=(0.0, 0.0, 0.0),
        symmetry_number=1,
        multiplicity=1,
        linear=False,
        temperature_k=298.15,
        pressure_pa=1e5,
    )
    theirs = IdealGasThermo(
        vib_energies=[], geometry="monatomic", atoms=atoms, symmetrynumber=1, spin=0
    )
    assert found.thermal_ev == pytest.approx(2.5 * K * 298.15, abs=1e-12)
    assert found.gibbs_ev == pytest.approx(
        theirs.get_gibbs_energy(298.15, 1e5, verbose=False), abs=CODATA
    )


@pytest.mark.parametrize(
    ("mass", "entropy"),
    # CODATA Key Values, J/mol/K; ±0.003, and masses to four decimals move 0.002.
    [(4.0026, 126.153), (20.1797, 146.328), (39.948, 154.846), (83.798, 164.085)],
)
def test_entropies_of_the_noble_gases(mass, entropy):
    found = translational_entropy(mass, 298.15, 1e5)
    assert j_per_mol_k_from_ev_per_k(found) == pytest.approx(entropy, abs=0.005)


@pytest.mark.parametrize(
    ("name", "moments", "entropy"),
    [
        # Measured rotational constants (cm⁻¹) and wavenumbers of the fundamentals;
        # CODATA Key Values in J/mol/K. A rigid rotor of the zero-point average and
        # harmonic modes are right to 0.1 (H2O, CO2: anharmonic and stretched).
        ("H2O", (27.88, 14.52, 9.28), 188.835),
        ("CO2", (0.39022,), 213.785),
        ("CO", (1.92253,), 197.660),
        ("O2", (1.43768,), 205.152),
    ],
)
def test_standard_entropies_from_measured_constants(name, moments, entropy):
    wavenumbers, sigma, multiplicity, geometry = MOLECULES[name]
    # I = ħ / 4πcB; 16.857629 amu Å² cm⁻¹
    inertia = [16.857629 / b for b in moments]
    if geometry == "linear":
        inertia = [0.0, inertia[0], inertia[0]]
    atoms = molecule(name)
    found = ideal_gas(
        energy_ev=0.0,
        frequencies_cm1=wavenumbers,
        mass_amu=atoms.get_masses().sum(),
        moments_amu_a2=inertia,
        symmetry_number=sigma,
        multiplicity=multiplicity,
        linear=geometry == "linear",
        temperature_k=298.15,
        pressure_pa=1e5,
    )
    ours_ = j_per_mol_k_from_ev_per_k(-found.minus_ts_ev / 298.15)
    assert ours_ == pytest.approx(entropy, abs=0.15)


@pytest.mark.parametrize("name", MOLECULES)
def test_entropy_is_the_slope_of_the_free_energy(name):
    # −dG/dT = S by central differences: the error is h² G''' / 6 < 1e-8 eV/K.
    step = 0.5
    up, down = ours(name, 400 + step, 2e4), ours(name, 400 - step, 2e4)
    slope = (up.gibbs_ev - down.gibbs_ev) / (2 * step)
    assert -slope == pytest.approx(-ours(name, 400, 2e4).minus_ts_ev / 400, abs=1e-8)


def test_pressure_enters_as_kt_ln_p():
    low, high = ours("CO", 298.15, 5562.0), ours("CO", 298.15, 1e5)
    assert low.gibbs_ev - high.gibbs_ev == pytest.approx(
        K * 298.15 * np.log(0.05562), abs=1e-12
    )
    assert low.thermal_ev == high.thermal_ev


def test_a_larger_symmetry_number_costs_k_ln_sigma():
    one = rotational_entropy((0.6, 1.2, 1.8), 1, 300, linear=False)
    two = rotational_entropy((0.6, 1.2, 1.8), 2, 300, linear=False)
    assert one - two == pytest.approx(K * np.log(2), abs=1e-15)


def test_a_triplet_has_k_ln_3():
    common = {
        "energy_ev": 0.0,
        "frequencies_cm1": [1580.0],
        "mass_amu": 32.0,
        "moments_amu_a2": (0, 11.7, 11.7),
        "symmetry_number": 2,
        "linear": True,
        "temperature_k": 300.0,
        "pressure_pa": 1e5,
    }
    singlet, triplet = (ideal_gas(multiplicity=m, **common) for m in (1, 3))
    assert singlet.gibbs_ev - triplet.gibbs_ev == pytest.approx(
        K * 300 * np.log(3), abs=1e-12
    )


def atom(mass, degeneracy, temperature=298.15):
    return ideal_gas(
        energy_ev=0.0,
        frequencies_cm1=[],
        mass_amu=mass,
        moments_amu_a2=(0.0, 0.0, 0.0),
        symmetry_number=1,
        multiplicity=1,
        linear=False,
        temperature_k=temperature,
        pressure_pa=1e5,
        electronic_degeneracy=degeneracy,
    )


@pytest.mark.parametrize(
    ("mass", "degeneracy", "entropy", "enthalpy"),
    # Levels: NIST Atomic Spectra Database. S° in J/mol/K and H°(298.15 K) − H°(0) in
    # kJ/mol: CODATA Key Values, ±0.003 and ±0.001.
    [
        (12.011, ((1, 0.0), (3, 16.417), (5, 43.414)), 158.100, 6.536),  # C, ³P
        (14.007, ((4, 0.0),), 153.301, 6.197),  # N, ⁴S
        (15.999, ((5, 0.0), (3, 158.265), (1, 226.977)), 161.059, 6.725),  # O, ³P
        (18.998, ((4, 0.0), (2, 404.141)), 158.751, 6.518),  # F, ²P
        (32.06, ((5, 0.0), (3, 396.055), (1, 573.640)), 167.829, 6.657),  # S, ³P
        (35.45, ((4, 0.0), (2, 882.353)), 165.190, 6.272),  # Cl, ²P
    ],
)
def test_atoms_with_low_lying_states(mass, degeneracy, entropy, enthalpy):
    found = atom(mass, degeneracy)
    in_si = j_per_mol_k_from_ev_per_k(-found.minus_ts_ev / 298.15)
    assert in_si == pytest.approx(entropy, abs=0.008)
    kilojoules = j_per_mol_k_from_ev_per_k(found.thermal_ev) / 1000
    assert kilojoules == pytest.approx(enthalpy, abs=0.002)


# Nitrogen monoxide: rotational constant, fundamental and splitting of ²Π, K. P. Huber
# and G. Herzberg, Constants of Diatomic Molecules (1979).
NO = {
    "energy_ev": 0.0,
    "frequencies_cm1": [1876.0],
    "mass_amu": 30.006,
    "moments_amu_a2": (0.0, 16.857629 / 1.6961, 16.857629 / 1.6961),
    "symmetry_number": 1,
    "multiplicity": 2,
    "linear": True,
    "pressure_pa": 1e5,
}
SPLIT = ((2, 0.0), (2, 121.1))


@pytest.mark.parametrize("temperature", [200.0, 298.15, 500.0, 800.0])
def test_nitrogen_monoxide_against_tables(temperature):
    # GRI-Mech 3.0 (G. P. Smith et al.), NASA polynomial of NO for 200 to 1000 K, with
    # H° from the elements; less its own value at 298.15 K.
    a = (4.2184763, -4.638976e-3, 1.1041022e-5, -9.3361354e-9, 2.803577e-12)
    gas_constant, t = 8.314463, temperature

    def enthalpy(at):
        return gas_constant * sum(c * at ** (n + 1) / (n + 1) for n, c in enumerate(a))

    entropy = a[0] * np.log(t) + 2.2808464
    entropy += sum(c * t**n / n for n, c in enumerate(a) if n)
    found, known = (
        ideal_gas(**NO, temperature_k=at, electronic_degeneracy=SPLIT)
        for at in (t, 298.15)
    )
    in_si = j_per_mol_k_from_ev_per_k(-found.minus_ts_ev / t)
    assert in_si == pytest.approx(gas_constant * entropy, abs=0.15)
    rise = j_per_mol_k_from_ev_per_k(found.thermal_ev - known.thermal_ev)
    assert rise == pytest.approx(enthalpy(t) - enthalpy(298.15), abs=60)


def test_spin_alone_misses_states_of_nitrogen_monoxide():
    # 210.758 J/mol/K, NIST-JANAF Thermochemical Tables.
    split = ideal_gas(**NO, temperature_k=298.15, electronic_degeneracy=SPLIT)
    spin = ideal_gas(**NO, temperature_k=298.15)
    found = [
        j_per_mol_k_from_ev_per_k(-terms.minus_ts_ev / 298.15)
        for terms in (split, spin)
    ]
    assert found == pytest.approx([210.76, 205.3], abs=0.1)


@pytest.mark.parametrize("temperature", [40.0, 150.0, 298.15, 1000.0])
def test_electronic_entropy_is_the_slope_of_the_free_energy(temperature):
    def free(at):
        return ideal_gas(**NO, temperature_k=at, electronic_degeneracy=SPLIT).gibbs_ev

    found = ideal_gas(**NO, temperature_k=temperature, electronic_degeneracy=SPLIT)
    slope = (free(temperature + 0.05) - free(temperature - 0.05)) / 0.1
    assert -slope == pytest.approx(-found.minus_ts_ev / temperature, abs=1e-8)
    # H = G + TS by Gibbs and Helmholtz
    enthalpy = found.gibbs_ev - temperature * slope
    by_terms = found.energy_ev + found.zpe_ev + found.thermal_ev
    assert by_terms == pytest.approx(enthalpy, abs=1e-6)


def test_one_degenerate_level_is_that_of_ase():
    theirs = IdealGasThermo(
        vib_energies=np.array([1580.0]) * EV_PER_WAVENUMBER,
        geometry="linear",
        potentialenergy=-1.5,
        atoms=molecule("O2"),
        symmetrynumber=2,
        spin=1.5,
    )
    found = ideal_gas(
        energy_ev=-1.5,
        frequencies_cm1=[1580.0],
        mass_amu=molecule("O2").get_masses().sum(),
        moments_amu_a2=sorted(np.abs(molecule("O2").get_moments_of_inertia())),
        symmetry_number=2,
        multiplicity=1,
        linear=True,
        temperature_k=350.0,
        pressure_pa=2e4,
        electronic_degeneracy=((4, 0.0),),
    )
    gibbs = theirs.get_gibbs_energy(350.0, 2e4, verbose=False)
    assert found.gibbs_ev == pytest.approx(gibbs, abs=2 * CODATA)


def test_a_gas_record_knows_its_states(gas_record):
    record = gas_record("H2", "gfn1-xtb")
    four = record.model_copy(update={"electronic_degeneracy": ((4, 0.0),)})
    plain, found = (gas_free_energy(r, 298.15, 1e5) for r in (record, four))
    assert plain.gibbs_ev - found.gibbs_ev == pytest.approx(
        K * 298.15 * np.log(4), abs=1e-12
    )


MODES = [25.0, 60.0, 480.0, 1200.0, 2050.0]


@pytest.mark.parametrize("temperature", [150.0, 298.15, 800.0])
def test_harmonic_adsorbate_against_ase(temperature):
    theirs = HarmonicThermo(np.array(MODES) * EV_PER_WAVENUMBER, potentialenergy=-3.0)
    found = harmonic_adsorbate(
        energy_ev=-3.0,
        frequencies_cm1=MODES,
        temperature_k=temperature,
        low_mode_cutoff_cm1=0.0,
    )
    inner = theirs.get_internal_energy(temperature, verbose=False)
    entropy = theirs.get_entropy(temperature, verbose=False)
    free = theirs.get_helmholtz_energy(temperature, verbose=False)
    zpe = sum(MODES) * EV_PER_WAVENUMBER / 2
    assert found.thermal_ev == pytest.approx(inner + 3.0 - zpe, abs=CODATA)
    assert found.minus_ts_ev == pytest.approx(-temperature * entropy, abs=CODATA)
    assert found.gibbs_ev == pytest.approx(free, abs=CODATA)


def test_low_modes_count_as_the_cut_off_in_thermal_terms_only():
    def free(modes, cutoff):
        return harmonic_adsorbate(
            energy_ev=0.0,
            frequencies_cm1=modes,
            temperature_k=298.15,
            low_mode_cutoff_cm1=cutoff,
        )

    damped, raised = free(MODES, 50.0), free([50.0, *MODES[1:]], 0.0)
    assert damped.thermal_ev == raised.thermal_ev
    assert damped.minus_ts_ev == raised.minus_ts_ev
    plain = free(MODES, 0.0)
    assert damped.zpe_ev == plain.zpe_ev
    assert damped.minus_ts_undamped_ev == plain.minus_ts_ev
    assert damped.minus_ts_ev > plain.minus_ts_ev


def quasi_rrho(modes, *, cutoff, moment=40.0, temperature=298.15):
    return quasi_rrho_adsorbate(
        energy_ev=-3.0,
        frequencies_cm1=modes,
        mean_moment_amu_a2=moment,
        temperature_k=temperature,
        low_mode_cutoff_cm1=cutoff,
    )


@pytest.mark.parametrize("temperature", [150.0, 298.15, 800.0])
@pytest.mark.parametrize("cutoff", [50.0, 100.0])
def test_quasi_rrho_against_ase(temperature, cutoff):
    atoms = molecule("CH3OH")
    theirs = MSRRHOThermo(
        np.array(MODES) * EV_PER_WAVENUMBER, atoms, potentialenergy=-3.0, tau=cutoff
    )
    moment = float(atoms.get_moments_of_inertia().mean())
    found = quasi_rrho(MODES, cutoff=cutoff, moment=moment, temperature=temperature)
    entropy = theirs.get_entropy(temperature, verbose=False)
    inner = theirs.get_internal_energy(temperature, verbose=False)
    assert found.minus_ts_ev == pytest.approx(-temperature * entropy, abs=CODATA)
    assert found.energy_ev + found.zpe_ev + found.thermal_ev == pytest.approx(
        inner, abs=CODATA
    )
    parts = found.energy_ev + found.zpe_ev + found.thermal_ev + found.minus_ts_ev
    assert found.gibbs_ev == pytest.approx(parts, abs=1e-12)
    assert found.model == "quasi-rrho"


def test_quasi_rrho_goes_from_oscillator_to_free_rotor():
    def entropy(mode, cutoff):
        return -quasi_rrho([mode], cutoff=cutoff).minus_ts_ev / 298.15

    # Far above the cut-off w is 1 − (50/2000)⁴ = 1 − 4e-7.
    high = vibrational_entropy([2000.0], 298.15)
    assert entropy(2000.0, 50.0) == pytest.approx(high, abs=1e-9)
    assert entropy(30.0, 0.0) == pytest.approx(vibrational_entropy([30.0], 298.15))
    # Far below, the entropy of a classical rotor about one axis, with the moment
    # limited by that of the molecule: ħ²/2hν at 0.01 cm⁻¹ is 1686 amu Å², against 40.
    own = 16.857629 / 0.01
    moment = own * 40.0 / (own + 40.0)
    # √(πkT/B) with B = 16.857629 cm⁻¹ amu Å² / I
    partition = np.sqrt(np.pi * K * 298.15 * moment / 16.857629 / EV_PER_WAVENUMBER)
    rotor = K * (0.5 + np.log(partition))
    assert entropy(0.01, 50.0) == pytest.approx(rotor, rel=1e-6)
    assert np.diff([entropy(w, 50.0) for w in (5, 20, 60, 200, 900)]).max() < 0


def test_undamped_terms_are_those_of_all_oscillators():
    plain = harmonic_adsorbate(
        energy_ev=-3.0,
        frequencies_cm1=MODES,
        temperature_k=298.15,
        low_mode_cutoff_cm1=0.0,
    )
    harmonic = harmonic_adsorbate(
        energy_ev=-3.0,
        frequencies_cm1=MODES,
        temperature_k=298.15,
        low_mode_cutoff_cm1=50.0,
    )
    models = [harmonic, quasi_rrho(MODES, cutoff=50.0), hindered(MODES, BARRIERS)]
    assert [m.model for m in models] == ["harmonic", "quasi-rrho", "hindered"]
    for found in models:
        assert found.zpe_undamped_ev == plain.zpe_ev
        assert found.thermal_undamped_ev == plain.thermal_ev
        assert found.minus_ts_undamped_ev == plain.minus_ts_ev
        assert found.minus_ts_ev != plain.minus_ts_ev


# Methanol on Pt(111): barriers of the order of those of Sprowl et al.
BARRIERS = Barriers(
    translation_barrier_ev=0.05,
    rotation_barrier_ev=0.02,
    site_density_per_cm2=1.5e15,
    rotational_minima=6,
    symmetry_number=3,
)


def hindered(modes, barriers, *, temperature=298.15, cutoff=0.0):
    return hindered_adsorbate(
        energy_ev=-3.0,
        frequencies_cm1=modes,
        mass_amu=32.04,
        moment_amu_a2=21.0,
        barriers=barriers,
        temperature_k=temperature,
        low_mode_cutoff_cm1=cutoff,
    )


@pytest.mark.parametrize("temperature", [150.0, 298.15, 800.0])
@pytest.mark.parametrize("heights", [(0.05, 0.02), (0.4, 0.3), (2.0, 0.001)])
def test_hindered_modes_against_ase(temperature, heights):
    translation, rotation = heights
    barriers = replace(
        BARRIERS, translation_barrier_ev=translation, rotation_barrier_ev=rotation
    )
    theirs = HinderedThermo(
        np.array(MODES) * EV_PER_WAVENUMBER,
        trans_barrier_energy=translation,
        rot_barrier_energy=rotation,
        sitedensity=1.5e15,
        rotationalminima=6,
        symmetrynumber=3,
        potentialenergy=-3.0,
        mass=32.04,
        inertia=21.0,
    )
    found = hindered(MODES, barriers, temperature=temperature)
    zpe = theirs.get_zero_point_energy(verbose=False)
    inner = theirs.get_internal_energy(temperature, verbose=False)
    assert found.zpe_ev == pytest.approx(zpe, abs=CODATA)
    assert found.thermal_ev == pytest.approx(inner + 3.0 - zpe, abs=CODATA)
    # ASE adds the entropy of spreading over the sites at Campbell's standard state,
    # k (1 − ln(N/A · area)); here each adsorbate has its own site.
    density = np.exp(1 / 3) * (1e5 / (1.380649e-23 * temperature)) ** (2 / 3)
    spread = K * (1 - np.log(density * 1e-4 / 1.5e15))
    entropy = theirs.get_entropy(temperature, verbose=False) - spread
    assert found.minus_ts_ev == pytest.approx(-temperature * entropy, abs=CODATA)


def test_a_high_barrier_leaves_an_oscillator():
    # Of the asymptotic series of I0 and I1 the entropy keeps k kT/2W.
    quantum = 0.012
    thermal, entropy = hindered_mode(quantum, 3.2, 298.15)
    mode = [quantum / EV_PER_WAVENUMBER]
    assert thermal == pytest.approx(vibrational_energy(mode, 298.15), rel=5e-3)
    oscillator = vibrational_entropy(mode, 298.15) + K * K * 298.15 / 6.4
    assert entropy == pytest.approx(oscillator, rel=1e-4)
    # No overflow at a barrier of 600 kT.
    assert np.isfinite(hindered_mode(quantum, 5.0, 100.0)).all()


def test_without_a_barrier_it_turns_freely():
    # A classical rotor in one of n equal wells: q = √(8π³IkT) / hn.
    moment, minima, barrier, temperature = 21.0, 6, 1e-9, 298.15
    si = moment * constants.atomic_mass * 1e-20
    turning = np.sqrt(minima**2 * barrier * constants.e / (2 * si)) / (2 * np.pi)
    thermal, entropy = hindered_mode(
        constants.h * turning / constants.e, barrier, temperature
    )
    kt = constants.k * temperature
    partition = np.sqrt(8 * np.pi**3 * si * kt) / (constants.h * minima)
    # Corrections go as √W.
    assert entropy == pytest.approx(K * (0.5 + np.log(partition)), rel=1e-4)
    assert thermal == pytest.approx(K * temperature / 2, rel=1e-2)


@pytest.mark.parametrize("barrier", [0.01, 0.1, 1.0])
def test_hindered_entropy_is_the_slope_of_the_free_energy(barrier):
    def free(temperature):
        thermal, entropy = hindered_mode(0.005, barrier, temperature)
        return thermal - temperature * entropy

    slope = (free(300.5) - free(299.5)) / 1.0
    assert -slope == pytest.approx(hindered_mode(0.005, barrier, 300.0)[1], abs=1e-8)


def test_high_temperature_is_classical():
    # U + ZPE → kT + (hν)²/12kT, S → k (1 + ln kT/hν) + k (hν/kT)²/24
    temperature, wavenumber = 5000.0, 100.0
    kt, quantum = K * temperature, wavenumber * EV_PER_WAVENUMBER
    ratio = quantum / kt
    energy = vibrational_energy([wavenumber], temperature)
    energy += zero_point_energy([wavenumber])
    assert energy == pytest.approx(kt * (1 + ratio**2 / 12), rel=ratio**4)
    assert vibrational_entropy([wavenumber], temperature) == pytest.approx(
        K * (1 - np.log(ratio) + ratio**2 / 24), rel=ratio**4
    )


def test_low_temperature_leaves_the_zero_point():
    # exp(−hν/kT) = 1e-63 at 10 K and 1000 cm⁻¹
    assert vibrational_energy([1000.0], 10.0) < 1e-60
    assert vibrational_entropy([1000.0], 10.0) < 1e-60
    assert zero_point_energy([1000.0, 500.0]) == pytest.approx(
        750.0 * EV_PER_WAVENUMBER, rel=1e-12
    )


def test_a_clean_cluster_has_its_energy_and_spin():
    terms = electronic_only(-42.0, 1, 298.15)
    assert terms.gibbs_ev == terms.energy_ev == -42.0
    assert (terms.zpe_ev, terms.thermal_ev, terms.minus_ts_ev) == (0, 0, 0)
    quartet = electronic_only(-42.0, 4, 350.0)
    assert quartet.gibbs_ev == pytest.approx(-42.0 - K * 350 * np.log(4), abs=1e-12)
    assert quartet.energy_ev == -42.0 and quartet.thermal_ev == 0


def test_spin_of_a_complex_against_ase():
    # ASE has spin for gases alone: the same k ln(2S + 1), at any temperature.
    def theirs(spin, temperature):
        gas = IdealGasThermo(
            vib_energies=[],
            geometry="monatomic",
            atoms=Atoms("H"),
            symmetrynumber=1,
            spin=spin,
        )
        return gas.get_gibbs_energy(temperature, 1e5, verbose=False)

    for temperature, multiplicity in ((298.15, 2), (350.0, 3), (500.0, 6)):
        spinless = harmonic_adsorbate(
            energy_ev=-3.0,
            frequencies_cm1=MODES,
            temperature_k=temperature,
            low_mode_cutoff_cm1=50.0,
        )
        found = with_spin(spinless, multiplicity, temperature)
        expected = theirs((multiplicity - 1) / 2, temperature) - theirs(0, temperature)
        assert found.gibbs_ev - spinless.gibbs_ev == pytest.approx(expected, abs=CODATA)
        # Damping of low modes is none of it.
        assert found.minus_ts_ev - found.minus_ts_undamped_ev == pytest.approx(
            spinless.minus_ts_ev - spinless.minus_ts_undamped_ev, abs=1e-12
        )
        parts = found.energy_ev + found.zpe_ev + found.thermal_ev + found.minus_ts_ev
        assert found.gibbs_ev == pytest.approx(parts, abs=1e-12)


def test_terms_add_up():
    terms = ours("H2O", 330.0, 3000.0)
    parts = terms.energy_ev + terms.zpe_ev + terms.thermal_ev + terms.minus_ts_ev
    assert terms.gibbs_ev == pytest.approx(parts, abs=1e-12)


@pytest.mark.parametrize(
    "change", [{"energy_ev": None}, {"status": "failed"}, {"structure": None}]
)
def test_a_molecule_that_failed_has_no_free_energy(gas_record, change):
    record = gas_record("H2", "gfn1-xtb")
    assert gas_free_energy(record, 298.15, 1e5) is not None
    assert gas_free_energy(record.model_copy(update=change), 298.15, 1e5) is None
