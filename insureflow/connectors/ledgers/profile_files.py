"""Mapping profiles as YAML or plain data: read, checked as a whole, and written. Everything wrong is reported at once."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, cast

import yaml

from insureflow.connectors.ledgers.dates import DateOrder
from insureflow.connectors.ledgers.profile import AMOUNT, COUNTRY, FIELDS, TRANSFORMS, ColumnRule, FormatHints, Profile
from insureflow.domain.countries import is_country
from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.receivables import DocumentKind, ImportMode, PaymentTerms, TermsStart


class _Reader:
    """Reads a profile's mapping, collecting what is wrong with it."""

    def __init__(self) -> None:
        self.problems: list[InvalidValue] = []

    def wrong(self, code: str, path: str, value: object = None, **parameters: object) -> None:
        self.problems.append(InvalidValue(code, path, value, **parameters))

    def table(self, value: object, path: str, allowed: tuple[str, ...] | None = None) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.wrong("not_a_mapping", path, value)
            return {}
        known: dict[str, Any] = {}
        for key, entry in value.items():
            name = str(key)
            if allowed is not None and name not in allowed:
                self.wrong("unknown_key", f"{path}.{name}" if path else name, name, allowed=", ".join(allowed))
            else:
                known[name] = entry
        return known

    def text(self, value: object, path: str) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            self.wrong("not_a_text", path, value)
            return None
        return value

    def texts(self, value: object, path: str) -> tuple[str, ...]:
        if value is None:
            return ()
        entries = value if isinstance(value, list) else [value]
        if not all(isinstance(entry, str) for entry in entries):
            self.wrong("not_a_text", path, value)
            return ()
        return tuple(entries)

    def choice(self, value: object, path: str, allowed: tuple[str, ...], default: str) -> str:
        if value is None:
            return default
        if value not in allowed:
            self.wrong("not_allowed", path, value, allowed=", ".join(allowed))
            return default
        return str(value)

    def number(self, value: object, path: str, least: int, most: int) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.wrong("not_a_number_between", path, value, least=least, most=most)
            return None
        return value

    def hints(self, value: object) -> FormatHints:
        keys = (
            "encoding",
            "delimiter",
            "quote",
            "decimal_separator",
            "date_order",
            "date_orders",
            "century",
            "sheet",
            "header_row",
        )
        entries = self.table(value, "file", keys)
        encoding = self.text(entries.get("encoding"), "file.encoding")
        if encoding is not None:
            try:
                codecs.lookup(encoding)
            except LookupError:
                self.wrong("unknown_encoding", "file.encoding", encoding)
                encoding = None
        characters: dict[str, str | None] = {}
        for key in ("delimiter", "quote"):
            character = self.text(entries.get(key), f"file.{key}")
            if character is not None and (len(character) != 1 or character in "\r\n"):
                self.wrong("not_one_character", f"file.{key}", character)
                character = None
            characters[key] = character
        decimal = entries.get("decimal_separator")
        orders = tuple(DateOrder)
        order = entries.get("date_order")
        per_column = {
            name: DateOrder(each)
            for name, entry in self.table(entries.get("date_orders"), "file.date_orders").items()
            if (each := self.choice(entry, f"file.date_orders.{name}", orders, ""))
        }
        return FormatHints(
            encoding=encoding,
            delimiter=characters["delimiter"],
            quote=characters["quote"],
            decimal_separator=self.choice(decimal, "file.decimal_separator", (".", ","), ".") if decimal is not None else None,
            date_order=DateOrder(self.choice(order, "file.date_order", orders, "ymd")) if order is not None else None,
            date_orders=MappingProxyType(per_column),
            century=self.number(entries.get("century"), "file.century", 1900, 2100),
            sheet=self.text(entries.get("sheet"), "file.sheet"),
            header_row=self.number(entries.get("header_row"), "file.header_row", 1, 1000),
        )

    def rule(self, value: object, path: str, field_type: str) -> ColumnRule:
        if isinstance(value, str | list):
            return ColumnRule(columns=self.texts(value, path))
        entries = self.table(value, path, ("column", "combine", "separator", "constant", "transform", "values", "unknown"))
        columns = self.texts(entries.get("column"), f"{path}.column")
        combine = self.texts(entries.get("combine"), f"{path}.combine")
        constant = entries.get("constant")
        sources = [name for name, given in (("column", columns), ("combine", combine), ("constant", constant)) if given]
        if len(sources) != 1:
            self.wrong("one_source_needed", path, ", ".join(sources))
        transforms = self.texts(entries.get("transform"), f"{path}.transform")
        for name in transforms:
            if name not in TRANSFORMS:
                self.wrong("not_allowed", f"{path}.transform", name, allowed=", ".join(TRANSFORMS))
            elif (name in {"negate", "absolute"}) != (field_type == AMOUNT) or (name == "numeric_country" and field_type != COUNTRY):
                self.wrong("transform_does_not_fit", f"{path}.transform", name, field_type=field_type)
        values: dict[str, str] = {}
        for key, entry in self.table(entries.get("values"), f"{path}.values").items():
            if isinstance(entry, str | bool):
                values[key] = str(entry).lower() if isinstance(entry, bool) else entry
            else:
                self.wrong("not_a_text", f"{path}.values.{key}", entry)
        return ColumnRule(
            columns=columns,
            combine=combine,
            separator=self.text(entries.get("separator"), f"{path}.separator") or "-",
            constant=str(constant) if constant is not None else None,
            transforms=transforms,
            values=MappingProxyType(values),
            unknown=self.choice(entries.get("unknown"), f"{path}.unknown", ("problem", "warning"), "problem"),
        )

    def payment_terms(self, value: object, path: str) -> PaymentTerms:
        entries = self.table(value, path, ("days", "months", "start"))
        start = self.choice(entries.get("start"), f"{path}.start", tuple(TermsStart), TermsStart.INVOICE_DATE)
        return PaymentTerms(
            days=self.number(entries.get("days"), f"{path}.days", 0, 3650) or 0,
            months=self.number(entries.get("months"), f"{path}.months", 0, 120) or 0,
            start=TermsStart(start),
        )

    def profile(self, value: object) -> Profile:
        entries = self.table(
            value,
            "",
            (
                "format",
                "name",
                "title",
                "description",
                "layout",
                "mode",
                "file",
                "columns",
                "defaults",
                "kinds",
                "terms",
                "where",
                "negative_invoice",
                "reductions",
                "without_due_date",
            ),
        )
        if entries.get("format") != 1:
            self.wrong("unknown_format", "format", entries.get("format"), known=1)
        name = self.text(entries.get("name"), "name")
        if not name:
            self.wrong("missing", "name")
        layout = self.choice(entries.get("layout"), "layout", ("table", "ubl"), "table")
        columns: dict[str, ColumnRule] = {}
        for key, entry in self.table(entries.get("columns"), "columns", tuple(FIELDS)).items():
            columns[key] = self.rule(entry, f"columns.{key}", FIELDS[key])
        defaults = self.table(entries.get("defaults"), "defaults", ("currency", "country", "kind"))
        currency, country = defaults.get("currency"), defaults.get("country")
        if currency is not None and not is_currency(currency):
            self.wrong("unknown_currency", "defaults.currency", currency)
        if country is not None and not is_country(country):
            self.wrong("unknown_country", "defaults.country", country)
        if layout == "table":
            self._check_columns(columns, currency)
        kinds = tuple(DocumentKind)
        return Profile(
            name=name or "",
            title=self.text(entries.get("title"), "title") or "",
            description=self.text(entries.get("description"), "description") or "",
            layout=layout,
            mode=ImportMode(self.choice(entries.get("mode"), "mode", tuple(ImportMode), ImportMode.MOVEMENTS)),
            file=self.hints(entries.get("file")),
            columns=MappingProxyType(columns),
            currency=cast("str | None", currency),
            country=cast("str | None", country),
            kind=DocumentKind(self.choice(defaults.get("kind"), "defaults.kind", kinds, DocumentKind.INVOICE)),
            kinds=MappingProxyType(
                {
                    key: DocumentKind(self.choice(entry, f"kinds.{key}", kinds, DocumentKind.INVOICE))
                    for key, entry in self.table(entries.get("kinds"), "kinds").items()
                }
            ),
            terms=MappingProxyType(
                {key: self.payment_terms(entry, f"terms.{key}") for key, entry in self.table(entries.get("terms"), "terms").items()}
            ),
            where=MappingProxyType(
                {key: self.texts(entry, f"where.{key}") for key, entry in self.table(entries.get("where"), "where").items()}
            ),
            negative_invoice=self.choice(entries.get("negative_invoice"), "negative_invoice", ("problem", "credit_note"), "problem"),
            reductions=self.choice(entries.get("reductions"), "reductions", ("positive", "negative", "either"), "positive"),
            without_due_date=self.choice(entries.get("without_due_date"), "without_due_date", ("problem", "invoice_date"), "problem"),
        )

    def _check_columns(self, columns: Mapping[str, ColumnRule], currency: object) -> None:
        needed = [
            ("number", ("number",)),
            ("customer_number", ("customer_number", "customer_name")),
            ("document_on", ("document_on",)),
            ("gross", ("gross", "net", "open")),
        ]
        for name, alternatives in needed:
            if not any(each in columns for each in alternatives):
                self.wrong("field_not_mapped", f"columns.{name}", alternatives=", ".join(alternatives))
        if "net" in columns and not ({"gross", "vat"} & set(columns)):
            self.wrong("field_not_mapped", "columns.vat", alternatives="vat, gross")
        if "currency" not in columns and currency is None:
            self.wrong("field_not_mapped", "columns.currency", alternatives="currency, defaults.currency")


