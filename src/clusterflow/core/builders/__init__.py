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
from clusterflow.core.builders.bridged import bridged_octahedron
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
from clusterflow.core.builders.protected import (
    icosahedron_with_triangles,
    stapled_biicosahedron,
    stapled_icosahedron,
)
from clusterflow.core.builders.registry import BUILDERS, build
from clusterflow.core.builders.support import fcc111, mx2, zr6_node

__all__ = [
    "BUILDERS",
    "anneal",
    "bipyramid",
    "bridged_octahedron",
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
    "icosahedron_with_triangles",
    "mx2",
    "octahedron",
    "rhombus",
    "ring",
    "rows",
    "stacked_rings",
    "stapled_biicosahedron",
    "stapled_icosahedron",
    "tetrahedron",
    "wulff",
    "wurtzite",
    "zincblende_tetrahedron",
    "zr6_node",
]
