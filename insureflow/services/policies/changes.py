"""Every change of a policy: validated, dated, journalled with what was before and after, and followed by the cover."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.models.cover import AccountState, Exposure
from insureflow.models.limits import AccountAct, LimitDecision
from insureflow.models.organisations import Entity
from insureflow.models.policies import InsuredEntity, Policy, PolicyTermsVersion
from insureflow.models.receivables import Invoice
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.cover import refresh_buyers
from insureflow.services.journal import Actor, Subject
from insureflow.services.policies.preparing import prepare_terms
from insureflow.services.policies.presets import Preset, get_preset
from insureflow.services.transaction import transaction


def get_policy(session: Session, reference: int | str) -> Policy:
    """The policy with this key or number in the current scope. Errors: ``Refusal`` ``policy_unknown``."""
    condition = Policy.id == reference if isinstance(reference, int) else Policy.number == reference
    policy = session.scalar(select(Policy).where(condition))
    if policy is None:
        raise Refusal("policy_unknown", policy=str(reference))
    return policy


def _subject(policy: Policy) -> Subject:
    return Subject("policy", policy.id, f"{policy.number} {policy.name}")


def _entities(session: Session, references: Collection[int | str]) -> list[Entity]:
    """The entities meant by keys or codes, in that order, each once."""
    if not references:
        raise Refusal("policy_entities_missing")
    found: dict[int, Entity] = {}
    for reference in references:
        entity = session.scalar(select(Entity).where(Entity.id == reference if isinstance(reference, int) else Entity.code == reference))
        if entity is None:
            raise Refusal("entity_unknown", entity=str(reference))
        found[entity.id] = entity
    return list(found.values())


def _require_facts(number: str, name: str, insurer: str, currency: str, limit_currency: str) -> None:
    problems = [
        InvalidValue(code, f"policy.{field}", value)
        for code, field, value in (
            ("policy_number_empty", "number", number),
            ("policy_name_empty", "name", name),
            ("policy_insurer_empty", "insurer", insurer),
        )
        if not value.strip()
    ]
    problems += [
        InvalidValue("not_a_currency", f"policy.{field}", value)
        for field, value in (("currency", currency), ("limit_currency", limit_currency))
        if not is_currency(value)
    ]
    if problems:
        raise InvalidValues(tuple(problems))


def add_policy(
    actor: Actor,
    organisation_id: int,
    *,
    number: str,
    name: str,
    currency: str,
    entities: Collection[int | str],
    effective_on: date,
    on: date,
    insurer: str | None = None,
    product: str | None = None,
    preset: str | None = None,
    terms: Mapping[str, object] | None = None,
    overrides: Mapping[str, object] | None = None,
    limit_currency: str | None = None,
    priority: int = 100,
    note: str = "",
) -> Policy:
    """Add a policy with the terms in force from ``effective_on``, from a preset or from terms of its own.

    ``entities`` are keys or codes; ``terms`` take the place of the preset's, ``overrides`` replace single parameters by dotted
    path. ``on`` is today where the business is. Errors: ``InvalidValues`` with every problem of the terms, ``Refusal``
    ``policy_exists``, ``policy_entities_missing``, ``entity_unknown``, ``preset_unknown``, ``policy_terms_missing``.
    """
    chosen: Preset | None = get_preset(preset) if preset else None
    insurer = (insurer or "").strip() or (chosen.insurer if chosen else "")
    product = (product or "").strip() or (chosen.product if chosen else "")
    limits_in = limit_currency or currency
    _require_facts(number, name, insurer, currency, limits_in)
    data = prepare_terms(currency=currency, limit_currency=limits_in, preset=chosen, terms=terms, overrides=overrides)
    with transaction(organisation_id) as session:
        if session.scalar(select(Policy.id).where(Policy.number == number.strip())) is not None:
            raise Refusal("policy_exists", number=number.strip())
        insured = _entities(session, entities)
        instant = now()
        policy = Policy(
            number=number.strip(),
            name=name.strip(),
            insurer=insurer,
            product=product,
            preset=chosen.key if chosen else None,
            currency=currency,
            limit_currency=limits_in,
            priority=priority,
            created_at=instant,
        )
        session.add(policy)
        session.flush()
        session.add_all(InsuredEntity(policy_id=policy.id, entity_id=entity.id) for entity in insured)
        session.add(
            PolicyTermsVersion(
                policy_id=policy.id, effective_on=effective_on, data=data, note=note, created_at=instant, created_by_id=actor.user_id
            )
        )
        journal.record(
            session,
            actor,
            "policy.added",
            _subject(policy),
            after={
                **_facts(policy),
                "entities": [entity.code for entity in insured],
                "effective_on": effective_on,
                "note": note,
                "terms": data,
            },
        )
        refresh_buyers(session, None, on)
    return policy


def _facts(policy: Policy) -> dict[str, Any]:
    return {
        "number": policy.number,
        "name": policy.name,
        "insurer": policy.insurer,
        "product": policy.product,
        "preset": policy.preset,
        "currency": policy.currency,
        "limit_currency": policy.limit_currency,
        "priority": policy.priority,
    }


def change_policy(
    actor: Actor, organisation_id: int, policy_id: int, *, name: str, insurer: str, product: str, priority: int, on: date
) -> Policy:
    """Change what a policy is called and which comes first where two could insure the same sale. Errors: ``InvalidValues``."""
    with transaction(organisation_id) as session:
        policy = get_policy(session, policy_id)
        _require_facts(policy.number, name, insurer, policy.currency, policy.limit_currency)
        before = _facts(policy)
        policy.name, policy.insurer, policy.product = name.strip(), insurer.strip(), product.strip()
        policy.priority = priority
        changed_before, changed_after = journal.changes(before, _facts(policy))
        if changed_after:
            journal.record(session, actor, "policy.changed", _subject(policy), before=changed_before, after=changed_after)
            refresh_buyers(session, None, on)
    return policy


def _version_on(session: Session, policy_id: int, on: date) -> PolicyTermsVersion | None:
    """The version in force on a day; before the first, the first."""
    statement = select(PolicyTermsVersion).where(PolicyTermsVersion.policy_id == policy_id)
    before = statement.where(PolicyTermsVersion.effective_on <= on).order_by(PolicyTermsVersion.effective_on.desc()).limit(1)
    found = session.scalar(before)
    return found or session.scalar(statement.order_by(PolicyTermsVersion.effective_on).limit(1))


def add_terms_version(
    actor: Actor,
    organisation_id: int,
    policy_id: int,
    *,
    effective_on: date,
    on: date,
    terms: Mapping[str, object] | None = None,
    overrides: Mapping[str, object] | None = None,
    note: str = "",
) -> PolicyTermsVersion:
    """Set the terms of a policy from a day on; earlier days keep the terms they had.

    Without ``terms`` the terms in force on that day are the base for ``overrides``. Errors: ``InvalidValues``, ``Refusal``
    ``terms_exist_on_day``, ``terms_unchanged``, ``policy_unknown``.
    """
    with transaction(organisation_id) as session:
        policy = get_policy(session, policy_id)
        current = _version_on(session, policy.id, effective_on)
        base = terms if terms is not None else current.data if current else None
        data = prepare_terms(currency=policy.currency, limit_currency=policy.limit_currency, terms=base, overrides=overrides)
        if session.scalar(
            select(PolicyTermsVersion.id).where(PolicyTermsVersion.policy_id == policy.id, PolicyTermsVersion.effective_on == effective_on)
        ):
            raise Refusal("terms_exist_on_day", effective_on=effective_on)
        if current is not None and current.data == data:
            raise Refusal("terms_unchanged")
        version = PolicyTermsVersion(
            policy_id=policy.id, effective_on=effective_on, data=data, note=note, created_at=now(), created_by_id=actor.user_id
        )
        session.add(version)
        before, after = journal.changes(current.data if current else {}, data)
        journal.record(
            session,
            actor,
            "policy.terms_added",
            _subject(policy),
            before={"effective_on": current.effective_on if current else None, "terms": before},
            after={"effective_on": effective_on, "note": note, "terms": after},
        )
        refresh_buyers(session, None, on)
    return version


def _get_version(session: Session, version_id: int) -> PolicyTermsVersion:
    version = session.scalar(select(PolicyTermsVersion).where(PolicyTermsVersion.id == version_id))
    if version is None:
        raise Refusal("terms_version_unknown")
    return version


def correct_terms_version(
    actor: Actor,
    organisation_id: int,
    version_id: int,
    *,
    on: date,
    terms: Mapping[str, object] | None = None,
    overrides: Mapping[str, object] | None = None,
    effective_on: date | None = None,
    note: str | None = None,
) -> PolicyTermsVersion:
    """Put right what was entered wrongly: the terms themselves, the day from which they hold, or the note.

    Errors: ``InvalidValues``, ``Refusal`` ``terms_version_unknown``, ``terms_exist_on_day``, ``terms_unchanged``.
    """
    with transaction(organisation_id) as session:
        version = _get_version(session, version_id)
        policy = get_policy(session, version.policy_id)
        data = prepare_terms(
            currency=policy.currency,
            limit_currency=policy.limit_currency,
            terms=terms if terms is not None else version.data,
            overrides=overrides,
        )
        day = effective_on or version.effective_on
        if day != version.effective_on and session.scalar(
            select(PolicyTermsVersion.id).where(PolicyTermsVersion.policy_id == policy.id, PolicyTermsVersion.effective_on == day)
        ):
            raise Refusal("terms_exist_on_day", effective_on=day)
        remark = version.note if note is None else note
        old, new = journal.changes(version.data, data)
        before: dict[str, Any] = {"effective_on": version.effective_on, "note": version.note}
        after: dict[str, Any] = {"effective_on": day, "note": remark}
        if before == after and not new:
            raise Refusal("terms_unchanged")
        version.data, version.effective_on, version.note = data, day, remark
        journal.record(
            session, actor, "policy.terms_corrected", _subject(policy), before={**before, "terms": old}, after={**after, "terms": new}
        )
        refresh_buyers(session, None, on)
    return version


def delete_terms_version(actor: Actor, organisation_id: int, version_id: int, *, on: date) -> None:
    """Take terms out that should never have been entered. Errors: ``Refusal`` ``terms_version_unknown``, ``policy_last_terms``."""
    with transaction(organisation_id) as session:
        version = _get_version(session, version_id)
        policy = get_policy(session, version.policy_id)
        count = session.scalar(select(func.count(PolicyTermsVersion.id)).where(PolicyTermsVersion.policy_id == policy.id))
        if count == 1:
            raise Refusal("policy_last_terms")
        before = {"effective_on": version.effective_on, "note": version.note, "terms": version.data}
        session.delete(version)
        journal.record(session, actor, "policy.terms_deleted", _subject(policy), before=before)
        session.expire(policy)
        refresh_buyers(session, None, on)


def set_insured_entities(actor: Actor, organisation_id: int, policy_id: int, *, entities: Collection[int | str], on: date) -> Policy:
    """Say whose sales a policy insures. Errors: ``Refusal`` ``policy_entities_missing``, ``entity_unknown``, ``policy_unknown``."""
    with transaction(organisation_id) as session:
        policy = get_policy(session, policy_id)
        wanted = _entities(session, entities)
        rows = session.scalars(select(InsuredEntity).where(InsuredEntity.policy_id == policy.id)).all()
        codes = {entity.id: entity.code for entity in session.scalars(select(Entity))}
        before = sorted(codes[row.entity_id] for row in rows)
        after = sorted(entity.code for entity in wanted)
        if before != after:
            keep = {entity.id for entity in wanted}
            for row in rows:
                if row.entity_id not in keep:
                    session.delete(row)
            there = {row.entity_id for row in rows}
            session.add_all(InsuredEntity(policy_id=policy.id, entity_id=entity.id) for entity in wanted if entity.id not in there)
            journal.record(
                session, actor, "policy.entities_changed", _subject(policy), before={"entities": before}, after={"entities": after}
            )
            session.expire(policy)
            refresh_buyers(session, None, on)
    return policy


def delete_policy(actor: Actor, organisation_id: int, policy_id: int, *, on: date) -> None:
    """Take a policy out that nothing rests on. Errors: ``Refusal`` ``policy_in_use`` with the counts, ``policy_unknown``."""
    with transaction(organisation_id) as session:
        policy = get_policy(session, policy_id)
        invoices = int(session.scalar(select(func.count(Invoice.id)).where(Invoice.policy_id == policy.id)) or 0)
        limits = int(session.scalar(select(func.count(LimitDecision.id)).where(LimitDecision.policy_id == policy.id)) or 0)
        acts = int(session.scalar(select(func.count(AccountAct.id)).where(AccountAct.policy_id == policy.id)) or 0)
        if invoices or limits or acts:
            raise Refusal("policy_in_use", policy=policy.number, invoices=invoices, limits=limits + acts)
        before = {**_facts(policy), "terms": [{"effective_on": each.effective_on, "terms": each.data} for each in policy.versions]}
        subject = _subject(policy)
        for derived in (AccountState, Exposure):
            session.execute(delete(derived).where(derived.policy_id == policy.id))
        session.delete(policy)
        journal.record(session, actor, "policy.deleted", subject, before=before)
        refresh_buyers(session, None, on)
