"""The journal: what was done to what, and what a check found."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "Fault.altered": _("its content was changed after it was written"),
    "Fault.chain_broken": _("it does not follow from the entry before it"),
    "Fault.missing": _("it is missing"),
    "Action.demo.loaded": _("demo loaded"),
    "Action.organisation.added": _("organisation added"),
    "Action.entity.added": _("entity added"),
    "Action.member.added": _("person added"),
    "Action.policy.added": _("policy added"),
    "Action.policy.changed": _("policy changed"),
    "Action.policy.deleted": _("policy deleted"),
    "Action.policy.terms_added": _("new terms of a policy"),
    "Action.policy.terms_corrected": _("terms of a policy corrected"),
    "Action.policy.terms_deleted": _("terms of a policy deleted"),
    "Action.policy.entities_changed": _("insured entities changed"),
    "Action.rate.entered": _("exchange rate entered"),
    "Action.rate.removed": _("exchange rate taken out"),
    "Subject.organisation": _("organisation"),
    "Subject.entity": _("entity"),
    "Subject.member": _("person"),
    "Subject.policy": _("policy"),
    "Subject.rate": _("exchange rate"),
}

SENTENCES: dict[str, str] = {}
