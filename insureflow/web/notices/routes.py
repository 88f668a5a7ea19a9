"""The addresses of papers for insurers."""

from __future__ import annotations

from flask import Blueprint, abort

from insureflow.queries.notices.showing import NoticeView, find_notice

blueprint = Blueprint("notices", __name__, url_prefix="/notices")


def get_notice_or_404(notice_id: int) -> NoticeView:
    """A paper of this organisation, or no page at all."""
    view = find_notice(notice_id)
    if view is None:
        abort(404)
    return view
