"""Blocks on shipments."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "ExceptionReason.disputed": _("disputed"),
    "ExceptionReason.one_off": _("a single mishap, not bad will"),
    "ExceptionReason.payment_on_its_way": _("payment is on its way"),
    "ExceptionReason.insurer_agreed": _("the insurer agreed"),
    "BlockSource.policy": _("rule of the policy"),
    "BlockSource.insurer": _("stopped by the insurer"),
    "BlockSource.manual": _("set by hand"),
    "BlockSource.group": _("block of the group"),
    "BlockSource.plan_broken": _("payment plan broken"),
    "BlockState.blocked": _("blocked"),
    "BlockState.not_covered": _("not blocked, not covered"),
    "BlockState.group": _("blocked in its group"),
    "Permission.lift_blocks": _("set and lift blocks"),
    "Action.block.set": _("buyer blocked"),
    "Action.block.lifted": _("block lifted"),
    "Action.block.began": _("buyer is blocked, told to other systems"),
    "Action.block.ended": _("buyer is released, told to other systems"),
    "RunCount.buyers_blocked": _("buyers blocked"),
    "RunCount.buyers_released": _("buyers released"),
    "Action.block.set_aside": _("invoice set aside for the block"),
    "Action.block.counts_again": _("invoice counts for the block again"),
    "Change.with_group": _("With its subsidiaries"),
    "Change.lifted_on": _("Lifted on"),
    "Change.until_on": _("Until"),
    "Change.from_on": _("From"),
}

SENTENCES: dict[str, str] = {
    "shipment_blocked": _("%(buyer)s is blocked: %(reason)s. Nothing can be reserved until the block is lifted."),
    "block_reason_needed": _("Say why: whoever looks at this later has to understand it."),
    "block_unknown": _("There is no block %(block)s here. It may have been taken back; look at the buyer."),
    "block_lifted_already": _("This block was lifted on %(day)s already. Nothing was changed."),
    "block_lifted_before": _("Choose a later day: it begins on %(day)s."),
    "set_aside_already": _("Invoice %(number)s is set aside already. Let it count again before you change why."),
    "set_aside_unknown": _("This invoice is not set aside. Look at the page of the buyer."),
    "set_aside_ended": _("The invoice counts again since %(day)s. Nothing was changed."),
    "consent_evidence_needed": _("Add the insurer's letter or e-mail: a consent that cannot be shown is none."),
}
