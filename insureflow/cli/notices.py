"""Papers for insurers on the command line: list, draft, approve, send, record the answer, print the proof."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup

from insureflow.cli.limits import find_policy
from insureflow.cli.options import (
    COMMAND_LINE,
    LOCALE,
    Day,
    Place,
    find_buyer,
    format_option,
    inside,
    on_option,
    organisation_option,
    print_json,
    print_rows,
    refusals_as_errors,
)
from insureflow.domain.access import Permission, is_allowed
from insureflow.domain.errors import Refusal
from insureflow.domain.money import Money
from insureflow.domain.notices import Channel, NoticeKind, NoticeState, ReasonForNonPayment, ReplyOutcome
from insureflow.i18n.words import word
from insureflow.models.notices import Notice
from insureflow.queries import organisations as organisation_queries
from insureflow.queries.listing import Narrowing
from insureflow.queries.notices.listing import notices_listing
from insureflow.queries.notices.showing import NoticeView, find_notice, proof_of
from insureflow.services import notices
from insureflow.services.clock import now
from insureflow.services.files import NewEvidence
from insureflow.services.journal import Actor
from insureflow.services.notices import LODGING_CHANNELS, Answer, Lodging, NewNotice, Sending

group = AppGroup("notices", help="Papers for insurers: notifications of non-payment, requests, reports.")


def register(app: Flask) -> None:
    """Make the commands known."""
    app.cli.add_command(group)


def _view(notice_id: int) -> NoticeView:
    view = find_notice(notice_id)
    if view is None:
        raise Refusal("notice_unknown", notice=str(notice_id))
    return view


def _show(notice: Notice, output: str) -> None:
    if output == "json":
        print_json(
            {
                "id": notice.id,
                "kind": notice.kind,
                "state": notice.state,
                "as_of": notice.as_of,
                "deadline_on": notice.deadline_on,
                "sent_on": notice.sent_on,
                "reply": notice.reply_outcome,
            }
        )
    else:
        deadline = "" if notice.deadline_on is None else f", deadline {notice.deadline_on.isoformat()}"
        click.echo(f"Notice {notice.id}: {word(notice.kind, LOCALE)}, {word(notice.state, LOCALE)}{deadline}.")


@group.command("list")
@organisation_option
@click.option("--policy", "-p", "policy_number", metavar="NUMBER", help="Only this policy.")
@click.option("--state", type=click.Choice([state.value for state in NoticeState]), help="Only those that stand so.")
@format_option
@refusals_as_errors
def list_notices(organisation: str, policy_number: str | None, state: str | None, output: str) -> None:
    """Show the papers and how they stand."""
    with inside(organisation):
        policy_id = find_policy(policy_number).id if policy_number else None
        narrowing = Narrowing(choices={"state": [state]}) if state else Narrowing()
        rows = list(notices_listing(policy_id=policy_id).stream(narrowing, None))
    for row in rows:
        if output == "text":
            for name in ("kind", "state", "reply_outcome"):
                row[name] = None if row[name] is None else word(row[name], LOCALE)
        for name in ("open", "insured"):
            row[name] = None if row[name] is None or row[name][1] is None else Money(*row[name])
    names = {
        "number": "Notice",
        "buyer": "Buyer",
        "policy": "Policy",
        "kind": "What",
        "state": "Stands",
        "deadline_on": "Deadline",
        "open": "Owed",
        "insured": "Insured",
        "sent_on": "Sent on",
        "reply_outcome": "Answer",
    }
    print_rows(output, names, rows, nothing="No notices.")


@group.command("draft")
@organisation_option
@click.argument("buyer", required=False)
@click.option("--policy", "-p", "policy_number", metavar="NUMBER", help="The policy; without it the one the buyer owes under.")
@click.option("--kind", type=click.Choice([kind.value for kind in NoticeKind]), default=NoticeKind.NON_PAYMENT.value, show_default=True)
@click.option("--reason", type=click.Choice([reason.value for reason in ReasonForNonPayment]), default="unknown", show_default=True)
@click.option("--comment", default="", help="What is said in your words.")
@click.option("--due", "is_due", is_flag=True, help="Draft every notification that falls due soon, instead of one buyer.")
@on_option
@format_option
@refusals_as_errors
def draft(
    organisation: str,
    buyer: str | None,
    policy_number: str | None,
    kind: str,
    reason: str,
    comment: str,
    is_due: bool,
    on: date | None,
    output: str,
) -> None:
    """Draft a paper about BUYER, or with --due all that fall due soon."""
    if (buyer is None) == (not is_due):
        raise click.UsageError("Give a BUYER, or --due.")
    with inside(organisation) as place:
        if is_due:
            made = notices.draft_due(place.organisation_id, place.day(on), actor=COMMAND_LINE)
            if output == "json":
                print_json({"drafted": list(made.notice_ids), "known": made.known})
            else:
                click.echo(f"{len(made.notice_ids)} drafted, {made.known} were there already.")
            return
        new = NewNotice(
            kind=NoticeKind(kind),
            buyer_id=find_buyer(buyer or "").id,
            policy_id=find_policy(policy_number).id if policy_number else None,
            reason=ReasonForNonPayment(reason),
            comment=comment,
        )
        _show(notices.draft(COMMAND_LINE, place.organisation_id, new, place.day(on)), output)


person_option = click.option("--as", "person", required=True, metavar="EMAIL", help="The person who approves or sends.")


def _person(email: str) -> Actor:
    """A person who may approve notices. Errors: ``person_unknown``, ``notice_may_not``."""
    for user, membership in organisation_queries.list_members():
        if user.email.casefold() == email.strip().casefold():
            if not is_allowed(membership.role, Permission.APPROVE_NOTICES):
                raise Refusal("notice_may_not", person=user.email)
            return Actor(user.id, user.email)
    raise Refusal("person_unknown", email=email)


@group.command("approve")
@click.argument("notice_id", type=int)
@organisation_option
@person_option
@on_option
@format_option
@refusals_as_errors
def approve(notice_id: int, organisation: str, person: str, on: date | None, output: str) -> None:
    """Approve the draft NOTICE_ID: it is issued as a document."""
    with inside(organisation) as place:
        _show(notices.approve(_person(person), place.organisation_id, notice_id, place.day(on)), output)


@group.command("renew")
@click.argument("notice_id", type=int)
@organisation_option
@person_option
@on_option
@format_option
@refusals_as_errors
def renew(notice_id: int, organisation: str, person: str, on: date | None, output: str) -> None:
    """Draft NOTICE_ID anew with the figures of today; what was approved has to be approved again."""
    with inside(organisation) as place:
        _show(notices.renew(_person(person), place.organisation_id, notice_id, place.day(on)), output)


def _evidence(path: str | None) -> NewEvidence | None:
    return None if path is None else NewEvidence(Path(path).name, io.BytesIO(Path(path).read_bytes()))


@group.command("send")
@click.argument("notice_id", type=int)
@organisation_option
@person_option
@click.option("--channel", type=click.Choice(["email", "portal", "post"]), default="email", show_default=True)
@click.option("--sent-on", type=Day(), help="The day on which you sent it by portal or post.")
@click.option("--protocol", default="", help="The number under which the portal took it.")
@click.option("--recipient", default="", help="To whom it was posted.")
@click.option("--evidence", type=click.Path(exists=True, dir_okay=False), help="A file that shows it.")
@click.option("--with-old-figures", is_flag=True, help="Send it though its figures are of an earlier day.")
@on_option
@format_option
@refusals_as_errors
def send(
    notice_id: int,
    organisation: str,
    person: str,
    channel: str,
    sent_on: date | None,
    protocol: str,
    recipient: str,
    evidence: str | None,
    with_old_figures: bool,
    on: date | None,
    output: str,
) -> None:
    """Send the approved NOTICE_ID, or record that it was sent."""
    with inside(organisation) as place:
        sending = Sending(
            channel=Channel(channel),
            on=sent_on,
            protocol_number=protocol,
            recipient=recipient,
            evidence=_evidence(evidence),
            with_old_figures=with_old_figures,
        )
        _show(notices.send(_person(person), place.organisation_id, notice_id, sending, place.day(on)), output)


@group.command("reply")
@click.argument("notice_id", type=int)
@organisation_option
@click.option("--outcome", type=click.Choice([outcome.value for outcome in ReplyOutcome]), required=True, help="What the insurer answered.")
@click.option("--replied-on", type=Day(), help="The day of the answer (default: today).")
@click.option("--note", default="", help="What it says.")
@click.option("--evidence", type=click.Path(exists=True, dir_okay=False), help="The answer as a file.")
@on_option
@format_option
@refusals_as_errors
def reply(
    notice_id: int,
    organisation: str,
    outcome: str,
    replied_on: date | None,
    note: str,
    evidence: str | None,
    on: date | None,
    output: str,
) -> None:
    """Record what the insurer answered to NOTICE_ID."""
    with inside(organisation) as place:
        day = place.day(on)
        said = Answer(outcome=ReplyOutcome(outcome), on=replied_on or day, note=note, evidence=_evidence(evidence))
        _show(notices.answer(COMMAND_LINE, place.organisation_id, notice_id, said, day), output)


@group.command("lodge")
@click.argument("notice_id", type=int)
@organisation_option
@click.option("--as", "person", required=True, help="E-mail address of the person who lodged it.")
@click.option("--lodged-on", type=Day(), help="The day on which it was lodged (default: today).")
@click.option("--administrator", required=True, help="With whom.")
@click.option("--channel", type=click.Choice([channel.value for channel in LODGING_CHANNELS]), default="post", help="How it was lodged.")
@click.option("--note", default="", help="A remark.")
@click.option("--evidence", required=True, type=click.Path(exists=True, dir_okay=False), help="What shows it, as a file.")
@on_option
@format_option
@refusals_as_errors
def lodge(
    notice_id: int,
    organisation: str,
    person: str,
    lodged_on: date | None,
    administrator: str,
    channel: str,
    note: str,
    evidence: str,
    on: date | None,
    output: str,
) -> None:
    """Record that the proof of debt of the notice of insolvency NOTICE_ID was lodged."""
    with inside(organisation) as place:
        day = place.day(on)
        said = Lodging(
            on=lodged_on or day, administrator=administrator, channel=Channel(channel), evidence=_evidence(evidence), note=note
        )  # fmt: skip
        _show(notices.lodge(_person(person), place.organisation_id, notice_id, said, day), output)


@group.command("proof")
@click.argument("notice_id", type=int)
@organisation_option
@click.option("--pdf", type=click.Path(dir_okay=False, writable=True), help="Write the proof as PDF to this file.")
@format_option
@refusals_as_errors
def proof(notice_id: int, organisation: str, pdf: str | None, output: str) -> None:
    """Show the proof that NOTICE_ID was sent in time."""
    with inside(organisation) as place:
        view, at = _view(notice_id), now()
        if pdf is not None:
            Path(pdf).write_bytes(notices.proof_paper(view, at))
        data = proof_of(view, at)
    if output == "json":
        print_json(data)
    else:
        _tell_proof(data, place)


def _tell_proof(data: dict[str, Any], place: Place) -> None:
    said = data["notice"]
    verdict = {True: "in time", False: "late", None: "not sent, or without deadline"}[said["in_time"]]
    click.echo(f"{said['buyer']}, {said['policy']} ({place.organisation.name}): {verdict}.")
    click.echo(f"Deadline {said['deadline_on'] or '-'}, sent {said['sent_on'] or '-'}.")
    if data["document"] is not None:
        click.echo(f"Document {data['document']['number']}, SHA-256 {data['document']['sha256']}")
    for each in data["dispatches"]:
        arrived = "delivered" if each["delivered"] else "not delivered"
        click.echo(f"{each['on']} {word(each['channel'], LOCALE)} to {each['recipient']}: {arrived} {each['protocol_number']}".rstrip())
