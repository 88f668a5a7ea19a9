"""The terms in which notices say their codes."""

from __future__ import annotations

from insureflow.documents.notices.facts import ActionKind
from insureflow.domain.cover import Reason
from insureflow.domain.limits import LimitKind
from insureflow.domain.notices import AdverseKind, Channel, Intervention, NoticeKind, ProceedingKind, ReasonForNonPayment, ReplyOutcome
from insureflow.i18n.documents import phrased

TITLES = {
    NoticeKind.NON_PAYMENT: phrased("Notification of non-payment"),
    NoticeKind.EXTENSION: phrased("Request for extension of due date"),
    NoticeKind.RESCHEDULING: phrased("Request for consent to a payment plan"),
    NoticeKind.ADVERSE_INFORMATION: phrased("Report of adverse information"),
    NoticeKind.INSOLVENCY: phrased("Notice of insolvency"),
}
CHANNELS = {
    Channel.CONNECTION: phrased("Interface of the insurer"),
    Channel.EMAIL: phrased("E-mail"),
    Channel.PORTAL: phrased("Portal of the insurer"),
    Channel.POST: phrased("Post"),
}
REPLIES = {
    ReplyOutcome.RECEIVED: phrased("The insurer has received it"),
    ReplyOutcome.CONSENTED: phrased("The insurer consents"),
    ReplyOutcome.REFUSED: phrased("The insurer does not consent"),
    ReplyOutcome.MORE_WANTED: phrased("The insurer wants to know more"),
}
CAUSES = {
    ReasonForNonPayment.CASH_FLOW: phrased("The buyer lacks cash"),
    ReasonForNonPayment.DISPUTE: phrased("Dispute about the goods, the service or the contract"),
    ReasonForNonPayment.INSOLVENCY: phrased("Insolvency of the buyer"),
    ReasonForNonPayment.BUSINESS_CLOSED: phrased("The buyer has closed its business"),
    ReasonForNonPayment.UNWILLING: phrased("The buyer is able to pay and does not want to"),
    ReasonForNonPayment.NON_ACCEPTANCE: phrased("The buyer did not accept the goods"),
    ReasonForNonPayment.DIVERSION: phrased("Payment or goods were diverted"),
    ReasonForNonPayment.ECONOMY: phrased("Economic situation in the buyer's country"),
    ReasonForNonPayment.TRADE_RESTRICTIONS: phrased("Restrictions of export or import"),
    ReasonForNonPayment.TRANSFER: phrased("Money cannot be transferred from the buyer's country"),
    ReasonForNonPayment.POLITICAL_EVENT: phrased("Political event"),
    ReasonForNonPayment.ADMINISTRATIVE: phrased("Administrative delay at the buyer"),
    ReasonForNonPayment.UNKNOWN: phrased("Not known yet"),
}
INTERVENTIONS = {
    Intervention.MONITOR_ONLY: phrased("We go on collecting ourselves and will keep you informed."),
    Intervention.COLLECTION: phrased("We ask you to take over the collection of the debt."),
}
ACTIONS = {
    ActionKind.REMINDER: phrased("Reminder sent"),
    ActionKind.FINAL_DEMAND: phrased("Final demand sent"),
    ActionKind.CALL: phrased("Telephone call"),
    ActionKind.VISIT: phrased("Visit"),
    ActionKind.PROMISE: phrased("Buyer promised to pay"),
    ActionKind.BROKEN_PROMISE: phrased("Promise to pay not kept"),
    ActionKind.PAYMENT_PLAN: phrased("Payment plan"),
    ActionKind.SUPPLIES_STOPPED: phrased("Deliveries stopped"),
    ActionKind.COLLECTOR: phrased("Handed over to a debt collector"),
    ActionKind.LEGAL: phrased("Legal action"),
    ActionKind.RETENTION_OF_TITLE: phrased("Retention of title exercised"),
    ActionKind.SECURITY_CALLED: phrased("Security called"),
    ActionKind.PROOF_OF_DEBT: phrased("Proof of debt lodged"),
    ActionKind.OTHER: phrased("Other step"),
}
ADVERSE = {
    AdverseKind.EXTENSION_ASKED: phrased("The buyer asks to pay later than the policy allows"),
    AdverseKind.DOCUMENTS_NOT_TAKEN_UP: phrased("The buyer has not taken up the documents"),
    AdverseKind.PAYMENT_RETURNED: phrased("A cheque, bill or direct debit came back unpaid"),
    AdverseKind.LEGAL_ACTION: phrased("Legal action against the buyer for non-payment"),
    AdverseKind.CANNOT_PERFORM: phrased("The buyer will probably not be able to meet its obligations"),
    AdverseKind.CASH_FLOW_PROBLEMS: phrased("The buyer has cash-flow problems"),
    AdverseKind.REPUTATION: phrased("The buyer's reputation has become worse"),
    AdverseKind.INSOLVENCY_EXPECTED: phrased("Insolvency of the buyer is to be expected"),
    AdverseKind.PLAN_BROKEN: phrased("The buyer has not kept an agreed payment plan"),
    AdverseKind.OTHER: phrased("Other information"),
}
PROCEEDINGS = {
    ProceedingKind.BANKRUPTCY: phrased("Bankruptcy"),
    ProceedingKind.REORGANISATION: phrased("Reorganisation"),
    ProceedingKind.SUSPENSION_OF_PAYMENTS: phrased("Suspension of payments"),
    ProceedingKind.COMPOSITION: phrased("Composition with creditors"),
    ProceedingKind.LIQUIDATION: phrased("Liquidation"),
    ProceedingKind.NO_ASSETS: phrased("Proceedings refused for lack of assets"),
}
LIMIT_KINDS = {
    LimitKind.NAMED: phrased("Credit limit"),
    LimitKind.CREDIT_CHECK: phrased("Limit by credit check"),
    LimitKind.START_COVER: phrased("Start cover"),
    LimitKind.DISCRETIONARY: phrased("Discretionary limit"),
    LimitKind.BLIND: phrased("Blind cover"),
    LimitKind.TEMPORARY: phrased("Temporary limit"),
    LimitKind.TOP_UP: phrased("Top-up cover"),
    LimitKind.PRE_SHIPMENT: phrased("Pre-shipment limit"),
    LimitKind.NON_CANCELLABLE: phrased("Non-cancellable limit"),
    LimitKind.GROUP: phrased("Group limit"),
}
REASONS = {
    Reason.OUTSIDE_POLICY_PERIOD: phrased("Outside the policy period"),
    Reason.BUYER_NOT_INSURABLE: phrased("Buyer not insurable under the policy"),
    Reason.COUNTRY_NOT_COVERED: phrased("Country not covered"),
    Reason.SHIPPED_AFTER_DATE_OF_LOSS: phrased("Shipped after the date of loss"),
    Reason.TERMS_EXCEED_MAXIMUM: phrased("Payment terms longer than the maximum"),
    Reason.INVOICED_LATE: phrased("Invoiced too late"),
    Reason.AFTER_LIMIT_END: phrased("Shipped after the end of the limit"),
    Reason.BEFORE_LIMIT_EFFECTIVE: phrased("Shipped before the limit took effect"),
    Reason.NO_LIMIT: phrased("No credit limit"),
    Reason.SHIPPED_WHILE_STOPPED: phrased("Shipped while deliveries were not covered"),
    Reason.GRADE_NOT_COVERED: phrased("Grade of the buyer not covered"),
    Reason.EXTENDED_WITHOUT_CONSENT: phrased("Due date extended without consent"),
    Reason.NOTIFIED_LATE: phrased("Notified too late"),
    Reason.VAT_NOT_COVERED: phrased("Value added tax not covered"),
    Reason.DISPUTED: phrased("Disputed by the buyer"),
    Reason.OVER_LIMIT: phrased("Above the credit limit"),
    Reason.NO_POLICY: phrased("Under no policy"),
}
