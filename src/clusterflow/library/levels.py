"""What the YAML of a level of theory, or of a limit of one, may say."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from clusterflow.formula import ATOMIC_NUMBERS
from clusterflow.library.common import Spec
from clusterflow.model import Model, Name

# What energies of DFT are off by.
DeviationSource = Literal["functional", "basis", "relativity", "geometry"]

_LAST_ALL_ELECTRON = ATOMIC_NUMBERS["Kr"]


class Box(Model):
    """The cell around a cluster or molecule, for codes that need one."""

    vacuum_a: float = Field(gt=0, description="Least on each side, Å")
    periodic: bool = Field(
        default=False,
        description="As plane waves need it; the system then sees its images",
    )


class OwnCalculator(Model):
    """Any ASE calculator, named by where Python finds it.

    The texts ``{charge}``, ``{multiplicity}`` and ``{unpaired}`` among the values of
    `kwargs` are replaced by the system's own numbers.
    """

    calculator: str = Field(
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        description="Class, or function that returns a calculator",
    )
    kwargs: dict[str, Any] = {}
    box: Box | None = Field(default=None, description="Without one there is no cell")
    initial_moments: bool = Field(
        default=False,
        description="It has the multiplicity from ASE's initial magnetic moments",
    )
    spinless: bool = Field(
        default=False,
        description="It knows no electrons: every multiplicity is the same surface",
    )

    @model_validator(mode="after")
    def _check_moments(self) -> Self:
        if self.initial_moments and self.spinless:
            raise ValueError(
                "initial_moments and spinless: what knows no electrons has no moments; "
                "leave one out"
            )
        return self

    @property
    def module(self) -> str:
        """Import path of the module."""
        return self.calculator.partition(":")[0]

    @property
    def maker(self) -> str:
        """Name of the class or function within the module."""
        return self.calculator.partition(":")[2]


class Solvent(Model):
    """An implicit solvent, by the model that makes it and its name."""

    model: Literal["alpb", "gbsa", "cpcm"]
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.model.upper()})"


class DftMethod(Model):
    """What fixes an energy surface of density functional theory.

    How the self-consistent field is found is no part of it, nor on which processor.
    """

    functional: str = Field(min_length=1, description="As libxc knows it: PBE, r2SCAN")
    basis: str = Field(min_length=1)
    ecp: str | None = Field(
        default=None,
        description="Core potentials of elements behind krypton; others have none",
    )
    dispersion: Literal["d3bj", "d4"] | None = None
    counterpoise: bool = Field(
        default=False,
        description="Energies of binding are between parts in the basis of the whole",
    )
    density_fitting: str | None = Field(
        default=None, description="Auxiliary basis; without one integrals are exact"
    )
    grid: int = Field(default=3, ge=0, le=9, description="Level of PySCF's grids")

    def __str__(self) -> str:
        dispersion = {"d3bj": "-D3(BJ)", "d4": "-D4", None: ""}[self.dispersion]
        return f"{self.functional}{dispersion}/{self.basis}"


def needs_core_potential(symbol: str) -> bool:
    """Whether DFT replaces the core of an element here, as all def2 basis sets do.

    Without one there would be relativity to care for, too.
    """
    return ATOMIC_NUMBERS[symbol] > _LAST_ALL_ELECTRON


class LevelSpec(Spec):
    """Everything that fixes an energy surface."""

    engine: str | OwnCalculator
    method: str
    dft: DftMethod | None = None
    electronic_temperature_k: float = Field(default=300.0, ge=0)
    spin_polarization: float | None = Field(default=None, gt=0)
    solvent: str | Solvent | None = Field(
        default=None,
        description="Name of a solvent, by ALPB; or its name with another model",
    )
    orders_only: bool = Field(
        default=False,
        description="A force field or learned potential: it finds and orders "
        "geometries, and refines nothing; so does what is `spinless`",
    )
    uncertainty_ev: float | None = Field(
        default=None,
        ge=0,
        description="Standard deviation of an adsorbate's energy, eV, uncalibrated",
    )
    deviations_ev: dict[DeviationSource, Annotated[float, Field(ge=0)]] = Field(
        default={},
        description="Of DFT, in the place of uncertainty_ev: standard deviations of an "
        "adsorbate's energy, eV, by where they come from",
    )
    geometry_error_ev: float | None = Field(
        default=None,
        ge=0,
        description="The same of an energy at a geometry of a cheaper level, eV",
    )
    ip_ea_offset_ev: float | None = Field(
        default=None,
        description="Offset in both vertical IP and EA of this method, eV",
    )
    probe_window_ev: tuple[float, float] | None = Field(
        default=None,
        description=(
            "Where the energy of a probe must lie, from CO2, H2 and H2O at the level, "
            "eV, for the level to be sane on a cluster"
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _name_own_method(cls, content: Any) -> Any:
        engine = content.get("engine") if isinstance(content, dict) else None
        if isinstance(engine, dict) and "method" not in content:
            path = str(engine.get("calculator", ""))
            return {**content, "method": path.partition(":")[2] or path}
        return content

    @model_validator(mode="before")
    @classmethod
    def _name_dft_method(cls, content: Any) -> Any:
        """Method and temperature of a DFT level, which its section `dft` says."""
        if not isinstance(content, dict) or not content.get("dft"):
            return content
        method = str(DftMethod.model_validate(content["dft"]))
        return {"method": method, "electronic_temperature_k": 0.0, **content}

    @model_validator(mode="after")
    def _check_dft(self) -> Self:
        if (self.engine == "pyscf") != (self.dft is not None):
            raise ValueError(
                f"engine {self.engine_name!r} with{'out' if self.dft is None else ''} "
                "a section `dft`: engine pyscf has one, and no other reads it"
            )
        if self.dft is None and self.electronic_temperature_k == 0:
            raise ValueError("electronic_temperature_k = 0: must be above 0")
        if self.dft is not None and self.electronic_temperature_k > 0:
            raise ValueError(
                f"electronic_temperature_k = {self.electronic_temperature_k:g}: DFT "
                "levels have whole occupations here; leave it out"
            )
        return self

    @model_validator(mode="after")
    def _check_deviations(self) -> Self:
        if self.deviations_ev and self.uncertainty_ev is not None:
            raise ValueError(
                f"uncertainty_ev = {self.uncertainty_ev:g}: deviations_ev says what it "
                "is made of; give one of them"
            )
        return self

    @model_validator(mode="after")
    def _check_solvent(self) -> Self:
        if self.dft is not None and self.solvent is not None:
            raise ValueError(
                f"solvent = {str(self.solvent)!r}: engine pyscf computes none here; "
                "leave it out, and water comes by the correction layer solvation"
            )
        if isinstance(self.engine, OwnCalculator) and self.solvent is not None:
            raise ValueError(
                f"solvent = {self.solvent!r} does not reach a calculator of your own; "
                "give it among its kwargs (gases will then feel it too)"
            )
        return self

    @property
    def engine_name(self) -> str:
        """The engine in one word, for people."""
        return self.engine if isinstance(self.engine, str) else self.engine.calculator

    @property
    def refines(self) -> bool:
        """Whether its energies may stand for those of DFT."""
        spinless = isinstance(self.engine, OwnCalculator) and self.engine.spinless
        return not (self.orders_only or spinless)

    @property
    def spin_polarised(self) -> bool:
        """Whether energies of two multiplicities may be compared."""
        return self.dft is not None or self.spin_polarization is not None

    def method_deviations_ev(self) -> dict[str, float]:
        """What the method is off by in an adsorbate's energy; empty if unknown."""
        if self.uncertainty_ev is not None:
            return {"level": self.uncertainty_ev}
        return {str(source): sigma for source, sigma in self.deviations_ev.items()}

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that name the energy surface, not its label."""
        surface = self.model_dump_json(
            exclude={
                *("name", "source", "description", "orders_only"),
                *("uncertainty_ev", "ip_ea_offset_ev", "probe_window_ev"),
                *("deviations_ev", "geometry_error_ev"),
                *(() if self.dft else ("dft",)),
            }
        )
        if isinstance(self.engine, OwnCalculator):
            # The order of the keys of `kwargs` changes no energy.
            content = json.loads(surface)
            # Nor does a setting that is not used; older levels had none of these.
            for unused in ("box", "initial_moments"):
                if not content["engine"][unused]:
                    del content["engine"][unused]
            surface = json.dumps(content, sort_keys=True)
        return hashlib.sha256(surface.encode()).hexdigest()[:12]


class DomainSpec(Spec):
    """A situation in which a method is not to be trusted.

    All conditions that are given must hold; `description` says why, with numbers.
    """

    description: str = Field(min_length=1)
    way_out: str = Field(min_length=1)
    methods: tuple[str, ...] = Field(
        default=(), description="Methods of levels; of all if none is named"
    )
    orders_only: bool | None = Field(
        default=None, description="Whether the level is one that orders only"
    )
    moves_ev: float | None = Field(
        default=None,
        gt=0,
        description="About how far off a number is, from the description, where it "
        "can be used at all",
    )
    refuses: bool = Field(
        default=False, description="The stage `level` does not even try it"
    )
    elements: tuple[tuple[str, ...], ...] = Field(
        default=(), description="One of each group is among the cluster's elements"
    )
    charge: Literal["negative", "positive"] | None = Field(
        default=None, description="Sign of the charge of the cluster"
    )
    species: tuple[str, ...] = Field(
        default=(),
        description="Names as in equations: *CO2, CO(g); `edges` for IP and EA",
    )
    motifs: dict[Name, float] = Field(
        default={}, description="Bonds it keeps, by molecule, at least so many"
    )
    min_hydrides: int = Field(default=0, ge=0, description="H on the cluster")
    min_multiplicity: int = Field(default=1, ge=1)
    spin_polarised: bool | None = None
    without_layer: str | None = Field(
        default=None, description="Correction layer that would mend it"
    )

    @model_validator(mode="after")
    def _check_methods(self) -> Self:
        if not self.methods and self.orders_only is None:
            raise ValueError("methods: name at least one, or say orders_only")
        return self

    @field_validator("elements")
    @classmethod
    def _check_elements(
        cls, groups: tuple[tuple[str, ...], ...]
    ) -> tuple[tuple[str, ...], ...]:
        for symbol in (symbol for group in groups for symbol in group):
            if symbol not in ATOMIC_NUMBERS:
                raise ValueError(f"unknown element {symbol!r}")
        return groups
