"""Rules of dunning, set for the organisation, a country or a buyer from a day on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from insureflow.domain.countries import is_country
from insureflow.domain.dunning import DEFAULT_DATA, DunningRules, ScopedRule, read_rules, rule_for
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.models.buyers import Buyer
from insureflow.models.dunning import DunningRule
from insureflow.queries import dunning as queries
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction


def fallback_rules() -> DunningRules:
    """The rule of an organisation that has made none."""
    return read_rules(DEFAULT_DATA)


def rules_for_buyer(buyer: Buyer, on: date) -> tuple[DunningRules, ScopedRule | None]:
    """The rule that holds for a buyer on a day, and where it comes from; None where nobody made one."""
    found = rule_for(queries.stored_rules(), buyer_id=buyer.id, country=buyer.country, on=on)
    return (fallback_rules() if found is None else found.rules), found


def _label(rule: DunningRule, buyer: Buyer | None) -> str:
    return buyer.legal_name if buyer is not None else rule.country or "organisation"


def set_rule(
    actor: Actor,
    organisation_id: int,
    data: Mapping[str, Any],
    effective_on: date,
    *,
    country: str | None = None,
    buyer_id: int | None = None,
    note: str = "",
) -> DunningRule:
    """A rule from a day on; one of the same scope and day is replaced. Letters made before keep the rule of their day.

    Errors: ``InvalidValues`` with what is wrong in the rule; ``buyer_unknown``, ``dunning_scope_twice``.
    """
    read_rules(data)
    if country is not None and buyer_id is not None:
        raise Refusal("dunning_scope_twice")
    if country is not None and not is_country(country):
        raise InvalidValues((InvalidValue("country_unknown", "country", country),))
    with transaction(organisation_id) as session:
        buyer = None if buyer_id is None else session.scalar(select(Buyer).where(Buyer.id == buyer_id))
        if buyer_id is not None and buyer is None:
            raise Refusal("buyer_unknown", buyer=str(buyer_id))
        known = session.scalar(
            select(DunningRule).where(
                DunningRule.country.is_not_distinct_from(country),
                DunningRule.buyer_id.is_not_distinct_from(buyer_id),
                DunningRule.effective_on == effective_on,
            )
        )
        before = None if known is None else {"data": known.data, "note": known.note}
        if known is None:
            known = DunningRule(
                country=country, buyer_id=buyer_id, effective_on=effective_on, created_at=now(), created_by_id=actor.user_id
            )
            session.add(known)
        known.data, known.note = dict(data), note.strip()[:1000]
        session.flush()
        journal.record(
            session,
            actor,
            "dunning.rule_set",
            Subject("dunning_rule", known.id, _label(known, buyer)),
            before=before,
            after={"effective_on": effective_on, "data": known.data, "note": known.note},
        )
        return known


def remove_rule(actor: Actor, organisation_id: int, rule_id: int) -> None:
    """Take a rule out; the next wider one holds again. Errors: ``dunning_rule_unknown``."""
    with transaction(organisation_id) as session:
        rule = session.scalar(select(DunningRule).where(DunningRule.id == rule_id))
        if rule is None:
            raise Refusal("dunning_rule_unknown", rule=str(rule_id))
        buyer = None if rule.buyer_id is None else session.scalar(select(Buyer).where(Buyer.id == rule.buyer_id))
        subject, before = Subject("dunning_rule", rule.id, _label(rule, buyer)), {"effective_on": rule.effective_on, "data": rule.data}
        session.delete(rule)
        session.flush()
        journal.record(session, actor, "dunning.rule_removed", subject, before=before)
