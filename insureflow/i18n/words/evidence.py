"""The words of evidence that is added after the fact."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS = {
    "Action.notice.evidence_added": _("evidence of a notice added"),
    "Action.limit.evidence_added": _("evidence of a limit added"),
    "Action.act.evidence_added": _("evidence of an act added"),
    "Action.credit_report.file_added": _("file of a credit report added"),
}

SENTENCES = {
    "credit_report_unknown": _("There is no credit report %(report)s here."),
    "credit_report_has_file": _("The file of the report of %(agency)s of %(day)s is kept already. Put another report on file instead."),
}
