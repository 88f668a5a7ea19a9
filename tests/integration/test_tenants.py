"""Two organisations in one database: whoever works in one can see, count, change or infer nothing of the other."""

from __future__ import annotations

import difflib
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from sqlalchemy.orm import Session, aliased, joinedload, selectinload
from support.databases import Database
from support.pages import PageClient
from support.tenants import log_in
from support.twins import TODAY, Twin, amounts_of, make_twin, missing_marks, rows_of
from support.walking import NEEDS_ARGUMENTS, Form, Route, addresses, filled, forms_of, is_open, mixtures, routes
from werkzeug.test import TestResponse

from insureflow.domain.access import PERMISSIONS, Role
from insureflow.models.base import Base, TenantOwned
from insureflow.models.buyers import Buyer, BuyerName
from insureflow.models.database import db
from insureflow.models.organisations import Entity
from insureflow.models.policies import Policy, PolicyTermsVersion
from insureflow.models.rates import ManualRate
from insureflow.models.receivables import Invoice, Payment
from insureflow.models.scope import NoScope, OutOfScope, within
from insureflow.services.transaction import transaction

OWN, OTHER = "AAAMARK", "BBBMARK"
#: Enough of the other's mark to find it by, and not enough to be taken for it where a page repeats what was searched.
BAIT = "BBBMAR"
_TOKEN = re.compile(r"I[\w-]{30,}\.[\w-]{5,8}\.[\w-]{20,}")
_NUMBER = re.compile(r"\d(?:[.,'\u2019\u00a0\u202f ]?\d)*")


