"""Files that are made from the code: ``python -m clusterflow.generated`` writes them.

A test fails when one of them is not what this module would write.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from pydantic import BaseModel

from clusterflow.config import Study
from clusterflow.library import Library

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.specs import ClusterSpec

_WIDTH = 86
# What people change first, for `clusterflow new`.
_FIRST_KEYS = (
    *("study", "clusters", "reactions", "adsorb.max_screened", "adsorb.max_relaxed"),
    *("thermo.temperature_k", "thermo.correct"),
    *("che.potential_v", "che.scale", "che.ph"),
)
_FIRST_HEADING = """\
What people change first. Every key may be left out, and there are more: `clusterflow
new --full DIR` writes them all, with defaults and reasons.
"""
_HEADING = """\
The default study. Every key may be left out; what stands here is the default.
To change a few, write them to a file of your own and run
    clusterflow run --configfile my.yaml
(or snakemake --configfile my.yaml): sections merge, lists replace.
Made from src/clusterflow/config.py by `make generate`.
"""
# A night of relaxations on a laptop; the cost of one grows with the cube of its atoms.
_TOUR_BELOW_ATOMS = 70
_TOUR = """\
# Every cluster of the library with fewer than {below} atoms: built and relaxed, with
# its band edges, and no adsorbates. A night on a laptop; started again, it goes on.
#     clusterflow run --configfile studies/tour.yaml
# Made from structures/clusters by `make generate`.
study: tour
clusters:
{clusters}
reactions: []
level:
  # The second is for clusters whose SCF needs smearing, the last for magnetic ones.
  preferred: [gfn1-xtb, gfn1-xtb-1000k, spgfn1-xtb-1000k]
  # Nothing is adsorbed, so only the bare cluster decides.
  probes: []
  # One magnetic cluster must not bring all metals to a spin-polarised level.
  scope: cluster
"""


def generated_files(root: Path) -> dict[Path, str]:
    """Path and content of every generated file."""
    return {
        root / "config.yaml": default_yaml(),
        root / "workflow/schemas/config.schema.json": json_schema(),
        root / "studies/tour.yaml": tour_yaml(root),
    }


def default_yaml() -> str:
    """The default study, every key with why one would change it."""
    return study_yaml(Study(), full=True)


def study_yaml(study: Study, *, full: bool = False) -> str:
    """A study with the keys that people change first, or with all, and its reasons."""
    heading = _HEADING if full else _FIRST_HEADING
    lines = _lines(study, 0, None if full else _FIRST_KEYS)
    return textwrap.indent(heading, "# ") + "\n" + "\n".join(lines).lstrip() + "\n"


def json_schema() -> str:
    """The JSON schema of a configuration file."""
    return json.dumps(Study.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def tour_yaml(root: Path) -> str:
    """The study that builds and relaxes every small cluster of the library."""
    library = Library((root / "structures",))
    names = [
        name
        for name in library.paths("clusters")
        if library.cluster(name).n_atoms < _TOUR_BELOW_ATOMS
    ]
    rows = "\n".join(f"  - {name}" for name in names)
    return _TOUR.format(below=_TOUR_BELOW_ATOMS, clusters=rows)


def made_by(spec: ClusterSpec) -> str:
    """Builders, files and parents of a cluster, each once."""
    if spec.parent is not None and spec.removed is not None:
        rest = " (its binding atom stays)" if spec.removed.keep_binding_atom else ""
        return f"{spec.parent} less {spec.removed.count} {spec.removed.what}{rest}"
    ways = []
    for start in spec.structures:
        way = start.builder or "file"
        if start.substitution is not None:
            way += f" in {start.substitution.parent}"
        way = " + ".join([way, *start.ligands])
        if start.host is not None:
            way += f" on {start.host.builder or start.host.cluster}"
        ways.append(way)
    if spec.search is not None:
        ways.append("search")
    return ", ".join(dict.fromkeys(ways))


def _lines(
    model: BaseModel, depth: int, only: Sequence[str] | None = None
) -> list[str]:
    """Comment and value of every key, or of those in `only`, as ``section.key``."""
    indent = "  " * depth
    lines = []
    for key, field in type(model).model_fields.items():
        below = None
        if only is not None and key not in only:
            below = [n.partition(".")[2] for n in only if n.startswith(f"{key}.")]
            if not below:
                continue
        value = getattr(model, key)
        if depth == 0:
            lines.append("")
        lines += textwrap.wrap(
            field.description or "",
            _WIDTH,
            initial_indent=f"{indent}# ",
            subsequent_indent=f"{indent}# ",
        )
        if isinstance(value, BaseModel):
            lines.append(f"{indent}{key}:")
            lines += _lines(value, depth + 1, below)
        else:
            lines.append(f"{indent}{key}: {scalar(value)}")
    return lines


def scalar(value: object) -> str:
    """A value as YAML on one line."""
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(plain, default_flow_style=True, width=10**6, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


if __name__ == "__main__":
    for path, content in generated_files(Path.cwd()).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