def profile_from_mapping(value: object) -> Profile:
    """The profile that plain data (from YAML or a form) describes. Errors: ``InvalidValues`` with everything that is wrong."""
    reader = _Reader()
    profile = reader.profile(value)
    if reader.problems:
        raise InvalidValues(tuple(reader.problems))
    return profile


def check_profile(profile: Profile) -> None:
    """Errors: ``InvalidValues`` when a profile put together in code could not be read back."""
    profile_from_mapping(profile_to_mapping(profile))


def load_profile(text: str | bytes, *, file: str = "profile.yaml") -> Profile:
    """The profile in a YAML text; ``file`` is what a reader is told it is called.

    Errors: ``InvalidValues`` with everything that is wrong, or ``not_yaml``.
    """
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as problem:
        mark = getattr(problem, "problem_mark", None)
        reason = getattr(problem, "problem", None) or type(problem).__name__
        raise Refusal("not_yaml", file=file, line=mark.line + 1 if mark else 0, reason=reason) from None
    return profile_from_mapping(value)


def _rule_to_mapping(rule: ColumnRule) -> object:
    plain = not (rule.transforms or rule.values or rule.combine or rule.constant is not None or rule.unknown != "problem")
    if plain:
        return rule.columns[0] if len(rule.columns) == 1 else list(rule.columns)
    entries: dict[str, object] = {}
    if rule.columns:
        entries["column"] = rule.columns[0] if len(rule.columns) == 1 else list(rule.columns)
    if rule.combine:
        entries |= {"combine": list(rule.combine), "separator": rule.separator}
    if rule.constant is not None:
        entries["constant"] = rule.constant
    if rule.transforms:
        entries["transform"] = list(rule.transforms)
    if rule.values:
        entries["values"] = dict(rule.values)
    if rule.unknown != "problem":
        entries["unknown"] = rule.unknown
    return entries


