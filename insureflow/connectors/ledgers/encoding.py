"""The encoding of a delimited text file: proved by a mark or by the whole file being UTF-8, otherwise weighed."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import IO

from charset_normalizer import from_bytes

from insureflow.connectors.ledgers.detection import Certainty, Finding
from insureflow.connectors.ledgers.source import OpenFile
from insureflow.domain.errors import Refusal

_SAMPLE = 64 * 1024
_CANDIDATES = (
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1257",
    "cp850",
    "mac_roman",
    "cp1255",
    "cp1256",
    "cp874",
    "koi8_r",
    "shift_jis",
    "euc_jp",
    "gb18030",
    "big5",
    "euc_kr",
)
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")

#: What stands in the text for a byte that the encoding does not know; cells with it become row problems.
UNKNOWN_BYTES = "surrogateescape"


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding's name, how undecodable bytes are kept, and the finding that says why it was chosen."""

    name: str
    errors: str
    finding: Finding


def _found(name: str, certainty: Certainty, reason: str, **parameters: object) -> Encoding:
    errors = "replace" if name.startswith(("utf-16", "utf-32")) else UNKNOWN_BYTES
    return Encoding(name, errors, Finding("encoding", name, certainty, reason, None, parameters))


def detect_encoding(file: OpenFile, stated: str | None = None) -> Encoding:
    """The encoding of a text file, with the candidates that were considered. ``stated`` wins."""
    file.stream.seek(0)
    head = file.stream.read(_SAMPLE)
    if stated is not None:
        try:
            name = codecs.lookup(stated).name
        except LookupError:
            raise Refusal("unknown_encoding", encoding=stated) from None
        if name == "utf-8" and head.startswith(codecs.BOM_UTF8):
            name = "utf-8-sig"
        return _found(name, Certainty.STATED, "stated_by_profile")
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return _found(name, Certainty.CERTAIN, "byte_order_mark")
    half = max(1, len(head) // 2)
    if head[1::2].count(0) > half * 0.4:
        return _found("utf-16-le", Certainty.LIKELY, "zero_bytes")
    if head[0::2].count(0) > half * 0.4:
        return _found("utf-16-be", Certainty.LIKELY, "zero_bytes")
    if file.is_utf8:
        return _found("utf-8", Certainty.CERTAIN, "whole_file_fits")
    return _weigh(_telling_lines(file.stream))


def _telling_lines(stream: IO[bytes]) -> bytes:
    """The lines that hold other bytes than ASCII, up to the size of a sample: only they can tell encodings apart."""
    stream.seek(0)
    telling: dict[bytes, None] = {}
    size = 0
    while size < _SAMPLE and (line := stream.readline(_SAMPLE)):
        if not line.isascii() and line not in telling:
            telling[line] = None
            size += len(line)
    return b"".join(telling)


def _weigh(sample: bytes) -> Encoding:
    sequences = len(_MULTIBYTE.findall(sample))
    stray = len(_HIGH.findall(_MULTIBYTE.sub(b"", sample)))
    if sequences >= 10 * max(1, stray):
        return _found("utf-8", Certainty.LIKELY, "nearly_all_fits", stray_bytes=stray)
    matches = from_bytes(sample, cp_isolation=list(_CANDIDATES), threshold=0.5, preemptive_behaviour=False, enable_fallback=False)
    names = [match.encoding for match in matches]
    best = matches.best()
    if best is None:
        return _found("cp1252", Certainty.UNSURE, "nothing_fits_well", candidates="cp1252")
    same = set(best.could_be_from_charset) | {best.encoding}
    western = next((match for match in matches if match.encoding == "cp1252"), None)
    name = "cp1252" if "cp1252" in same else best.encoding
    if name != "cp1252" and western is not None and western.chaos <= best.chaos and western.coherence >= best.coherence:
        name = "cp1252"
    rivals = [match for match in matches if match.encoding not in same | {name} and match.chaos <= best.chaos + 0.05]
    certainty = Certainty.UNSURE if rivals else Certainty.LIKELY
    return _found(
        name,
        certainty,
        "weighed",
        candidates=", ".join(dict.fromkeys([name, *names[:5]])),
        disorder_percent=round(best.chaos * 100),
        language_percent=round(best.coherence * 100),
    )
