"""Letters proposed: found by the database, written down once, whatever day the job was missed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import String, cast, func, insert, select, update
from sqlalchemy.orm import Session

from insureflow.domain.access import Permission
from insureflow.domain.dunning import DunningLevel, DunningRules, LetterState, ScopedRule, calculate_interest, rank_of, rule_for
from insureflow.domain.messages import NoticeToPerson
from insureflow.models.buyers import Buyer
from insureflow.models.dunning import DunningLetter, DunningLetterInvoice
from insureflow.models.organisations import Organisation
from insureflow.models.scope import current_organisation_id
from insureflow.queries import contacts as contact_queries
from insureflow.queries import dunning as queries
from insureflow.queries.dunning import DueInvoice, DueLetter
from insureflow.services import journal, telling
from insureflow.services.clock import now
from insureflow.services.cover.storing import renew_statistics
from insureflow.services.dunning.composing import choose_channel, choose_language
from insureflow.services.dunning.rules import fallback_rules
from insureflow.services.journal import Actor, Subject
from insureflow.services.transaction import transaction

ACTOR = Actor(None, "dunning")
_PORTION = 500
#: After these portions a database that knew the tables as empty is told that they are not: it would read all of them for every row.
_LEARNS_AFTER = frozenset({0, 3, 15, 63})


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a round made: letters that wait, letters approved by their rule, and older proposals that a firmer one replaced."""

    proposed: int
    approved: int
    superseded: int

    def counts(self) -> dict[str, int]:
        """The same by name, as the run of a job keeps it."""
        return {"letters_proposed": self.proposed, "letters_approved": self.approved, "letters_superseded": self.superseded}


def simulate(on: date, stored: Sequence[ScopedRule] | None = None, fallback: DunningRules | None = None) -> list[DueLetter]:
    """What would go out on a day, with the rules as they are or as somebody thinks of making them; nothing is written."""
    rules = queries.stored_rules() if stored is None else list(stored)
    return list(queries.due_letters(rules, fallback or fallback_rules(), on))


def propose(actor: Actor, organisation_id: int, on: date) -> Proposed:
    """Write down every letter that is due on a day. Twice on a day, or after days without it, no letter is made twice."""
    with transaction(organisation_id) as session:
        stored, fallback = queries.stored_rules(), fallback_rules()
        due = list(queries.due_letters(stored, fallback, on))
        proposed = approved = superseded = 0
        for start in range(0, len(due), _PORTION):
            made = _write(session, stored, fallback, due[start : start + _PORTION], on)
            proposed, approved, superseded = proposed + made.proposed, approved + made.approved, superseded + made.superseded
            if len(due) > _PORTION and start // _PORTION in _LEARNS_AFTER:
                renew_statistics(session, DunningLetter, DunningLetterInvoice)
        if proposed or approved or superseded:
            journal.record(
                session,
                actor,
                "dunning.proposed",
                Subject("dunning", None, on.isoformat()),
                after={"proposed": proposed, "approved": approved, "superseded": superseded},
            )
        if proposed:
            cause = f"letters:{on.isoformat()}"
            telling.replace_news(session, NoticeToPerson.LETTERS_TO_APPROVE, cause)
            waiting = session.scalar(select(func.count()).select_from(DunningLetter).where(DunningLetter.state == LetterState.PROPOSED))
            telling.tell(
                session,
                telling.who_may(session, Permission.SEND_LETTERS),
                NoticeToPerson.LETTERS_TO_APPROVE,
                cause,
                facts={"count": waiting},
                address="/dunning/?state=proposed",
            )
        return Proposed(proposed, approved, superseded)


