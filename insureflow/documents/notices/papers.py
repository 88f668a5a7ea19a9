"""Each notice as a paper, a mail and a web page."""

from __future__ import annotations

from insureflow.documents.composition import Block, Composition, Heading, Text, pairs
from insureflow.documents.mail_text import MailText, mail_of
from insureflow.documents.notices.facts import (
    AdverseInformationReport,
    ExtensionRequest,
    InsolvencyNotice,
    NonPaymentNotification,
    ReschedulingRequest,
)
from insureflow.documents.notices.parts import (
    actions_taken,
    contract_parts,
    day_or_nothing,
    decision,
    ending,
    exposure,
    narrative,
    notice_composition,
    past_due,
    securities,
)
from insureflow.documents.notices.terms import ADVERSE, CAUSES, INTERVENTIONS, PROCEEDINGS
from insureflow.documents.page_sizes import PageSize, page_size_for
from insureflow.documents.parts import captioned, party_pairs
from insureflow.documents.plans import instalment_grids
from insureflow.documents.printing import draw_pages
from insureflow.documents.web_page import web_page_of
from insureflow.i18n.documents import wording_of


def compose_non_payment(notice: NonPaymentNotification, locale: str) -> Composition:
    """What a notification of non-payment says."""
    wording = wording_of(locale)
    blocks: list[Block] = [
        Text(
            wording.phrase(
                "We notify you that the buyer below has not paid. All amounts that the buyer owes us are listed, those not yet due included."
            )
        ),
        *contract_parts(notice, wording),
        Heading(wording.phrase("Overdue")),
        pairs(
            (wording.phrase("Total exposure"), wording.moneys(notice.open_totals)),
            (wording.phrase("Of which past due"), wording.moneys(past_due(notice))),
            (wording.phrase("Oldest original due date"), wording.day(notice.oldest_due_on)),
            (wording.phrase("End of the maximum extension period"), day_or_nothing(notice.extension_end_on, wording)),
            (wording.phrase("To be notified by"), day_or_nothing(notice.notify_by, wording)),
            (wording.phrase("Deliveries not covered from"), day_or_nothing(notice.stop_on, wording)),
            (wording.phrase("Last demand for payment"), day_or_nothing(notice.last_demand_on, wording)),
            (wording.phrase("Reason for non-payment"), wording.phrase(CAUSES[notice.cause])),
            (wording.phrase("Dispute"), wording.yes_or_no(notice.dispute is not None)),
        ),
    ]
    if notice.dispute is not None:
        blocks.append(
            pairs(
                (wording.phrase("Disputed amount"), wording.money(notice.dispute.amount)),
                (wording.phrase("Raised on"), day_or_nothing(notice.dispute.raised_on, wording)),
                (wording.phrase("What the buyer contests"), notice.dispute.description),
            )
        )
    blocks += narrative(notice.narrative, wording)
    blocks += exposure(notice, wording)
    blocks += actions_taken(notice.actions, wording)
    blocks += securities(notice.securities, wording)
    blocks += [Heading(wording.phrase("Intervention")), Text(wording.phrase(INTERVENTIONS[notice.intervention]))]
    blocks += ending(notice, wording)
    return notice_composition(notice, wording, wording.phrase("Notification of non-payment"), blocks)


def compose_extension_request(request: ExtensionRequest, locale: str) -> Composition:
    """What a request for a later due date says."""
    wording = wording_of(locale)
    blocks: list[Block] = [
        Text(
            wording.phrase(
                "The buyer below asks us for a later due date. We ask for your written consent; the original due dates remain decisive."
            )
        ),
        *contract_parts(request, wording),
        Heading(wording.phrase("Request")),
        pairs(
            (wording.phrase("Asked by the buyer on"), wording.day(request.requested_on)),
            (wording.phrase("Reason"), request.reason),
            (wording.phrase("End of the maximum extension period"), day_or_nothing(request.extension_end_on, wording)),
        ),
        *narrative(request.narrative, wording),
        *exposure(request, wording),
        *decision(wording),
        *ending(request, wording),
    ]
    return notice_composition(request, wording, wording.phrase("Request for extension of due date"), blocks)


def compose_rescheduling_request(request: ReschedulingRequest, locale: str) -> Composition:
    """What a request for a payment plan says."""
    wording = wording_of(locale)
    planned = ", ".join(request.plan_items)
    blocks: list[Block] = [
        Text(
            wording.phrase(
                "The buyer below asks us for a payment plan. We ask for your written consent; the original due dates remain decisive."
            )
        ),
        *contract_parts(request, wording),
        Heading(wording.phrase("Request")),
        pairs(
            (wording.phrase("Asked by the buyer on"), wording.day(request.requested_on)),
            (wording.phrase("Reason"), request.reason),
            (wording.phrase("End of the maximum extension period"), day_or_nothing(request.extension_end_on, wording)),
            (wording.phrase("Invoices in the plan"), planned),
            (wording.phrase("Interest on late payment"), wording.moneys(request.interest) if request.interest else ""),
            (wording.phrase("Costs"), wording.moneys(request.costs) if request.costs else ""),
        ),
        Heading(wording.phrase("Payment plan")),
        *captioned(instalment_grids(request.instalments, wording)),
        *narrative(request.narrative, wording),
        *exposure(request, wording),
        *decision(wording),
        *ending(request, wording),
    ]
    return notice_composition(request, wording, wording.phrase("Request for consent to a payment plan"), blocks)


