"""Buyers as the services keep them: added, changed, reviewed, merged and put away."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from support.accounts import TODAY, Account, add_buyer, add_invoice, make_account, within

from insureflow.domain.buyers import AddressKind, BuyerStatus, IdentifierScheme, NameKind, NotInsurable
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.limits import AccountActKind, LimitSituation
from insureflow.models.buyers import Buyer, CustomerNumber
from insureflow.models.cover import InvoicePosition
from insureflow.models.database import db
from insureflow.models.journal import JournalEntry
from insureflow.models.receivables import Invoice
from insureflow.queries.buyers import (
    buyer_listing,
    children_of,
    count_to_review,
    figures_of,
    find_buyer,
    find_similar,
    happenings_of,
    journal_of,
    open_invoices_of,
    search_buyers,
)
from insureflow.queries.listing import Narrowing
from insureflow.services import buyers, journal, limits
from insureflow.services.buyers import Address, BuyerDetails, IdentifierEntry, NewBuyer
from insureflow.services.limits import NewAct, NewDecision
from insureflow.services.transaction import transaction


@pytest.fixture
def account(app: Flask) -> Account:
    return make_account(app)


@pytest.fixture(autouse=True)
def context(app: Flask, account: Account) -> Any:
    with app.app_context(), within(account.organisation_id):
        yield
        db.session.remove()


def details(account: Account) -> BuyerDetails:
    return buyers.details_of(buyers.get_buyer(db.session(), account.buyer_id))


def change(account: Account, **changes: Any) -> Buyer:
    new = replace(details(account), **changes)
    return buyers.change_buyer(account.tenant.actor(), account.organisation_id, account.buyer_id, new, TODAY)


def last_entry() -> JournalEntry:
    entry = db.session.scalars(select(JournalEntry).order_by(JournalEntry.sequence.desc())).first()
    assert entry is not None
    return entry


FULL = BuyerDetails(
    legal_name="  Åkerlöf   & Söner AB ",
    country="SE",
    names=((NameKind.TRADING, "Åkerlöfs"), (NameKind.TRADING, " ")),
    language="sv",
    sector="46.69",
    identifiers=(
        IdentifierEntry(IdentifierScheme.VAT, "SE", "556703748501"),
        IdentifierEntry(IdentifierScheme.REGISTRATION, "", "556703-7485"),
    ),
    addresses=(Address(AddressKind.REGISTERED, "", "Storgatan 1", "111 22", "Stockholm"), Address(AddressKind.INVOICE, "SE")),
    insurer_numbers=(("Atradius", "  4711 "),),
)


def test_a_buyer_is_kept_in_its_one_written_form(account: Account) -> None:
    made = buyers.add_buyer(account.tenant.actor(), account.organisation_id, FULL)
    found = find_buyer(made.id)
    assert found is not None
    kept = buyers.details_of(found)
    assert (kept.legal_name, kept.sector, found.search_name) == ("Åkerlöf & Söner AB", "46", "akerlof and soner")
    assert [(each.scheme, each.country, each.value, each.checked) for each in kept.identifiers] == [
        (IdentifierScheme.REGISTRATION, "SE", "5567037485", True),
        (IdentifierScheme.VAT, "SE", "SE556703748501", True),
    ]
    assert kept.names == ((NameKind.TRADING, "Åkerlöfs"),)
    assert kept.addresses == (Address(AddressKind.REGISTERED, "SE", "Storgatan 1", "111 22", "Stockholm"),)
    assert kept.insurer_numbers == (("Atradius", "4711"),)
    assert last_entry().action == "buyer.added"


def test_all_problems_of_a_buyer_are_told_at_once(account: Account) -> None:
    wrong = BuyerDetails(
        legal_name=" ",
        country="QQ",
        language="xx-nonsense",
        sector="04",
        identifiers=(IdentifierEntry(IdentifierScheme.VAT, "DE", "DE136695977"), IdentifierEntry(IdentifierScheme.LEI, "ZZ", "x")),
        addresses=(Address(AddressKind.REGISTERED, "QX", "Street"),),
    )
    with pytest.raises(InvalidValues) as refusal:
        buyers.add_buyer(account.tenant.actor(), account.organisation_id, wrong)
    assert [problem.code for problem in refusal.value.problems] == [
        "buyer_name_empty",
        "country_unknown",
        "language_unknown",
        "sector_unknown",
        "number_check_digit",
        "country_unknown",
        "country_unknown",
    ]
    with pytest.raises(InvalidValues, match="name_too_long"):
        buyers.add_buyer(account.tenant.actor(), account.organisation_id, BuyerDetails("x" * 301, "DE"))


def test_numbers_belong_to_one_buyer(account: Account) -> None:
    buyers.add_buyer(account.tenant.actor(), account.organisation_id, FULL)
    double = replace(FULL, customer_numbers=((account.tenant.entity_id, "1001"), (999_999, "7")), parent_id=999_999)
    with pytest.raises(InvalidValues) as refusal:
        buyers.add_buyer(account.tenant.actor(), account.organisation_id, double)
    assert sorted(problem.code for problem in refusal.value.problems) == [
        "entity_not_found",
        "number_taken",
        "number_taken",
        "number_taken",
        "number_taken",
        "parent_unknown",
    ]


def test_a_change_is_journalled_with_what_differs_alone(account: Account) -> None:
    count = journal.count_entries(account.organisation_id)
    change(account)
    assert journal.count_entries(account.organisation_id) == count
    change(account, legal_name="Müller AG", names=((NameKind.FORMER, "Müller GmbH"),))
    entry = last_entry()
    assert (entry.action, entry.before, entry.after) == (
        "buyer.changed",
        {"legal_name": "Müller GmbH", "names": None},
        {"legal_name": "Müller AG", "names": [{"kind": "former", "name": "Müller GmbH"}]},
    )


def test_what_cover_depends_on_is_worked_out_anew(account: Account) -> None:
    new = NewDecision(account.buyer_id, account.policy_id, 50_000_00, "EUR", date(2026, 1, 1))
    limits.record_decision(account.tenant.actor(), account.organisation_id, new, TODAY)
    add_invoice(account, "A1", 10_000_00)
    change(account, not_insurable=NotInsurable.AFFILIATE)
    position = db.session.scalars(select(InvoicePosition).where(InvoicePosition.valid_from <= TODAY)).all()[-1]
    assert (position.primary_minor, position.excluded_reason) == (0, "buyer_not_insurable")


def test_a_group_has_no_circle(account: Account) -> None:
    daughter = add_buyer(account.tenant, "Müller Tochter GmbH")
    granddaughter = add_buyer(account.tenant, "Müller Enkelin GmbH")
    for key, parent in ((daughter, account.buyer_id), (granddaughter, daughter)):
        new = replace(buyers.details_of(buyers.get_buyer(db.session(), key)), parent_id=parent)
        buyers.change_buyer(account.tenant.actor(), account.organisation_id, key, new, TODAY)
    assert [child.id for child in children_of(account.buyer_id)] == [daughter]
    with pytest.raises(InvalidValues, match="group_closes_circle"):
        change(account, parent_id=granddaughter)
    with pytest.raises(InvalidValues, match="group_closes_circle"):
        change(account, parent_id=account.buyer_id)


def test_a_customer_number_with_invoices_stays(account: Account) -> None:
    add_invoice(account, "A1", 10_000_00)
    with pytest.raises(Refusal, match="number_in_use"):
        change(account, customer_numbers=())
    change(account, customer_numbers=((account.tenant.entity_id, "1001"), (account.tenant.entity_id, "1002")))


def test_a_buyer_that_owes_is_not_put_away(account: Account) -> None:
    add_invoice(account, "A1", 10_000_00)
    with pytest.raises(Refusal, match="buyer_owes"):
        buyers.archive_buyer(account.tenant.actor(), account.organisation_id, account.buyer_id)
    other = add_buyer(account.tenant, "Quiet Oy", "FI")
    assert buyers.archive_buyer(account.tenant.actor(), account.organisation_id, other).status is BuyerStatus.ARCHIVED
    assert buyers.archive_buyer(account.tenant.actor(), account.organisation_id, other).status is BuyerStatus.ARCHIVED
    assert "Quiet Oy" not in {row["name"] for row in buyer_listing(TODAY).page(Narrowing(), None, 1, 50).rows}
    assert "Quiet Oy" in {row["name"] for row in buyer_listing(TODAY, with_archived=True).page(Narrowing(), None, 1, 50).rows}
    assert buyers.restore_buyer(account.tenant.actor(), account.organisation_id, other).status is BuyerStatus.ACTIVE
    assert buyers.restore_buyer(account.tenant.actor(), account.organisation_id, other).status is BuyerStatus.ACTIVE
    with pytest.raises(Refusal, match="buyer_unknown"):
        buyers.archive_buyer(account.tenant.actor(), account.organisation_id, 999_999)


def test_buyers_of_a_ledger_wait_for_review(account: Account) -> None:
    entity = account.tenant.entity_id
    with transaction(account.organisation_id) as session:
        rows = [
            NewBuyer(entity, "1001", "Known already", "DE"),
            NewBuyer(entity, "2001", "New  One", "FR"),
            NewBuyer(entity, "2002", None, "IT"),
        ]
        keys = buyers.create_many_for_review(session, [*rows, rows[1]])
        assert keys[entity, "1001"] == account.buyer_id
        assert buyers.create_for_review(session, entity, "2001", "New One", "FR") == keys[entity, "2001"]
    made = buyers.get_buyer(db.session(), keys[entity, "2001"])
    assert (made.legal_name, made.status, made.search_name) == ("New One", BuyerStatus.TO_REVIEW, "new one")
    assert buyers.get_buyer(db.session(), keys[entity, "2002"]).legal_name == "2002"
    assert count_to_review() == 2
    assert buyers.confirm_buyers(account.tenant.actor(), account.organisation_id, [made.id]) == 1
    assert buyers.confirm_buyers(account.tenant.actor(), account.organisation_id, [made.id]) == 0
    assert last_entry().subject == "New One"
    assert buyers.confirm_buyers(account.tenant.actor(), account.organisation_id, keys.values()) == 1
    with pytest.raises(Refusal, match="buyer_unknown"):
        buyers.confirm_buyers(account.tenant.actor(), account.organisation_id, [999_999])


def test_many_buyers_keep_their_own_numbers(account: Account) -> None:
    rows = [NewBuyer(account.tenant.entity_id, f"N{number:05}", f"Buyer {number}", "SE") for number in range(12_000)]
    with transaction(account.organisation_id) as session:
        keys = buyers.create_many_for_review(session, rows)
    pairs = db.session.execute(
        select(CustomerNumber.number, Buyer.legal_name)
        .join(Buyer, Buyer.id == CustomerNumber.buyer_id)
        .where(Buyer.status == BuyerStatus.TO_REVIEW)
    )
    assert dict(tuple(row) for row in pairs) == {row.number: row.name for row in rows}
    assert len(set(keys.values())) == 12_000


def merge(account: Account, kept: int, merged: int) -> Buyer:
    return buyers.merge_buyers(account.tenant.actor(), account.organisation_id, kept, merged, TODAY)


def test_two_that_are_one_become_one(account: Account) -> None:
    double = buyers.add_buyer(
        account.tenant.actor(),
        account.organisation_id,
        BuyerDetails(
            "Mueller Handels GmbH",
            "DE",
            names=((NameKind.FORMER, "Mueller KG"),),
            sector="46",
            parent_id=account.buyer_id,
            identifiers=(IdentifierEntry(IdentifierScheme.VAT, "DE", "DE136695976"),),
            addresses=(Address(AddressKind.REGISTERED, "DE", "Ring 2", "10115", "Berlin"),),
            customer_numbers=((account.tenant.entity_id, "1009"),),
        ),
    ).id
    below = buyers.add_buyer(account.tenant.actor(), account.organisation_id, BuyerDetails("Below GmbH", "DE", parent_id=double)).id
    limits.record_decision(
        account.tenant.actor(), account.organisation_id, NewDecision(double, account.policy_id, 50_000_00, "EUR", date(2026, 1, 1)), TODAY
    )
    add_invoice(account, "A1", 20_000_00)
    add_invoice(account, "B1", 40_000_00, buyer_id=double)
    kept = merge(account, account.buyer_id, double)
    known = buyers.details_of(kept)
    assert {number for _entity, number in known.customer_numbers} == {"1001", "1009"}
    assert {name for _kind, name in known.names} == {"Mueller Handels GmbH", "Mueller KG"}
    assert (known.sector, len(known.identifiers), len(known.addresses)) == ("46", 1, 1)
    assert db.session.scalar(select(func.count(Invoice.id)).where(Invoice.buyer_id == kept.id)) == 2
    assert db.session.scalar(select(Buyer.parent_id).where(Buyer.id == below)) == kept.id
    assert find_buyer(double) is None
    [figures] = figures_of(kept.id, TODAY)
    assert (figures.open.minor, figures.covered.minor, figures.uncovered.minor, figures.limit.minor) == (
        60_000_00,
        50_000_00,
        10_000_00,
        50_000_00,
    )
    entry = last_entry()
    assert entry.action == "buyer.merged"
    assert entry.after is not None
    assert entry.after["moved"] == {"invoice": 1, "limit_decision": 1}
    assert journal.verify(account.organisation_id).is_sound


def test_a_buyer_that_hung_below_the_other_takes_its_place(account: Account) -> None:
    top = add_buyer(account.tenant, "Top GmbH")
    middle = buyers.add_buyer(account.tenant.actor(), account.organisation_id, BuyerDetails("Middle GmbH", "DE", parent_id=top)).id
    change(account, parent_id=middle)
    assert merge(account, account.buyer_id, top).parent_id is None
    assert db.session.scalar(select(Buyer.parent_id).where(Buyer.id == middle)) == account.buyer_id


def test_two_debtors_of_the_insurer_are_not_made_one(account: Account) -> None:
    double = add_buyer(account.tenant, "Mueller Handels GmbH")
    for key, number in ((account.buyer_id, "A-1"), (double, "A-2")):
        new = replace(buyers.details_of(buyers.get_buyer(db.session(), key)), insurer_numbers=(("Atradius", number),))
        buyers.change_buyer(account.tenant.actor(), account.organisation_id, key, new, TODAY)
        limits.record_decision(
            account.tenant.actor(), account.organisation_id, NewDecision(key, account.policy_id, 50_000_00, "EUR", date(2026, 1, 1)), TODAY
        )
    with pytest.raises(Refusal) as refusal:
        merge(account, account.buyer_id, double)
    assert refusal.value.code == "insurer_numbers_differ"
    assert (refusal.value.parameters["kept_number"], refusal.value.parameters["merged_number"]) == ("A-1", "A-2")


def test_a_merge_needs_two_buyers_of_one_country(account: Account) -> None:
    with pytest.raises(Refusal, match="merge_with_itself"):
        merge(account, account.buyer_id, account.buyer_id)
    with pytest.raises(Refusal, match="countries_differ_in_merge"):
        merge(account, account.buyer_id, add_buyer(account.tenant, "Müller", "FR"))


def test_the_list_shows_what_is_owed_and_how_the_limit_stands(account: Account) -> None:
    limits.record_decision(
        account.tenant.actor(),
        account.organisation_id,
        NewDecision(account.buyer_id, account.policy_id, 50_000_00, "EUR", date(2026, 1, 1)),
        TODAY,
    )
    add_invoice(account, "A1", 60_000_00)
    limits.record_act(
        account.tenant.actor(),
        account.organisation_id,
        NewAct(account.buyer_id, account.policy_id, AccountActKind.STOP_COVER, date(2026, 6, 1)),
        TODAY,
    )
    add_buyer(account.tenant, "Nobody Asked SARL", "FR", number="77")
    page = buyer_listing(TODAY).page(Narrowing(), None, 1, 50)
    assert [row["name"] for row in page.rows] == ["Müller GmbH", "Nobody Asked SARL"]
    row = page.rows[0]
    assert {name: row[name] for name in ("open", "limit", "covered", "uncovered", "overdue")} == {
        "open": (60_000_00, "EUR"),
        "limit": (50_000_00, "EUR"),
        "covered": (50_000_00, "EUR"),
        "uncovered": (10_000_00, "EUR"),
        "overdue": (60_000_00, "EUR"),
    }
    assert (row["situation"], row["stopped"], row["over_limit"]) == (LimitSituation.IN_FORCE, "yes", "yes")
    assert page.rows[1]["situation"] is LimitSituation.NEVER_ASKED
    assert page.totals["open"] == [(60_000_00, "EUR")]
    for search in ("muller", "MÜLLER gmbh", "1001"):
        assert buyer_listing(TODAY).page(Narrowing(search), None, 1, 50).total_rows == 1, search
    assert buyer_listing(TODAY).page(Narrowing(choices={"situation": ["never_asked"]}), None, 1, 50).total_rows == 1
    assert buyer_listing(TODAY).page(Narrowing(choices={"stopped": ["yes"], "over_limit": ["yes"]}), None, 1, 50).total_rows == 1
    assert buyer_listing(TODAY, policy_id=account.policy_id).page(Narrowing(), None, 1, 50).total_rows == 1
    assert buyer_listing(TODAY, entity_id=account.tenant.entity_id).page(Narrowing(), None, 1, 50).total_rows == 2
    assert buyer_listing(date(2025, 12, 31)).page(Narrowing(), None, 1, 50).rows[0]["open"] is None


def test_the_page_of_a_buyer_finds_what_belongs_to_it(app: Flask, account: Account) -> None:
    invoice = add_invoice(account, "A1", 60_000_00)
    made = limits.record_act(
        account.tenant.actor(),
        account.organisation_id,
        NewAct(account.buyer_id, account.policy_id, AccountActKind.STOP_COVER, date(2026, 6, 1)),
        TODAY,
    )
    twin = add_buyer(account.tenant, "Muller Trading GmbH")
    buyer = find_buyer(account.buyer_id)
    assert buyer is not None
    assert [each.id for each in find_similar(buyer)] == [twin]
    assert [each.id for each in search_buyers("müller", without=account.buyer_id)] == [twin]
    assert [each.id for each in search_buyers("1001")] == [account.buyer_id]
    assert search_buyers("  ") == []
    assert [found.id for found, _position in open_invoices_of(account.buyer_id, TODAY)] == [invoice]
    assert [entry.kind.value for entry in happenings_of(account.buyer_id, TODAY)] == ["act", "invoice"]
    limits.remove_act(account.tenant.actor(), account.organisation_id, made.id, "wrong buyer", TODAY)
    assert [entry.action for entry in journal_of(account.buyer_id)] == ["act.removed", "buyer.added"]
    other = make_account(app, "Baltic Valves")
    with within(other.organisation_id):
        assert find_buyer(account.buyer_id) is None
        assert figures_of(account.buyer_id, TODAY) == []
        assert [row["name"] for row in buyer_listing(TODAY).page(Narrowing(), None, 1, 50).rows] == ["Müller GmbH"]
        assert buyer_listing(TODAY).page(Narrowing(), None, 1, 50).rows[0]["open"] is None
