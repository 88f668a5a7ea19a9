"""One request: how it stands, whose turn it is, what happened so far, and what can be done now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import abort, g, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.domain.access import Permission
from insureflow.domain.connections import OutboxState
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import ApprovalNeed, RequestAction, RequestState
from insureflow.domain.money import Money
from insureflow.i18n import formats, words
from insureflow.i18n.words import sentence_for
from insureflow.queries import limit_requests as queries
from insureflow.queries.limit_requests import MustAct, RequestView
from insureflow.services import limit_requests
from insureflow.web.access import may, requires
from insureflow.web.connections.base import stored_sentence
from insureflow.web.context import choose_locale
from insureflow.web.limit_requests.forms import RejectForm
from insureflow.web.limit_requests.listing import tone_of_request
from insureflow.web.limit_requests.routes import blueprint

_TONES = {
    "limit_request.approved": "covered",
    "limit_request.submitted": "covered",
    "limit_request.rejected": "stopped",
    "limit_request.cancelled": "stopped",
}


def get_view_or_404(request_id: int) -> RequestView:
    """The request of an address; one of another organisation is not found."""
    view = queries.find_request(request_id, g.on)
    if view is None:
        abort(404)
    return view


def _amount(view: RequestView) -> Money | None:
    request = view.request
    return None if request.requested_minor is None else Money(request.requested_minor, request.currency)


def _sentence(view: RequestView) -> str:
    locale = choose_locale()
    amount = _amount(view)
    asked = (
        _("%(what)s: %(amount)s under %(policy)s.", what=words.word(view.request.request_type, locale).capitalize(), amount=formats.money(amount.minor, amount.currency, locale), policy=view.policy.number)
        if amount is not None
        else _("The limit under %(policy)s is to be given up.", policy=view.policy.number)
    )  # fmt: skip
    turn = {
        MustAct.AUTHOR: _("It has not been sent."),
        MustAct.APPROVER: _("A second person has to agree."),
        MustAct.SENDER: _("Somebody has to send it to the insurer by hand and enter the answer."),
        MustAct.INSURER: _("The insurer has to answer."),
        MustAct.NOBODY: "",
    }[view.must_act]
    return f"{asked} {turn}".strip()


def _need(view: RequestView) -> tuple[ApprovalNeed | None, str | None]:
    """Whether this person may send a draft alone, or why that cannot be told."""
    if view.request.state is not RequestState.DRAFT or not may(Permission.REQUEST_LIMITS):
        return None, None
    try:
        return limit_requests.find_need(view.request, g.role, g.today), None
    except Refusal as refusal:
        return None, sentence_for(refusal, choose_locale())


def _timeline(view: RequestView) -> list[dict[str, Any]]:
    """What happened, newest first: our own steps, and the insurer's answer."""
    entries: list[dict[str, Any]] = []
    if view.decision is not None:
        decision = view.decision
        amount = "" if decision.decided_minor is None else formats.money(decision.decided_minor, decision.currency, choose_locale())
        entries.append(
            {
                "on": decision.decided_on,
                "title": _("The insurer decided: %(what)s %(amount)s", what=words.word(decision.status, choose_locale()), amount=amount),
                "text": decision.reason or None,
                "tone": tone_of_request(view.life),
            }
        )
    for entry in view.history:
        after = entry.after or {}
        title = words.word(f"Action.{entry.action}", choose_locale()).capitalize()
        entries.append(
            {
                "at": entry.at,
                "title": _("%(what)s by %(who)s", what=title, who=entry.actor),
                "text": after.get("reason"),
                "tone": _TONES.get(entry.action, "undecided"),
            }
        )
    entries += _first_steps(view)
    return _on_its_way(view) + _with_sending(view, entries)