def profile_to_mapping(profile: Profile) -> dict[str, object]:
    """A profile as plain data, ready for YAML, JSON or a database column."""
    hints = {
        name: getattr(profile.file, name)
        for name in ("encoding", "delimiter", "quote", "decimal_separator", "century", "sheet", "header_row")
        if getattr(profile.file, name) is not None
    }
    if profile.file.date_order is not None:
        hints["date_order"] = profile.file.date_order.value
    if profile.file.date_orders:
        hints["date_orders"] = {name: order.value for name, order in profile.file.date_orders.items()}
    defaults = {"currency": profile.currency, "country": profile.country, "kind": profile.kind.value}
    entries: dict[str, object] = {
        "format": 1,
        "name": profile.name,
        "title": profile.title,
        "description": profile.description,
        "layout": profile.layout,
        "mode": profile.mode.value,
        "file": hints,
        "defaults": {name: value for name, value in defaults.items() if value is not None},
        "columns": {name: _rule_to_mapping(rule) for name, rule in profile.columns.items()},
        "kinds": {name: kind.value for name, kind in profile.kinds.items()},
        "terms": {code: {"days": terms.days, "months": terms.months, "start": terms.start.value} for code, terms in profile.terms.items()},
        "where": {name: list(values) for name, values in profile.where.items()},
        "negative_invoice": profile.negative_invoice,
        "reductions": profile.reductions,
        "without_due_date": profile.without_due_date,
    }
    return {name: value for name, value in entries.items() if value not in ({}, "")}


def save_profile(profile: Profile) -> str:
    """A profile as YAML text; ``load_profile`` gives the same profile back."""
    return yaml.safe_dump(profile_to_mapping(profile), sort_keys=False, allow_unicode=True, width=120)


@cache
def shipped_profiles() -> Mapping[str, Profile]:
    """The profiles that come with the product, by name."""
    folder = resources.files("insureflow.connectors.ledgers").joinpath("profiles")
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda entry: entry.name)
    profiles = [load_profile(entry.read_bytes()) for entry in files]
    return MappingProxyType({profile.name: profile for profile in profiles})


def get_shipped_profile(name: str) -> Profile:
    """The profile of this name that comes with the product. Refusal: ``unknown_profile``."""
    profile = shipped_profiles().get(name)
    if profile is None:
        raise Refusal("unknown_profile", name=name, known=", ".join(shipped_profiles()))
    return profile
