"""The list of connections, the page of one, and what was said and sent over it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.connectors.insurers.known import sends_pushes
from insureflow.domain.access import Permission
from insureflow.domain.connections import Operation, OutboxState, SyncState
from insureflow.domain.errors import Refusal
from insureflow.domain.tasks import TaskState
from insureflow.i18n.words import sentence_for, word
from insureflow.models.connections import InsurerConnection
from insureflow.models.jobs import Task
from insureflow.queries import connections as queries
from insureflow.services import connections, outbox, tasks
from insureflow.services.clock import now
from insureflow.services.sync.tasks import OPEN, enqueue_sync, find_sync_task
from insureflow.web.access import may, requires
from insureflow.web.connections.base import TONES, blueprint, counts_in_words, get_health, list_page, locale, stored_sentence
from insureflow.web.connections.papers import takes_collections
from insureflow.web.tables import Empty, TableView, build_table, wanted_export
from insureflow.web.under_way import Job, job_of

#: The sandbox reads the address from any header; this one names what it is.
_SANDBOX_HEADER = "X-Notification"


@blueprint.get("/")
@requires(Permission.VIEW_CONNECTIONS)
def index() -> str:
    """How every connection is doing, and the policies nobody has connected yet."""
    found = queries.list_health(now())
    return render_template(
        "connections/index.html",
        connections=found,
        tones=TONES,
        without=queries.policies_without_connection(),
        stored_sentence=stored_sentence,
    )


@blueprint.get("/<int:connection_id>")
@requires(Permission.VIEW_CONNECTIONS)
def show(connection_id: int) -> ResponseReturnValue:
    """One connection: health, what it offers, its runs."""
    health = get_health(connection_id)
    row = queries.find_connection(connection_id)
    assert row is not None  # its health was found
    view = TableView(
        queries.runs_listing(connection_id),
        _("Synchronisations"),
        {
            "started_at": _("Begun"),
            "state": _("How it ended"),
            "finished_at": _("Ended"),
            "network_milliseconds": _("Milliseconds at the insurer"),
        },
        options={"state": lambda: [(state.value, word(state, locale())) for state in SyncState]},
        decorate=_run,
        empty=lambda: Empty(_("Nothing was synchronised yet"), _("It happens by itself; you can also start it now.")),
    )
    exported = wanted_export(view, "synchronisations")
    if exported is not None:
        return exported
    return render_template(
        "connections/show.html",
        health=health,
        connection=row,
        tone=TONES[health.health],
        capabilities=sorted(row.capabilities),
        can_be_read=queries.can_be_read(row.capabilities),
        job=_job(connection_id),
        stopped=stored_sentence(health.stopped_because),
        last_error=stored_sentence(health.last_error),
        push=_push(row) if sends_pushes(row.connector) and may(Permission.MANAGE_CONNECTIONS) else None,
        shows_papers=bool(connections.papers_of(row.connector)),
        takes_collections=takes_collections(row),
        table=build_table(view),
    )


def _push(row: InsurerConnection) -> dict[str, Any]:
    """How messages of the insurer are set up: the address, the name of the header, and the host that the insurer has to allow."""
    is_sandbox = row.options.get("environment") == connections.SANDBOX
    address = row.options.get("push_url") if row.push_key else None
    return {
        "address": address,
        "host": urlsplit(address or request.host_url).hostname,
        "header": row.options.get("push_header") or (_SANDBOX_HEADER if is_sandbox else ""),
        "is_sandbox": is_sandbox,
    }


def _run(row: dict[str, Any]) -> dict[str, Any]:
    hint = counts_in_words(row["counts"]) or stored_sentence(row["error"])
    return row | {"state": {"value": row["state"], "hint": hint}}


@blueprint.post("/<int:connection_id>/synchronise")
@requires(Permission.MANAGE_CONNECTIONS)
def synchronise(connection_id: int) -> ResponseReturnValue:
    """Have everything read that the insurer holds, as soon as somebody is free to do it."""
    get_health(connection_id)
    try:
        enqueue_sync(g.actor, g.organisation.id, connection_id, g.today, whole=True)
    except Refusal as refusal:
        flash(sentence_for(refusal, locale()), "error")
    else:
        flash(_("The synchronisation has been asked for. It goes on when you leave this page."), "success")
    return redirect(url_for("connections.show", connection_id=connection_id))


def _job(connection_id: int) -> Job | None:
    """The synchronisation somebody asked for last, with how far it is and what came of it."""
    found = find_sync_task(g.organisation.id, connection_id)
    if found is None:
        return None
    return job_of(
        found,
        url=url_for("connections.progress", connection_id=connection_id),
        cancel_url=url_for("connections.cancel", connection_id=connection_id),
        result_url=url_for("connections.show", connection_id=connection_id),
        name=_("Synchronisation"),
        text=_outcome(found),
        result_label=_("Show the connection as it is now"),
    )


def _outcome(found: Task) -> str:
    """What came of a synchronisation: what it counted, and what went wrong."""
    if found.state is TaskState.QUEUED:
        return str(_("It begins as soon as the scheduler takes it up."))
    if found.error:
        return stored_sentence(found.error)
    return " ".join(filter(None, (stored_sentence(found.result.get("error")), counts_in_words(found.result.get("counts")))))


@blueprint.get("/<int:connection_id>/progress")
@requires(Permission.VIEW_CONNECTIONS)
def progress(connection_id: int) -> ResponseReturnValue:
    """How far the synchronisation is that somebody asked for."""
    get_health(connection_id)
    job = _job(connection_id)
    if job is None or not request.headers.get("HX-Request"):
        return redirect(url_for("connections.show", connection_id=connection_id))
    return render_template("imports/_progress.html", job=job)


@blueprint.post("/<int:connection_id>/cancel")
@requires(Permission.MANAGE_CONNECTIONS)
def cancel(connection_id: int) -> ResponseReturnValue:
    """Ask the synchronisation to stop; what it has put into the books stays, and the next one goes on there."""
    get_health(connection_id)
    found = find_sync_task(g.organisation.id, connection_id)
    if found is not None and found.state in OPEN:
        tasks.cancel(g.organisation.id, found.id)
        flash(_("The synchronisation is asked to stop. What it has brought stays."), "info")
    return redirect(url_for("connections.show", connection_id=connection_id))


def sentence_for_error(code: str, parameters: Any) -> str:
    """The sentence of what went wrong at an insurer."""
    return stored_sentence({"code": code, "parameters": parameters})


@blueprint.post("/<int:connection_id>/try")
@requires(Permission.MANAGE_CONNECTIONS)
def try_now(connection_id: int) -> ResponseReturnValue:
    """Ask the insurer what the policy may do."""
    get_health(connection_id)
    trial = connections.try_connection(g.actor, g.organisation.id, connection_id)
    if trial.error is not None:
        flash(sentence_for_error(trial.error.code, trial.error.parameters), "error")
    else:
        flash(
            _("The connection works. It offers: %(list)s.", list=", ".join(word(each, locale()) for each in trial.capabilities)), "success"
        )
    return redirect(url_for("connections.show", connection_id=connection_id))


@blueprint.post("/<int:connection_id>/switch")
@requires(Permission.MANAGE_CONNECTIONS)
def switch(connection_id: int) -> ResponseReturnValue:
    """Switch a connection on or off."""
    get_health(connection_id)
    enabled = request.form.get("enabled") == "yes"
    connections.set_enabled(g.actor, g.organisation.id, connection_id, enabled=enabled)
    flash(_("The connection is switched on.") if enabled else _("The connection is switched off."), "success")
    return redirect(url_for("connections.show", connection_id=connection_id))


@blueprint.post("/<int:connection_id>/push-address")
@requires(Permission.MANAGE_CONNECTIONS)
def push_address(connection_id: int) -> ResponseReturnValue:
    """Ask for messages at a new address, or take none any more."""
    get_health(connection_id)
    if request.form.get("remove") == "yes":
        connections.refuse_pushes(g.actor, g.organisation.id, connection_id)
        flash(_("Messages are not taken any more."), "success")
        return redirect(url_for("connections.show", connection_id=connection_id))

    def address_of(key: str) -> str:
        return url_for("pushes.receive", slug=g.organisation.slug, push_key=key, _external=True)

    try:
        connections.take_pushes(g.actor, g.organisation.id, connection_id, request.form.get("header", ""), address_of)
    except Refusal as refusal:
        flash(sentence_for(refusal, locale()), "error")
    else:
        flash(
            _("From now on every request asks the insurer for messages. An address that was used before does not work any more."), "success"
        )
    return redirect(url_for("connections.show", connection_id=connection_id))


def _operation(code: str) -> str:
    """What a call was for; the names of an insurer's own steps stay as they are."""
    return word(f"Operation.{code}", locale()) if code in set(Operation) else code.replace("_", " ")


