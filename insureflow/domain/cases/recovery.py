"""Worked examples of the kind ``recovery``: what comes in after a loss, and who it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from insureflow.domain.cases.indemnity import SIGNED
from insureflow.domain.cases.shapes import AMOUNT, ANYTHING, FLAG, Fields, Maybe, Rows
from insureflow.domain.loss import Circumstances
from insureflow.domain.money import convert_minor, from_minor
from insureflow.domain.policies.parsing import read_terms
from insureflow.domain.policies.reading import Reader
from insureflow.domain.policies.terms import UNGRADED, PolicyTerms
from insureflow.domain.policies.vocabulary import Cause, RecoverySplit
from insureflow.domain.recoveries import InvoiceAtLoss, LossAtDate, Receipt, ShareOfReceipt, share_receipts

#: Everything given is read, and checked, by ``calculate``.
GIVEN = Fields({"policy": ANYTHING, "loss": ANYTHING, "receipts": ANYTHING}, ("policy", "loss", "receipts"))

EXPECT = Fields(
    {
        "debt_at_loss": AMOUNT,
        "covered_debt": AMOUNT,
        "indemnity": AMOUNT,
        "receipts": Rows(
            Fields(
                {
                    "before_loss": FLAG,
                    "net": AMOUNT,
                    "insurer": AMOUNT,
                    "policyholder": SIGNED,
                    "on_insured_part": Maybe(AMOUNT),
                    "on_uninsured_part": Maybe(AMOUNT),
                    "indemnity_outstanding": Maybe(AMOUNT),
                }
            )
        ),
        "totals": Fields({"insurer": AMOUNT, "policyholder": SIGNED}),
    }
)


def calculate(given: Mapping[str, object], expect: Mapping[str, object]) -> Mapping[str, object]:  # noqa: ARG001  every kind is called alike
    """All receipts shared. Errors: ``InvalidValues``; ``receipt_before_loss_by_invoice``."""
    reader = Reader(given, "given")
    policy = reader.child("policy", required=True)
    terms = PolicyTerms() if policy is None else read_terms(policy, extensions=False)
    if policy is not None and not policy.has("currency"):
        policy.problem("required", "currency")
    currency = reader.currency = terms.currency or "EUR"
    inner = reader.child("loss", required=True)
    loss, circumstances = _loss(inner, terms) if inner is not None else (LossAtDate(0, 0), Circumstances())
    receipts = [_receipt(row, currency) for row in reader.children("receipts", required=True)]
    reader.finish()
    reader.raise_problems()
    shared = share_receipts(terms, loss, circumstances, receipts)

    def major(minor: int | None) -> Decimal | None:
        return None if minor is None else from_minor(minor, currency)

    def entry(share: ShareOfReceipt) -> dict[str, object]:
        return {
            "before_loss": share.before_loss,
            "net": major(share.net),
            "insurer": major(share.insurer),
            "policyholder": major(share.policyholder),
            "on_insured_part": major(share.on_insured_part),
            "on_uninsured_part": major(share.on_uninsured_part),
            "indemnity_outstanding": major(share.outstanding),
        }

    return {
        "debt_at_loss": major(shared.debt_at_loss),
        "covered_debt": major(shared.covered_debt),
        "indemnity": major(shared.indemnity),
        "receipts": [entry(share) for share in shared.shares],
        "totals": {"insurer": major(shared.insurer), "policyholder": major(shared.policyholder)},
    }


def _loss(reader: Reader, terms: PolicyTerms) -> tuple[LossAtDate, Circumstances]:
    cause = reader.choice("cause", Cause) or Cause.PROTRACTED_DEFAULT
    circumstances = Circumstances(cause=cause, grade=UNGRADED, date_of_loss=reader.day("date_of_loss"))
    debt, limit, covered = reader.amount("debt"), reader.amount("limit"), reader.amount("covered_debt")
    invoices = _invoices(reader)
    is_by_invoice = reader.has("invoices")
    if is_by_invoice == reader.has("debt"):
        reader.problem("exactly_one_of", "debt", None, choices="debt, invoices")
    elif is_by_invoice:
        debt, limit, covered = sum(each.open for each in invoices), None, sum(each.covered for each in invoices)
    elif reader.has("limit") == reader.has("covered_debt"):
        reader.problem("exactly_one_of", "limit", None, choices="limit, covered_debt")
    if terms.recovery.split is RecoverySplit.FIRST_IN_FIRST_OUT and not is_by_invoice:
        reader.problem("required", "invoices")
    clause = terms.maximum_liability
    indemnity = reader.amount("indemnity")
    if indemnity is None and clause is not None and clause.premium_multiple is not None and clause.premium is None:
        reader.problem("required", "indemnity")
    loss = LossAtDate(debt or 0, limit, covered, indemnity, reader.amount("insurer_costs") or 0, invoices)
    reader.finish()
    return loss, circumstances


def _invoices(reader: Reader) -> tuple[InvoiceAtLoss, ...]:
    found = []
    for row in reader.children("invoices", minimum=1):
        name, due_on = row.text("id", required=True), row.day("due_date", required=True)
        left, covered = row.amount("open", required=True) or 0, row.amount("covered", required=True) or 0
        if covered > left:
            row.problem("out_of_range", "covered", row.data.get("covered"), minimum=0, maximum=row.data.get("open"))
        row.finish()
        if name is not None and due_on is not None:
            found.append(InvoiceAtLoss(name, due_on, left, covered))
    return tuple(found)


def _receipt(reader: Reader, currency: str) -> Receipt:
    own = reader.money_code("currency") or currency
    rate = reader.number("rate")
    if rate == 0:
        reader.problem("not_a_rate", "rate", rate)
    if own == currency and rate is not None and rate != 1:
        reader.problem("rate_in_policy_currency", "rate", rate)
    if own != currency and not reader.has("rate"):
        reader.problem("required", "rate")
    gross, costs, on = reader.amount("gross", own, required=True) or 0, reader.amount("costs", own) or 0, reader.day("date")
    reader.finish()
    if own == currency:
        return Receipt(gross, costs, on)
    used = rate or Decimal(1)
    return Receipt(convert_minor(gross, own, currency, used), convert_minor(costs, own, currency, used), on)
