"""Free-energy diagrams and the report: what a person reads of a study."""

from clusterflow.report.band_edges import draw_band_edges
from clusterflow.report.diagram import draw_profile, save_figure
from clusterflow.report.page import render_page

__all__ = ["draw_band_edges", "draw_profile", "render_page", "save_figure"]
