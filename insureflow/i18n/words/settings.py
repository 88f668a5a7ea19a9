"""What people may do, in the words of the settings pages."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "Permission.view_exposure": _("see exposure"),
    "Permission.view_buyers": _("see buyers"),
    "Permission.edit_buyers": _("change buyers"),
    "Permission.view_policies": _("see policies"),
    "Permission.edit_policies": _("change policies"),
    "Permission.view_limits": _("see limits"),
    "Permission.edit_limits": _("change limits"),
    "Permission.remove_limits": _("take back wrong entries of limits"),
    "Permission.request_limits": _("ask insurers for limits"),
    "Permission.approve_limits": _("approve what others ask for"),
    "Permission.view_receivables": _("see receivables"),
    "Permission.edit_receivables": _("change receivables"),
    "Permission.import_receivables": _("import ledgers"),
    "Permission.view_obligations": _("see duties"),
    "Permission.edit_obligations": _("work on duties"),
    "Permission.approve_notices": _("approve and send notices to insurers"),
    "Permission.view_journal": _("read the journal"),
    "Permission.view_settings": _("see the settings"),
    "Permission.manage_organisation": _("manage entities, people and rates"),
    "Permission.export": _("export lists"),
    "Permission.ask_shipment": _("ask whether to ship"),
}

SENTENCES: dict[str, str] = {}
