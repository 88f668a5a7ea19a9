"""The worklist of letters, and each letter with why it goes out."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from insureflow.domain.access import Permission
from insureflow.domain.dunning import DunningLevel, LetterChannel, LetterState, explain_level
from insureflow.domain.errors import Refusal
from insureflow.i18n.words import find_word, sentence_for, word
from insureflow.models.dunning import DunningLetter
from insureflow.queries import buyers as buyer_queries
from insureflow.queries import dunning as queries
from insureflow.queries import issued_documents as document_queries
from insureflow.queries import messages as message_queries
from insureflow.queries import receivables as receivable_queries
from insureflow.queries.listing import Narrowing
from insureflow.services import dunning, messages
from insureflow.web.access import may, requires
from insureflow.web.buyers.pages import language_name
from insureflow.web.context import choose_locale
from insureflow.web.downloads import attachment, readable
from insureflow.web.dunning.routes import blueprint
from insureflow.web.keys import read_key
from insureflow.web.tables import Empty, TableView, build_table, country_options, wanted_export, word_options

TONES = {
    LetterState.PROPOSED: "undecided",
    LetterState.APPROVED: "undecided",
    LetterState.SENT: "covered",
    LetterState.SKIPPED: "undecided",
    LetterState.FAILED: "stopped",
}
#: Letters that are written at once when somebody approves them; the job writes what is left.
AT_ONCE = 25
_MOST_CHOICES = 200


def _decorate(row: dict[str, Any]) -> dict[str, Any]:
    row["url"] = url_for("dunning.show", letter_id=row["key"])
    row["state"] = {"value": row["state"], "tone": TONES[row["state"]]}
    row["level"] = {"value": row["level"], "tone": "stopped" if row["level"] is DunningLevel.FINAL_DEMAND else "undecided"}
    row["channel"] = {"value": row["channel"], "tone": "plain"}
    row["language"] = {"value": language_name(row["language"])}
    if not row["interest"][0]:
        row["interest"] = None
    return row


def _view() -> TableView:
    return TableView(
        queries.letter_listing(entity_id=g.scope.entity_id),
        _("Letters to buyers"),
        {
            "buyer": _("Buyer"),
            "country": _("Country"),
            "entity": _("Entity"),
            "level": _("Level"),
            "state": _("Stands"),
            "total": _("Asked for"),
            "interest": _("Interest"),
            "as_of": _("Day"),
            "channel": _("Channel"),
            "language": _("Language"),
            "sent_on": _("Sent"),
        },
        {
            "country": lambda: country_options(receivable_queries.list_countries()),
            "entity": lambda: [(entity.code, entity.name) for entity in g.scope.entities],
            "level": lambda: word_options(list(DunningLevel)),
            "state": lambda: word_options(list(LetterState)),
            "channel": lambda: word_options(list(LetterChannel)),
        },
        decorate=_decorate,
        empty=lambda: Empty(
            _("No letter was proposed yet"),
            _(
                "Every day the product finds the buyers who have reached a level of your rules. Letters wait here until somebody approves them."
            ),
            url_for("dunning.rules"),
            _("Look at the rules"),
        ),
    )


def _sentence() -> str:
    counts = queries.count_letters(entity_id=g.scope.entity_id)
    said = (
        ngettext("%(count)s letter waits for approval", "%(count)s letters wait for approval", counts.proposed, count=counts.proposed)
        if counts.proposed
        else _("No letter waits for approval")
    )
    if counts.to_post:
        said += ngettext("; %(count)s is to be printed and posted", "; %(count)s are to be printed and posted", counts.to_post, count=counts.to_post)  # fmt: skip
    if counts.failed:
        said += ngettext("; %(count)s was not delivered", "; %(count)s were not delivered", counts.failed, count=counts.failed)
    return str(said) + "."


@blueprint.get("/")
@requires(Permission.VIEW_RECEIVABLES)
def index() -> ResponseReturnValue:
    """Every letter: what waits, what was sent, what was not delivered."""
    view = _view()
    export = wanted_export(view, "letters") if may(Permission.EXPORT) else None
    if export is not None:
        return export
    return render_template(
        "dunning/index.html",
        listing=build_table(view),
        sentence=_sentence(),
        counts=queries.count_letters(entity_id=g.scope.entity_id),
        follow_ups=queries.follow_ups(g.today),
        is_configured=messages.is_mail_configured(),
    )


@blueprint.post("/propose")
@requires(Permission.SEND_LETTERS)
def propose() -> ResponseReturnValue:
    """Look for letters that are due now."""
    made = dunning.propose(g.actor, g.organisation.id, g.today)
    flash(
        ngettext(
            "%(count)s letter is new.", "%(count)s letters are new.", made.proposed + made.approved, count=made.proposed + made.approved
        ),
        "success",
    )
    return redirect(url_for("dunning.index"))


@blueprint.get("/approvals")
@requires(Permission.SEND_LETTERS)
def approvals() -> ResponseReturnValue:
    """The letters that wait, to be chosen and approved together."""
    listing = queries.letter_listing(entity_id=g.scope.entity_id)
    narrowing = Narrowing(choices={"state": [LetterState.PROPOSED.value]})
    page = listing.page(narrowing, None, 1, _MOST_CHOICES)
    return render_template("dunning/approvals.html", rows=page.rows, count=page.total_rows, is_configured=messages.is_mail_configured())


@blueprint.post("/approve")
@requires(Permission.SEND_LETTERS)
def approve() -> ResponseReturnValue:
    """Approve what was chosen, or all that waits, or skip what was chosen with a reason."""
    chosen = [key for text in request.form.getlist("letter") if (key := read_key(text))]
    try:
        if request.form.get("action") == "skip":
            count = dunning.skip(g.actor, g.organisation.id, chosen, request.form.get("reason", "")) if chosen else 0
            flash(ngettext("%(count)s letter is skipped.", "%(count)s letters are skipped.", count, count=count), "success")
            return redirect(url_for("dunning.approvals"))
        everything = request.form.get("action") == "all"
        count = dunning.approve(g.actor, g.organisation.id, None if everything else chosen)
        if count <= AT_ONCE:
            dunning.issue_approved(g.organisation.id, g.today)
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
        return redirect(url_for("dunning.approvals"))
    flash(ngettext("%(count)s letter is approved.", "%(count)s letters are approved.", count, count=count), "success")
    return redirect(url_for("dunning.index"))


def _letter_or_404(letter_id: int) -> DunningLetter:
    letter = queries.find_letter(letter_id)
    if letter is None:
        abort(404)
    return letter


@blueprint.get("/letters/<int:letter_id>")
@requires(Permission.VIEW_RECEIVABLES)
def show(letter_id: int) -> ResponseReturnValue:
    """One letter: what it lists, why it goes out, and what became of it."""
    letter = _letter_or_404(letter_id)
    buyer = buyer_queries.find_buyer(letter.buyer_id)
    if buyer is None:
        abort(404)
    rules, source = dunning.rules_for_buyer(buyer, letter.as_of)
    items = queries.invoices_of(letter_id)
    reason = letter.reason
    if find_word(f"LetterReason.{reason}") is not None:
        reason = word(f"LetterReason.{reason}", choose_locale())
    return render_template(
        "dunning/show.html",
        letter=letter,
        buyer=buyer,
        entity=next((each for each in g.scope.entities if each.id == letter.entity_id), None),
        items=items,
        steps=explain_level(rules, due_on=items[0].due_on, on=letter.as_of, reminded=queries.reminded_before(letter, items[0].number)).steps
        if items
        else (),
        source=source,
        reason=reason,
        tone=TONES[letter.state],
        language=language_name(letter.language),
        document=document_queries.find_document(letter.document_id) if letter.document_id else None,
        message=message_queries.find_message(letter.message_id) if letter.message_id else None,
    )


@blueprint.get("/letters/<int:letter_id>/preview")
@requires(Permission.VIEW_RECEIVABLES)
def preview(letter_id: int) -> ResponseReturnValue:
    """The letter as it would be written today, as a page of its own."""
    _letter_or_404(letter_id)
    try:
        page = dunning.preview(g.organisation.id, letter_id, g.today)
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
        return redirect(url_for("dunning.show", letter_id=letter_id))
    return readable(page)


def _act(letter_id: int, said: str, action: Any) -> ResponseReturnValue:
    _letter_or_404(letter_id)
    try:
        action()
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
    else:
        flash(said, "success")
    return redirect(url_for("dunning.show", letter_id=letter_id))


@blueprint.post("/letters/<int:letter_id>/approve")
@requires(Permission.SEND_LETTERS)
def approve_one(letter_id: int) -> ResponseReturnValue:
    """Approve one letter and write it."""

    def action() -> None:
        dunning.approve(g.actor, g.organisation.id, [letter_id])
        dunning.issue_approved(g.organisation.id, g.today, letter_ids=[letter_id])

    return _act(letter_id, _("The letter is approved."), action)


@blueprint.post("/letters/<int:letter_id>/skip")
@requires(Permission.SEND_LETTERS)
def skip(letter_id: int) -> ResponseReturnValue:
    """Do not send one letter."""
    reason = request.form.get("reason", "")
    return _act(letter_id, _("The letter is skipped."), lambda: dunning.skip(g.actor, g.organisation.id, [letter_id], reason))


@blueprint.post("/letters/<int:letter_id>/repeat")
@requires(Permission.SEND_LETTERS)
def repeat(letter_id: int) -> ResponseReturnValue:
    """Write one letter anew that was not delivered."""

    def action() -> None:
        dunning.repeat(g.actor, g.organisation.id, letter_id)
        dunning.issue_approved(g.organisation.id, g.today, letter_ids=[letter_id])

    return _act(letter_id, _("The letter is written anew."), action)


@blueprint.post("/print")
@requires(Permission.SEND_LETTERS)
def print_post() -> ResponseReturnValue:
    """The next letters that go by post as one file to be printed."""
    try:
        return attachment(dunning.print_letters(g.actor, g.organisation.id))
    except Refusal as refusal:
        flash(sentence_for(refusal, choose_locale()), "error")
        return redirect(url_for("dunning.index"))


@blueprint.post("/posted")
@requires(Permission.SEND_LETTERS)
def posted() -> ResponseReturnValue:
    """Those that were printed were posted."""
    count = dunning.mark_posted(g.actor, g.organisation.id, None, g.today)
    if count:
        flash(ngettext("%(count)s letter was posted.", "%(count)s letters were posted.", count, count=count), "success")
    else:
        flash(
            _("No printed letter waits for the post. Print the letters first, so that none counts as sent that is not on paper."), "error"
        )
    return redirect(url_for("dunning.index"))
