"""Exposure: groups and classes of age; worked examples and their files."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "Grouping.total": _("total"),
    "Grouping.country": _("country"),
    "Grouping.buyer": _("buyer"),
    "Grouping.policy": _("policy"),
    "Grouping.currency": _("currency"),
    "Grouping.entity": _("entity"),
    "not_due": _("not due"),
    "days_1_30": _("1–30 days overdue"),
    "days_31_60": _("31–60 days overdue"),
    "days_61_90": _("61–90 days overdue"),
    "days_over_90": _("more than 90 days overdue"),
    "ineligible": _("not eligible"),
    "lost": _("cover lost later"),
    "vat": _("tax"),
    "ledger_open_minor": _("receivables"),
    "entity": _("entity"),
    "country": _("country"),
    "CaseStatus.pass": _("pass"),
    "CaseStatus.fail": _("fail"),
    "CaseStatus.error": _("error"),
    "CaseStatus.not_built": _("not built yet"),
    "same currency": _("same currency"),
    "manual": _("entered by hand"),
}

SENTENCES: dict[str, str] = {
    "kind_not_built": _("Examples of the kind “%(kind)s” cannot be worked out yet."),
    "not_worked_out": _("The example could not be worked out: %(failure)s."),
    "duplicate": _("%(path)s: “%(value)s” is used more than once."),
    "duplicate_key": _("Line %(line)s: “%(key)s” stands twice in one map."),
    "not_readable": _("%(file)s cannot be read: %(reason)s."),
    "not_yaml": _("%(file)s, line %(line)s, is not YAML: %(reason)s."),
    "unknown_format": _("%(path)s: format 1 is the only one known."),
    "not_an_identifier": _("%(path)s: “%(value)s” is not an identifier (letters, digits, hyphen, underscore, point)."),
    "not_a_source": _("%(path)s: a source begins with “published (…)” or “constructed (…)”."),
    "not_a_key": _("%(path)s: “%(value)s” is not known here."),
}