def _write(session: Session, stored: Sequence[ScopedRule], fallback: DunningRules, due: Sequence[DueLetter], on: date) -> Proposed:
    keys = sorted({each.buyer_id for each in due})
    listed = queries.due_invoices(stored, fallback, on, keys)
    buyers = {buyer.id: buyer for buyer in session.scalars(select(Buyer).where(Buyer.id.in_(keys)))}
    people = contact_queries.letter_contacts(keys)
    locale = session.scalars(select(Organisation.locale).where(Organisation.id == current_organisation_id())).one()
    superseded = _supersede(session, due)
    known = set(session.scalars(select(DunningLetter.cause).where(DunningLetter.cause.in_([_cause(each) for each in due]))))
    letters: list[tuple[DunningLetter, list[DueInvoice], DunningRules]] = []
    approved = 0
    for each in due:
        if _cause(each) in known:
            continue
        buyer = buyers[each.buyer_id]
        rule = rule_for(stored, buyer_id=buyer.id, country=buyer.country, on=on)
        rules = fallback if rule is None else rule.rules
        items = items_of_level(listed.get((each.entity_id, each.buyer_id, each.currency), ()), each.level)
        level_rule = rules.find_level(each.level)
        is_automatic = level_rule is not None and level_rule.is_automatic
        approved += is_automatic
        contacts = people.get(each.buyer_id, ())
        letter = DunningLetter(
            cause=_cause(each),
            entity_id=each.entity_id,
            buyer_id=each.buyer_id,
            level=each.level,
            state=LetterState.APPROVED if is_automatic else LetterState.PROPOSED,
            as_of=on,
            currency=each.currency,
            total_minor=each.open_minor,
            interest_minor=sum(interest_of(item, each.level, rules, on) for item in items),
            language=choose_language(buyer, contacts, locale),
            channel=choose_channel(rules, contacts),
            created_at=now(),
            decided_at=now() if is_automatic else None,
        )
        letters.append((letter, items, rules))
    session.add_all(letter for letter, _items, _rules in letters)
    session.flush()
    write_items(session, ((letter, items, rules) for letter, items, rules in letters), on)
    return Proposed(len(letters) - approved, approved, superseded)


def _cause(due: DueLetter) -> str:
    return f"{due.entity_id}:{due.buyer_id}:{due.currency}:{due.level}:{due.anchor_id}"


def items_of_level(items: Iterable[DueInvoice], level: DunningLevel) -> list[DueInvoice]:
    """The invoices that a letter of a level lists: what falls due soon in the note before, what is overdue in all others."""
    is_before = level is DunningLevel.BEFORE_DUE
    return [item for item in items if (rank_of(item.level) == 0) == is_before]


def interest_of(item: DueInvoice, level: DunningLevel, rules: DunningRules, on: date) -> int:
    """Interest on an invoice in a letter of a level, in minor units; nothing where the rule asks for none yet."""
    if rules.interest is None or rank_of(level) < rank_of(rules.interest.from_level):
        return 0
    return calculate_interest(item.open_minor, item.due_on, on, rules.interest)


def write_items(session: Session, letters: Iterable[tuple[DunningLetter, Sequence[DueInvoice], DunningRules]], on: date) -> None:
    """What letters list, as they list it."""
    rows = [
        {
            "organisation_id": letter.organisation_id,
            "letter_id": letter.id,
            "invoice_id": item.invoice_id,
            "number": item.number,
            "due_on": item.due_on,
            "open_minor": item.open_minor,
            "interest_minor": interest_of(item, letter.level, rules, on),
        }
        for letter, items, rules in letters
        for item in items
    ]
    for start in range(0, len(rows), 5000):
        session.execute(insert(DunningLetterInvoice), rows[start : start + 5000])


def _supersede(session: Session, due: Sequence[DueLetter]) -> int:
    """Proposals that nobody decided upon give way to a firmer one to the same buyer."""
    wanted: Mapping[tuple[int, int, str], DueLetter] = {(each.entity_id, each.buyer_id, each.currency): each for each in due}
    open_ones = session.execute(
        select(DunningLetter.id, DunningLetter.entity_id, DunningLetter.buyer_id, DunningLetter.currency).where(
            DunningLetter.state == LetterState.PROPOSED, DunningLetter.buyer_id.in_({each.buyer_id for each in due})
        )
    )
    gone = [row.id for row in open_ones if (row.entity_id, row.buyer_id, row.currency) in wanted]
    if gone:
        session.execute(
            update(DunningLetter)
            .where(DunningLetter.id.in_(gone))
            .values(
                state=LetterState.SKIPPED,
                reason=queries.SUPERSEDED,
                decided_at=now(),
                # Its invoices may be due the same letter again, once what keeps them out of the firmer one has ended.
                cause=DunningLetter.cause + ":" + cast(DunningLetter.id, String),
            )
        )
    return len(gone)
