"""The way to a PDF file for every kind of paper.

What draws (ReportLab, HarfBuzz, pikepdf) is read with the first paper: commands and pages that print nothing start half a second sooner.
"""

from __future__ import annotations

from insureflow.documents.composition import Composition
from insureflow.documents.page_sizes import PageSize


def draw_pages(composition: Composition, size: PageSize = PageSize.A4) -> bytes:
    """The paper as an archived PDF file, the same bytes each time."""
    from insureflow.documents import pages

    return pages.draw_pages(composition, size)
