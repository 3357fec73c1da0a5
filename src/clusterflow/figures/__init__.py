"""What is drawn: diagrams, plots and pictures of structures, and how they look."""

from importlib import resources


def style_sheet() -> str:
    """The style sheet of pages, which colours the pictures on them too."""
    return resources.files(__name__).joinpath("style.css").read_text(encoding="utf-8")
