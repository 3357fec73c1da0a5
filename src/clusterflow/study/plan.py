"""What the Snakefile asks: which jobs there are, and with which settings.

Nothing here imports ASE, so that planning stays fast.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clusterflow.errors import ConfigError
from clusterflow.library.find import Library
from clusterflow.science.reactions.network import (
    parse_equation,
    parse_network,
    read_change,
    read_surface,
)
from clusterflow.science.thermochemistry.anchors import FROM_CO2
from clusterflow.settings import load_study
from clusterflow.stage_table import record_paths, stage_named
from clusterflow.study.contradictions import find_contradictions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clusterflow.settings import Study


@dataclass(frozen=True)
class Plan:
    """The jobs of a study: names by kind, and the settings of each stage."""

    study: Study
    library: Library

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        sources: Sequence[str | Path] = ("config.yaml",),
        given: Mapping[str, Any] | None = None,
    ) -> Plan:
        """The plan of a merged configuration, as `load_study` takes it.

        Raises
        ------
        ConfigError
            For a wrong setting, or settings that contradict each other, one a line.
        LibraryError
            For a name that is in no library.
        """
        plan = cls(study=load_study(config, sources, given), library=Library.default())
        plan.check_names()
        if problems := find_contradictions(plan):
            raise ConfigError("\nerror: ".join(problems))
        return plan

    def check_names(self) -> None:
        """Refuse names that are in no library, before any job starts.

        Raises
        ------
        LibraryError
            For the first of them.
        ConfigError
            For a table of shifts that is not there, or water asked for twice.
        """
        for cluster in self.clusters:
            self.library.cluster(cluster)
        for adsorbate in {
            *self.adsorbates,
            *self.study.level.probes,
            *self.study.thermo.hindered,
        }:
            self.library.adsorbate(adsorbate)
        for gas in self.gases:
            self.library.gas(gas)
        self.library.level(self.study.edges.level)
        for name in self.refining_levels:
            self.library.level(name)
        for level in self.levels:
            self.study.thermo.check_solvent(self.library.level(level))
        for layer, name in self.study.thermo.tables.items():
            if not Path(name).is_file():
                raise ConfigError(
                    f"thermo.{layer} = {name!r}: no such file; paths are relative to "
                    "the folder of the study"
                )

    def round_before(self, number: int | None = None) -> str | None:
        """Folder of the round before a round of adsorption; None before the first.

        The last round, which later stages read, has no number and no folder of its
        own: one round leaves the same files as a study without rounds.
        """
        last = (self.study.pool.rounds if number is None else number) - 1
        return f"rounds/{last}/" if last else None

    @property
    def refining_levels(self) -> tuple[str, ...]:
        """Levels of DFT: the one that refines, and the second."""
        refine = self.study.refine
        return (refine.level, *filter(None, [refine.second_level]))

    @property
    def levels(self) -> tuple[str, ...]:
        """Levels that may be chosen."""
        return self.study.level.preferred

    def level_peers(self, cluster: str) -> tuple[str, ...]:
        """The other clusters that must share a cluster's level; none with one level.

        A state goes with the cluster it is a state of, for one free energy needs both.
        """
        if len(self.levels) == 1:
            return ()
        group = self._find_level_group(cluster)
        return tuple(n for n in self._clusters_by_level_group[group] if n != cluster)

    @cached_property
    def _clusters_by_level_group(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for name in self.clusters:
            found[self._find_level_group(name)].append(name)
        return found

    def _find_level_group(self, cluster: str) -> str:
        """What a cluster has in common with those that share its level."""
        spec = self.library.cluster(cluster)
        if self.study.level.scope == "study":
            return ""
        if spec.parent is not None:
            return self._find_level_group(spec.parent)
        return spec.name if self.study.level.scope == "cluster" else spec.material

    @cached_property
    def _species_terms(self) -> frozenset[str]:
        terms: set[str] = set()
        for name in self.study.reactions:
            overall, steps = parse_network(self.library.reaction(name))
            terms |= overall.species.union(*(step.species for step in steps))
        return frozenset(terms)

    @cached_property
    def adsorbates(self) -> tuple[str, ...]:
        """Adsorbates that are computed: those asked for, or all the reactions name."""
        if self.study.adsorbates is not None:
            return self.study.adsorbates
        return tuple(
            sorted({adsorbate for _, adsorbate in self._surface_parts if adsorbate})
        )

    @cached_property
    def _surface_parts(self) -> frozenset[tuple[str, str]]:
        """Change of the cluster and adsorbate of each surface term."""
        surface = (term for term in self._species_terms if term.startswith("*"))
        return frozenset(read_surface(term) for term in surface)

    @cached_property
    def _states_by_change(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Of each cluster of the study, the states that reactions name, by change."""
        changes = sorted({change for change, _ in self._surface_parts if change})
        return {
            cluster: {
                c: self.library.cluster_states(cluster, read_change(c)) for c in changes
            }
            for cluster in self.study.clusters
        }

    def cluster_states_of(self, cluster: str) -> tuple[str, ...]:
        """Clusters whose free energies the profiles of a cluster need too."""
        found = self._states_by_change[cluster].values()
        return tuple(dict.fromkeys(name for names in found for name in names))

    @cached_property
    def _states_by_parent(self) -> dict[str, tuple[str, ...]]:
        """Of each cluster that loses atoms in a reaction, what may be left of it."""
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for cluster in self.study.clusters:
            for other in self.cluster_states_of(cluster):
                for parent, state in ((cluster, other), (other, cluster)):
                    if self.library.cluster(state).parent == parent:
                        found[parent][state] = None
        return {parent: tuple(states) for parent, states in found.items()}

    def states_left_of(self, cluster: str) -> tuple[str, ...]:
        """States without the atoms that a cluster loses in the reactions."""
        return self._states_by_parent.get(cluster, ())

    @cached_property
    def clusters(self) -> tuple[str, ...]:
        """All clusters that are computed: those of the study, and states of them."""
        states = (self.cluster_states_of(cluster) for cluster in self.study.clusters)
        names = (*self.study.clusters, *(name for group in states for name in group))
        return tuple(dict.fromkeys(names))

    def adsorbates_of(self, cluster: str) -> tuple[str, ...]:
        """Adsorbates that are computed on a cluster; on a state, those named on it."""
        return self._adsorbates_by_cluster.get(cluster, ())

    @cached_property
    def _adsorbates_by_cluster(self) -> dict[str, tuple[str, ...]]:
        on_change: dict[str, set[str]] = defaultdict(set)
        for change, adsorbate in self._surface_parts:
            on_change[change].add(adsorbate)
        named: dict[str, set[str]] = {cluster: set() for cluster in self.clusters}
        for cluster, states_by_change in self._states_by_change.items():
            named[cluster] |= on_change[""]
            for change, states in states_by_change.items():
                for state in states:
                    named[state] |= on_change[change]
        found = {
            cluster: tuple(name for name in self.adsorbates if name in names)
            for cluster, names in named.items()
        }
        if self.study.adsorbates is not None:
            found |= dict.fromkeys(self.study.clusters, self.study.adsorbates)
        return found

    @cached_property
    def fluids(self) -> frozenset[tuple[str, str]]:
        """Gases and liquids of the reactions: name and phase, ``g`` or ``l``."""
        terms = (t for t in self._species_terms if t.endswith(("(g)", "(l)")))
        return frozenset((t[:-3], t[-2]) for t in terms)

    @cached_property
    def gases(self) -> tuple[str, ...]:
        """Gases of the reactions, the anchors, and those that errors are fitted to."""
        named = {name for name, _ in self.fluids}
        errors = self.library.error_gases(self.adsorbates)
        named |= {*FROM_CO2, *errors} if errors else set()
        return tuple(sorted({*named, *self.study.thermo.anchors}))

    @cached_property
    def _gas_elements(self) -> tuple[str, ...]:
        gases = (self.library.gas(name) for name in self.gases)
        return tuple(sorted({element for gas in gases for element in gas.counts}))

    @cached_property
    def _couple_gases(self) -> tuple[str, ...]:
        couples = (self.library.couple(n) for n in self.library.paths("couples"))
        equations = (parse_equation(c.equation) for c in couples if c.equation)
        terms = set().union(*(equation.species for equation in equations))
        fluids = (term for term in terms if term.endswith(("(g)", "(l)")))
        return tuple(sorted({term.partition("(")[0] for term in fluids}))

    def settings(self, stage: str, claim: str | None = None) -> str:
        """The settings one stage sees, as JSON, with its protocol version.

        Of claims a job sees the one that it is of.
        """
        row = stage_named(stage)
        sections: dict[str, dict[str, Any]] = defaultdict(dict)
        for name in row.sees:
            section, _, key = name.partition(".")
            if section == "claims":
                for one in self.study.claims:
                    if one.name == claim:
                        sections[section] = one.model_dump(mode="json")
                continue
            content = getattr(self.study, section).model_dump(mode="json")
            sections[section] |= {key: content[key]} if key else content
        return json.dumps({"protocol": row.protocol, **sections}, sort_keys=True)

    def selection(self) -> str:
        """What the study is made of, as JSON: which records belong to it."""
        return json.dumps(
            {
                "study": self.study.study,
                "clusters": self.study.clusters,
                "profiled": self.study.clusters if self.study.reactions else (),
                "parents": list(self._states_by_parent),
                "adsorbates": {c: self.adsorbates_of(c) for c in self.clusters},
                "gases": self.gases,
                "levels": self.levels,
                "claims": [claim.name for claim in self.study.claims],
                "refined": self._select_refined(),
            }
        )

    def _select_refined(self) -> dict[str, Any]:
        """The part of the study that is refined by DFT, as a selection of its own."""
        if not self.refines:
            return {
                **dict.fromkeys(("clusters", "profiled", "parents"), ()),
                **dict.fromkeys(("relaxed", "compared"), ()),
                **{"adsorbates": {}, "gases": (), "levels": (), "rounds": ()},
            }
        return {
            "clusters": self.study.clusters,
            "profiled": self.study.clusters if self.study.reactions else (),
            "parents": list(self._states_by_parent),
            "compared": [c for c in self.study.clusters if self.compares(c)],
            "relaxed": [c for c in self.clusters if self.relaxed_of(c)],
            "adsorbates": {c: self.refined_of(c) for c in self.clusters},
            "gases": self.gases,
            "levels": self.levels,
            "rounds": [*range(1, self.refine_rounds + 1)],
        }

    @property
    def refine_rounds(self) -> int:
        """How often is chosen what to refine; 0 where the study names it."""
        refine = self.study.refine
        return refine.rounds if refine.species == "chosen" else 0

    @property
    def refines(self) -> bool:
        """Whether anything is computed by DFT on the geometries of the levels."""
        return self.study.refine.species not in ("none", ())

    def refined_of(self, cluster: str) -> tuple[str, ...]:
        """Adsorbates on a cluster that are refined, or may be chosen."""
        species = self.study.refine.species
        named = self.adsorbates_of(cluster)
        if isinstance(species, str):
            return named if species in ("all", "chosen") else ()
        return tuple(name for name in named if name in species)

    def compares(self, cluster: str) -> bool:
        """Whether a cluster's adsorbates may be computed at a second level of DFT."""
        is_asked = self.study.refine.second_level is not None and self.study.reactions
        return (
            bool(is_asked)
            and cluster in self.study.clusters
            and bool(self.refined_of(cluster))
        )

    def relaxed_of(self, cluster: str) -> tuple[str, ...]:
        """Adsorbates on a cluster that are relaxed by DFT."""
        wanted = self.study.refine.relax
        return tuple(name for name in self.refined_of(cluster) if name in wanted)

    @cached_property
    def _counts_by_name(self) -> dict[str, Counter[str]]:
        clusters = {n: self.library.cluster(n).counts for n in self.clusters}
        return clusters | {
            f"*{n}": self.library.adsorbate(n).counts for n in self.adsorbates
        }

    def counts_of(self, wildcards: Any) -> Counter[str]:
        """Atoms by element of a job's cluster and adsorbate, or gas."""
        if hasattr(wildcards, "gas"):
            return self.library.gas(wildcards.gas).counts
        counts = self._counts_by_name[wildcards.cluster]
        return counts + self.adsorbed_counts_of(wildcards)

    def adsorbed_counts_of(self, wildcards: Any) -> Counter[str]:
        """Those of them that are the adsorbate; none of a bare cluster or a gas."""
        adsorbate = getattr(wildcards, "adsorbate", None)
        return self._counts_by_name[f"*{adsorbate}"] if adsorbate else Counter()

    def largest_adsorbate_on(self, cluster: str) -> Counter[str]:
        """Atoms by element that every refined adsorbate on a cluster fits in."""
        largest: Counter[str] = Counter()
        for name in self.refined_of(cluster):
            largest |= self._counts_by_name[f"*{name}"]
        return largest

    def structure_files(self, name: str) -> list[Path]:
        """All files a cluster is built from, beside its own YAML."""
        ancestors = self.library.ancestors(name)
        files = [self.library.path("clusters", parent) for parent in ancestors]
        for cluster in (name, *ancestors):
            spec = self.library.cluster(cluster)
            folder = self.library.path("clusters", cluster).parent
            files += [folder / s.file for s in spec.structures if s.file]
            ligands = (self.library.ligand(ligand) for ligand in spec.ligands)
            files += [self.library.path("ligands", one.name) for one in ligands]
        return files

    def level_files(self) -> list[Path]:
        """The YAML of all that decides which level is chosen.

        Of the domain table only what refuses a level: a new warning repeats nothing.
        """
        refusing = [limit.name for limit in self.library.domain() if limit.refuses]
        return [
            *(self.library.path("domain", name) for name in refusing),
            *(self.library.path("levels", name) for name in self.levels),
            *(self.library.path("adsorbates", n) for n in self.study.level.probes),
        ]

    def data_files(self, stage: str) -> list[Path]:
        """The YAML files and tables whose numbers enter at edges, thermo or che."""
        if stage == "edges":
            return [
                self.library.path("levels", self.study.edges.level),
                *self.library.paths("domain").values(),
            ]
        if stage == "che":
            return [
                *(self.library.path("reactions", n) for n in self.study.reactions),
                *self.library.paths("couples").values(),
                *(self.library.path("gases", name) for name in self._couple_gases),
            ]
        return [
            *self.library.paths("domain").values(),
            *self.library.paths("groups").values(),
            *self.library.paths("level_errors").values(),
            *(self.library.path("gases", name) for name in self.gases),
            *(self.library.path("elements", symbol) for symbol in self._gas_elements),
            *(self.library.path("adsorbates", name) for name in self.adsorbates),
            *map(Path, self.study.thermo.tables.values()),
        ]

    def records(self, folder: str) -> list[Path]:
        """Every record of the study, below a results folder."""
        return record_paths(Path(folder), json.loads(self.selection()))