def _on_its_way(view: RequestView) -> list[dict[str, Any]]:
    """That the insurer has taken the request in and is still deciding: it gives no day for that."""
    if view.life is not RequestState.REFERRED:
        return []
    reference = view.request.insurer_reference
    text = _("Insurer's reference: %(reference)s", reference=reference) if reference else None
    return [{"title": _("The insurer has taken it in and is still deciding"), "text": text, "tone": "undecided"}]


def _with_sending(view: RequestView, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries with the sending among them, where none of them says it; it comes right after the agreement that sent it."""
    sent_at = view.request.submitted_at
    is_said = any(entry.action == "limit_request.submitted" for entry in view.history)
    if sent_at is None or is_said or any(entry.get("is_sending") for entry in entries):
        return entries
    sending = {"at": sent_at, "title": _("Sent to the insurer"), "tone": "covered"}
    # The journal writes its entry a moment after the request has its own instant.
    until = sent_at + timedelta(minutes=1)
    place = next((number for number, entry in enumerate(entries) if "at" in entry and entry["at"] <= until), len(entries))
    return [*entries[:place], sending, *entries[place:]]


def _first_steps(view: RequestView) -> list[dict[str, Any]]:
    """The first steps of a request that the journal has no entry of its own for, as when it was written with many others."""
    asked = view.request
    if any(entry.action == "limit_request.drafted" for entry in view.history):
        return []
    if not asked.bulk:
        return [{"at": asked.created_at, "title": _("Written"), "text": view.author, "tone": "undecided"}]
    entries: list[dict[str, Any]] = []
    who = view.author or _("the command line")
    if asked.submitted_at is not None and not any(entry.action in _TONES for entry in view.history):
        entries.append(
            {"at": asked.submitted_at, "title": _("Sent together with others by %(who)s", who=who), "tone": "covered", "is_sending": True}
        )
    entries.append({"at": asked.created_at, "title": _("Written together with others by %(who)s", who=who), "tone": "undecided"})
    return entries


def buttons_of(view: RequestView) -> set[RequestAction]:
    """What this person may do now: what the rules allow, narrowed to the role."""
    if g.on != g.today:
        return set()
    allowed = set(view.actions)
    if not may(Permission.REQUEST_LIMITS):
        allowed -= {RequestAction.SUBMIT, RequestAction.ASK_APPROVAL, RequestAction.REVISE, RequestAction.CANCEL}
    if not may(Permission.APPROVE_LIMITS) or view.request.created_by_id == g.user.id:
        allowed -= {RequestAction.APPROVE, RequestAction.REJECT}
    if view.request.state not in (
        RequestState.DRAFT,
        RequestState.AWAITING_APPROVAL,
        RequestState.REJECTED,
        RequestState.SUBMITTED,
        RequestState.REFERRED,
    ):
        allowed -= {RequestAction.CANCEL}
    return allowed


def _not_sent(view: RequestView) -> str:
    """Why the message of a request could not be sent."""
    return stored_sentence(view.message.last_error) if view.message is not None and view.message.state is OutboxState.FAILED else ""


def render(view: RequestView, reject: RejectForm, status: int = 200) -> ResponseReturnValue:
    """The page of a request."""
    need, problem = _need(view)
    carrier = view.carrier if view.carrier is not None and view.carrier.can_carry(view.request) else None
    return render_template(
        "limit_requests/show.html",
        view=view,
        amount=_amount(view),
        sentence=_sentence(view),
        tone=tone_of_request(view.life),
        buttons={action.value for action in buttons_of(view)},
        need=need,
        problem=problem,
        not_sent=_not_sent(view),
        carrier=carrier,
        off_step=carrier if carrier is not None and carrier.is_off_step(_amount(view)) else None,
        happened=_timeline(view),
        reject=reject,
    ), status


@blueprint.get("/<int:request_id>")
@requires(Permission.VIEW_LIMITS)
def show(request_id: int) -> ResponseReturnValue:
    """A request."""
    return render(get_view_or_404(request_id), RejectForm())
