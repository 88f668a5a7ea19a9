"""Second step of the wizard: how the file is read, column by column, with its first rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from insureflow.connectors.ledgers import FIELDS, ColumnRule, DateOrder, Finding, Preview, Profile, check_profile
from insureflow.domain.access import Permission
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.receivables import DocumentKind, ImportMode
from insureflow.i18n.findings import value_of_finding
from insureflow.i18n.row_problems import reason_of
from insureflow.i18n.words import sentence, sentence_for, word
from insureflow.models.receivables import ImportBatch
from insureflow.queries import imports as queries
from insureflow.services import imports
from insureflow.web.access import requires
from insureflow.web.context import choose_locale
from insureflow.web.imports.routes import blueprint
from insureflow.web.imports.running import begin_check
from insureflow.web.tables import read_date

SUGGESTED = "suggested"
_DECIMALS = {"point": ".", "comma": ","}
ENCODINGS = (
    "utf-8",
    "cp1252",
    "iso8859-1",
    "iso8859-15",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1257",
    "cp850",
    "mac_roman",
    "utf-16",
    "shift_jis",
    "gb18030",
)
DELIMITERS = ((",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar"))

#: So many rows are shown as they are read.
SHOWN_LINES = 10

#: Fields that most files have come first; without those marked nothing can be read.
NEEDED = ("number", "customer_number", "customer_name", "currency", "gross", "document_on", "due_on")


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """A field and the column that feeds it; ``fixed`` says what feeds it instead of one column.

    ``is_shown``: it is needed or mapped, so it stands with those that people look at first.
    """

    name: str
    label: str
    heading: str
    fixed: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding as the page shows it."""

    aspect: str
    label: str
    column: str
    value: str
    certainty: Any
    reason: str
    is_question: bool


def keep_first_mapping(batch_id: int, name: str) -> None:
    """Choose how a new upload is read: by the profile asked for, one that fits its headings, or by the headings themselves."""
    batch = imports.files.get_batch(batch_id)
    profile = _profile(batch, name or None)
    try:
        check_profile(profile)
    except InvalidValues:
        return  # the page asks for what is missing
    _keep(batch, profile, mode=profile.mode, as_of=batch.as_of, options={})


def _keep(batch: ImportBatch, profile: Profile, *, mode: ImportMode, as_of: date, options: Mapping[str, Any]) -> None:
    imports.files.set_mapping(g.organisation.id, batch.id, profile, mode=mode, as_of=as_of, options=options)


def _profile(batch: ImportBatch, name: str | None) -> Profile:
    """The profile to begin with; None chooses."""
    if name is None:
        seen = imports.files.look_into(batch, None)
        fitting = imports.profiles.fitting_profile(seen.headers)
        if fitting is not None:
            return imports.profiles.get_profile(fitting)
        name = SUGGESTED if seen.suggestion is not None else "ubl"
    if name != SUGGESTED:
        return imports.profiles.get_profile(name)
    suggested = imports.files.suggest_profile(batch)
    if suggested is None:
        return imports.profiles.get_profile("ubl")
    return suggested if "currency" in suggested.columns else replace(suggested, currency=queries.entity_of(batch).currency)


def _stored(batch: ImportBatch) -> Profile | None:
    return imports.files.profile_of(batch)


@blueprint.route("/<int:batch_id>/mapping", methods=["GET", "POST"])
@requires(Permission.IMPORT_RECEIVABLES)
def mapping(batch_id: int) -> ResponseReturnValue:
    """Show and change how the file is read."""
    batch = imports.files.get_batch(batch_id)
    if batch.file_id is None:
        return redirect(url_for("imports.show", batch_id=batch_id))
    if request.method == "GET":
        asked = request.args.get("profile")
        profile = _profile(batch, asked) if asked else (_stored(batch) or _profile(batch, None))
        return _page(batch, profile, mode=profile.mode if asked or not batch.profile else ImportMode(batch.mode))
    base = request.form.get("base", "")
    start = _stored(batch) if not base else None
    start = start or _profile(batch, base or None)
    profile = _from_form(start, imports.files.look_into(batch, start).headers)
    mode = ImportMode.OPEN_ITEMS if request.form.get("mode") == ImportMode.OPEN_ITEMS.value else ImportMode.MOVEMENTS
    as_of = read_date(request.form.get("as_of", ""))
    problems: list[str] = []
    try:
        check_profile(profile)
        if as_of is None:
            problems.append(_("The day of the file is not a date."))
        else:
            _keep(batch, profile, mode=mode, as_of=as_of, options={"create_buyers": request.form.get("unknown_buyers") != "refuse"})
        if "save" in request.form and not problems:
            imports.profiles.save_profile(g.actor, g.organisation.id, request.form.get("profile_name", ""), replace(profile, mode=mode))
            flash(_("The mapping was saved."), "success")
        if not problems and "check" in request.form:
            seen = imports.files.look_into(batch, profile)
            problems += [_question(each) for each in seen.questions]
            if not problems:
                return begin_check(batch_id)
    except Refusal as refusal:
        problems += [
            sentence_for(each, choose_locale()) for each in (refusal.problems if isinstance(refusal, InvalidValues) else (refusal,))
        ]
    if problems:
        return _page(batch, profile, mode=mode, problems=problems), 422
    return redirect(url_for("imports.mapping", batch_id=batch_id))


def _question(finding: Finding) -> str:
    label = word(f"aspect.{finding.aspect}", choose_locale())
    return str(_("%(what)s, column “%(column)s”: please decide.", what=label, column=finding.column or ""))


