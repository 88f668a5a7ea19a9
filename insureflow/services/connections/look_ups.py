"""Looking companies up at an insurer: nothing that may cost money happens without confirmation and budget, and all of it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from insureflow.connectors.insurers.interface import CompanyQuery, ConnectorError, StopSync
from insureflow.domain.buyers import AddressKind
from insureflow.domain.connections import Operation
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.models.buyers import Buyer, InsurerIdentity
from insureflow.models.connections import InsurerConnection, LookUp
from insureflow.models.policies import Policy
from insureflow.queries.connections import count_charged_look_ups
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.connections.reaching import get_connection, reach, stop_connection
from insureflow.services.connections.setup import subject_of
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction


class LookUpFailed(Refusal):
    """The insurer could not be asked; ``error`` says why."""

    def __init__(self, error: ConnectorError) -> None:
        self.error = error
        super().__init__(error.code, **error.parameters)


def query_for(session: Session, buyer_id: int) -> CompanyQuery:
    """What we know of a buyer, as a look-up needs it. Errors: ``Refusal`` ``buyer_unknown``."""
    buyer = session.scalar(select(Buyer).where(Buyer.id == buyer_id))
    if buyer is None:
        raise Refusal("buyer_unknown", buyer=str(buyer_id))
    address = next((each for each in buyer.addresses if each.kind is AddressKind.REGISTERED), next(iter(buyer.addresses), None))
    return CompanyQuery(
        country=buyer.country,
        identifiers=tuple((each.scheme.value, each.value) for each in buyer.identifiers),
        name=buyer.legal_name,
        street=address.street if address else "",
        postal_code=address.postal_code if address else "",
        city=address.city if address else "",
    )


def look_up(actor: Actor, organisation_id: int, connection_id: int, buyer_id: int, on: date, *, confirmed: bool) -> LookUp:
    """Ask the insurer which of its companies a buyer is. The attempt is counted before it is made, and not where nothing was sent.

    Errors: ``Refusal`` ``look_up_not_confirmed``, ``look_up_budget_spent``, ``look_up_not_offered``, ``connection_unknown``,
    ``connection_off``, ``connection_stopped``; ``LookUpFailed``.
    """
    found = reach(organisation_id, connection_id)
    if found.capabilities and Operation.FIND_COMPANY not in found.capabilities:
        raise Refusal("look_up_not_offered", connector=found.connector.key)
    with transaction(organisation_id) as session:
        row = get_connection(session, connection_id, lock=True)
        if found.connector.charges_look_ups:
            if not confirmed:
                raise Refusal("look_up_not_confirmed", connector=row.connector)
            spent = count_charged_look_ups(connection_id, on)
            if spent >= row.look_up_budget:
                raise Refusal("look_up_budget_spent", spent=spent, budget=row.look_up_budget)
        query = query_for(session, buyer_id)
        made = LookUp(
            connection_id=connection_id,
            buyer_id=buyer_id,
            made_on=on,
            made_at=now(),
            confirmed_by_id=actor.user_id,
            found=[],
            cost_minor=None if found.connector.charges_look_ups else 0,
        )
        session.add(made)
        session.flush()
        journal.record(session, actor, "connection.looked_up", subject_of(session, row), after={"buyer": query.name, "look_up": made.id})
    try:
        matches: Sequence[Any] = found.connector.find_companies(found.connection, query)
    except StopSync as error:
        stop_connection(organisation_id, connection_id, error)
        raise LookUpFailed(error) from error
    except ConnectorError as error:
        if not found.recorder.count:  # nothing left the house, so nothing was charged
            with transaction(organisation_id) as session:
                _get(session, made.id).cost_minor = 0
        raise LookUpFailed(error) from error
    finally:
        found.recorder.flush()
    with transaction(organisation_id) as session:
        made = _get(session, made.id)
        made.found = [asdict(match) for match in matches[:50]]
        session.flush()
        return made


def _get(session: Session, look_up_id: int) -> LookUp:
    made = session.scalar(select(LookUp).where(LookUp.id == look_up_id))
    if made is None:
        raise Refusal("look_up_unknown", look_up=str(look_up_id))
    return made


def take_match(actor: Actor, organisation_id: int, look_up_id: int, company_id: str) -> Buyer:
    """Say that a company that was found is the buyer: its number at the insurer is entered.

    Errors: ``Refusal`` ``look_up_unknown``, ``match_unknown``, ``company_taken``, ``buyer_known_otherwise``.
    """
    with transaction(organisation_id) as session:
        made = _get(session, look_up_id)
        match = next((each for each in made.found if each["company_id"] == company_id), None)
        if match is None or made.buyer_id is None:
            raise InvalidValue("match_unknown", "company_id", company_id)
        insurer = session.scalars(
            select(Policy.insurer)
            .join(InsurerConnection, InsurerConnection.policy_id == Policy.id)
            .where(InsurerConnection.id == made.connection_id)
        ).one()
        buyer = name_company(session, made.buyer_id, insurer, company_id)
        journal.record(
            session,
            actor,
            "buyer.identified",
            Subject("buyer", buyer.id, buyer.legal_name),
            after={"insurer": insurer, "number": company_id, "name": match["name"], "look_up": made.id},
        )
        return buyer


def name_company(session: Session, buyer_id: int, insurer: str, company_id: str) -> Buyer:
    """Enter an insurer's number of a buyer. Errors: ``Refusal`` ``buyer_unknown``, ``company_taken``, ``buyer_known_otherwise``."""
    buyer = session.scalar(select(Buyer).where(Buyer.id == buyer_id))
    if buyer is None:
        raise Refusal("buyer_unknown", buyer=str(buyer_id))
    taken = session.scalar(select(InsurerIdentity).where(InsurerIdentity.insurer == insurer, InsurerIdentity.number == company_id))
    if taken is not None and taken.buyer_id != buyer_id:
        raise Refusal("company_taken", number=company_id, buyer=str(taken.buyer_id))
    if taken is None:
        session.add(InsurerIdentity(buyer_id=buyer_id, insurer=insurer, number=company_id[:60]))
        session.flush()
    return buyer
