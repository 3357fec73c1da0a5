"""Starting geometries of clusters, by rule."""

from clusterflow.core.builders.anneal import anneal
from clusterflow.core.builders.binary import (
    cage,
    core_at_cage,
    ring,
    stacked_rings,
    wurtzite,
    zincblende_tetrahedron,
)
from clusterflow.core.builders.metal import (
    bipyramid,
    capped_tetrahedron,
    centred_cube,
    cuboctahedron,
    decahedron,
    dodecahedron,
    icosahedron,
    octahedron,
    rhombus,
    rows,
    tetrahedron,
    wulff,
)
from clusterflow.core.builders.registry import BUILDERS, build
from clusterflow.core.builders.support import fcc111, mx2, zr6_node

__all__ = [
    "BUILDERS",
    "anneal",
    "bipyramid",
    "build",
    "cage",
    "capped_tetrahedron",
    "centred_cube",
    "core_at_cage",
    "cuboctahedron",
    "decahedron",
    "dodecahedron",
    "fcc111",
    "icosahedron",
    "mx2",
    "octahedron",
    "rhombus",
    "ring",
    "rows",
    "stacked_rings",
    "tetrahedron",
    "wulff",
    "wurtzite",
    "zincblende_tetrahedron",
    "zr6_node",
]
