"""Reminders of duties: each person is told in the product as a day comes near, on the day, and when it has passed."""

from __future__ import annotations

from datetime import date, timedelta

from insureflow.domain.access import Permission
from insureflow.domain.messages import NoticeToPerson
from insureflow.domain.obligations import ObligationKind
from insureflow.domain.obligations.reminding import LATE, reached_step
from insureflow.queries.reminders import OpenDuty, open_duties
from insureflow.services import telling
from insureflow.services.telling import News
from insureflow.services.transaction import transaction

#: For so many days after its day a duty that is not done is still news; after that it stands in the lists as late.
NEWS_DAYS = 30


#: The dunning worklist is the reminder of letters to buyers: people are told of them only where one person looks after such a duty.
_OWN_WORKLIST = frozenset({ObligationKind.SEND_REMINDER})


def is_for(duty: OpenDuty, user_id: int, *, only_own: bool) -> bool:
    """Whether a person is told of a duty: who looks after it is; nobody does, and so everybody is who has not asked for own ones alone."""
    if duty.owner_id is not None:
        return duty.owner_id == user_id
    return not only_own and duty.kind not in _OWN_WORKLIST


def remind(organisation_id: int, on: date) -> int:
    """Tell everybody who works on duties what the day has reached; how many were told. A day that was missed is caught up once."""
    told = 0
    with transaction(organisation_id) as session:
        people = {user_id: telling.setting_of(session, user_id) for user_id in telling.who_may(session, Permission.EDIT_OBLIGATIONS)}
        furthest = max((days for setting in people.values() for days in setting.days_before), default=0)
        duties = open_duties(on, on - timedelta(days=NEWS_DAYS), on + timedelta(days=furthest))
        for user_id, setting in people.items():
            reached = {
                f"{duty.cause}:{step}": (duty, step)
                for duty in duties
                if is_for(duty, user_id, only_own=setting.only_own)
                and (step := reached_step(duty.due_on, on, setting.days_before)) is not None
            }
            new = reached.keys() - telling.causes_told(session, user_id, reached.keys())
            told += telling.tell_news(session, [_news(user_id, cause, *reached[cause], on) for cause in sorted(new)])
    return told


def _news(user_id: int, cause: str, duty: OpenDuty, step: int, on: date) -> News:
    coming = NoticeToPerson.DUTY_TODAY if duty.due_on == on else NoticeToPerson.DUTY_COMES
    facts = {
        "buyer": duty.buyer or duty.policy,
        "duty": duty.kind,
        "due_on": duty.due_on,
        "days": (duty.due_on - on).days,
        "policy_id": duty.policy_id,
    }
    return News(user_id, NoticeToPerson.DUTY_LATE if step == LATE else coming, cause, facts, buyer_id=duty.buyer_id)
