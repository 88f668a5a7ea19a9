"""Public numbers in a file: they make new buyers recognisable, and bring customers to the buyers they are."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from support.import_ledgers import TODAY, Ledger, line

from insureflow.domain.buyers import IdentifierScheme
from insureflow.models.buyers import Buyer, BuyerIdentifier, BuyerName, CustomerNumber
from insureflow.models.database import db
from insureflow.models.scope import within
from insureflow.services import buyers
from insureflow.services.buyers import BuyerDetails, IdentifierEntry

VAT, REGISTRATION, LEI = IdentifierScheme.VAT, IdentifierScheme.REGISTRATION, IdentifierScheme.LEI
GERMAN, OTHER_GERMAN = "DE136695976", "DE129274202"
SWEDISH, OTHER_SWEDISH = "556703-7485", "556016-0680"
ENTITY_IDENTIFIER = "529900T8BM49AURSDO55"


def numbers_of(ledger: Ledger) -> dict[str, list[tuple[str, str, str, bool]]]:
    """The public numbers by legal name."""
    with within(ledger.tenant.id):
        rows = db.session.execute(
            select(Buyer.legal_name, BuyerIdentifier)
            .join(BuyerIdentifier, BuyerIdentifier.buyer_id == Buyer.id)
            .order_by(Buyer.legal_name, BuyerIdentifier.scheme, BuyerIdentifier.value)
        ).all()
    found: dict[str, list[tuple[str, str, str, bool]]] = {}
    for name, each in rows:
        found.setdefault(name, []).append((each.scheme.value, each.country, each.value, each.checked))
    return found


def accounts_of(ledger: Ledger) -> dict[str, str]:
    """The buyer's name by customer number."""
    with within(ledger.tenant.id):
        statement = select(CustomerNumber.number, Buyer.legal_name).join(Buyer, Buyer.id == CustomerNumber.buyer_id)
        return {row.number: row.legal_name for row in db.session.execute(statement)}


def known_buyer(ledger: Ledger, name: str, country: str, *identifiers: tuple[IdentifierScheme, str]) -> int:
    """A buyer that somebody has entered, without a customer number."""
    entries = tuple(IdentifierEntry(scheme, country, value) for scheme, value in identifiers)
    return buyers.add_buyer(ledger.tenant.actor(), ledger.tenant.id, BuyerDetails(name, country, identifiers=entries)).id


def test_numbers_of_new_buyers_are_kept_in_their_one_form(ledger: Ledger) -> None:
    empty = ledger.dump()
    outcome = ledger.take(
        line("A1", vat_number="de 136 695 976", lei=ENTITY_IDENTIFIER.lower()),
        line("A2", customer="1002", country="SE", registration_number=SWEDISH),
        line("A3", customer="1002", country="SE", vat_number="556703748501"),
        line("A4", customer="1003", country="AT", vat_number=OTHER_GERMAN),
        line("A5", customer="1004", country="ZW", registration_number="CR-77/2001"),
        line("A6", customer="1005", country="ZW", registration_number="n/a"),
    )
    assert numbers_of(ledger) == {
        "Customer 1001": [("lei", "DE", ENTITY_IDENTIFIER, True), ("vat", "DE", GERMAN, True)],
        "Customer 1002": [("registration", "SE", "5567037485", True), ("vat", "SE", "SE556703748501", True)],
        "Customer 1003": [("vat", "DE", OTHER_GERMAN, True)],
        "Customer 1004": [("registration", "ZW", "CR-77/2001", False)],
    }
    assert [(each.row, each.column, each.value, each.code) for each in outcome.warnings] == [
        (7, "registration_number", "n/a", "number_format")
    ]
    assert (outcome.counts["new_buyers"], outcome.counts["joined_buyers"], outcome.counts["warnings"]) == (5, 0, 1)
    ledger.undo(outcome)
    assert ledger.dump() == empty


def test_a_number_that_cannot_be_right_is_told_and_left_out(ledger: Ledger) -> None:
    outcome = ledger.take(
        line("A1", vat_number="DE136695977"), line("A2", vat_number="DE136695977"), line("A3", customer="1002", registration_number="17")
    )
    assert outcome.state == "done"
    found = [(each.row, each.column, each.value, each.code, each.parameters["country"]) for each in outcome.warnings]
    assert found == [
        (2, "vat_number", "DE136695977", "number_check_digit", "DE"),
        (4, "registration_number", "17", outcome.warnings[1].code, "DE"),
    ]
    assert numbers_of(ledger) == {}


