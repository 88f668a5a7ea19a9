"""Filtered lists that people keep under a name of their own."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from insureflow.domain.errors import Refusal
from insureflow.models.database import db
from insureflow.models.rates import SavedView
from insureflow.services import journal
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

#: Longest name and longest address that are kept.
NAME_LENGTH, QUERY_LENGTH = 120, 2000


def list_saved_views(user_id: int, page: str) -> Sequence[SavedView]:
    """What a person keeps of one page, by name."""
    return db.session.scalars(select(SavedView).where(SavedView.user_id == user_id, SavedView.page == page).order_by(SavedView.name)).all()


def save_view(actor: Actor, organisation_id: int, page: str, name: str, query: str) -> SavedView:
    """Keep the address of a list under a name; a name used before on the page gets the new address.

    Errors: ``saved_view_name_missing``, ``saved_view_too_long``.
    """
    name = " ".join(name.split())
    if actor.user_id is None or not name:
        raise Refusal("saved_view_name_missing")
    if len(name) > NAME_LENGTH or len(query) > QUERY_LENGTH:
        raise Refusal("saved_view_too_long", maximum=NAME_LENGTH)
    with transaction(organisation_id) as session:
        view = session.scalar(select(SavedView).where(SavedView.user_id == actor.user_id, SavedView.page == page, SavedView.name == name))
        before = None if view is None else {"query": view.query}
        if view is None:
            view = SavedView(user_id=actor.user_id, page=page, name=name, query=query)
            session.add(view)
        view.query = query
        session.flush()
        journal.record(
            session, actor, "saved_view.saved", Subject("saved_view", view.id, name), before=before, after={"page": page, "query": query}
        )
        return view


def delete_view(actor: Actor, organisation_id: int, view_id: int) -> SavedView:
    """Forget a list that the person kept. Errors: ``saved_view_unknown``, for somebody else's too."""
    with transaction(organisation_id) as session:
        view = session.scalar(select(SavedView).where(SavedView.id == view_id, SavedView.user_id == actor.user_id))
        if view is None:
            raise Refusal("saved_view_unknown", view=str(view_id))
        session.delete(view)
        journal.record(
            session,
            actor,
            "saved_view.deleted",
            Subject("saved_view", view_id, view.name),
            before={"page": view.page, "query": view.query},
        )
        return view
