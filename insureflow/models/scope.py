"""The one place where every query is narrowed to an organisation.

A face enters a scope (``with within(organisation_id)``), and from then on every statement of the session that touches a
tenant-owned table carries ``organisation_id = …``, whoever wrote it and however it joins. Without a scope such a statement
is refused, so that a forgotten scope is an error and never a leak. New rows must belong to the scope as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from functools import cache
from typing import Any, cast

from sqlalchemy import Delete, Executable, Select, Table, Update, event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.sql import visitors
from sqlalchemy.sql.cache_key import HasCacheKey
from sqlalchemy.sql.util import find_tables

from insureflow.models.base import Base, TenantOwned

_organisation: ContextVar[int | None] = ContextVar("organisation", default=None)


#: Whether statements of a form hide whose rows they read.
_known: dict[tuple[Any, ...], bool] = {}
_MOST_KNOWN = 5_000

#: No organisation has this key: where a nested statement hides its tables, a missing scope finds nothing.
NOBODY = -1


class NoScope(RuntimeError):
    """A tenant-owned table was touched outside any organisation's scope."""


class OutOfScope(RuntimeError):
    """A row of another organisation was about to be written."""


def current_organisation_id() -> int:
    """Key of the organisation whose scope was entered. Errors: ``NoScope``."""
    organisation_id = _organisation.get()
    if organisation_id is None:
        raise NoScope
    return organisation_id


@contextmanager
def within(organisation_id: int) -> Iterator[None]:
    """Enter the scope of one organisation until the block ends."""
    token = _organisation.set(organisation_id)
    try:
        yield
    finally:
        _organisation.reset(token)


@cache
def _is_owned(table: Table) -> bool:
    return any(issubclass(mapper.class_, TenantOwned) and mapper.local_table is table for mapper in Base.registry.mappers)


def _hides_tenant(statement: Executable) -> bool:
    """Whether a part of a statement reads a tenant's table without its class, where no criteria can reach it.

    Such are a bare table, and a select of nothing but window functions or filtered aggregates. Looking through a statement
    costs more than running it, and what is found depends on its form alone: it is remembered by what SQLAlchemy remembers
    the SQL of that form by.
    """
    form = cast("HasCacheKey", statement)._generate_cache_key()  # noqa: SLF001 (what the engine itself remembers by)
    if form is None:
        return _reads_bare_table(statement)
    found = _known.get(form.key)
    if found is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        found = _known[form.key] = _reads_bare_table(statement)
    return found


def _reads_bare_table(statement: Executable) -> bool:
    for part in visitors.iterate(cast("visitors.ExternallyTraversible", statement)):
        if not isinstance(part, Select | Update | Delete) or part._propagate_attrs.get("compile_state_plugin") == "orm":  # noqa: SLF001 (what the ORM itself decides by)
            continue
        froms = part.get_final_froms() if isinstance(part, Select) else [part.table]
        if any(_is_owned(table) for each in froms for table in find_tables(each, include_joins=True) if isinstance(table, Table)):
            return True
    return False


def _touches_tenant(state: ORMExecuteState) -> bool:
    return any(issubclass(mapper.class_, TenantOwned) for mapper in state.all_mappers)


@event.listens_for(Session, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    if state.is_column_load or state.is_relationship_load:
        return
    organisation_id = _organisation.get()
    if organisation_id is None and _touches_tenant(state):
        raise NoScope
    if state.is_insert:
        return
    if _hides_tenant(state.statement):
        raise NoScope
    owner = NOBODY if organisation_id is None else organisation_id
    state.statement = state.statement.options(
        with_loader_criteria(TenantOwned, lambda cls: cls.organisation_id == owner, include_aliases=True, track_closure_variables=True)
    )


@event.listens_for(Session, "before_flush")
def _guard_rows(session: Session, _context: UOWTransaction, _instances: Any) -> None:
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, TenantOwned):
            owner: int | None = row.organisation_id
            if owner is None:
                row.organisation_id = current_organisation_id()
            elif owner != current_organisation_id():
                raise OutOfScope(type(row).__name__)


def enter(organisation_id: int) -> Token[int | None]:
    """Enter a scope that outlives a block, such as a request; ``leave`` must follow."""
    return _organisation.set(organisation_id)


def leave(token: Token[int | None]) -> None:
    """Leave the scope that ``enter`` gave this token for."""
    _organisation.reset(token)
