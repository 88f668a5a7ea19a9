"""UN/EDIFACT interchanges: bytes to messages of segments and back, strictly. What the messages mean is told elsewhere.

*Source:* ISO 9735 syntax levels 1 to 3 (UNB/UNZ, UNH/UNT, UNA), without functional groups. Every error names the segment, counted
from 1 with UNB.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from insureflow.domain.errors import Refusal

#: Character sets by the identifier in UNB.
CHARACTER_SETS: dict[str, str] = {
    "UNOA": "ascii",
    "UNOB": "ascii",
    "UNOC": "iso8859-1",
    "UNOD": "iso8859-2",
    "UNOE": "iso8859-5",
    "UNOF": "iso8859-7",
    "UNOG": "iso8859-3",
    "UNOH": "iso8859-4",
    "UNOI": "iso8859-6",
    "UNOJ": "iso8859-8",
    "UNOK": "iso8859-9",
    "UNOY": "utf-8",
}

_TAG = re.compile(r"[A-Z][A-Z0-9]{2}\Z")
_REFERENCE = re.compile(r"[ -~]{1,14}\Z")
_NUMBER = re.compile(r"[0-9]{1,6}\Z")
_BETWEEN_SEGMENTS = b"\r\n"


class EdifactError(Refusal):
    """Something in an interchange is not as the standard has it; ``segment`` says where."""


@dataclass(frozen=True, slots=True)
class EdifactLimits:
    """What an interchange may cost to read."""

    size: int = 10 * 1024 * 1024
    segments: int = 200_000
    segment_length: int = 10_000
    elements: int = 100
    components: int = 100


LIMITS = EdifactLimits()


@dataclass(frozen=True, slots=True)
class Separators:
    """The characters that take an interchange apart, as UNA gives them. A blank ``release`` means there is none."""

    component: str = ":"
    element: str = "+"
    decimal_mark: str = "."
    release: str = "?"
    terminator: str = "'"

    def check(self) -> None:
        """Errors: ``edifact_separators`` where two are the same or one could be taken for text."""
        used = [self.component, self.element, self.terminator, *([] if self.release == " " else [self.release])]
        wrong = len(set(used)) != len(used) or self.decimal_mark not in ".,"
        if wrong or any(not "!" <= each <= "~" or each.isalnum() for each in used):
            raise EdifactError("edifact_separators", segment=1)


#: An element is a tuple of its components; a simple element has one.
Element = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: its tag and its elements, with its place in the interchange."""

    tag: str
    elements: tuple[Element, ...] = ()
    number: int = 0

    def get(self, element: int, component: int = 0) -> str:
        """A component by its place, both counted from 0; empty where it was left out."""
        if element >= len(self.elements) or component >= len(self.elements[element]):
            return ""
        return self.elements[element][component]


@dataclass(frozen=True, slots=True)
class Message:
    """One message: what stands between UNH and UNT. ``number`` is the place of its UNH."""

    reference: str
    kind: str
    version: str
    release: str
    agency: str
    segments: tuple[Segment, ...]
    number: int = 0


@dataclass(frozen=True, slots=True)
class Interchange:
    """What one party sends another: messages in an envelope. ``prepared`` is the day and time as UNB has them."""

    sender: str
    recipient: str
    prepared: str
    reference: str
    messages: tuple[Message, ...]
    decimal_mark: str = "."
    is_test: bool = False


