"""The scheduler rested for three days: what it missed is made up for once, as if it had run every morning."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from support.accounts import Account, add_buyer, add_invoice, make_account, within
from support.days import run_jobs, standing_on, told
from support.mail_server import mail_server, use_mail
from support.notices import NOTICE_TERMS

from insureflow.domain.access import Role
from insureflow.domain.dunning import LetterState
from insureflow.domain.limits import AccountActKind
from insureflow.domain.messages import Digest, MessageState, NoticeToPerson
from insureflow.domain.payment_plans import PlannedInstalment
from insureflow.models.buyers import Buyer
from insureflow.models.database import db
from insureflow.models.dunning import DunningLetter
from insureflow.models.limits import AccountAct
from insureflow.models.messages import Message, Told
from insureflow.models.notices import Notice
from insureflow.services import contacts, dunning, payment_plans, telling
from insureflow.services.contacts import ContactDetails, LetterheadDetails
from insureflow.services.limits.decisions import NewDecision, record_decision
from insureflow.services.payment_plans import NewPlan

#: A Monday; the Friday after it is the first day on which anything runs again.
DAY = date(2026, 6, 22)
BACK = DAY + timedelta(days=4)

#: How long each buyer's invoice is overdue on the Monday. Levels come 7, 21 and 50 days after the due date, the extension ends after 60
#: days, the notification is drafted 75 days after and has to be sent 90 days after.
OVERDUE = {
    "Anton": 20,  # its second reminder falls into the gap, on Tuesday
    "Berta": 60,  # its extension ends on Monday: blocked from Tuesday on
    "Carla": 73,  # its notification is drafted from Wednesday on, and due in 17 days
    "Doris": 10,  # has a plan whose first instalment is missing from Thursday on; only then it gets a letter
}
LEVELS = [{"level": "reminder_1", "days": 7}, {"level": "reminder_2", "days": 21}, {"level": "final_demand", "days": 50}]
RULE = {"levels": [{**level, "automatic": True} for level in LEVELS], "days_between": 7, "may_skip_levels": True}


def _house(app: Flask, name: str) -> Account:
    account = make_account(app, name, terms=NOTICE_TERMS, roles=(Role.ADMINISTRATOR,))
    actor, org = account.tenant.actor(), account.organisation_id
    contacts.set_letterhead(
        actor, org, account.tenant.entity_id, LetterheadDetails(address="Hamngatan 1", bank_account="SE45 5000 0000 0583 9825 7466")
    )
    dunning.set_rule(actor, org, RULE, date(2026, 1, 1))
    user_id = account.tenant.logins[Role.ADMINISTRATOR].user_id
    telling.change_setting(actor, org, user_id, digest=Digest.DAILY, days_before=telling.DAYS_BEFORE, only_own=False)
    for buyer, days in OVERDUE.items():
        key = add_buyer(account.tenant, buyer)
        contacts.add_contact(actor, org, key, ContactDetails(email=f"{buyer.lower()}@{name.split(maxsplit=1)[0].lower()}.example"))
        record_decision(actor, org, NewDecision(key, account.policy_id, 20_000_00, "EUR", date(2026, 1, 2)), DAY)
        invoice = add_invoice(account, f"{buyer}-1", 10_000_00, buyer_id=key, shipped_on=DAY - timedelta(days=days + 30), on=DAY)
        if buyer == "Doris":
            parts = (PlannedInstalment(DAY + timedelta(days=2), 5_000_00), PlannedInstalment(DAY + timedelta(days=20), 5_000_00))
            plan = payment_plans.propose(actor, org, NewPlan(buyer_id=key, invoice_ids=[invoice], instalments=parts), DAY)
            payment_plans.agree(actor, org, plan.id, DAY)
    return account


def _morning(account: Account, on: date) -> dict[str, int]:
    with standing_on(on):
        return run_jobs(account.organisation_id, on)


def _letters(account: Account) -> Counter[tuple[str, str]]:
    rows = db.session.execute(
        select(Buyer.legal_name, DunningLetter.level, DunningLetter.state).join(Buyer, Buyer.id == DunningLetter.buyer_id)
    )
    found = Counter((name, level.value) for name, level, state in rows if state is LetterState.SENT)
    assert len(db.session.scalars(select(DunningLetter)).all()) == found.total(), "a letter is not sent"
    return found


def _told_once() -> set[tuple[str, str]]:
    """What anybody was told, by kind and by the buyer it is about; nothing of it twice."""
    rows = [(row.kind.value, row.buyer_id, row.cause, row.user_id) for row in db.session.scalars(select(Told))]
    assert len({(cause, user) for _kind, _buyer, cause, user in rows}) == len(rows)
    names = dict(db.session.execute(select(Buyer.id, Buyer.legal_name)).all())
    return {(kind, names.get(buyer, "")) for kind, buyer, _cause, _user in rows}


def test_missed_days_are_made_up_for_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context(), mail_server() as mailbox:
        use_mail(app, monkeypatch, f"smtp://127.0.0.1:{mailbox.port}")
        with standing_on(DAY):
            house, awake = _house(app, "Rested House"), _house(app, "Awake House")
        with within(house.organisation_id):
            first = _morning(house, DAY)
            assert (first["letters_approved"], first["drafted"], first["made"]) == (3, 0, 1)
            assert told(NoticeToPerson.BUYER_BLOCKED) == told(NoticeToPerson.DUTY_COMES) == []
            mails = len(mailbox.taken)
            assert mails == 5  # three letters, the confirmation of the plan, and the summary of the day

            # Nothing runs on Tuesday, Wednesday and Thursday. On Friday everything is made up for, and once.
            again = _morning(house, BACK)
            assert (again["letters_approved"], again["drafted"], again["made"], again["mail_sent"]) == (2, 1, 1, 3)
            assert {cause for _user, cause in told(NoticeToPerson.INSTALMENT_BROKEN)} == {"plan:1:broken"}
            # One buyer is blocked by the rule of the policy, one by the plan it broke.
            assert [cause for _user, cause in told(NoticeToPerson.BUYER_BLOCKED)] == [
                f"block:{_key('Berta')}:{DAY + timedelta(days=1)}",
                f"block:{_key('Doris')}:{DAY + timedelta(days=3)}",
            ]
            assert [cause.rsplit(":", 2)[1:] for _user, cause in told(NoticeToPerson.DUTY_COMES) if "notify_overdue" in cause] == [
                [(DAY + timedelta(days=17)).isoformat(), "15"]
            ]
            for on, at in ((BACK, "T10:00"), (BACK, "T11:00"), (BACK + timedelta(days=1), "")):
                with standing_on(on):
                    counts = run_jobs(house.organisation_id, on, at=at)
                assert {
                    name: counts[name] for name in ("letters_approved", "letters_issued", "drafted", "made", "mail_sent")
                } == dict.fromkeys(("letters_approved", "letters_issued", "drafted", "made", "mail_sent"), 0)
            rested = (_letters(house), _told_once(), len(db.session.scalars(select(Notice)).all()))
            assert rested[0] == Counter(
                [
                    ("Anton", "reminder_1"),
                    ("Anton", "reminder_2"),
                    ("Berta", "final_demand"),
                    ("Carla", "final_demand"),
                    ("Doris", "reminder_1"),
                ]
            )
            assert {mail.state for mail in db.session.scalars(select(Message))} == {MessageState.SENT}
            assert db.session.scalars(select(AccountAct).where(AccountAct.kind == AccountActKind.OVERDUE_NOTIFICATION)).all() == []

        # A house whose scheduler never rested has sent the same letters, drafted the same papers and told the same news.
        with within(awake.organisation_id):
            for passed in range(6):
                _morning(awake, DAY + timedelta(days=passed))
            assert (_letters(awake), _told_once(), len(db.session.scalars(select(Notice)).all())) == rested


def _key(name: str) -> int:
    return db.session.scalars(select(Buyer.id).where(Buyer.legal_name == name)).one()
