"""RECECO: the message as the directories have it, and every problem of an answer with its segment."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insureflow.connectors.edifact import Interchange, Message, Segment, read_interchange, write_interchange
from insureflow.connectors.insurers.interface import ItemFailed, LimitMessage
from insureflow.connectors.insurers.outgoing import BuyerCard, OutgoingRequest
from insureflow.connectors.insurers.receco import read_decisions, write_requests
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind, LimitStatus
from insureflow.domain.limits.codes import CoverReasonCode, CoverRequestCode, CoverResponseCode
from insureflow.domain.money import Money

ON = date(2026, 1, 15)


def request(
    reference: Any = "L-1", code: Any = CoverRequestCode.NEW_LIMIT, company: Any = "4711", amount: Any = 15_000_000, **changes: Any
) -> OutgoingRequest:
    money = None if amount is None else Money(amount, "EUR")
    message = LimitMessage(reference, code, company, changes.pop("kind", LimitKind.NAMED), Layer.PRIMARY, money, ON, **changes)
    card = BuyerCard("Müller & Söhne Gesellschaft mit beschränkter Haftung", "DE", "Hafenstraße 1", "20457", "Hamburg")
    return OutgoingRequest(message, card, "P-1", "Norrvik AB")


def written(*requests: Any, **options: Any) -> bytes:
    made = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
    return write_requests(requests, sender="NORRVIK", recipient="INSURER", reference="42", prepared_at=made, **options)


def answer(
    *covers: str,
    head: str = "RFF+ICO:P-1'DTM+137:20260120:102'",
    parties: str = "NAD+BY+4711::ZZZ++Müller:GmbH++++20457+DE'",
    release: Any = "96A",
) -> bytes:
    body = f"BGM+:::X+1+9'{head}{parties}{''.join(covers)}"
    count = body.count("'") + 2
    return f"UNB+UNOC:3+I+US+260120:0800+1'UNH+1+RECECO:D:{release}:UN'{body}UNT+{count}+1'UNZ+1+1'".encode("latin-1")


def cover(ccd: str, *, money: str = "MOA+255:100000'CUX+2:EUR'", dates: str = "", text: str = "", reference: str = "RFF+ICE:CL-9'") -> str:
    return f"DOC+:::LINE COVER+L-1'{money}{dates}CCD+{ccd}'{text}{reference}"


def test_requests_are_written_as_the_directory_has_them():
    two = (
        request(),
        request("L-2", CoverRequestCode.INCREASE, amount=20_000_050, cover_id="CL-9", is_urgent=True, comment="Order of 5 March"),
    )
    end = request("L-3", CoverRequestCode.CANCELLATION, company="", amount=None)
    text = written(*two, end).decode("latin-1")
    assert text.splitlines() == [
        "UNA:+.? '",
        "UNB+UNOC:3+NORRVIK+INSURER+260115:0930+42'",
        "UNH+1+RECECO:D:96A:UN'",
        "BGM+:::CREDIT RISK COVER+42-1+9'",
        "RFF+ICO:P-1'",
        "DTM+137:20260115:102'",
        "NAD+SE+++Norrvik AB'",
        "NAD+BY+4711::ZZZ++Müller & Söhne Gesellschaft mit bes:chränkter Haftung+Hafenstraße 1+Hamburg++20457+DE'",
        "DOC+:::LINE COVER+L-1'",
        "MOA+255:150000.00'",
        "CUX+2:EUR'",
        "DTM+137:20260115:102'",
        "CCD+2'",
        "DOC+:::LINE COVER+L-2'",
        "MOA+255:200000.50'",
        "CUX+2:EUR'",
        "DTM+137:20260115:102'",
        "CCD+3'",
        "FTX+AAI+++URGENT. Order of 5 March'",
        "RFF+ICE:CL-9'",
        "UNT+19+1'",
        "UNH+2+RECECO:D:96A:UN'",
        "BGM+:::CREDIT RISK COVER+42-2+9'",
        "RFF+ICO:P-1'",
        "DTM+137:20260115:102'",
        "NAD+SE+++Norrvik AB'",
        "NAD+BY+++Müller & Söhne Gesellschaft mit bes:chränkter Haftung+Hafenstraße 1+Hamburg++20457+DE'",
        "DOC+:::LINE COVER+L-3'",
        "DTM+137:20260115:102'",
        "CCD+6'",
        "UNT+10+2'",
        "UNZ+2+42'",
    ]


def test_more_covers_than_a_message_takes_go_on_in_the_next():
    read = read_interchange(written(*(request(f"L-{at}") for at in range(100)), release="01B"))
    assert [sum(each.tag == "DOC" for each in message.segments) for message in read.messages] == [99, 1]
    assert {message.release for message in read.messages} == {"01B"}


def test_what_the_message_cannot_carry_is_refused_and_never_cut():
    for wrong in (request(kind=LimitKind.START_COVER), request(amount=None), request(company="1" * 18), request("L" * 36)):
        with pytest.raises(ItemFailed):
            written(wrong)
    with pytest.raises(ItemFailed):
        written(request(), release="99Z")


@pytest.mark.parametrize(
    ("ccd", "money", "status", "decided", "requested"),
    [
        ("2+2", "MOA+255:100000'", None, 10_000_000, None),
        ("2+4", "MOA+255:100000,5'", None, 10_000_050, None),
        ("2+5+13", "MOA+255:100000'", None, 10_000_000, None),
        ("2+3+1", "", LimitStatus.REFUSED, 0, None),
        ("3+3", "MOA+254:50000'", None, None, None),
        ("3+3", "", None, None, None),
        ("3+3", "MOA+255:0'", LimitStatus.REFUSED, 0, None),
        ("4+1", "MOA+255:100000'", None, None, None),
        ("2+6", "MOA+255:100000'", LimitStatus.REQUESTED, None, 10_000_000),
        ("5+7", "", LimitStatus.REFUSED, 0, None),
        ("+8", "", LimitStatus.WITHDRAWN, None, None),
        ("+9", "MOA+255:40000'", LimitStatus.REDUCED, 4_000_000, None),
        ("+10", "", None, None, None),
        ("+11", "", LimitStatus.WITHDRAWN, None, None),
    ],
)
def test_each_answer_becomes_what_it_means(ccd: Any, money: Any, status: Any, decided: Any, requested: Any):
    read = read_decisions(answer(cover(ccd, money=money)), currency="EUR", policy_number="P-1")
    assert read.problems == ()
    (row,) = read.rows
    assert (row.status, row.decided_minor, row.requested_minor) == (status, decided, requested)
    assert row.decides_nothing == (status is None and decided is None)
    assert (row.own_reference, row.insurer_reference, row.insurer_id, row.country) == ("L-1", "CL-9", "4711", "DE")


def test_days_reason_and_text_are_read():
    dates = "DTM+7:20260201:102'DTM+36:2026123123:00'DTM+36:202612312359:203'"
    read = read_decisions(
        answer(cover("2+4+12", dates=dates, text="FTX+AAI+++Guarantee of the :parent'", reference="RFF+CR:L-1'")), currency="SEK"
    )
    (row,) = read.rows
    assert (row.decided_on, row.effective_on, row.valid_to) == (date(2026, 1, 20), date(2026, 2, 1), date(2026, 12, 31))
    assert (row.response, row.reason_code) == (CoverResponseCode.CONDITIONAL, CoverReasonCode.ADVERSE_PUBLIC_INFORMATION)
    assert (row.reason, row.currency, row.buyer_name) == ("Guarantee of the parent", "EUR", "MüllerGmbH")
    assert (row.own_reference, row.insurer_reference) == ("L-1", "L-1")


@pytest.mark.parametrize(
    ("data", "tag", "code"),
    [
        (answer(cover("2")), "CCD", "receco_no_answer"),
        (answer("DOC+:::X+L-1'"), "DOC", "receco_no_answer"),
        (answer(cover("2+99")), "CCD", "code_unknown"),
        (answer(cover("2+x")), "CCD", "code_unknown"),
        (answer(cover("2+2", money="")), "CCD", "amount_needed"),
        (answer(cover("2+2", money="MOA+39:1'")), "MOA", "receco_amount_kind"),
        (answer(cover("2+2", money="MOA+255:-1'")), "MOA", "not_an_amount"),
        (answer(cover("2+2", money="MOA+255:1.005'")), "MOA", "too_many_decimals"),
        (answer(cover("2+2", money="MOA+255:1:SEK'CUX+2:EUR'")), "CUX", "receco_two_currencies"),
        (answer(cover("2+2", money="MOA+255:1:QQQ'")), "MOA", "not_a_currency_code"),
        (answer(cover("2+2", dates="DTM+36:20261331:102'")), "DTM", "not_a_date"),
        (answer(cover("2+2", dates="DTM+36:x:999'")), "DTM", "not_a_date"),
        (answer(cover("2+2"), head="RFF+ICO:P-1'"), "DOC", "date_needed"),
        (answer(cover("2+2"), head="RFF+ICO:P-2'DTM+137:20260120'"), "BGM", "receco_other_policy"),
        (answer(cover("2+2"), parties=""), "BGM", "receco_one_buyer"),
        (answer(cover("2+2"), parties="NAD+BY+1'NAD+BY+2'"), "NAD", "receco_one_buyer"),
        (answer(cover("2+2"), parties="NAD+BY+1'DTM+137:20260120:102'"), "DTM", "receco_segment_not_here"),
        (answer(cover("2+2") + "MOA+255:1'"), "MOA", "receco_segment_not_here"),
        (answer(*[cover("2+2")] * 100), "DOC", "receco_segment_not_here"),
        (answer(cover("2+2"), release="93A"), "UNH", "receco_release"),
        (answer(cover("2+2")).replace(b"RECECO", b"INVOIC"), "UNH", "receco_other_message"),
        (answer(cover("2+2")).replace(b"BGM+:::X+1+9'RFF", b"RFF+ICO:P-1'RFF"), "RFF", "receco_begins_otherwise"),
    ],
)
def test_every_problem_is_told_with_its_segment_and_nothing_is_entered(data: Any, tag: Any, code: Any):
    read = read_decisions(data, currency="EUR", policy_number="P-1")
    assert read.rows == ()
    problem = next(each for each in read.problems if each.code == code)
    assert problem.column == tag
    place = {segment.number: segment.tag for message in read_interchange(data).messages for segment in message.segments}
    assert place.get(problem.row, "UNH") == tag


def test_one_bad_cover_leaves_the_others():
    read = read_decisions(answer(cover("2+2"), cover("2+99"), cover("2+5")), currency="EUR", policy_number="P-1")
    assert (read.covers, len(read.rows), len(read.problems)) == (3, 2, 1)


texts = st.text(st.characters(codec="latin-1", exclude_categories=("Cc",)), max_size=8)
loose = st.builds(
    lambda tag, parts: Segment(tag, tuple(tuple(each) for each in parts)),
    st.sampled_from(["BGM", "RFF", "DTM", "NAD", "CTA", "DOC", "MOA", "CUX", "CCD", "PCD", "FTX", "XXX"]),
    st.lists(st.lists(st.one_of(texts, st.sampled_from(["BY", "255", "137", "2", "20260120", "102", "EUR"])), max_size=3), max_size=4),
)


@given(st.lists(loose, max_size=12))
@settings(max_examples=150, deadline=None)
def test_segments_in_any_order_with_any_content_become_problems_and_never_a_crash(body: Any):
    head = (Segment("BGM"), Segment("DTM", (("137", "20260120", "102"),)), Segment("NAD", (("BY",),)))
    data = write_interchange(Interchange("I", "US", "2601200800", "1", (Message("1", "RECECO", "D", "96A", "UN", (*head, *body)),)))
    read = read_decisions(data, currency="EUR")
    assert len(read.rows) <= read.covers
