"""Changing policies: validated, dated, journalled, followed by the cover, and never at the cost of what rests on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from support.tenants import Tenant, make_tenant

from insureflow.domain.buyers import BuyerStatus
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.models.buyers import Buyer
from insureflow.models.cover import InvoicePosition
from insureflow.models.journal import JournalEntry
from insureflow.models.policies import InsuredEntity, Policy, PolicyTermsVersion
from insureflow.models.receivables import Invoice
from insureflow.queries import policies as queries
from insureflow.queries.listing import Narrowing
from insureflow.services import journal, policies
from insureflow.services.scoping import within
from insureflow.services.transaction import transaction

START, TODAY = date(2026, 1, 1), date(2026, 6, 1)


@pytest.fixture
def tenant(session: Session, app: Any) -> Tenant:
    return make_tenant(app, entities={"SE01": ("SE", "SEK"), "NL01": ("NL", "EUR")}, roles=())


def add(tenant: Tenant, **more: Any) -> Policy:
    values: dict[str, Any] = {"number": "AT-1", "name": "Atradius", "preset": "atradius-nl", "currency": "EUR", "entities": ["NL01"]}
    return policies.add_policy(journal.Actor(None, "test"), tenant.id, **{"effective_on": START, "on": TODAY, **values, **more})


def add_invoice(session: Session, tenant: Tenant, *, shipped_on: date = date(2026, 2, 2)) -> Invoice:
    from insureflow.services.cover import refresh_buyers

    with transaction(tenant.id) as unit:
        buyer = Buyer(
            legal_name="Dupont",
            search_name="dupont",
            country="FR",
            status=BuyerStatus.ACTIVE,
            natural_person=False,
            created_at=datetime.now(UTC),
        )
        unit.add(buyer)
        unit.flush()
        invoice = Invoice(
            entity_id=tenant.entities["NL01"], buyer_id=buyer.id, number="1", currency="EUR", net_minor=10000, vat_minor=0, open_minor=10000,
            invoice_on=shipped_on, shipment_on=shipped_on, due_on=date(2026, 3, 4), original_due_on=date(2026, 3, 4),
        )  # fmt: skip
        unit.add(invoice)
        refresh_buyers(unit, [buyer.id], TODAY)
    return invoice


def entries(session: Session, tenant: Tenant) -> Sequence[JournalEntry]:
    with within(tenant.id):
        return session.scalars(select(JournalEntry).where(JournalEntry.subject_type == "policy").order_by(JournalEntry.sequence)).all()


def test_a_new_policy_is_written_with_its_terms_entities_and_one_entry(session: Session, tenant: Tenant) -> None:
    policy = add(tenant, overrides={"insured_percentage": "90"}, entities=["SE01", tenant.entities["NL01"]], note="first")
    assert (policy.insurer, policy.product, policy.preset, policy.limit_currency) == ("Atradius", "Modula", "atradius-nl", "EUR")
    with within(tenant.id):
        assert set(session.scalars(select(InsuredEntity.entity_id))) == set(tenant.entities.values())
        version = session.scalars(select(PolicyTermsVersion)).one()
    assert version.data["insured_percentage"] == {"default": "90"}
    assert version.data["currency"] == "EUR"
    (entry,) = entries(session, tenant)
    assert (entry.action, entry.before) == ("policy.added", None)
    assert entry.after is not None
    assert entry.after["terms"] == version.data
    assert entry.after["entities"] == ["SE01", "NL01"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"number": " "}, "policy_number_empty"),
        ({"currency": "EURO"}, "not_a_currency"),
        ({"entities": []}, "policy_entities_missing"),
        ({"entities": ["XX"]}, "entity_unknown"),
        ({"preset": "nobody"}, "preset_unknown"),
        ({"preset": None, "insurer": "Own"}, "policy_terms_missing"),
        ({"terms": {"currency": "USD"}}, "policy_currency_fixed"),
        ({"terms": {"limit_currency": "USD"}}, "policy_limit_currency_fixed"),
        ({"overrides": {"maximum_credit_terms.days": -1}}, "out_of_range"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_and_nothing_is_written(
    session: Session, tenant: Tenant, values: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refusal) as caught:
        add(tenant, **values)
    refusal = caught.value
    codes = {problem.code for problem in refusal.problems} if isinstance(refusal, InvalidValues) else {refusal.code}
    assert codes == {code}
    with within(tenant.id):
        assert session.scalars(select(Policy)).all() == []
    assert entries(session, tenant) == []


def test_a_number_stands_once(session: Session, tenant: Tenant) -> None:
    add(tenant)
    with pytest.raises(Refusal, match="policy_exists"):
        add(tenant)
    other = make_tenant(session_app(), "Other", entities={"NL01": ("NL", "EUR")}, roles=())
    assert add(other).number == "AT-1"


def session_app() -> Any:
    from flask import current_app

    return current_app


def test_terms_are_dated_and_the_entry_tells_the_difference(session: Session, tenant: Tenant) -> None:
    actor = journal.Actor(None, "test")
    policy = add(tenant)
    later = policies.add_terms_version(
        actor,
        tenant.id,
        policy.id,
        effective_on=date(2026, 7, 1),
        overrides={"maximum_extension_period.days": 45},
        note="endorsement",
        on=TODAY,
    )
    with within(tenant.id):
        versions = queries.list_versions(policy.id)
        assert queries.version_on(versions, date(2026, 6, 30)) is versions[0]
        assert queries.version_on(versions, date(2026, 7, 1)) is versions[1]
        assert queries.version_on(versions, date(2020, 1, 1)) is versions[0]
        assert queries.version_on([], TODAY) is None
    entry = entries(session, tenant)[-1]
    assert entry.action == "policy.terms_added"
    assert entry.before == {"effective_on": "2026-01-01", "terms": {"maximum_extension_period": {"days": 60, "from": "original_due_date"}}}
    assert entry.after == {
        "effective_on": "2026-07-01",
        "note": "endorsement",
        "terms": {"maximum_extension_period": {"days": 45, "from": "original_due_date"}},
    }
    with pytest.raises(Refusal, match="terms_exist_on_day"):
        policies.add_terms_version(actor, tenant.id, policy.id, effective_on=date(2026, 7, 1), overrides={"vat_covered": True}, on=TODAY)
    with pytest.raises(Refusal, match="terms_unchanged"):
        policies.add_terms_version(actor, tenant.id, policy.id, effective_on=date(2026, 8, 1), on=TODAY)
    with pytest.raises(Refusal, match="terms_unchanged"):
        policies.correct_terms_version(actor, tenant.id, later.id, on=TODAY)
    with pytest.raises(Refusal, match="terms_exist_on_day"):
        policies.correct_terms_version(actor, tenant.id, later.id, effective_on=START, on=TODAY)
    policies.correct_terms_version(actor, tenant.id, later.id, effective_on=date(2026, 7, 15), overrides={"vat_covered": True}, on=TODAY)
    entry = entries(session, tenant)[-1]
    assert (entry.before or {})["effective_on"] == "2026-07-01"
    assert (entry.after or {})["terms"] == {"vat_covered": True}
    policies.delete_terms_version(actor, tenant.id, later.id, on=TODAY)
    with within(tenant.id):
        (first,) = queries.list_versions(policy.id)
    with pytest.raises(Refusal, match="policy_last_terms"):
        policies.delete_terms_version(actor, tenant.id, first.id, on=TODAY)
    assert [each.action for each in entries(session, tenant)] == [
        "policy.added",
        "policy.terms_added",
        "policy.terms_corrected",
        "policy.terms_deleted",
    ]
    assert journal.verify(tenant.id).is_sound


def test_cover_follows_every_change(session: Session, tenant: Tenant) -> None:
    """An invoice is worked out under the policy of its entity as soon as there is one, and without it as soon as there is none."""
    actor = journal.Actor(None, "test")
    invoice = add_invoice(session, tenant)

    def reason() -> str | None:
        session.expire_all()
        with within(tenant.id):
            statement = select(InvoicePosition.excluded_reason).where(
                InvoicePosition.invoice_id == invoice.id, InvoicePosition.valid_from <= TODAY, InvoicePosition.valid_to > TODAY
            )
            return session.scalar(statement)

    assert reason() == "no_policy"
    policy = add(tenant)
    assert reason() == "no_limit"
    with within(tenant.id):
        version_id = queries.list_versions(policy.id)[0].id
        assert queries.usage_of(policy.id, TODAY) == queries.Usage(10000, 0, 1, 1, 1, 0)
        page = queries.policies_listing(TODAY).page(Narrowing(), None, 1, 10)
        assert (page.rows[0]["open"], page.rows[0]["covered"], page.rows[0]["since"]) == ((10000, "EUR"), (0, "EUR"), START)
    policies.correct_terms_version(actor, tenant.id, version_id, overrides={"countries_covered": ["DE"]}, on=TODAY)
    assert reason() == "country_not_covered"
    policies.add_terms_version(actor, tenant.id, policy.id, effective_on=date(2026, 2, 1), overrides={"countries_covered": None}, on=TODAY)
    assert reason() == "no_limit", "the terms of the day of shipment count"
    policies.set_insured_entities(actor, tenant.id, policy.id, entities=["SE01"], on=TODAY)
    assert reason() == "no_policy"


def test_a_policy_that_receivables_rest_on_is_not_deleted(session: Session, tenant: Tenant) -> None:
    actor = journal.Actor(None, "test")
    add_invoice(session, tenant)
    policy = add(tenant)
    with pytest.raises(Refusal) as caught:
        policies.delete_policy(actor, tenant.id, policy.id, on=TODAY)
    assert (caught.value.code, caught.value.parameters["invoices"]) == ("policy_in_use", 1)
    unused = add(tenant, number="AT-2", priority=200)
    policies.delete_policy(actor, tenant.id, unused.id, on=TODAY)
    with within(tenant.id):
        assert [each.number for each in session.scalars(select(Policy))] == ["AT-1"]
    assert entries(session, tenant)[-1].action == "policy.deleted"


def test_names_and_entities_change_with_an_entry_only_when_they_differ(session: Session, tenant: Tenant) -> None:
    actor = journal.Actor(None, "test")
    policy = add(tenant)
    policies.change_policy(actor, tenant.id, policy.id, name="Main", insurer="Atradius", product="Modula", priority=100, on=TODAY)
    policies.change_policy(actor, tenant.id, policy.id, name="Main", insurer="Atradius", product="Modula", priority=100, on=TODAY)
    policies.set_insured_entities(actor, tenant.id, policy.id, entities=["NL01"], on=TODAY)
    policies.set_insured_entities(actor, tenant.id, policy.id, entities=["NL01", "SE01"], on=TODAY)
    found = entries(session, tenant)
    assert [each.action for each in found] == ["policy.added", "policy.changed", "policy.entities_changed"]
    assert (found[1].before, found[1].after) == ({"name": "Atradius"}, {"name": "Main"})
    assert (found[2].before, found[2].after) == ({"entities": ["NL01"]}, {"entities": ["NL01", "SE01"]})


def test_another_organisations_policy_cannot_be_changed(session: Session, tenant: Tenant) -> None:
    actor = journal.Actor(None, "test")
    other = make_tenant(session_app(), "Other", entities={"NL01": ("NL", "EUR")}, roles=())
    policy = add(other)
    with within(other.id):
        version_id = queries.list_versions(policy.id)[0].id
    with pytest.raises(Refusal, match="policy_unknown"):
        policies.delete_policy(actor, tenant.id, policy.id, on=TODAY)
    with pytest.raises(Refusal, match="policy_unknown"):
        policies.add_terms_version(actor, tenant.id, policy.id, effective_on=TODAY, overrides={"vat_covered": True}, on=TODAY)
    with pytest.raises(Refusal, match="terms_version_unknown"):
        policies.correct_terms_version(actor, tenant.id, version_id, overrides={"vat_covered": True}, on=TODAY)
    with pytest.raises(Refusal, match="entity_unknown"):
        add(tenant, number="X", entities=[other.entities["NL01"]])
