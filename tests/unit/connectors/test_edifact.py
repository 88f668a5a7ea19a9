"""EDIFACT: what is written is read again, hostile bytes end in one kind of error, and every count is checked."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insureflow.connectors.edifact import (
    EdifactError,
    EdifactLimits,
    Interchange,
    Message,
    Segment,
    Separators,
    looks_like_edifact,
    read_interchange,
    split_text,
    write_interchange,
)

WHOLE = b"UNB+UNOB:3+US+THEM+260115:0930+7'UNH+1+RECECO:D:96A:UN'BGM+:::X+A?'B+9'UNT+3+1'UNZ+1+7'"

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)
elements = st.lists(texts, max_size=4).map(tuple)
tags = st.from_regex(r"[A-Z][A-Z0-9]{2}", fullmatch=True).filter(lambda tag: not tag.startswith("UN"))


def trimmed(parts: tuple) -> tuple:
    while parts and not parts[-1]:
        parts = parts[:-1]
    return parts


segments = st.builds(lambda tag, parts: Segment(tag, trimmed(tuple(trimmed(each) for each in parts))), tags, st.lists(elements, max_size=4))


@given(st.lists(st.lists(segments, max_size=4), max_size=3), st.booleans())
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_again(bodies: Any, is_test: Any):
    messages = tuple(Message(str(at), "RECECO", "D", "96A", "UN", tuple(body)) for at, body in enumerate(bodies))
    written = write_interchange(Interchange("US", "ÅÄÖ €", "2601150930", "REF?+:'7", messages, is_test=is_test))
    read = read_interchange(written)
    assert (read.sender, read.recipient, read.prepared, read.reference, read.is_test) == ("US", "ÅÄÖ €", "2601150930", "REF?+:'7", is_test)
    assert looks_like_edifact(written)
    assert [[(each.tag, each.elements) for each in message.segments] for message in read.messages] == [
        [(each.tag, each.elements) for each in body] for body in bodies
    ]


@given(
    st.one_of(
        st.binary(max_size=200), st.binary(max_size=60).map(lambda tail: WHOLE[:70] + tail), st.binary(min_size=9).map(b"UNA".__add__)
    )
)
@settings(max_examples=150, deadline=None)
def test_bytes_of_any_kind_end_in_an_interchange_or_its_own_error(data: Any):
    with suppress(EdifactError):
        assert read_interchange(data).reference


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_a_whole_message_with_one_byte_changed_never_crashes(data: Any):
    place = data.draw(st.integers(0, len(WHOLE) - 1))
    changed = WHOLE[:place] + bytes([data.draw(st.integers(0, 255))]) + WHOLE[place + 1 :]
    with suppress(EdifactError):
        assert read_interchange(changed).reference


def test_separators_of_their_own_and_a_comma_for_decimals_are_understood():
    read = read_interchange(
        b"\xef\xbb\xbfUNA*|,% ~\r\nUNB|UNOC*3|US|THEM|260115*0930|7~\r\nUNH|1|X*D*96A*UN~FTX|a%*b||\xfc~UNT|3|1~UNZ|1|7~\r\n"
    )
    assert read.decimal_mark == ","
    assert read.messages[0].segments[0].elements == (("a*b",), (), ("ü",))
    assert read.messages[0].segments[0].get(9, 9) == ""


@pytest.mark.parametrize(
    ("old", "new", "code", "segment"),
    [
        (b"UNZ+1", b"UNZ+2", "edifact_count", 5),
        (b"UNZ+1+7", b"UNZ+1+8", "edifact_reference", 5),
        (b"UNT+3", b"UNT+4", "edifact_count", 4),
        (b"UNT+3+1", b"UNT+3+2", "edifact_reference", 4),
        (b"UNH+1+", b"UNH++", "edifact_reference", 4),
        (b"'UNZ+1+7'", b"'", "edifact_segment_missing", 4),
        (b"UNT+3+1'UNZ+1+7'", b"", "edifact_segment_missing", 3),
        (b"UNZ+1+7'", b"UNZ+1+7", "edifact_not_terminated", 5),
        (b"UNZ+1+7'", b"UNZ+1+7?", "edifact_not_terminated", 5),
        (b"UNZ+1+7'", b"UNZ+1+7'UNH+2'", "edifact_after_end", 6),
        (b"UNZ+1+7'", b"BGM'", "edifact_segment_expected", 5),
        (b"UNT+3+1'", b"UNH+2'", "edifact_segment_expected", 4),
        (b"UNH+1+RECECO:D:96A:UN'", b"UNG'", "edifact_segment_not_here", 2),
        (b"BGM+", b"bgm+", "edifact_bad_tag", 3),
        (b"BGM+", b"BGM:1+", "edifact_bad_tag", 3),
        (b"A?'B", b"A\x01B", "edifact_character", 3),
        (b"A?'B", b"A\xe4B", "edifact_character", 3),
        (b"UNOB", b"UNOZ", "edifact_character_set", 1),
        (b"UNB+", b"UNC+", "edifact_segment_expected", 1),
        (b"UNT+3+1'", b"UNT+3+1'UNH+1+RECECO:D:96A:UN'UNT+2+1'", "edifact_reference_twice", 5),
    ],
)
def test_what_does_not_fit_is_told_with_its_segment(old: Any, new: Any, code: Any, segment: Any):
    assert old in WHOLE
    with pytest.raises(EdifactError) as caught:
        read_interchange(WHOLE.replace(old, new))
    assert (caught.value.code, caught.value.parameters["segment"]) == (code, segment)


def test_the_cost_of_reading_is_bounded():
    for limits, code in (
        (EdifactLimits(size=20), "edifact_too_large"),
        (EdifactLimits(segments=3), "edifact_too_many_segments"),
        (EdifactLimits(segment_length=8), "edifact_segment_too_long"),
        (EdifactLimits(elements=3), "edifact_too_many_elements"),
        (EdifactLimits(components=3), "edifact_too_many_elements"),
    ):
        with pytest.raises(EdifactError) as caught:
            read_interchange(WHOLE, limits)
        assert caught.value.code == code


@pytest.mark.parametrize("data", [b"", b"UNA", b"UNA++.? '", b"UNA:+x? '", b"UNA\xff+.? '", b"UNA:A.? '"])
def test_bad_separators_are_refused(data: Any):
    with pytest.raises(EdifactError):
        read_interchange(data)


def test_what_cannot_be_written_is_refused():
    body = Message("1", "X", "D", "96A", "UN", (Segment("FTX", (("a\nb",),)),))
    for wrong in (
        Interchange("US", "THEM", "2601150930", "7", (body,)),
        Interchange("US", "THEM", "today", "7", ()),
        Interchange("US", "THEM", "2601150930", "a reference that is too long", ()),
        Interchange("US", "THEM", "2601150930", "7", (Message("", "X", "D", "96A", "UN", ()),)),
        Interchange("US", "THEM", "2601150930", "7", (Message("1", "X", "D", "96A", "UN", (Segment("bad"),)),)),
    ):
        with pytest.raises(EdifactError):
            write_interchange(wrong)
    assert b"+260115:0930+7'" in write_interchange(
        Interchange("US", "THEM", "", "7", ()), prepared_at=datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
    )
    with pytest.raises(EdifactError):
        Separators(component="+").check()


def test_long_texts_are_cut_into_components_or_refused():
    assert split_text("a  b\nc" * 2, 4, 3) == ("a b ", "ca b", " c")
    with pytest.raises(EdifactError):
        split_text("x" * 10, 3, 3)
