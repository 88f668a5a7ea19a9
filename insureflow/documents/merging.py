"""Several papers as one file, to be printed in one go."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

import pikepdf


def merge_papers(papers: Iterable[bytes]) -> bytes:
    """The pages of all papers one after the other; a paper of an odd number of pages is not followed by an empty one."""
    merged = pikepdf.Pdf.new()
    opened = [pikepdf.open(BytesIO(paper)) for paper in papers]
    try:
        for paper in opened:
            merged.pages.extend(paper.pages)
        target = BytesIO()
        merged.save(target, deterministic_id=True)  # the same papers give the same bytes
        return target.getvalue()
    finally:
        for paper in opened:
            paper.close()
        merged.close()
