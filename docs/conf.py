"""The site of the documentation: `make docs` builds it into build/docs."""

import re

import clusterflow
from clusterflow.reference import LIBRARY_TABLES, PAGES

project = "clusterflow"
author = "The clusterflow developers"
version = release = clusterflow.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
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


def fill_in(app, page, source):
    """Put what is made from the code in the place of its marker."""
    if page in PAGES:
        source[0] = source[0].replace("<!-- made from the code -->", PAGES[page]())
    source[0] = re.sub(
        r"<!-- made from structures/(\w+) -->",
        lambda marker: LIBRARY_TABLES[marker[1]](),
        source[0],
    )
    # `make docs` writes that page beside the others; a code host has none.
    source[0] = source[0].replace(
        "<!-- link to the page of pictures, on the site -->",
        '<p><a href="clusters.html">All of them with pictures</a></p>',
    )


def escape_stars(app, what, name, thing, options, lines):
    """In these docstrings a star is a free site, as in ``*COOH``, and no emphasis."""
    for number, line in enumerate(lines):
        parts = re.split(r"(`+[^`]*`+)", line)
        parts[::2] = [part.replace("*", r"\*") for part in parts[::2]]
        lines[number] = "".join(parts)


def setup(app):
    """Connect both to Sphinx."""
    app.connect("source-read", fill_in)
    # Before napoleon, which adds emphasis of its own.
    app.connect("autodoc-process-docstring", escape_stars, priority=400)