def compose_adverse_information(report: AdverseInformationReport, locale: str) -> Composition:
    """What a report of adverse information says."""
    wording = wording_of(locale)
    told = "\n".join(wording.phrase(ADVERSE[kind]) for kind in report.kinds)
    blocks: list[Block] = [
        Text(wording.phrase("We report the information below about a buyer because it makes a loss more likely.")),
        *contract_parts(report, wording),
        Heading(wording.phrase("Information")),
        pairs(
            (wording.phrase("What has happened"), told),
            (wording.phrase("When"), day_or_nothing(report.happened_on, wording)),
            (wording.phrase("Known to us since"), wording.day(report.known_on)),
            (wording.phrase("Source"), report.source),
        ),
        *narrative(report.narrative, wording),
        *exposure(report, wording),
        *actions_taken(report.actions, wording),
        *ending(report, wording),
    ]
    return notice_composition(report, wording, wording.phrase("Report of adverse information"), blocks)


def compose_insolvency_notice(notice: InsolvencyNotice, locale: str) -> Composition:
    """What a notice of insolvency says."""
    wording = wording_of(locale)
    blocks: list[Block] = [
        Text(wording.phrase("We notify you of the insolvency of the buyer below.")),
        *contract_parts(notice, wording),
        Heading(wording.phrase("Insolvency")),
        pairs(
            (wording.phrase("Kind of proceedings"), wording.phrase(PROCEEDINGS[notice.proceeding])),
            (wording.phrase("Opened on"), wording.day(notice.opened_on)),
            (wording.phrase("Known to us since"), wording.day(notice.known_on)),
            (wording.phrase("Court"), notice.court),
            (wording.phrase("Case number"), notice.case_number),
            (wording.phrase("Debts to be lodged by"), day_or_nothing(notice.lodge_by, wording)),
            (wording.phrase("Proof of debt lodged on"), day_or_nothing(notice.lodged_on, wording)),
        ),
    ]
    if notice.administrator is not None:
        blocks += [Heading(wording.phrase("Administrator")), party_pairs(notice.administrator, wording)]
    blocks += narrative(notice.narrative, wording)
    blocks += exposure(notice, wording)
    blocks += actions_taken(notice.actions, wording)
    blocks += securities(notice.securities, wording)
    blocks += ending(notice, wording)
    return notice_composition(notice, wording, wording.phrase("Notice of insolvency"), blocks)


def build_non_payment(notice: NonPaymentNotification, locale: str, size: PageSize | None = None) -> bytes:
    """The notification of non-payment as PDF."""
    return draw_pages(compose_non_payment(notice, locale), size or page_size_for(notice.policy.insurer.address.country))


def text_non_payment(notice: NonPaymentNotification, locale: str) -> MailText:
    """The e-mail that carries the notification of non-payment."""
    return mail_of(compose_non_payment(notice, locale))


def html_non_payment(notice: NonPaymentNotification, locale: str) -> str:
    """The notification of non-payment as an accessible web page."""
    return web_page_of(compose_non_payment(notice, locale))


def build_extension_request(request: ExtensionRequest, locale: str, size: PageSize | None = None) -> bytes:
    """The request for a later due date as PDF."""
    return draw_pages(compose_extension_request(request, locale), size or page_size_for(request.policy.insurer.address.country))


def text_extension_request(request: ExtensionRequest, locale: str) -> MailText:
    """The e-mail that carries the request for a later due date."""
    return mail_of(compose_extension_request(request, locale))


def html_extension_request(request: ExtensionRequest, locale: str) -> str:
    """The request for a later due date as an accessible web page."""
    return web_page_of(compose_extension_request(request, locale))


def build_rescheduling_request(request: ReschedulingRequest, locale: str, size: PageSize | None = None) -> bytes:
    """The request for a payment plan as PDF."""
    return draw_pages(compose_rescheduling_request(request, locale), size or page_size_for(request.policy.insurer.address.country))


def text_rescheduling_request(request: ReschedulingRequest, locale: str) -> MailText:
    """The e-mail that carries the request for a payment plan."""
    return mail_of(compose_rescheduling_request(request, locale))


def html_rescheduling_request(request: ReschedulingRequest, locale: str) -> str:
    """The request for a payment plan as an accessible web page."""
    return web_page_of(compose_rescheduling_request(request, locale))


def build_adverse_information(report: AdverseInformationReport, locale: str, size: PageSize | None = None) -> bytes:
    """The report of adverse information as PDF."""
    return draw_pages(compose_adverse_information(report, locale), size or page_size_for(report.policy.insurer.address.country))


def text_adverse_information(report: AdverseInformationReport, locale: str) -> MailText:
    """The e-mail that carries the report of adverse information."""
    return mail_of(compose_adverse_information(report, locale))


def html_adverse_information(report: AdverseInformationReport, locale: str) -> str:
    """The report of adverse information as an accessible web page."""
    return web_page_of(compose_adverse_information(report, locale))


def build_insolvency_notice(notice: InsolvencyNotice, locale: str, size: PageSize | None = None) -> bytes:
    """The notice of insolvency as PDF."""
    return draw_pages(compose_insolvency_notice(notice, locale), size or page_size_for(notice.policy.insurer.address.country))


def text_insolvency_notice(notice: InsolvencyNotice, locale: str) -> MailText:
    """The e-mail that carries the notice of insolvency."""
    return mail_of(compose_insolvency_notice(notice, locale))


def html_insolvency_notice(notice: InsolvencyNotice, locale: str) -> str:
    """The notice of insolvency as an accessible web page."""
    return web_page_of(compose_insolvency_notice(notice, locale))