def test_a_customer_joins_the_buyer_that_its_number_names(ledger: Ledger) -> None:
    known_buyer(ledger, "Rhein Stahl GmbH", "DE", (VAT, GERMAN))
    known_buyer(ledger, "Norr AB", "SE", (REGISTRATION, SWEDISH))
    before = ledger.dump()
    rows = [
        line("A1", vat_number="136695976"),
        line("A2", customer="1002", country="SE", registration_number=SWEDISH),
        line("A3", "5.00", "1003"),
    ]
    dry = ledger.take(*rows, dry_run=True)
    assert dry.joined == (("1001", "Rhein Stahl GmbH"), ("1002", "Norr AB"))
    assert ledger.dump() == before
    outcome = ledger.take(*rows)
    assert (outcome.counts["new_buyers"], outcome.counts["joined_buyers"]) == (1, 2)
    assert accounts_of(ledger) == {"1001": "Rhein Stahl GmbH", "1002": "Norr AB", "1003": "Customer 1003"}
    with within(ledger.tenant.id):
        assert sorted(db.session.scalars(select(BuyerName.name))) == ["Customer 1001", "Customer 1002"]
    assert ledger.take(*rows).state == "unchanged"
    ledger.undo(outcome)
    assert ledger.dump() == before
    refused = ledger.take(*rows, create_buyers=False)
    assert [(each.row, each.code) for each in refused.problems] == [(4, "buyer_unknown_in_file")]


def test_two_customer_numbers_of_one_company_are_one_new_buyer(ledger: Ledger) -> None:
    outcome = ledger.take(
        line("A1", country="SE", registration_number=SWEDISH),
        line("A2", customer="1002", country="SE", registration_number="5567037485", vat_number="SE556703748501"),
    )
    assert (outcome.counts["new_buyers"], outcome.counts["joined_buyers"]) == (1, 1)
    assert accounts_of(ledger) == {"1001": "Customer 1001", "1002": "Customer 1001"}
    assert len(numbers_of(ledger)["Customer 1001"]) == 2
    assert ledger.undo(outcome) == 2
    assert ledger.count(Buyer) == ledger.count(CustomerNumber) == 0


def test_companies_that_share_a_vat_number_stay_apart(ledger: Ledger) -> None:
    known_buyer(ledger, "Norr AB", "SE", (REGISTRATION, SWEDISH), (VAT, "SE556703748501"))
    outcome = ledger.take(line("A1", country="SE", registration_number=OTHER_SWEDISH, vat_number="SE556703748501"))
    assert [(each.column, each.code, each.parameters["buyer"]) for each in outcome.warnings] == [
        ("vat_number", "number_of_other_buyer", "Norr AB")
    ]
    assert accounts_of(ledger) == {"1001": "Customer 1001"}
    assert numbers_of(ledger)["Customer 1001"] == [("registration", "SE", "5560160680", True)]


def test_numbers_of_two_buyers_bring_a_new_one_and_say_so(ledger: Ledger) -> None:
    known_buyer(ledger, "Norr AB", "SE", (REGISTRATION, SWEDISH))
    known_buyer(ledger, "Norr Holding AB", "SE", (LEI, ENTITY_IDENTIFIER))
    outcome = ledger.take(
        line("A1", country="DE", vat_number=GERMAN),
        line("A2", customer="1002", country="SE", registration_number=SWEDISH, lei=ENTITY_IDENTIFIER),
    )
    assert [(each.column, each.parameters["buyer"]) for each in outcome.warnings] == [
        ("lei", "Norr Holding AB"),
        ("registration_number", "Norr AB"),
    ]
    assert accounts_of(ledger)["1002"] == "Customer 1002"


def test_a_number_whose_form_nobody_checks_never_decides(ledger: Ledger) -> None:
    known_buyer(ledger, "Harare Trading", "ZW", (REGISTRATION, "1234"))
    outcome = ledger.take(line("A1", country="ZW", registration_number="1234"))
    assert [each.code for each in outcome.warnings] == ["number_of_other_buyer"]
    assert accounts_of(ledger) == {"1001": "Customer 1001"}


def test_known_customers_keep_what_is_known_of_them(ledger: Ledger) -> None:
    ledger.take(line("A1"))
    outcome = ledger.take(line("A2", vat_number=GERMAN, document_date=date(2026, 5, 5).isoformat()))
    assert (outcome.counts["joined_buyers"], outcome.warnings, numbers_of(ledger)) == (0, (), {})
    assert ledger.order.as_of == TODAY