def looks_like_edifact(head: bytes) -> bool:
    """True if the first bytes of a file can only be those of an interchange."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"UNA", b"UNB+"))


def read_interchange(data: bytes, limits: EdifactLimits = LIMITS) -> Interchange:
    """The interchange that a file holds. Errors: ``EdifactError`` and nothing else."""
    if len(data) > limits.size:
        raise EdifactError("edifact_too_large", segment=0, limit=limits.size)
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    separators, data = _separators(data)
    segments = _segments(data, separators, limits)
    first = next(segments, None)
    if first is None or first.tag != "UNB":
        raise EdifactError("edifact_segment_expected", segment=1, expected="UNB", found="" if first is None else first.tag)
    return _Envelope(first, separators).read(segments)


def _separators(data: bytes) -> tuple[Separators, bytes]:
    if not data.startswith(b"UNA"):
        return Separators(), data
    given = data[3:9]
    if len(given) < 6 or any(byte > 0x7E for byte in given):
        raise EdifactError("edifact_separators", segment=1)
    text = given.decode("ascii")
    separators = Separators(text[0], text[1], text[2], text[3], text[5])
    separators.check()
    return separators, data[9:].lstrip(_BETWEEN_SEGMENTS)


def _segments(data: bytes, separators: Separators, limits: EdifactLimits) -> Iterator[Segment]:
    """The segments in turn. Separators are single bytes that no character set uses for anything else, so bytes are taken apart."""
    terminator, element, component = (ord(each) for each in (separators.terminator, separators.element, separators.component))
    release = -1 if separators.release == " " else ord(separators.release)
    encoding = ""
    number = 0
    position = 0
    end = len(data)
    special = re.compile(b"[" + re.escape(bytes(each for each in (terminator, element, component, release) if each >= 0)) + b"]")
    while position < end:
        number += 1
        if number > limits.segments:
            raise EdifactError("edifact_too_many_segments", segment=number, limit=limits.segments)
        start = position
        parts: list[list[bytes]] = [[b""]]
        pending: list[bytes] = []
        is_closed = False
        while position < end:
            found = special.search(data, position, start + limits.segment_length)
            if found is None:
                if end - start > limits.segment_length:
                    raise EdifactError("edifact_segment_too_long", segment=number, limit=limits.segment_length)
                break
            pending.append(data[position : found.start()])
            position = found.end()
            byte = data[found.start()]
            if byte == release:
                if position >= end:
                    break
                pending.append(data[position : position + 1])
                position += 1
                continue
            parts[-1][-1] = b"".join(pending)
            pending = []
            if byte == terminator:
                is_closed = True
                break
            if byte == element:
                parts.append([b""])
            else:
                parts[-1].append(b"")
            if len(parts) > limits.elements or len(parts[-1]) > limits.components:
                raise EdifactError("edifact_too_many_elements", segment=number)
        if not is_closed:
            raise EdifactError("edifact_not_terminated", segment=number)
        segment, encoding = _decoded(parts, encoding, number)
        yield segment
        while position < end and data[position] in _BETWEEN_SEGMENTS:
            position += 1


def _decoded(parts: list[list[bytes]], encoding: str, number: int) -> tuple[Segment, str]:
    if len(parts[0]) > 1:
        raise EdifactError("edifact_bad_tag", segment=number, tag=_shown(parts[0][0]))
    tag = _shown(parts[0][0])
    if not _TAG.match(tag):
        raise EdifactError("edifact_bad_tag", segment=number, tag=tag)
    if not encoding:
        name = _shown(parts[1][0]) if len(parts) > 1 else ""
        if tag != "UNB":
            raise EdifactError("edifact_segment_expected", segment=1, expected="UNB", found=tag)
        if name not in CHARACTER_SETS:
            raise EdifactError("edifact_character_set", segment=1, name=name)
        encoding = CHARACTER_SETS[name]
    try:
        elements = tuple(_trimmed(tuple(component.decode(encoding) for component in element)) for element in parts[1:])
    except UnicodeDecodeError:
        raise EdifactError("edifact_character", segment=number) from None
    if any(not _is_clean(component) for element in elements for component in element):
        raise EdifactError("edifact_character", segment=number)
    return Segment(tag, _without_tail(elements), number), encoding


def _shown(text: bytes) -> str:
    return text[:20].decode("ascii", "replace")


def _is_clean(text: str) -> bool:
    """True without control characters."""
    return all(character >= " " and not "\x7f" <= character <= "\x9f" for character in text)


def _trimmed(element: Element) -> Element:
    """An element without the empty components at its end: they say nothing."""
    last = len(element)
    while last and not element[last - 1]:
        last -= 1
    return element[:last]


def _without_tail(elements: tuple[Element, ...]) -> tuple[Element, ...]:
    last = len(elements)
    while last and not elements[last - 1]:
        last -= 1
    return elements[:last]


class _Envelope:
    """Takes the envelope off: UNB to UNZ, and each UNH to its UNT, with their counts and references."""

    def __init__(self, header: Segment, separators: Separators) -> None:
        self.header = header
        self.separators = separators
        self.messages: list[Message] = []
        self.references: set[str] = set()

    def read(self, segments: Iterator[Segment]) -> Interchange:
        """The interchange, every count and reference checked."""
        opened: Segment | None = None
        body: list[Segment] = []
        trailer: Segment | None = None
        last = self.header.number
        for segment in segments:
            last = segment.number
            if trailer is not None:
                raise EdifactError("edifact_after_end", segment=segment.number)
            if segment.tag in {"UNG", "UNE", "UNB"}:
                raise EdifactError("edifact_segment_not_here", segment=segment.number, tag=segment.tag)
            if opened is None:
                if segment.tag == "UNH":
                    opened, body = segment, []
                elif segment.tag == "UNZ":
                    trailer = segment
                else:
                    raise EdifactError("edifact_segment_expected", segment=segment.number, expected="UNH, UNZ", found=segment.tag)
            elif segment.tag == "UNT":
                self.messages.append(self._message(opened, body, segment))
                opened = None
            elif segment.tag in {"UNH", "UNZ"}:
                raise EdifactError("edifact_segment_expected", segment=segment.number, expected="UNT", found=segment.tag)
            else:
                body.append(segment)
        if trailer is None:
            raise EdifactError("edifact_segment_missing", segment=last, expected="UNZ" if opened is None else "UNT")
        self._count(trailer, len(self.messages))
        self._same(trailer, self.header.get(4))
        return Interchange(
            self.header.get(1),
            self.header.get(2),
            self.header.get(3) + self.header.get(3, 1),
            self.header.get(4),
            tuple(self.messages),
            self.separators.decimal_mark,
            self.header.get(10) == "1",
        )

    def _message(self, opened: Segment, body: list[Segment], closed: Segment) -> Message:
        reference = opened.get(0)
        self._count(closed, len(body) + 2)
        self._same(closed, reference)
        if reference in self.references:
            raise EdifactError("edifact_reference_twice", segment=opened.number, reference=reference)
        self.references.add(reference)
        return Message(reference, opened.get(1), opened.get(1, 1), opened.get(1, 2), opened.get(1, 3), tuple(body), opened.number)

    @staticmethod
    def _count(segment: Segment, expected: int) -> None:
        said = segment.get(0)
        if not _NUMBER.match(said) or int(said) != expected:
            raise EdifactError("edifact_count", segment=segment.number, tag=segment.tag, said=said, found=expected)

    @staticmethod
    def _same(segment: Segment, expected: str) -> None:
        if not expected or segment.get(1) != expected:
            raise EdifactError("edifact_reference", segment=segment.number, tag=segment.tag, said=segment.get(1), expected=expected)


def write_interchange(interchange: Interchange, *, prepared_at: datetime | None = None) -> bytes:
    """The bytes of an interchange, a segment a line. ``prepared_at`` fills the time of preparation where ``prepared`` is empty.

    Errors: ``EdifactError`` where a text holds a control character or a reference is none.
    """
    separators = Separators(decimal_mark=interchange.decimal_mark)
    separators.check()
    prepared = interchange.prepared or (prepared_at.strftime("%y%m%d%H%M") if prepared_at else "")
    if not re.match(r"[0-9]{10}\Z", prepared):
        raise EdifactError("edifact_prepared", segment=1, said=prepared)
    texts = [
        component
        for message in interchange.messages
        for segment in message.segments
        for element in segment.elements
        for component in element
    ]
    envelope = (interchange.sender, interchange.recipient)
    character_set = next(
        (name for name in ("UNOB", "UNOC") if all(_fits(text, CHARACTER_SETS[name]) for text in (*texts, *envelope))), "UNOY"
    )
    header = Segment(
        "UNB",
        (
            (character_set, "4" if character_set == "UNOY" else "3"),
            (interchange.sender,),
            (interchange.recipient,),
            (prepared[:6], prepared[6:]),
            (interchange.reference,),
            *(((), (), (), (), (), ("1",)) if interchange.is_test else ()),
        ),
    )
    segments = [header]
    references: set[str] = set()
    for message in interchange.messages:
        if not _REFERENCE.match(message.reference) or message.reference in references:
            raise EdifactError("edifact_reference_twice", segment=len(segments) + 1, reference=message.reference)
        references.add(message.reference)
        segments.append(Segment("UNH", ((message.reference,), (message.kind, message.version, message.release, message.agency))))
        segments.extend(message.segments)
        segments.append(Segment("UNT", ((str(len(message.segments) + 2),), (message.reference,))))
    if not _REFERENCE.match(interchange.reference):
        raise EdifactError("edifact_reference", segment=1, tag="UNB", said=interchange.reference, expected="")
    segments.append(Segment("UNZ", ((str(len(interchange.messages)),), (interchange.reference,))))
    lines = [f"UNA{separators.component}{separators.element}{separators.decimal_mark}{separators.release} {separators.terminator}"]
    lines.extend(_written(segment, number, separators) for number, segment in enumerate(segments, 1))
    return ("\n".join(lines) + "\n").encode(CHARACTER_SETS[character_set])


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _written(segment: Segment, number: int, separators: Separators) -> str:
    if not _TAG.match(segment.tag):
        raise EdifactError("edifact_bad_tag", segment=number, tag=segment.tag)
    elements = _without_tail(tuple(_trimmed(element) for element in segment.elements))
    written = [separators.component.join(_released(component, number, separators) for component in element) for element in elements]
    return separators.element.join([segment.tag, *written]) + separators.terminator


def _released(text: str, number: int, separators: Separators) -> str:
    if not _is_clean(text) or not _fits(text, "utf-8"):
        raise EdifactError("edifact_character", segment=number)
    special = (separators.component, separators.element, separators.release, separators.terminator)
    return "".join(separators.release + character if character in special else character for character in text)


def split_text(text: str, length: int, pieces: int) -> Sequence[str]:
    """A text cut into components of a free text element. Errors: ``edifact_text_too_long`` where it does not fit."""
    flat = " ".join(text.split())
    if len(flat) > length * pieces:
        raise EdifactError("edifact_text_too_long", segment=0, length=len(flat), limit=length * pieces)
    return tuple(flat[start : start + length] for start in range(0, len(flat), length))