@pytest.fixture
def frozen() -> Iterator[None]:
    """The clock stands, so that a page fetched twice is the same unless what it shows has changed."""
    with time_machine.travel(datetime(2026, 11, 20, 9, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def own(app: Flask, frozen: None) -> Twin:
    twin = make_twin(app, OWN, seed=3_131_317)
    assert missing_marks(app, twin) == []
    return twin


@pytest.fixture
def add_other(app: Flask, own: Twin) -> Any:
    """Adds the other organisation, twice over in front of it so that its keys are nobody else's."""

    def add() -> Twin:
        other = make_twin(app, OTHER, seed=8_686_867)
        assert missing_marks(app, other) == []
        shared = {name for name, keys in other.keys.items() if set(keys) & set(own.keys[name])}
        assert shared == set(), "one table, one sequence of keys"
        return other

    return add


@pytest.fixture
def other(add_other: Any) -> Twin:
    twin = add_other()
    assert isinstance(twin, Twin)
    return twin


def visitor(app: Flask, twin: Twin, role: Role) -> PageClient:
    """A client that is somebody of that role; the pages' form is looked at elsewhere."""
    client = app.test_client()
    assert isinstance(client, PageClient)
    client.check_pages = False
    log_in(client, twin.tenant, role)
    return client


def keys_with_people(twin: Twin, app: Flask) -> dict[str, list[int]]:
    rows = rows_of(app, twin.tenant.id)
    people = [login.user_id for login in twin.tenant.logins.values()]
    return {**twin.keys, "app_user": people, "membership": [row[0] for row in rows["membership"]]}


def readable(response: TestResponse) -> str:
    """All a browser gets: status lines, headers and content of an answer and of those before it, workbooks unpacked."""
    parts: list[str] = []
    for answer in (*response.history, response):
        parts += [f"{name}: {value}" for name, value in answer.headers.items() if name not in {"X-Request-Id", "Set-Cookie", "Date"}]
        data = answer.get_data()
        if data[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(data)) as book:
                parts += [f"{name}\n{book.read(name).decode('utf-8', 'replace')}" for name in sorted(book.namelist())]
        else:
            parts.append(data.decode("utf-8", "replace"))
    text = _TOKEN.sub("token", "\n".join(parts))
    return re.sub(r"Content-Length: \d+|Etag: \S+|ETag: \S+|boundary=\S+|\b[0-9a-f]{12}\b", "", text)


def leaks(text: str, marks: set[str], amounts: set[str]) -> list[str]:
    """Marks and amounts of the other organisation in a text, however the amounts are punctuated."""
    found = [mark for mark in marks if mark in text.casefold()]
    numbers = {re.sub(r"\D", "", number) for number in _NUMBER.findall(text)}
    return found + sorted(numbers & amounts)


class Walk:
    """Every answer that somebody got, by what was asked."""

    def __init__(self, app: Flask, twin: Twin, role: Role, *, collects_forms: bool = False) -> None:
        self.client = visitor(app, twin, role)
        self.collects_forms = collects_forms
        self.seen: dict[str, str] = {}
        self.status: dict[str, int] = {}
        self.forms: dict[tuple[str, str], Form] = {}

    def get(self, address: str, note: str = "", **options: Any) -> str:
        response = self.client.get(address, follow_redirects=True, buffered=True, **options)
        self.seen[note + address] = readable(response)
        self.status[note + address] = response.status_code
        if self.collects_forms and response.mimetype == "text/html" and response.status_code == 200:
            for form in forms_of(response.get_data(as_text=True), address):
                self.forms.setdefault((form.action, ",".join(sorted(form.fields))), form)
        return self.seen[note + address]


def get_routes(app: Flask) -> list[Route]:
    return [route for route in routes(app, "GET") if route.endpoint not in {"security.login", "security.verify"}]


def ask_everything(app: Flask, walk: Walk, keys: dict[str, list[int]], foreign: dict[str, Any]) -> None:
    """Every page as it is, as a file and searched where it offers that, narrowed by foreign keys, as a part, and on another day."""
    for route in get_routes(app):
        for address in addresses(app, route, keys):
            page = walk.get(address)
            walk.get(f"{address}?{urlencode(foreign)}")
            if "format=csv" in page:
                walk.get(f"{address}?format=csv")
                walk.get(f"{address}?format=xlsx")
            if 'name="q"' in page:
                walk.get(f"{address}?q={BAIT}")
            if "why" in address:
                walk.get(address, "part ", headers={"HX-Request": "true"})
    for route in get_routes(app):
        for address in addresses(app, route, keys):
            walk.get(f"{address}?on=2026-09-30")


def foreign_arguments(keys: dict[str, list[int]], organisation_id: int) -> dict[str, Any]:
    """Arguments that ask for the other organisation and what is its own, by every name a page may read."""
    arguments: dict[str, Any] = {"organisation": organisation_id, "organisation_id": organisation_id}
    for name in ("buyer", "entity", "policy", "invoice", "import_batch", "app_user", "import_profile", "stored_file", "task"):
        first = keys[name][0]
        short = {"import_batch": "batch", "app_user": "user", "import_profile": "profile", "stored_file": "file"}.get(name, name)
        arguments |= {short: first, f"{short}_id": first}
    return arguments


def _difference(alone: str, beside: str, addresses_of_others: list[str]) -> str:
    """What one of the answers says otherwise, for the message."""
    lines = list(difflib.unified_diff(alone.splitlines(), beside.splitlines(), "alone", "beside", n=0, lineterm=""))
    return "\n".join([f"{len(addresses_of_others)} answers differ: {', '.join(addresses_of_others[:12])}", *lines[:20]])


def test_the_other_organisation_changes_no_byte_of_any_answer(app: Flask, own: Twin, add_other: Any) -> None:
    """Every answer is the same with and without the other in the database: no total, count or choice knows of it."""
    keys = keys_with_people(own, app)
    unknown = {**{name: [10**6 + place] for place, name in enumerate(keys)}}
    role = Role.ADMINISTRATOR
    alone = Walk(app, own, role)
    ask_everything(app, alone, keys, foreign_arguments(unknown, 10**6))
    other = add_other()
    beside = Walk(app, own, role)
    ask_everything(app, beside, keys, foreign_arguments(unknown, 10**6))
    assert len(beside.seen) > 100
    different = [address for address, text in beside.seen.items() if text != alone.seen[address]]
    assert not different, _difference(alone.seen[different[0]], beside.seen[different[0]], different)
    bare = {filled(app, route, keys) for route in get_routes(app) if route.endpoint in NEEDS_ARGUMENTS}
    broken = [
        f"{address}: {status}"
        for address, status in beside.status.items()
        if status >= 500 or (status == 404 and "?" not in address and address not in bare)
    ]
    assert broken == [], "the walk did not see its own pages"
    marks, amounts = {OTHER.casefold()}, amounts_of(app, other) - amounts_of(app, own)
    assert len(amounts) > 20
    foreign = urlencode(foreign_arguments(keys_with_people(other, app), other.tenant.id))
    for route in get_routes(app):
        for address in addresses(app, route, keys):
            beside.get(f"{address}?{foreign}", "asking for the other ")
    leaked = {address: found for address, text in beside.seen.items() if (found := leaks(text, marks, amounts))}
    assert leaked == {}
    assert any(leaks(text, {OWN.casefold()}, set()) for text in beside.seen.values()), "the walk sees marks where there are some"
    assert any(leaks(text, set(), amounts_of(app, own)) for text in beside.seen.values()), "the walk sees amounts where there are some"


def test_nobody_of_any_role_reads_the_other(app: Flask, database: Database, own: Twin, other: Twin) -> None:
    """Every page by every role, with keys of its own and with keys of the other organisation."""
    mine, theirs = keys_with_people(own, app), keys_with_people(other, app)
    marks, amounts = {OTHER.casefold()}, amounts_of(app, other) - amounts_of(app, own)
    before = rows_of(app, other.tenant.id)
    leaked: dict[str, list[str]] = {}
    answered: list[str] = []
    for role in Role if database.kind == "sqlite" else (Role.ADMINISTRATOR, Role.SALES):
        walk = Walk(app, own, role)
        for route in get_routes(app):
            if route.permission in PERMISSIONS[role] or is_open(route):
                for address in addresses(app, route, mine):
                    found = leaks(walk.get(address), marks, amounts)
                    if found:
                        leaked[f"{role} {address}"] = found
            if route.has_keys:
                for address in mixtures(app, route, mine, theirs):
                    found = leaks(walk.get(address), marks, amounts)
                    if found:
                        leaked[f"{role} {address}"] = found
                    if walk.status[address] not in {403, 404}:
                        answered.append(f"{role} GET {address}: {walk.status[address]}")
    assert (leaked, answered) == ({}, [])
    assert rows_of(app, other.tenant.id) == before


def _pretended(form: Form, theirs: dict[str, list[int]]) -> dict[str, str]:
    """The fields of a form with every key in it replaced by one of the other organisation."""
    fields = dict(form.fields)
    for name in fields:
        stem = re.sub(r"(_ids?|s)$", "", name.rpartition("-")[2])
        table = {"batch": "import_batch", "user": "app_user", "profile": "import_profile", "file": "stored_file", "parent": "buyer"}.get(
            stem, stem
        )
        if theirs.get(table):
            fields[name] = str(theirs[table][0])
    return fields


def test_nobody_changes_the_other(app: Flask, own: Twin, other: Twin) -> None:
    """Every form and every changing address, with keys of the other organisation in the address and in the fields."""
    mine, theirs = keys_with_people(own, app), keys_with_people(other, app)
    marks, amounts = {OTHER.casefold()}, amounts_of(app, other) - amounts_of(app, own)
    walk = Walk(app, own, Role.ADMINISTRATOR, collects_forms=True)
    for route in get_routes(app):
        for address in addresses(app, route, mine):
            walk.get(address)
    by_action: dict[str, list[Form]] = {}
    for form in walk.forms.values():
        by_action.setdefault(form.action, []).append(form)
    before = rows_of(app, other.tenant.id)
    faults: list[str] = []

    def send(address: str, fields: dict[str, str]) -> TestResponse:
        response = walk.client.post(address, data=fields, follow_redirects=True, buffered=True)
        faults.extend(f"POST {address} shows {found}" for found in leaks(readable(response), marks, amounts))
        if response.status_code >= 500:
            faults.append(f"POST {address} {fields}: {response.status_code}")
        return response

    changing = [route for route in routes(app, "POST", "PUT", "PATCH", "DELETE") if not route.endpoint.startswith("security.")]
    for route in changing:
        if not route.has_keys or route.rule.rule.startswith("/api/"):  # the API is tried with its own keys
            continue
        forms = by_action.get(filled(app, route, mine)) or [Form("", "POST", {"reason": "trying", "note": "trying"})]
        for address in mixtures(app, route, mine, theirs):
            for form in forms:
                response = send(address, form.fields)
                if response.status_code not in {403, 404}:
                    faults.append(f"POST {address}: {response.status_code}, not 404")
    assert rows_of(app, other.tenant.id) == before
    for form in sorted(walk.forms.values(), key=lambda form: ("delete" in form.action, form.action)):
        if form.action not in {"/logout", "/account/password"}:
            send(form.action, _pretended(form, theirs))
    assert faults == []
    assert rows_of(app, other.tenant.id) == before


def test_a_log_in_of_one_cannot_choose_the_other(app: Flask, own: Twin, other: Twin) -> None:
    client = visitor(app, own, Role.ADMINISTRATOR)
    with client.session_transaction() as cookie:
        cookie["organisation_id"] = other.tenant.id
        cookie["entity"] = other.keys["entity"][0]
        cookie["policy"] = other.keys["policy"][0]
    for route in get_routes(app):
        if not route.rule.arguments and route.endpoint not in {"health.healthz", "health.readyz"}:
            text = readable(client.get(filled(app, route, {}), follow_redirects=True, buffered=True))
            assert leaks(text, {OTHER.casefold()}, set()) == [], str(route)


# The scope itself: whatever shape a statement has, it is narrowed, and without a scope it finds nothing.


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
        for twin, foreign in ((own, OTHER), (other, OWN), (own, OTHER)):
            with within(twin.tenant.id):
                found = _names(session, make())
            if not any(twin.mark in name.upper() for name in found) or any(foreign in name.upper() for name in found):
                wrong.append(f"{shape} within {twin.mark}: {sorted(found)[:5]}")
        try:
            found = _names(session, make())
        except NoScope:
            continue
        if any(OWN in name.upper() or OTHER in name.upper() for name in found):
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


@pytest.mark.parametrize("shape", sorted(_WITHOUT_A_CLASS))
def test_a_statement_that_hides_its_class_is_refused_or_narrowed(app: Flask, pair: tuple[Session, Twin, Twin], shape: str) -> None:
    """Such a statement escapes the criteria that narrow the others, so it may not run at all."""
    session, own, other = pair
    before = rows_of(app, other.tenant.id)
    statement = _WITHOUT_A_CLASS[shape]()
    with within(own.tenant.id):
        try:
            result = session.execute(statement)
            found = {str(value) for value in result.scalars()} if isinstance(statement, sa.Select) else set()
            session.flush()
        except NoScope:
            found = set()
    assert not any(OTHER in name for name in found)
    session.commit()
    assert rows_of(app, other.tenant.id) == before


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
