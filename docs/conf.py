"""The site of the documentation: `make docs` builds it into build/docs."""

import re
import sys
from pathlib import Path

import clusterflow

# Where reference_pages is.
sys.path.insert(0, str(Path(__file__).parent))

project = "clusterflow"
author = "The clusterflow developers"
version = release = clusterflow.__version__

extensions = [
    "myst_parser",
    "reference_pages",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinxcontrib.typer",
]
source_suffix = {".md": "markdown"}
# Headings down to the third level can be linked to, as on a code host.
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"clusterflow {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "undoc-members": False}
napoleon_google_docstring = False
napoleon_use_rtype = False


# What a code host shows in another way than the site: `make docs` writes clusters.html
# beside the pages, and first.md takes in the first steps of the README.
ON_THE_SITE = {
    "<!-- link to the page of pictures, on the site -->": (
        '<p><a href="clusters.html">All of them with pictures</a></p>'
    ),
    "../README.md#ten-minutes": "first.md",
}


def adapt_to_site(app, page, source):
    """Write what the site has in another place than a code host."""
    for code_host, site in ON_THE_SITE.items():
        source[0] = source[0].replace(code_host, site)


def escape_stars(app, what, name, thing, options, lines):
    """In these docstrings a star is a free site, as in ``*COOH``, and no emphasis."""
    for number, line in enumerate(lines):
        parts = re.split(r"(`+[^`]*`+)", line)
        parts[::2] = [part.replace("*", r"\*") for part in parts[::2]]
        lines[number] = "".join(parts)


def setup(app):
    """Connect both to Sphinx."""
    app.connect("source-read", adapt_to_site)
    # Before napoleon, which adds emphasis of its own.
    app.connect("autodoc-process-docstring", escape_stars, priority=400)
