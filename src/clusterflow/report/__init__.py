"""The report: one page with what a person reads of a study."""

from clusterflow.report.page import render_page

__all__ = ["render_page"]
