"""UBL 2.1 invoices and credit notes: one document each, or an archive of them, as ledger lines.

Elements are found by their local names, so prefixes and minor versions of the namespaces do not matter. Documents that define
entities or a document type are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from insureflow.connectors.countries import find_country
from insureflow.connectors.ledgers.amounts import convert_amount
from insureflow.connectors.ledgers.cells import CellProblem, convert_text
from insureflow.connectors.ledgers.dates import DateOrder, parse_date
from insureflow.connectors.ledgers.detection import FileType
from insureflow.connectors.ledgers.profile import Profile
from insureflow.connectors.ledgers.source import FileLimits, OpenFile, check_cancelled, is_document, open_archive, unpack
from insureflow.connectors.ledgers.tables import Cancelled, Progress, shown
from insureflow.connectors.ledgers.words import parse_terms
from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue, Refusal
from insureflow.domain.receivables import DocumentKind, LedgerLine, RowProblem, calculate_due_on, complete_amounts

#: Codes of UNTDID 1001 that mean a credit note although the document's root may be an invoice.
_CREDIT_NOTE_CODES = frozenset({"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532"})

#: The code of ISO 6523 under which a party's number is a legal entity identifier.
_LEI_CODE = "0199"


@dataclass(slots=True)
class DocumentLines:
    """What a set of UBL documents gives."""

    lines: list[LedgerLine] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    warnings: list[RowProblem] = field(default_factory=list)
    documents: int = 0


def documents_of(file: OpenFile, limits: FileLimits) -> Iterator[tuple[str, bytes]]:
    """The names and contents of the XML documents in a file or archive."""
    if file.file_type is FileType.UBL:
        file.stream.seek(0)
        yield file.name, file.stream.read(limits.size + 1)
        return
    with open_archive(file.stream, limits) as archive:
        for entry in archive.infolist():
            if is_document(entry.filename):
                if entry.file_size > limits.size:
                    raise Refusal("archive_too_large", size=entry.file_size, limit=limits.size)
                yield entry.filename, b"".join(unpack(archive, entry.filename, limits))


def read_documents(
    files: list[OpenFile], profile: Profile, limits: FileLimits, progress: Progress | None, cancelled: Cancelled | None
) -> DocumentLines:
    """Lines of all documents; ``row`` counts the documents. A single damaged document is refused, one among many is a problem."""
    result = DocumentLines()
    single = len(files) == 1 and files[0].file_type is FileType.UBL
    total = sum(file.size for file in files)
    done = 0
    for file in files:
        for name, content in documents_of(file, limits):
            check_cancelled(cancelled)
            result.documents += 1
            try:
                root = parse_document(content)
            except Refusal as refusal:
                if single:
                    raise
                parameters = {**refusal.parameters, "file": name}
                result.problems.append(RowProblem(result.documents, None, None, refusal.code, MappingProxyType(parameters)))
                continue
            _Document(root, name, result.documents, profile, result).read()
        done += file.size
        if progress is not None:
            progress(done, total)
    return result


def parse_document(content: bytes) -> Any:
    """The root of an invoice or credit note. Refusals: ``xml_with_entities``, ``file_damaged``, ``not_an_invoice``."""
    try:
        root = fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        raise Refusal("xml_with_entities") from None
    except (ParseError, ExpatError, ValueError, LookupError) as problem:
        line, column = getattr(problem, "position", (0, 0))
        raise Refusal("file_damaged", line=line, column=column) from None
    if _local(root) not in {"Invoice", "CreditNote"}:
        raise Refusal("not_an_invoice", root=_local(root)[:100])
    return root


def _local(element: Any) -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _find(element: Any, path: str) -> Any:
    """The first element at a path of local names, or None."""
    for name in path.split("/"):
        element = next((child for child in element if _local(child) == name), None)
        if element is None:
            return None
    return element


def _all(element: Any, name: str) -> list[Any]:
    return [child for child in element if _local(child) == name]


class _Document:
    """Reads one document."""

    def __init__(self, root: Any, name: str, row: int, profile: Profile, result: DocumentLines) -> None:
        self.root, self.name, self.row, self.profile, self.result = root, name, row, profile, result
        self.bad = False

    def problem(self, code: str, path: str, value: str | None = None, **parameters: object) -> None:
        self.bad = True
        self.result.problems.append(RowProblem(self.row, path, shown(value), code, MappingProxyType({**parameters, "file": self.name})))

    def warning(self, code: str, path: str, value: str | None = None, **parameters: object) -> None:
        self.result.warnings.append(RowProblem(self.row, path, shown(value), code, MappingProxyType({**parameters, "file": self.name})))

    def text(self, path: str, within: Any = None) -> str | None:
        element = _find(self.root if within is None else within, path)
        if element is None or element.text is None:
            return None
        try:
            return convert_text(element.text)
        except CellProblem as problem:
            self.problem(problem.code, path, element.text, **problem.parameters)
            return None

    def day(self, path: str, within: Any = None) -> date | None:
        text = self.text(path, within)
        if text is None:
            return None
        try:
            return parse_date(text[:10], DateOrder.YMD)
        except CellProblem as problem:
            self.problem(problem.code, path, text, **problem.parameters)
            return None

    def amount(self, element: Any, path: str, currency: str) -> int | None:
        if element is None or not (element.text or "").strip():
            return None
        stated = element.get("currencyID")
        if stated is not None and stated != currency:
            self.problem("currencies_differ", path, element.text, stated=stated, currency=currency)
            return None
        try:
            return convert_amount(currency, Decimal(element.text.strip()), ".")
        except (CellProblem, ArithmeticError) as problem:
            code, parameters = (problem.code, problem.parameters) if isinstance(problem, CellProblem) else ("not_an_amount", {})
            self.problem(code, path, element.text, **parameters)
            return None

    def read(self) -> None:
        line = self.line()
        if line is not None and not self.bad:
            self.result.lines.append(line)

    def line(self) -> LedgerLine | None:
        number = self.text("ID")
        if number is None:
            self.problem("missing", "ID")
        currency = self.text("DocumentCurrencyCode") or self.profile.currency
        if currency is None or not is_currency(currency):
            self.problem("unknown_currency" if currency else "missing", "DocumentCurrencyCode", currency)
            return None
        issued_on = self.day("IssueDate")
        if issued_on is None and not self.bad:
            self.problem("missing", "IssueDate")
        totals = _find(self.root, "LegalMonetaryTotal")
        if totals is None:
            self.problem("missing", "LegalMonetaryTotal")
            return None
        net, vat, gross, open_minor = self.totals(totals, currency)
        code = self.text("CreditNoteTypeCode") or self.text("InvoiceTypeCode")
        is_credit_note = _local(self.root) == "CreditNote" or code in _CREDIT_NOTE_CODES
        if gross is not None and gross < 0:
            if is_credit_note or self.profile.negative_invoice == "credit_note":
                net, vat, gross, open_minor = (None if each is None else -each for each in (net, vat, gross, open_minor))
                is_credit_note = True
            else:
                self.problem("negative_invoice", "LegalMonetaryTotal/TaxInclusiveAmount", str(gross))
        if gross is None or issued_on is None:
            return None
        if open_minor is not None and open_minor < 0:
            self.warning("overpaid", "LegalMonetaryTotal/PayableAmount", str(open_minor))
            open_minor = 0
        due_on, terms_days, terms_note = self.due(issued_on, is_invoice=not is_credit_note)
        buyer = self.buyer()
        payee = _find(self.root, "PayeeParty")
        if payee is not None:
            self.warning("payee_differs", "PayeeParty", self.text("PartyName/Name", payee))
        return LedgerLine(
            row=self.row,
            kind=DocumentKind.CREDIT_NOTE if is_credit_note else DocumentKind.INVOICE,
            number=number,
            currency=currency,
            net_minor=net,
            vat_minor=vat,
            gross_minor=gross,
            invoice_on=issued_on,
            shipment_on=self.day("Delivery/ActualDeliveryDate"),
            due_on=due_on,
            original_due_on=None if is_credit_note else due_on,
            terms_code=terms_note,
            terms_days=terms_days,
            paid_on=None,
            settled_on=None,
            open_minor=open_minor,
            applies_to=self.text("BillingReference/InvoiceDocumentReference/ID"),
            disputed=False,
            disputed_minor=None,
            dispute_reason=None,
            was_disputed=False,
            reference=self.text("BuyerReference") or self.text("OrderReference/ID"),
            entity_code=self.text("AccountingSupplierParty/Party/PartyLegalEntity/CompanyID")
            or self.text("AccountingSupplierParty/Party/EndpointID"),
            **buyer,
        )

    def totals(self, totals: Any, currency: str) -> tuple[int | None, int | None, int | None, int | None]:
        """Net, tax, gross and what is payable. Tax in another (accounting) currency is left aside."""
        path = "LegalMonetaryTotal"
        net = self.amount(_find(totals, "TaxExclusiveAmount"), f"{path}/TaxExclusiveAmount", currency)
        gross = self.amount(_find(totals, "TaxInclusiveAmount"), f"{path}/TaxInclusiveAmount", currency)
        payable = self.amount(_find(totals, "PayableAmount"), f"{path}/PayableAmount", currency)
        prepaid = self.amount(_find(totals, "PrepaidAmount"), f"{path}/PrepaidAmount", currency) or 0
        rounding = self.amount(_find(totals, "PayableRoundingAmount"), f"{path}/PayableRoundingAmount", currency) or 0
        taxes = [_find(total, "TaxAmount") for total in _all(self.root, "TaxTotal")]
        own = [tax for tax in taxes if tax is not None and tax.get("currencyID", currency) == currency]
        vat = self.amount(own[0], "TaxTotal/TaxAmount", currency) if own else None
        if self.bad:
            return net, vat, gross, payable
        if gross is None and net is None and payable is not None:
            gross = payable + prepaid - rounding
        try:
            net, vat, gross = complete_amounts(net, vat, gross)
        except InvalidValue as problem:
            self.problem(
                problem.code, f"{path}/TaxInclusiveAmount", None, net_minor=net, vat_minor=vat, gross_minor=gross, currency=currency
            )
            return net, vat, gross, payable
        expected = gross - prepaid + rounding
        if payable is None:
            payable = expected
        elif payable != expected:
            self.warning("payable_differs", f"{path}/PayableAmount", str(payable), expected_minor=expected, currency=currency)
        return net, vat, gross, payable

    def due(self, issued_on: date, *, is_invoice: bool) -> tuple[date | None, int | None, str | None]:
        """Due date, days of the terms, and their words."""
        note = self.text("PaymentTerms/Note")
        terms = parse_terms(note) if note else None
        days = terms.days if terms else None
        for path in ("DueDate", "PaymentTerms/PaymentDueDate", "PaymentMeans/PaymentDueDate"):
            due_on = self.day(path)
            if due_on is not None:
                if is_invoice and due_on < issued_on:
                    self.warning("due_before_invoice", path, due_on.isoformat(), invoice_on=issued_on)
                return due_on, days, note
        if not is_invoice:
            return None, days, note
        if terms is not None:
            return calculate_due_on(issued_on, terms), days, note
        if self.profile.without_due_date == "invoice_date":
            self.warning("due_date_assumed", "DueDate", None, due_on=issued_on)
            return issued_on, days, note
        self.problem("due_date_missing", "DueDate", note)
        return None, days, note

    def buyer(self) -> dict[str, Any]:
        """Who owes the amount, as the document names the customer."""
        party = _find(self.root, "AccountingCustomerParty/Party")
        if party is None:
            self.problem("missing", "AccountingCustomerParty/Party")
            party = self.root
        legal_name = self.text("PartyLegalEntity/RegistrationName", party)
        trading_name = self.text("PartyName/Name", party)
        endpoint = _find(party, "EndpointID")
        address = self.text("EndpointID", party)
        if address and endpoint is not None and endpoint.get("schemeID"):
            address = f"{endpoint.get('schemeID')}:{address}"
        vat_number = next(
            (
                self.text("CompanyID", scheme)
                for scheme in _all(party, "PartyTaxScheme")
                if (self.text("TaxScheme/ID", scheme) or "VAT").upper() == "VAT"
            ),
            None,
        )
        registration = self.text("PartyLegalEntity/CompanyID", party)
        lei = self.lei(party)
        if registration is not None and registration == lei:
            registration = None
        number = self.text("PartyIdentification/ID", party) or self.text("EndpointID", party) or registration or vat_number or lei
        stated = self.text("PostalAddress/Country/IdentificationCode", party)
        country = find_country(stated) if stated is not None else None
        if stated is not None and country is None:
            self.problem("unknown_country", "PostalAddress/Country/IdentificationCode", stated)
        name = legal_name or trading_name
        if name is None and number is None:
            self.problem("missing", "AccountingCustomerParty/Party/PartyLegalEntity/RegistrationName")
        return {
            "customer_number": number or name,
            "customer_name": name,
            "trading_name": trading_name if trading_name != name else None,
            "country": country or self.profile.country,
            "vat_number": vat_number,
            "registration_number": registration,
            "lei": lei,
            "electronic_address": address,
        }

    def lei(self, party: Any) -> str | None:
        """The legal entity identifier of a party: the number that is marked as one wherever the party's numbers stand."""
        identifications = [_find(each, "ID") for each in _all(party, "PartyIdentification")]
        for element in (_find(party, "PartyLegalEntity/CompanyID"), *identifications, _find(party, "EndpointID")):
            if element is not None and element.get("schemeID") == _LEI_CODE:
                return (element.text or "").strip() or None
        return None
