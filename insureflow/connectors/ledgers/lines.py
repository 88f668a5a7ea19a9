"""From fields to ledger lines: the rules that every row must keep, applied column by column."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from insureflow.connectors.ledgers.batch import CustomerNames
from insureflow.connectors.ledgers.columns import Fields
from insureflow.connectors.ledgers.profile import Profile
from insureflow.domain.errors import InvalidValue
from insureflow.domain.receivables import (
    DocumentKind,
    LedgerLines,
    PaymentTerms,
    calculate_due_on,
    calculate_fingerprints,
    complete_amounts,
)

INVOICE, CREDIT_NOTE, PAYMENT = DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE, DocumentKind.PAYMENT

#: A due date this long after the invoice is worth a second look.
FAR_AWAY = timedelta(days=730)

_AMOUNTS = ("net", "vat", "gross", "open", "disputed_amount")


def build_lines(fields: Fields, profile: Profile) -> LedgerLines:
    """The lines of all rows without a problem. Problems and warnings are added to ``fields``."""
    rows = len(fields.rows)

    def column(name: str) -> list[Any]:
        return fields.values.get(name) or [None] * rows

    kinds = _kinds(fields, profile)
    amounts = {name: list(column(name)) if name in fields.values else None for name in _AMOUNTS}
    _settle_signs(fields, profile, kinds, amounts)
    _complete(fields, amounts)
    document_on = column("document_on")
    numbers, customers, names = column("number"), _customers(fields), column("customer_name")
    applies_to = column("applies_to")
    _require(fields, kinds, document_on, numbers, customers, applies_to)
    only_invoices = PAYMENT not in kinds and CREDIT_NOTE not in kinds
    invoice_on: list[date | None] = document_on
    paid_on: list[date | None] = [None] * rows
    if not only_invoices:
        invoice_on = [None if kind is PAYMENT else on for kind, on in zip(kinds, document_on, strict=True)]
        paid_on = [on if kind is PAYMENT else None for kind, on in zip(kinds, document_on, strict=True)]
    terms = column("terms")
    due_on = _due_dates(fields, profile, kinds, invoice_on, list(column("due_on")), terms)
    original = fields.values.get("original_due_on")
    original_due_on = due_on if original is None else [first or due for first, due in zip(original, due_on, strict=True)]
    gross = amounts["gross"] or [None] * rows
    settled_on = column("settled_on")
    _look_twice(fields, kinds, gross, amounts, invoice_on, due_on, settled_on)
    disputed, disputed_minor, reason = _disputes(fields, amounts, rows)
    country = fields.values.get("country")
    if country is None:
        country = [profile.country] * rows
    elif profile.country is not None:
        country = [code or profile.country for code in country]
    _refuse_repeated(fields, kinds, numbers, customers)
    known_terms = {id(entry): entry for entry in terms if entry is not None}
    codes = {place: entry[0] for place, entry in known_terms.items()}
    days = {place: _days(entry[1]) for place, entry in known_terms.items()}
    lines = LedgerLines(
        row=fields.rows,
        kind=kinds,
        number=numbers,
        customer_number=customers,
        customer_name=names,
        country=country,
        currency=fields.values["currency"],
        net_minor=amounts["net"] or [None] * rows,
        vat_minor=amounts["vat"] or [None] * rows,
        gross_minor=gross,
        invoice_on=invoice_on,
        shipment_on=column("shipment_on"),
        due_on=due_on,
        original_due_on=original_due_on,
        terms_code=[codes.get(id(entry)) for entry in terms],
        terms_days=[days.get(id(entry)) for entry in terms],
        paid_on=paid_on,
        settled_on=settled_on,
        open_minor=amounts["open"] or [None] * rows,
        applies_to=applies_to,
        disputed=disputed,
        disputed_minor=disputed_minor,
        dispute_reason=reason,
        was_disputed=fields.values.get("was_disputed") or [False] * rows,
        reference=column("reference"),
        vat_number=column("vat_number"),
        registration_number=column("registration_number"),
        lei=column("lei"),
        trading_name=column("trading_name"),
        electronic_address=column("electronic_address"),
        entity_code=column("entity_code"),
        fingerprint=[""] * rows,
    )
    bad = {position for position, _ in fields.bad}
    if bad:
        lines = lines.select([position for position in range(rows) if position not in bad])
    lines.fingerprint = calculate_fingerprints(lines)
    return lines


def _days(terms: PaymentTerms | None) -> int | None:
    return terms.days if terms is not None and not terms.months and terms.start == "invoice_date" else None


def _kinds(fields: Fields, profile: Profile) -> list[DocumentKind]:
    kinds = fields.values.get("kind")
    if kinds is None:
        return [profile.kind] * len(fields.rows)
    return [kind or profile.kind for kind in kinds]


def _settle_signs(fields: Fields, profile: Profile, kinds: list[DocumentKind], amounts: dict[str, list[Any] | None]) -> None:
    """Turns every amount into one that is not negative; a sign that the profile does not expect is a problem."""
    leading_name = next((name for name in ("gross", "net", "open") if amounts[name] is not None), "gross")
    leading = amounts[leading_name] or []
    if all(kind is INVOICE for kind in set(kinds)) and not any(_has_negative(amounts[name]) for name in _AMOUNTS):
        return
    columns = [values for values in amounts.values() if values is not None]
    for position, (kind, value) in enumerate(zip(kinds, leading, strict=True)):
        if kind is INVOICE:
            if value is not None and value < 0:
                if profile.negative_invoice != "credit_note":
                    fields.report(position, leading_name, "negative_invoice")
                    continue
                kinds[position] = CREDIT_NOTE
                _negate(columns, position)
        elif value is not None and value != 0:
            if profile.reductions == "negative" or (profile.reductions == "either" and value < 0):
                _negate(columns, position)
            if (leading[position] or 0) < 0:
                fields.report(position, leading_name, "sign_not_expected", kind=kind.value, expected=profile.reductions)
    for name in ("open", "disputed_amount"):
        for position, value in enumerate(amounts[name] or ()):
            if value is not None and value < 0:
                fields.report(position, name, "negative_amount")


def _has_negative(values: list[Any] | None) -> bool:
    if not values:
        return False
    if None in values:
        return any(value is not None and value < 0 for value in values)
    return bool(min(values) < 0)


def _negate(columns: list[list[Any]], position: int) -> None:
    for values in columns:
        if values[position] is not None:
            values[position] = -values[position]


def _complete(fields: Fields, amounts: dict[str, list[Any] | None]) -> None:
    """Net, tax and gross of every row: two give the third; a list of open items alone gives what is open as the whole."""
    rows = len(fields.rows)
    net, vat, gross = amounts["net"], amounts["vat"], amounts["gross"]
    if gross is None and (net is None or vat is None):
        amounts["gross"] = list(amounts["open"] or [None] * rows)
        fields.raw.setdefault("gross", fields.raw.get("open", [""] * rows))
        fields.headings.setdefault("gross", fields.headings.get("open"))
        gross = amounts["gross"]
    if net is None and vat is None:
        for position, value in enumerate(gross or ()):
            if value is None and (position, "open") not in fields.bad:
                fields.report(position, "gross", "missing")
        return
    net, vat, gross = net or [None] * rows, vat or [None] * rows, gross or [None] * rows
    for position in range(rows):
        one, two, three = net[position], vat[position], gross[position]
        if one is not None and two is not None and one + two == three:
            continue
        try:
            net[position], vat[position], gross[position] = complete_amounts(one, two, three)
        except InvalidValue as problem:
            if problem.code == "amounts_do_not_add_up":
                currency = fields.values["currency"][position]
                fields.report(position, "gross", problem.code, net_minor=one, vat_minor=two, gross_minor=three, currency=currency)
            elif not any((position, name) in fields.bad for name in ("net", "vat")):
                fields.report(position, "gross", problem.code)
    amounts["net"], amounts["vat"], amounts["gross"] = net, vat, gross


def _customers(fields: Fields) -> list[Any]:
    """Customer numbers; a customer without one is known by its name."""
    numbers, names = fields.values.get("customer_number"), fields.values.get("customer_name")
    if numbers is None:
        return names or []
    if names is None or None not in numbers:
        return numbers
    return [number or name for number, name in zip(numbers, names, strict=True)]


def _require(
    fields: Fields, kinds: list[DocumentKind], document_on: list[Any], numbers: list[Any], customers: list[Any], applies_to: list[Any]
) -> None:
    """Date, number and customer must stand in every row; a payment needs no number, nor a customer when it names its invoice."""
    if None in document_on:
        for position, on in enumerate(document_on):
            if on is None:
                fields.report(position, "document_on", "missing")
    if None in numbers:
        for position, number in enumerate(numbers):
            if number is None and kinds[position] is not PAYMENT:
                fields.report(position, "number", "missing")
    if None in customers:
        name = "customer_number" if "customer_number" in fields.values else "customer_name"
        for position, customer in enumerate(customers):
            if customer is None and not (kinds[position] is PAYMENT and applies_to[position]):
                fields.report(position, name, "missing")


def _due_dates(
    fields: Fields, profile: Profile, kinds: list[DocumentKind], invoice_on: list[Any], due_on: list[Any], terms: list[Any]
) -> list[Any]:
    """Due dates; where an invoice has none its terms give it."""
    name = "due_on" if "due_on" in fields.values else "terms" if "terms" in fields.values else "due_on"
    if None not in due_on:
        return due_on
    for position, due in enumerate(due_on):
        if due is not None or kinds[position] is not INVOICE:
            continue
        issued: date | None = invoice_on[position]
        if issued is None or (position, "due_on") in fields.bad or (position, "terms") in fields.bad:
            continue
        entry = terms[position]
        if entry is not None and entry[1] is not None:
            due_on[position] = calculate_due_on(issued, entry[1])
        elif entry is not None and profile.without_due_date == "problem":
            fields.report(position, "terms", "unknown_terms", terms=entry[0])
        elif profile.without_due_date == "invoice_date":
            due_on[position] = issued
            fields.remark(position, name, "due_date_assumed", due_on=issued)
        else:
            fields.report(position, name, "due_date_missing")
    return due_on


def _look_twice(
    fields: Fields,
    kinds: list[DocumentKind],
    gross: list[Any],
    amounts: dict[str, list[Any] | None],
    invoice_on: list[Any],
    due_on: list[Any],
    settled_on: list[Any],
) -> None:
    """Warnings about rows that may be right but seldom are."""
    due_name = "due_on" if "due_on" in fields.values else "terms"
    for position, (kind, issued, due) in enumerate(zip(kinds, invoice_on, due_on, strict=True)):
        if due is not None and issued is not None and kind is INVOICE:
            if due < issued:
                fields.remark(position, due_name, "due_before_invoice", invoice_on=issued, due_on=due)
            elif due - issued > FAR_AWAY:
                fields.remark(position, due_name, "due_date_far", invoice_on=issued, due_on=due)
    if 0 in gross:
        for position, value in enumerate(gross):
            if value == 0:
                fields.remark(position, "gross", "amount_zero")
    if "settled_on" in fields.values:
        for position, (settled, issued) in enumerate(zip(settled_on, invoice_on, strict=True)):
            if settled is not None and issued is not None and settled < issued:
                fields.remark(position, "settled_on", "settled_before_invoice", invoice_on=issued, settled_on=settled)
    for name, code in (("open", "open_exceeds_gross"), ("disputed_amount", "disputed_exceeds_gross")):
        values = amounts[name]
        if values is not None and values != gross:
            for position, (value, whole) in enumerate(zip(values, gross, strict=True)):
                if value is not None and whole is not None and value > whole:
                    currency = fields.values["currency"][position]
                    fields.remark(position, name, code, amount_minor=value, gross_minor=whole, currency=currency)


def _disputes(fields: Fields, amounts: dict[str, list[Any] | None], rows: int) -> tuple[list[bool], list[Any], list[Any]]:
    """Whether each row is disputed, for how much and why; an amount or a reason alone says so too."""
    minor = amounts["disputed_amount"] or [None] * rows
    reason = fields.values.get("dispute_reason") or [None] * rows
    flags = fields.values.get("disputed")
    if flags is None:
        if amounts["disputed_amount"] is None and "dispute_reason" not in fields.values:
            return [False] * rows, minor, reason
        return [bool(amount or why) for amount, why in zip(minor, reason, strict=True)], minor, reason
    return [bool(flag) for flag in flags], minor, reason


def _refuse_repeated(fields: Fields, kinds: list[DocumentKind], numbers: list[Any], customers: list[Any]) -> None:
    """An invoice or credit note may stand in a file once: a second row with its number is a problem."""
    rows = len(fields.rows)
    if len(set(numbers)) == rows:
        return
    entities = fields.values.get("entity_code") or [None] * rows
    keys = list(zip(entities, customers, kinds, numbers, strict=True))
    if len(set(keys)) == rows:
        return
    first: dict[Any, int] = {}
    for position, key in enumerate(keys):
        if key[3] is None or key[2] is PAYMENT:
            continue
        before = first.setdefault(key, position)
        if before != position:
            fields.report(position, "number", "number_repeated", first_row=fields.rows[before])


def gather_names(lines: LedgerLines) -> dict[str, CustomerNames]:
    """The names of every customer number, in the order in which the file spells them."""
    spelled: dict[str, dict[str, None]] = {}
    for number, name in dict.fromkeys(zip(lines.customer_number, lines.customer_name, strict=True)):
        if number is not None and name is not None:
            spelled.setdefault(number, {})[name] = None
    if any(lines.trading_name):
        for number, name in dict.fromkeys(zip(lines.customer_number, lines.trading_name, strict=True)):
            if number is not None and name is not None:
                spelled.setdefault(number, {})[name] = None
    return {number: CustomerNames(next(iter(names)), tuple(names)[1:]) for number, names in spelled.items()}