@blueprint.get("/<int:connection_id>/exchanges")
@requires(Permission.VIEW_CONNECTIONS)
def exchanges(connection_id: int) -> ResponseReturnValue:
    """What was said, without secrets."""
    health = get_health(connection_id)
    view = TableView(
        queries.exchanges_listing(connection_id),
        _("Exchanges"),
        {
            "at": _("When"),
            "operation": _("What for"),
            "method": _("Method"),
            "status": _("Status"),
            "milliseconds": _("Milliseconds"),
            "error": _("Went wrong"),
            "correlation": _("Number of the exchange"),
        },
        options={"operation": lambda: [(each, _operation(each)) for each in queries.list_operations(connection_id)]},
        decorate=lambda row: (
            row | {"operation": _operation(row["operation"]), "url": url_for("connections.exchange", exchange_id=row["key"])}
        ),
        empty=lambda: Empty(_("Nothing was said yet")),
    )
    return list_page(health, view, "exchanges")


@blueprint.get("/exchanges/<int:exchange_id>")
@requires(Permission.VIEW_CONNECTIONS)
def exchange(exchange_id: int) -> str:
    """One request and its reply."""
    found = queries.find_exchange(exchange_id)
    if found is None:
        abort(404)
    return render_template(
        "connections/exchange.html", exchange=found, health=get_health(found.connection_id), operation=_operation(found.operation)
    )


