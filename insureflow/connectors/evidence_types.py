"""What an uploaded file really is, told from its content and never from its name; what could run in a reader's program is refused."""

from __future__ import annotations

import io
import re
import zipfile
from enum import StrEnum
from pathlib import PurePath

from insureflow.domain.errors import Refusal

#: How much of a file is looked at for text that a browser would run.
_LOOKED_AT = 64 * 1024


class EvidenceType(StrEnum):
    """Kinds of files that are taken as evidence, by their media type."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"
    TIFF = "image/tiff"
    WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    EMAIL = "message/rfc822"
    CSV = "text/csv"
    TEXT = "text/plain"


_MAGIC: tuple[tuple[bytes, EvidenceType], ...] = (
    (b"%PDF-", EvidenceType.PDF),
    (b"\x89PNG\r\n\x1a\n", EvidenceType.PNG),
    (b"\xff\xd8\xff", EvidenceType.JPEG),
    (b"II*\x00", EvidenceType.TIFF),
    (b"MM\x00*", EvidenceType.TIFF),
)
#: Beginnings of programs, archives that hide their content, and office files that can carry macros.
_HOSTILE_MAGIC = (
    b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"L\x00\x00\x00\x01\x14\x02\x00", b"{\\rtf", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b",
)  # fmt: skip
_HOSTILE_NAMES = frozenset(
    {
        ".html", ".htm", ".xhtml", ".svg", ".xml", ".js", ".mjs", ".vbs", ".wsf", ".hta", ".exe", ".dll", ".msi", ".com", ".bat", ".cmd",
        ".ps1", ".sh", ".py", ".jar", ".class", ".lnk", ".scr", ".url", ".xlsm", ".xlsb", ".xltm", ".xlam", ".docm", ".dotm", ".pptm",
        ".php", ".jsp", ".asp", ".aspx", ".swf", ".iso", ".chm", ".reg",
    }
)  # fmt: skip
_MARKUP = re.compile(rb"<\s*(?:!doctype\s+html|\?xml|html|head|body|script|svg|iframe|object|embed|xsl:)", re.IGNORECASE)
#: What makes a PDF do something by itself.
_ACTIVE_PDF = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFile|RichMedia)\b")
_HEADER = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]{1,60}:[ \t][^\n]{0,2000}\n(?:[ \t][^\n]{0,2000}\n){0,50}){2,}")
_MAIL_FIELDS = (b"from:", b"received:", b"date:", b"message-id:", b"mime-version:", b"return-path:", b"subject:")


def sniff(content: bytes, name: str) -> EvidenceType:
    """The kind of a file. Errors: ``evidence_empty``, ``evidence_hostile``, ``evidence_type_not_taken``."""
    if not content:
        raise Refusal("evidence_empty", name=name)
    ending = PurePath(name.casefold()).suffix
    if ending in _HOSTILE_NAMES or content.startswith(_HOSTILE_MAGIC):
        raise Refusal("evidence_hostile", name=name)
    for start, kind in _MAGIC:
        if content.startswith(start):
            if kind is EvidenceType.PDF and _ACTIVE_PDF.search(content):
                raise Refusal("evidence_hostile", name=name)
            return kind
    if content.startswith(b"PK"):
        return _workbook(content, name)
    return _text(content, name, ending)


def _workbook(content: bytes, name: str) -> EvidenceType:
    """A workbook without macros, and no other archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [member.casefold() for member in archive.namelist()]
            kinds = archive.read("[Content_Types].xml")[: 4 * _LOOKED_AT] if "[Content_Types].xml" in archive.namelist() else b""
    except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError):
        raise Refusal("evidence_type_not_taken", name=name) from None
    if any("vbaproject" in member or member.startswith("xl/macrosheets") for member in members) or b"macroEnabled" in kinds:
        raise Refusal("evidence_hostile", name=name)
    if "xl/workbook.xml" not in members:
        raise Refusal("evidence_type_not_taken", name=name)
    return EvidenceType.WORKBOOK


def _text(content: bytes, name: str, ending: str) -> EvidenceType:
    if b"\x00" in content[:_LOOKED_AT]:
        raise Refusal("evidence_type_not_taken", name=name)
    try:
        content[:_LOOKED_AT].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < min(len(content), _LOOKED_AT) - 4 and not _is_western(content):
            raise Refusal("evidence_type_not_taken", name=name) from None
    if _is_mail(content):
        return EvidenceType.EMAIL
    if _MARKUP.search(content[:_LOOKED_AT]):
        raise Refusal("evidence_hostile", name=name)
    return EvidenceType.CSV if ending == ".csv" else EvidenceType.TEXT


def _is_western(content: bytes) -> bool:
    """Old exports are written in one byte per letter; control characters show that something is no text at all."""
    return not any(byte < 9 or 13 < byte < 32 for byte in content[:_LOOKED_AT])


def _is_mail(content: bytes) -> bool:
    found = _HEADER.match(content[:_LOOKED_AT].replace(b"\r\n", b"\n"))
    if found is None:
        return False
    fields = b"\n" + found[0].lower()
    return sum(b"\n" + field in fields for field in _MAIL_FIELDS) >= 2
