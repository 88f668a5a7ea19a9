"""The UN/EDIFACT message RECECO (credit risk cover): requests out, decisions in.

*Source:* message RECECO of the directories D96A, D01B and D10B; segment CCD with data elements 4505, 4507 and 4509; amounts 254 "current
credit cover" and 255 "new credit cover" of data element 5025. A message is about one seller and one buyer, each DOC group of it about
one cover. The standard knows neither layers nor kinds of limit, so only named limits of the first layer travel by it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import islice

from insureflow.connectors.edifact import Element, Interchange, Message, Segment, read_interchange, split_text, write_interchange
from insureflow.connectors.insurers.interface import ItemFailed
from insureflow.connectors.insurers.outgoing import OutgoingRequest
from insureflow.connectors.limit_files import LimitRow
from insureflow.domain.cover.events import Layer
from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue
from insureflow.domain.limits import LimitKind, LimitStatus
from insureflow.domain.limits.codes import STATUS_OF_CODE, CoverReasonCode, CoverRequestCode, CoverResponseCode
from insureflow.domain.money import to_minor
from insureflow.domain.receivables import RowProblem

#: Directories that are written, with the longest text of a component (4440) in each.
RELEASES: dict[str, int] = {"96A": 70, "01B": 512}
#: Directories that are read.
READABLE = frozenset({"96A", "01B", "10B"})

#: How often each segment may stand in a message outside and inside its groups; both groups up to 99 times.
_HEAD = {"BGM": 1, "RFF": 9, "DTM": 9}
_PARTY = {"NAD": 1, "CTA": 1, "COM": 5, "FII": 1}
_COVER = {"DOC": 1, "MOA": 1, "CUX": 1, "DTM": 5, "CCD": 1, "PCD": 1, "PAT": 1, "PYT": 1, "FTX": 1, "RFF": 1}
_MOST_GROUPS = 99

_SELLER, _BUYER = "SE", "BY"
_INSURERS_NUMBER = "ZZZ"  # 3055: defined between the parties
_CURRENT_COVER, _NEW_COVER = "254", "255"
_POLICY_REFERENCE, _COVER_REFERENCES, _OUR_REFERENCES = "ICO", ("ICE", "AMM"), ("CR", "ACW", "AGO")
_MADE_ON, _EFFECTIVE_ON, _EXPIRES_ON = "137", "7", "36"

_DATES = {"102": (8, 4), "203": (12, 4), "204": (14, 4), "101": (6, 2), "201": (10, 2)}
_AMOUNT = re.compile(r"[0-9]{1,18}(?:[.,][0-9]{1,3})?\Z")
_CODE = re.compile(r"[0-9]{1,3}\Z")


def write_requests(
    requests: Sequence[OutgoingRequest],
    *,
    sender: str,
    recipient: str,
    reference: str,
    prepared_at: datetime,
    release: str = "96A",
    is_test: bool = False,
) -> bytes:
    """One interchange with all requests, a message a buyer. Errors: ``ItemFailed``, ``EdifactError``."""
    if release not in RELEASES:
        raise ItemFailed("receco_release", release=release)
    by_buyer: dict[tuple[str, str, str, str], list[OutgoingRequest]] = {}
    for request in requests:
        key = (request.policy_number, request.message.company_id, request.buyer.name, request.buyer.country)
        by_buyer.setdefault(key, []).append(request)
    messages: list[Message] = []
    for group in by_buyer.values():
        rest = iter(group)
        while part := tuple(islice(rest, _MOST_GROUPS)):
            number = len(messages) + 1
            segments = tuple(_request_segments(part, f"{reference}-{number}", prepared_at.date(), release))
            messages.append(Message(str(number), "RECECO", "D", release, "UN", segments))
    return write_interchange(Interchange(sender, recipient, "", reference, tuple(messages), is_test=is_test), prepared_at=prepared_at)


def _request_segments(requests: Sequence[OutgoingRequest], number: str, on: date, release: str) -> Iterator[Segment]:
    first = requests[0]
    buyer = first.buyer
    yield Segment("BGM", (("", "", "", "CREDIT RISK COVER"), (number,), ("9",)))
    if first.policy_number:
        yield Segment("RFF", ((_POLICY_REFERENCE, _fitting(first.policy_number, 35)),))
    yield _date_segment(_MADE_ON, on)
    yield Segment("NAD", ((_SELLER,), (), (), tuple(split_text(first.policyholder, 35, 5))))
    yield Segment(
        "NAD",
        (
            (_BUYER,),
            (_fitting(first.message.company_id, 17), "", _INSURERS_NUMBER) if first.message.company_id else (),
            (),
            tuple(split_text(buyer.name, 35, 5)),
            tuple(split_text(buyer.street, 35, 3)),
            (_fitting(buyer.city, 35),),
            (),
            (_fitting(buyer.postal_code, 9),),
            (buyer.country,),
        ),
    )
    for request in requests:
        yield from _cover_segments(request, release)


def _cover_segments(request: OutgoingRequest, release: str) -> Iterator[Segment]:
    message = request.message
    if message.layer is not Layer.PRIMARY or message.kind is not LimitKind.NAMED:
        raise ItemFailed("receco_only_named", reference=message.own_reference, kind=message.kind)
    if message.amount is None and message.code is not CoverRequestCode.CANCELLATION:
        raise ItemFailed("request_needs_amount")
    yield Segment("DOC", (("", "", "", "LINE COVER"), (_fitting(message.own_reference, 35),)))
    if message.amount is not None:
        yield Segment("MOA", ((_NEW_COVER, str(message.amount.amount)),))
        yield Segment("CUX", (("2", message.amount.currency),))
    yield _date_segment(_MADE_ON, message.asked_on)
    yield Segment("CCD", ((str(message.code.value),),))
    remark = "URGENT. " * message.is_urgent + message.comment
    if remark.strip():
        yield Segment("FTX", (("AAI",), (), (), tuple(split_text(remark, RELEASES[release], 5))))
    if message.cover_id:
        yield Segment("RFF", ((_COVER_REFERENCES[0], _fitting(message.cover_id, 35)),))


def _date_segment(qualifier: str, day: date) -> Segment:
    return Segment("DTM", ((qualifier, day.strftime("%Y%m%d"), "102"),))


def _fitting(text: str, length: int) -> str:
    """A number or name as it is; one that is too long is refused, for a number cut short is another number."""
    if len(text) > length:
        raise ItemFailed("receco_text_too_long", text=text, limit=length)
    return text


@dataclass(frozen=True, slots=True)
class ReadRececo:
    """The decisions of an interchange, and what is wrong with the others; rows are numbers of segments."""

    covers: int
    rows: tuple[LimitRow, ...]
    problems: tuple[RowProblem, ...]


def read_decisions(data: bytes, *, currency: str, policy_number: str = "") -> ReadRececo:
    """All answers in an interchange; ``currency`` is that of amounts without one. Messages about another policy are problems.

    Errors: ``EdifactError`` where the envelope is broken; everything inside a message becomes a problem of its own.
    """
    interchange = read_interchange(data)
    rows: list[LimitRow] = []
    problems: list[RowProblem] = []
    covers = 0
    for message in interchange.messages:
        reading = _MessageReading(message, currency, policy_number)
        reading.read()
        covers += reading.covers
        rows.extend(reading.rows)
        problems.extend(reading.problems)
    return ReadRececo(covers, tuple(rows), tuple(problems))


class _MessageReading:
    """One message on its way to rows."""

    def __init__(self, message: Message, currency: str, policy_number: str) -> None:
        self.message = message
        self.currency = currency
        self.policy_number = policy_number
        self.rows: list[LimitRow] = []
        self.problems: list[RowProblem] = []
        self.covers = 0

    def problem(self, segment: Segment, code: str, value: str | None = None, **parameters: object) -> None:
        """Note what is wrong with a segment."""
        self.problems.append(RowProblem(segment.number, segment.tag, value, code, parameters))

    def read(self) -> None:
        """All covers of the message; none where the message itself cannot be relied on."""
        envelope = Segment("UNH", (), self.message.number)
        if self.message.kind != "RECECO":
            self.problem(envelope, "receco_other_message", self.message.kind)
            return
        if self.message.version != "D" or self.message.release not in READABLE:
            self.problem(envelope, "receco_release", self.message.release, release=self.message.release)
            return
        parts = self._parts(envelope)
        if parts is None:
            return
        head, parties, covers = parts
        self.covers = len(covers)
        policy = next((segment.get(0, 1) for segment in head if segment.tag == "RFF" and segment.get(0) == _POLICY_REFERENCE), "")
        if self.policy_number and policy and policy != self.policy_number:
            self.problem(head[0], "receco_other_policy", policy, policy=self.policy_number)
            return
        buyers = [group[0] for group in parties if group[0].get(0) == _BUYER]
        if len(buyers) != 1:
            self.problem(buyers[1] if buyers else head[0], "receco_one_buyer", str(len(buyers)))
            return
        for group in covers:
            before = len(self.problems)
            row = self._row(group, buyers[0], head)
            if row is not None and len(self.problems) == before:
                self.rows.append(row)

    def _parts(self, envelope: Segment) -> tuple[list[Segment], list[list[Segment]], list[list[Segment]]] | None:
        """Head, parties and covers, every segment in a place where it may stand, as often as it may."""
        head: list[Segment] = []
        parties: list[list[Segment]] = []
        covers: list[list[Segment]] = []
        for segment in self.message.segments:
            if segment.tag == "DOC":
                covers.append([segment])
            elif segment.tag == "NAD" and not covers:
                parties.append([segment])
            elif covers:
                covers[-1].append(segment)
            elif parties:
                parties[-1].append(segment)
            else:
                head.append(segment)
        before = len(self.problems)
        if not head or head[0].tag != "BGM":
            self.problem(head[0] if head else envelope, "receco_begins_otherwise")
        for allowed, groups in ((_HEAD, [head]), (_PARTY, parties), (_COVER, covers)):
            for group in groups:
                self._check_places(group, allowed)
        for surplus in (*parties[_MOST_GROUPS:], *covers[_MOST_GROUPS:]):
            self.problem(surplus[0], "receco_segment_not_here", surplus[0].tag)
        return None if len(self.problems) > before else (head, parties, covers)

    def _check_places(self, group: Sequence[Segment], allowed: dict[str, int]) -> None:
        order = list(allowed)
        count: Counter[str] = Counter()
        reached = 0
        for segment in group:
            count[segment.tag] += 1
            place = order.index(segment.tag) if segment.tag in allowed else -1
            if place < reached or count[segment.tag] > allowed.get(segment.tag, 0):
                self.problem(segment, "receco_segment_not_here", segment.tag)
            reached = max(reached, place)

    def _row(self, group: Sequence[Segment], buyer: Segment, head: Sequence[Segment]) -> LimitRow | None:
        first = group[0]
        found = {segment.tag: segment for segment in group if segment.tag != "DTM"}
        details = found.get("CCD")
        if details is None or not details.get(1):
            self.problem(details or first, "receco_no_answer")
            return None
        asked = self._code(details, 0, CoverRequestCode)
        response = self._code(details, 1, CoverResponseCode)
        reason = self._code(details, 2, CoverReasonCode)
        days = {
            **{segment.get(0): segment for segment in head if segment.tag == "DTM"},
            **{segment.get(0): segment for segment in group if segment.tag == "DTM"},
        }
        decided_on = self._day(days.get(_MADE_ON), first)
        effective_on = self._day(days[_EFFECTIVE_ON], first) if _EFFECTIVE_ON in days else None
        valid_to = self._day(days[_EXPIRES_ON], first) if _EXPIRES_ON in days else None
        currency = self._currency(found)
        amount = self._amount(found.get("MOA"), currency)
        if decided_on is None or not isinstance(response, CoverResponseCode):
            return None
        ours, theirs = _references(first, found.get("RFF"))
        row = LimitRow(
            row=first.number,
            insurer_id=buyer.get(1) or None,
            vat_number=None,
            registration_number=None,
            customer_number=None,
            buyer_name="".join(buyer.elements[3]).strip() or None if len(buyer.elements) > 3 else None,
            entity=None,
            country=buyer.get(8).upper() or None,
            layer=Layer.PRIMARY,
            kind=LimitKind.NAMED,
            status=None,
            requested_minor=None,
            decided_minor=None,
            currency=currency,
            decided_on=decided_on,
            effective_on=effective_on,
            valid_to=valid_to,
            conditions={},
            insurer_reference=theirs or None,
            reason=_text(found.get("FTX")),
            own_reference=ours or None,
            response=response,
            reason_code=reason if isinstance(reason, CoverReasonCode) else None,
        )
        return self._decided(row, response, asked is CoverRequestCode.INCREASE, amount, found.get("MOA"), details)

    def _decided(
        self,
        row: LimitRow,
        response: CoverResponseCode,
        was_increase: bool,
        amount: int | None,
        money: Segment | None,
        details: Segment,
    ) -> LimitRow | None:
        """The row with the amounts that its answer gives. A preliminary assessment promises nothing, so it decides nothing."""
        if response in {CoverResponseCode.PRELIMINARY, CoverResponseCode.NAME_OR_ADDRESS_CHANGE}:
            return row
        if response is CoverResponseCode.NOT_APPROVED:
            keeps_old = was_increase and (money is None or money.get(0) == _CURRENT_COVER)
            return row if keeps_old else replace(row, status=LimitStatus.REFUSED, decided_minor=0)
        if response is CoverResponseCode.ACCOUNT_WITHOUT_LIMIT:
            return replace(row, status=LimitStatus.REFUSED, decided_minor=0)
        if STATUS_OF_CODE.get(response) is LimitStatus.WITHDRAWN:
            return replace(row, status=LimitStatus.WITHDRAWN)
        if amount is None:
            if money is None:
                self.problem(details, "amount_needed")
            return None
        if response is CoverResponseCode.STILL_INVESTIGATING:
            return replace(row, status=LimitStatus.REQUESTED, requested_minor=amount)
        is_reduced = response is CoverResponseCode.REDUCED
        return replace(row, status=LimitStatus.REDUCED if is_reduced else None, decided_minor=amount)

    def _code(
        self, details: Segment, place: int, vocabulary: type[CoverRequestCode | CoverResponseCode | CoverReasonCode]
    ) -> CoverRequestCode | CoverResponseCode | CoverReasonCode | None:
        text = details.get(place)
        if not text:
            return None
        known = {member.value: member for member in vocabulary}
        if _CODE.match(text) and int(text) in known:
            return known[int(text)]
        self.problem(details, "code_unknown", text, field=("4505", "4507", "4509")[place])
        return None

    def _day(self, segment: Segment | None, otherwise: Segment) -> date | None:
        if segment is None:
            self.problem(otherwise, "date_needed")
            return None
        text, form = segment.get(0, 1), segment.get(0, 2) or "102"
        length, year = _DATES.get(form, (0, 0))
        day = None
        if length == len(text) and text.isascii() and text.isdecimal():
            day = _calendar_day(f"20{text}" if year == 2 else text)
        if day is None:
            self.problem(segment, "not_a_date", text)
        return day

    def _currency(self, found: dict[str, Segment]) -> str:
        money, currencies = found.get("MOA"), found.get("CUX")
        said = [text for text in ((money.get(0, 2) if money else ""), (currencies.get(0, 1) if currencies else "")) if text]
        if len(set(said)) > 1:
            self.problem(currencies or found["MOA"], "receco_two_currencies", " ".join(said))
        if said and not is_currency(said[0]):
            self.problem(currencies or found["MOA"], "not_a_currency_code", said[0])
            return self.currency
        return said[0] if said else self.currency

    def _amount(self, segment: Segment | None, currency: str) -> int | None:
        if segment is None:
            return None
        text = segment.get(0, 1)
        if segment.get(0) not in {_CURRENT_COVER, _NEW_COVER}:
            self.problem(segment, "receco_amount_kind", segment.get(0))
        elif _AMOUNT.match(text):
            try:
                return to_minor(Decimal(text.replace(",", ".")), currency)
            except InvalidValue as refusal:
                self.problem(segment, refusal.code, text, currency=currency, decimals=refusal.parameters.get("decimals", 0))
        else:
            self.problem(segment, "not_an_amount", text)
        return None


def _calendar_day(digits: str) -> date | None:
    """The day of eight digits; None where the calendar has none."""
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


def _references(document: Segment, reference: Segment | None) -> tuple[str, str]:
    """Our reference of a request and the insurer's of the answer: the document carries one, the reference the other."""
    number = document.get(1)
    if reference is None:
        return number, ""
    if reference.get(0) in _OUR_REFERENCES:
        return reference.get(0, 1), number
    return number, reference.get(0, 1) if reference.get(0) in _COVER_REFERENCES else ""


def _text(segment: Segment | None) -> str:
    if segment is None or len(segment.elements) < 4:
        return ""
    element: Element = segment.elements[3]
    return "".join(element)[:1000]