@blueprint.get("/<int:connection_id>/messages")
@requires(Permission.VIEW_CONNECTIONS)
def messages(connection_id: int) -> ResponseReturnValue:
    """The requests that leave or left over the connection."""
    health = get_health(connection_id)
    view = TableView(
        queries.messages_listing(connection_id),
        _("Requests sent"),
        {
            "own_reference": _("Our reference"),
            "operation": _("What for"),
            "state": _("How it stands"),
            "attempts": _("Tries"),
            "created_at": _("Written"),
            "next_attempt_at": _("Next try"),
            "sent_at": _("Arrived"),
            "insurer_reference": _("Insurer's reference"),
        },
        options={"state": lambda: [(state.value, word(state, locale())) for state in OutboxState]},
        decorate=lambda row: (
            row
            | {"operation": word(f"Operation.{row['operation']}", locale()), "url": url_for("connections.message", message_id=row["key"])}
        ),
        empty=lambda: Empty(_("No request left over this connection"), _("A limit request that is submitted is sent by itself.")),
    )
    return list_page(health, view, "messages")


@blueprint.get("/messages/<int:message_id>")
@requires(Permission.VIEW_CONNECTIONS)
def message(message_id: int) -> str:
    """One request on its way, and what can be done about it."""
    found = queries.find_message(message_id)
    if found is None:
        abort(404)
    return render_template(
        "connections/message.html", message=found, health=get_health(found.connection_id), error=stored_sentence(found.last_error)
    )


@blueprint.post("/messages/<int:message_id>/act")
@requires(Permission.MANAGE_CONNECTIONS)
def act_on_message(message_id: int) -> ResponseReturnValue:
    """Try a message again, or hold it back."""
    found = queries.find_message(message_id)
    if found is None:
        abort(404)
    if request.form.get("what") == "withdraw":
        outbox.withdraw_message(g.actor, g.organisation.id, message_id)
        flash(_("The request is held back. Nothing is sent."), "success")
    else:
        outbox.retry(g.actor, g.organisation.id, message_id, is_surely_absent=request.form.get("what") == "send_again")
        flash(_("The request is tried again within a minute."), "success")
    return redirect(url_for("connections.message", message_id=message_id))
