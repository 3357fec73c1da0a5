"""Free-energy diagrams and the report: what a person reads of a study."""

from clusterflow.report.band_edges import draw_band_edges
from clusterflow.report.diagram import draw_profile, save_figure, svg_source
from clusterflow.report.overlay import draw_overlay
from clusterflow.report.page import render_page
from clusterflow.report.scatter import draw_scaling, draw_volcano

__all__ = [
    "draw_band_edges",
    "draw_overlay",
    "draw_profile",
    "draw_scaling",
    "draw_volcano",
    "render_page",
    "save_figure",
    "svg_source",
]
