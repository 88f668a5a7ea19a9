"""The scope itself: whatever shape a statement has, it is narrowed, and without a scope it finds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session, aliased, joinedload, selectinload
from support.twins import TODAY, Twin, rows_of

from insureflow.models.base import Base, TenantOwned
from insureflow.models.buyers import Buyer, BuyerName
from insureflow.models.database import db
from insureflow.models.organisations import Entity
from insureflow.models.policies import Policy, PolicyTermsVersion
from insureflow.models.rates import ManualRate
from insureflow.models.receivables import Invoice, Payment
from insureflow.models.scope import NoScope, OutOfScope, within
from insureflow.services.transaction import transaction


@pytest.fixture
def pair(app: Flask, own: Twin, other: Twin) -> Iterator[tuple[Session, Twin, Twin]]:
    with app.app_context():
        yield db.session(), own, other
        db.session.remove()


def _names(session: Session, statement: Any) -> set[str]:
    return {str(value) for value in session.scalars(statement)}


_STATEMENTS: dict[str, Any] = {
    "plain": lambda: sa.select(Buyer.legal_name),
    "aliased": lambda: sa.select(aliased(Buyer).legal_name),
    "subquery": lambda: sa.select(sa.select(Buyer.legal_name).subquery().c.legal_name),
    "cte": lambda: sa.select(sa.select(Buyer.legal_name).cte("found").c.legal_name),
    "nested cte": lambda: sa.select(sa.select(sa.select(Buyer.legal_name).cte("inside").c.legal_name).cte("found").c.legal_name),
    "union": lambda: sa.union_all(sa.select(Buyer.legal_name), sa.select(BuyerName.name)),
    "union in a subquery": lambda: sa.select(
        sa.union(sa.select(Buyer.legal_name), sa.select(BuyerName.name)).subquery("both").c.legal_name
    ),
    "scalar subquery": lambda: sa.select(sa.select(Buyer.legal_name).where(Buyer.id == Invoice.buyer_id).scalar_subquery()).select_from(
        Invoice
    ),
    "scalar subquery alone": lambda: sa.select(sa.select(sa.func.max(Buyer.legal_name)).scalar_subquery()),
    "exists": lambda: sa.select(Entity.name).where(sa.select(Buyer.id).exists()),
    "in": lambda: sa.select(Buyer.legal_name).where(Buyer.id.in_(sa.select(Invoice.buyer_id))),
    "join": lambda: sa.select(Buyer.legal_name).join(Invoice, Invoice.buyer_id == Buyer.id),
    "outer join": lambda: sa.select(Payment.number).select_from(Buyer).outerjoin(Payment, sa.true()),
    "join on everything": lambda: sa.select(Policy.name).select_from(Buyer).join(Policy, sa.true()),
    "lateral": lambda: sa.select(Entity.name).join(Buyer, sa.true()),
    "aggregate": lambda: sa.select(sa.func.max(Buyer.legal_name)),
    "window beside a column": lambda: sa.select(sa.func.first_value(Buyer.legal_name).over(order_by=Buyer.id.desc())).where(Buyer.id > 0),
    "window beside another table": lambda: sa.select(sa.func.first_value(Buyer.legal_name).over(order_by=Buyer.id.desc())).join(
        Entity, Entity.organisation_id == Buyer.organisation_id
    ),
    "cast": lambda: sa.select(sa.cast(Buyer.legal_name, sa.String)),
    "coalesced": lambda: sa.select(sa.func.coalesce(sa.func.lower(Buyer.legal_name), "")),
    "concatenated": lambda: sa.select("x" + Buyer.legal_name.concat("y")),
    "labelled": lambda: sa.select(Buyer.legal_name.label("found")),
    "group": lambda: sa.select(Buyer.legal_name).group_by(Buyer.legal_name).having(sa.func.count() > 0),
    "case": lambda: sa.select(sa.case((Buyer.id > 0, Buyer.legal_name), else_="")),
    "distinct": lambda: sa.select(Buyer.legal_name).distinct(),
    "from statement": lambda: sa.select(Buyer.legal_name).select_from(sa.join(Buyer, Entity, sa.true())),
}


def test_a_statement_of_any_shape_is_narrowed(pair: tuple[Session, Twin, Twin]) -> None:
    session, own, other = pair
    wrong: list[str] = []
    for shape, make in _STATEMENTS.items():
        for twin, foreign in ((own, other.mark), (other, own.mark), (own, other.mark)):
            with within(twin.tenant.id):
                found = _names(session, make())
            if not any(twin.mark in name.upper() for name in found) or any(foreign in name.upper() for name in found):
                wrong.append(f"{shape} within {twin.mark}: {sorted(found)[:5]}")
        try:
            found = _names(session, make())
        except NoScope:
            continue
        if any(own.mark in name.upper() or other.mark in name.upper() for name in found):
            wrong.append(f"{shape} without a scope: {sorted(found)[:5]}")
    assert not wrong, "\n".join(wrong)


_WITHOUT_A_CLASS: dict[str, Any] = {
    "window": lambda: sa.select(sa.func.first_value(Buyer.legal_name).over(order_by=Buyer.id.desc())),
    "filtered aggregate": lambda: sa.select(sa.func.max(Buyer.legal_name).filter(Buyer.id > 0)),
    "table": lambda: sa.select(Base.metadata.tables["buyer"].c.legal_name),
    "table changed": lambda: sa.update(Base.metadata.tables["buyer"]).values(legal_name="changed"),
    "table emptied": lambda: sa.delete(Base.metadata.tables["manual_rate"]),
    "window in a subquery": lambda: sa.select(
        sa.select(sa.func.first_value(Buyer.legal_name).over(order_by=Buyer.id.desc()).label("found")).subquery().c.found
    ),
    "table in a subquery": lambda: sa.select(sa.select(Base.metadata.tables["buyer"].c.legal_name).subquery().c.legal_name),
    "window beside a class": lambda: sa.select(
        Entity.name + sa.select(sa.func.first_value(Buyer.legal_name).over(order_by=Buyer.id.desc())).limit(1).scalar_subquery()
    ),
}


def test_a_statement_that_hides_its_class_is_refused_or_narrowed(app: Flask, pair: tuple[Session, Twin, Twin]) -> None:
    """Such a statement escapes the criteria that narrow the others, so it may not run at all, nor when it is known from before."""
    session, own, other = pair
    before = rows_of(app, other.tenant.id)
    for shape, make in [*_WITHOUT_A_CLASS.items()] * 2:
        statement = make()
        with within(own.tenant.id):
            try:
                result = session.execute(statement)
                found = {str(value) for value in result.scalars()} if isinstance(statement, sa.Select) else set()
                session.flush()
            except NoScope:
                found = set()
        assert not any(other.mark in name for name in found), shape
        session.commit()
        assert rows_of(app, other.tenant.id) == before, shape


def test_every_owned_table_is_narrowed(pair: tuple[Session, Twin, Twin]) -> None:
    session, own, other = pair
    owned = [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, TenantOwned)]
    assert len(owned) > 20
    for model in owned:
        with pytest.raises(NoScope):
            session.scalars(sa.select(model)).all()
        for twin in (own, other):
            with within(twin.tenant.id):
                assert set(session.scalars(sa.select(model.organisation_id))) == {twin.tenant.id}, model.__name__


def test_rows_asked_for_by_key_are_the_organisations_own(pair: tuple[Session, Twin, Twin]) -> None:
    session, own, other = pair
    key = other.keys["buyer"][0]
    with within(own.tenant.id):
        assert session.get(Buyer, key) is None
        assert session.get(Buyer, key, populate_existing=True) is None
    with pytest.raises(NoScope):
        session.get(Buyer, key)


def test_what_hangs_on_a_row_is_the_organisations_own(pair: tuple[Session, Twin, Twin]) -> None:
    session, own, other = pair
    with within(own.tenant.id):
        for options in ((), (selectinload(Buyer.names),), (joinedload(Buyer.names),), (joinedload(Buyer.parent),)):
            session.expunge_all()
            buyers = session.scalars(sa.select(Buyer).options(*options)).unique().all()
            assert {name.organisation_id for buyer in buyers for name in buyer.names} == {own.tenant.id}
            assert {buyer.parent.organisation_id for buyer in buyers if buyer.parent} == {own.tenant.id}
            for buyer in buyers:
                session.refresh(buyer)
                session.refresh(buyer, ["names"])
        policies = session.scalars(sa.select(Policy).options(selectinload(Policy.versions))).all()
        assert {version.organisation_id for policy in policies for version in policy.versions} == {own.tenant.id}
    assert other.mark not in {policy.number for policy in policies}


def test_changes_in_bulk_stay_within(app: Flask, pair: tuple[Session, Twin, Twin]) -> None:
    _session, own, other = pair
    before = rows_of(app, other.tenant.id)
    with transaction(own.tenant.id) as session:
        changed = session.execute(sa.update(Invoice).values(reference="changed"))
        assert changed.rowcount == len(own.keys["invoice"])  # type: ignore[attr-defined]  # a cursor's result
        session.execute(sa.update(Buyer).where(Buyer.id.in_(other.keys["buyer"])).values(legal_name="changed"))
        session.execute(sa.update(Payment).where(Payment.buyer_id.in_(sa.select(Buyer.id))).values(number=Payment.number + "x"))
        session.execute(sa.delete(ManualRate))
        session.execute(sa.delete(PolicyTermsVersion).where(PolicyTermsVersion.id.in_(other.keys["policy_terms_version"])))
    assert rows_of(app, other.tenant.id) == before
    assert rows_of(app, own.tenant.id)["manual_rate"] == []
    for statement in (sa.update(Invoice).values(reference="changed"), sa.delete(ManualRate), sa.insert(ManualRate)):
        with transaction() as session, pytest.raises(NoScope):
            session.execute(statement)


def test_a_row_of_the_other_cannot_be_written(app: Flask, pair: tuple[Session, Twin, Twin]) -> None:
    _session, own, other = pair
    before = rows_of(app, other.tenant.id)

    def entity(organisation_id: int | None) -> Entity:
        return Entity(organisation_id=organisation_id, code="ZZ", name="Stray", country="SE", currency="SEK", created_at=datetime.now(UTC))

    with pytest.raises(OutOfScope), transaction(own.tenant.id) as session:
        session.add(entity(other.tenant.id))
    with pytest.raises(NoScope), transaction() as session:
        session.add(entity(None))
    with pytest.raises(NoScope), transaction() as session:
        session.add(entity(own.tenant.id))
    db.session.expunge_all()
    with within(other.tenant.id):
        theirs = db.session.scalars(sa.select(Buyer)).first()
    assert theirs is not None
    db.session.rollback()
    with pytest.raises(OutOfScope), transaction(own.tenant.id) as session:
        session.add(theirs)
        theirs.legal_name = "Taken over"
    db.session.expunge_all()
    with within(other.tenant.id):
        theirs = db.session.scalars(sa.select(Buyer)).first()
    db.session.rollback()
    with pytest.raises(OutOfScope), transaction(own.tenant.id) as session:
        session.delete(theirs)
    db.session.expunge_all()
    with within(own.tenant.id):
        mine = db.session.scalars(sa.select(Buyer)).first()
    assert mine is not None
    db.session.rollback()
    with pytest.raises(OutOfScope), transaction(own.tenant.id) as session:
        session.add(mine)
        mine.organisation_id = other.tenant.id
    assert rows_of(app, other.tenant.id) == before


def test_the_database_itself_refuses_to_tie_two_organisations(app: Flask, pair: tuple[Session, Twin, Twin]) -> None:
    _session, own, other = pair
    with pytest.raises(sa.exc.IntegrityError), transaction(own.tenant.id) as session:
        session.add(
            Invoice(
                entity_id=own.keys["entity"][0], buyer_id=other.keys["buyer"][0], number="STRAY", currency="EUR", net_minor=1, vat_minor=0,
                open_minor=1, invoice_on=TODAY, shipment_on=TODAY, due_on=date(2026, 12, 20), original_due_on=date(2026, 12, 20),
            )
        )  # fmt: skip