def _from_form(start: Profile, headers: tuple[str, ...]) -> Profile:
    """The profile that the form describes; what the form cannot say stays as it was."""
    columns: dict[str, ColumnRule] = {}
    for name in FIELDS:
        heading = request.form.get(f"field-{name}", "")
        rule = start.columns.get(name)
        if heading == _current(rule, headers) and rule is not None:
            columns[name] = rule
        elif heading:
            columns[name] = ColumnRule((heading,))
    hints = start.file
    form = request.form
    orders = {
        form[f"order-heading-{number}"]: DateOrder(form[f"order-{number}"])
        for number in range(len(FIELDS))
        if form.get(f"order-{number}") in set(DateOrder) and f"order-heading-{number}" in form
    }
    hints = replace(
        hints,
        encoding=form.get("encoding") or None,
        delimiter=next((mark for mark, name in DELIMITERS if name == form.get("delimiter")), None),
        decimal_separator=_DECIMALS.get(form.get("decimal_separator", "")),
        date_order=DateOrder(form["date_order"]) if form.get("date_order") in set(DateOrder) else None,
        date_orders=MappingProxyType(orders),
        sheet=form.get("sheet") or None,
    )
    return replace(
        start,
        columns=MappingProxyType(columns),
        file=hints,
        currency=form.get("currency", "").strip().upper() or None,
        country=form.get("country", "").strip().upper() or None,
        mode=ImportMode(form["mode"]) if form.get("mode") in set(ImportMode) else start.mode,
    )


def _current(rule: ColumnRule | None, headers: tuple[str, ...]) -> str:
    """The heading of the file that feeds a field now, or a mark for what feeds it otherwise."""
    if rule is None:
        return ""
    if rule.constant is not None or rule.combine:
        return "*"
    there = {" ".join(heading.split()).casefold(): heading for heading in headers}
    return next((there[key] for name in rule.columns if (key := " ".join(name.split()).casefold()) in there), "")


def _choice(name: str, profile: Profile, headers: tuple[str, ...], locale: str) -> FieldChoice:
    """A field as the page offers it."""
    rule = profile.columns.get(name)
    heading, fixed = _current(rule, headers), _fixed(rule)
    return FieldChoice(name, word(f"field.{name}", locale), heading, fixed, name in NEEDED or bool(heading or fixed))


def _fixed(rule: ColumnRule | None) -> str:
    if rule is None or not (rule.constant is not None or rule.combine):
        return ""
    return rule.constant if rule.constant is not None else rule.separator.join(rule.combine)


def _shown(finding: Finding) -> Shown:
    locale = choose_locale()
    value = value_of_finding(finding.aspect, finding.value, locale)
    reason = sentence(finding.reason, dict(finding.parameters), locale)
    is_question = finding.certainty.value == "ambiguous"
    return Shown(
        finding.aspect, word(f"aspect.{finding.aspect}", locale), finding.column or "", value, finding.certainty, reason, is_question
    )


def _page(batch: ImportBatch, profile: Profile, *, mode: ImportMode, problems: list[str] | None = None) -> str:
    locale = choose_locale()
    problems = list(problems or [])
    seen: Preview | None = None
    try:
        seen = imports.files.look_into(batch, profile)
    except Refusal as refusal:
        text = [sentence_for(each, locale) for each in (refusal.problems if isinstance(refusal, InvalidValues) else (refusal,))]
        problems += [each for each in text if each not in problems]
    headers = seen.headers if seen else ()
    findings = [_shown(each) for each in seen.detection.findings if each.aspect != "column_missing"] if seen else []
    shown = list(dict.fromkeys(findings))  # a column that feeds two fields is found out about twice
    order = [*NEEDED, *(name for name in FIELDS if name not in NEEDED)]
    batch_read = seen.batch if seen else None
    asked = request.args.get("profile")
    return render_template(
        "imports/mapping.html",
        batch=batch,
        entity=queries.entity_of(batch),
        profile=profile,
        base=asked or request.form.get("base", "") if request.method == "POST" or asked else ("" if batch.profile else SUGGESTED),
        profiles=imports.profiles.list_profiles(),
        problems=problems,
        mode=mode,
        modes=tuple(ImportMode),
        as_of=request.form.get("as_of") or batch.as_of.isoformat(),
        may_create=batch.options.get("create_buyers", True),
        findings=shown,
        questions=[each for each in shown if each.is_question],
        date_columns=[(each, _order_of(profile, each.column)) for each in shown if each.aspect == "date_order"],
        date_orders=tuple(DateOrder),
        encodings=ENCODINGS,
        delimiters=DELIMITERS,
        headers=headers,
        raw_rows=seen.rows if seen else (),
        fields=[_choice(name, profile, headers, locale) for name in order],
        missing=[word(f"field.{name}", locale) for name in seen.missing_fields] if seen else [],
        lines=list(batch_read.lines)[:SHOWN_LINES] if batch_read else [],
        bad=[(each, reason_of(each.code, each.parameters, locale, column=each.column, value=each.value)) for each in batch_read.problems]
        if batch_read
        else [],
        sheets=seen.detection.sheets if seen else (),
        is_table=profile.layout == "table",
        kinds=tuple(DocumentKind),
    )


def _order_of(profile: Profile, heading: str) -> str:
    return next((order.value for name, order in profile.file.date_orders.items() if name.casefold() == heading.casefold()), "")
