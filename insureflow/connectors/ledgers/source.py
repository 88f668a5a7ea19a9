"""Opening a ledger file safely: how large it may be, what it really is, and whether an archive is what it claims to be.

Refusals: ``file_too_large``, ``file_empty``, ``file_damaged``, ``file_encrypted``, ``file_type_not_supported``,
``archive_too_large``, ``archive_suspicious``, ``archive_too_many_files``.
"""

from __future__ import annotations

import codecs
import hashlib
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePath
from typing import IO

from insureflow.connectors.ledgers.detection import Certainty, FileType, Finding
from insureflow.domain.errors import Refusal

MEGABYTE = 1024 * 1024
_CHUNK = MEGABYTE


@dataclass(frozen=True, slots=True)
class FileLimits:
    """What a ledger file may cost: bytes as sent, bytes once unpacked, and how much is in it."""

    size: int = 50 * MEGABYTE
    unpacked_size: int = 400 * MEGABYTE
    compression_ratio: int = 200
    members: int = 5_000
    rows: int = 1_000_000
    columns: int = 500
    cells: int = 20_000_000

    def check_rows(self, rows: int) -> None:
        """Refuses a file with more rows than allowed."""
        if rows > self.rows:
            raise Refusal("too_many_rows", limit=self.rows)


#: Below this an archive member may be packed as tightly as it likes: it cannot hurt.
_HARMLESS_SIZE = 10 * MEGABYTE

_EXTENSIONS: dict[str, tuple[FileType, ...]] = {
    ".csv": (FileType.DELIMITED,),
    ".tsv": (FileType.DELIMITED,),
    ".txt": (FileType.DELIMITED,),
    ".xlsx": (FileType.XLSX,),
    ".xlsm": (FileType.XLSX,),
    ".xls": (FileType.XLS,),
    ".ods": (FileType.ODS,),
    ".xml": (FileType.UBL,),
    ".zip": (FileType.UBL_ARCHIVE,),
}

#: First bytes of files that people take for ledgers, and what they are.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "pdf"),
    (b"\x89PNG", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
    (b"PAR1", "parquet"),
    (b"{\\rtf", "rtf"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A ledger file that has been measured and may be read from its start."""

    stream: IO[bytes]
    name: str
    size: int
    sha256: str
    file_type: FileType
    findings: tuple[Finding, ...]
    is_utf8: bool


@contextmanager
def open_source(source: str | Path | IO[bytes], limits: FileLimits, name: str | None = None) -> Iterator[OpenFile]:
    """A path or binary stream, opened, measured and recognised. Nothing larger than the limit is ever held or copied."""
    if isinstance(source, str | Path):
        path = Path(source)
        with path.open("rb") as stream:
            yield _examine(stream, name or path.name, path.stat().st_size, limits)
        return
    label = name or PurePath(str(getattr(source, "name", "") or "")).name
    if source.seekable():
        source.seek(0, 2)
        size = source.tell()
        source.seek(0)
        yield _examine(source, label, size, limits)
        return
    with tempfile.SpooledTemporaryFile(max_size=4 * MEGABYTE) as copy:
        size = 0
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > limits.size:
                raise Refusal("file_too_large", size=size, limit=limits.size)
            copy.write(chunk)
        copy.seek(0)
        yield _examine(copy, label, size, limits)


def _examine(stream: IO[bytes], name: str, size: int, limits: FileLimits) -> OpenFile:
    if size > limits.size:
        raise Refusal("file_too_large", size=size, limit=limits.size)
    if size == 0:
        raise Refusal("file_empty")
    file_type = recognise(stream, limits)
    sha256, is_utf8 = _digest(stream)
    expected = _EXTENSIONS.get(PurePath(name).suffix.lower())
    certainty = Certainty.LIKELY if file_type is FileType.DELIMITED else Certainty.CERTAIN
    findings = [Finding("file_type", file_type.value, certainty, "first_bytes")]
    if expected is not None and file_type not in expected:
        findings.append(
            Finding("extension", PurePath(name).suffix.lower(), Certainty.CERTAIN, "extension_differs", None, {"found": file_type.value})
        )
    stream.seek(0)
    return OpenFile(stream, name, size, sha256, file_type, tuple(findings), is_utf8)


def _digest(stream: IO[bytes]) -> tuple[str, bool]:
    """SHA-256 of the whole file, and whether all of it is UTF-8."""
    stream.seek(0)
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    is_utf8 = True
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
        if is_utf8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                is_utf8 = False
    if is_utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    return digest.hexdigest(), is_utf8


def recognise(stream: IO[bytes], limits: FileLimits) -> FileType:
    """What a file is, by its first bytes and, for an archive, by what lies in it."""
    stream.seek(0)
    head = stream.read(4096)
    if head.startswith(_OLE):
        return FileType.XLS
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _recognise_archive(stream, limits)
    for magic, kind in _FOREIGN:
        if head.startswith(magic):
            raise Refusal("file_type_not_supported", file_type=kind)
    text = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if text.startswith(b"<"):
        lowered = text.lower()
        if b"<html" in lowered or lowered.startswith(b"<!doctype html"):
            raise Refusal("file_type_not_supported", file_type="html")
        if b"urn:schemas-microsoft-com:office:spreadsheet" in lowered:
            raise Refusal("file_type_not_supported", file_type="xml_spreadsheet")
        return FileType.UBL
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff")) or _looks_wide(head)
    if not wide and sum(byte < 32 and byte not in b"\t\n\r\f\x1a\x1b" for byte in head) > max(2, len(head) // 50):
        raise Refusal("file_type_not_supported", file_type="binary")
    return FileType.DELIMITED


def _looks_wide(head: bytes) -> bool:
    """Whether every other byte is mostly zero, as in UTF-16 without a mark."""
    half = len(head) // 2
    return half >= 4 and (head[0::2].count(0) > half * 0.6 or head[1::2].count(0) > half * 0.6)


def _recognise_archive(stream: IO[bytes], limits: FileLimits) -> FileType:
    with open_archive(stream, limits) as archive:
        names = {entry.filename for entry in archive.infolist() if not entry.filename.endswith("/")}
        if "xl/workbook.xml" in names:
            return FileType.XLSX
        if "xl/workbook.bin" in names:
            raise Refusal("file_type_not_supported", file_type="xlsb")
        if "mimetype" in names and "content.xml" in names:
            kind = next(unpack(archive, "mimetype", limits), b"")
            if kind.startswith(b"application/vnd.oasis.opendocument.spreadsheet"):
                return FileType.ODS
            raise Refusal("file_type_not_supported", file_type="opendocument")
        if "word/document.xml" in names or "ppt/presentation.xml" in names:
            raise Refusal("file_type_not_supported", file_type="office_document")
        if "EncryptedPackage" in names:
            raise Refusal("file_encrypted")
        if any(is_document(each) for each in names):
            return FileType.UBL_ARCHIVE
        raise Refusal("file_type_not_supported", file_type="zip")


def is_document(name: str) -> bool:
    """Whether an archive's member may be an e-invoice (and not one of the remnants a Mac leaves)."""
    return name.lower().endswith(".xml") and not name.startswith("__MACOSX/") and not PurePath(name).name.startswith("._")


@contextmanager
def open_archive(stream: IO[bytes], limits: FileLimits) -> Iterator[zipfile.ZipFile]:
    """A zip archive whose directory promises no more than is allowed."""
    stream.seek(0)
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, ValueError, NotImplementedError, OSError):
        raise Refusal("file_damaged") from None
    with archive:
        entries = archive.infolist()
        if len(entries) > limits.members:
            raise Refusal("archive_too_many_files", files=len(entries), limit=limits.members)
        if any(entry.flag_bits & 0x1 for entry in entries):
            raise Refusal("file_encrypted")
        total = sum(entry.file_size for entry in entries)
        if total > limits.unpacked_size:
            raise Refusal("archive_too_large", size=total, limit=limits.unpacked_size)
        for entry in entries:
            if entry.file_size > _HARMLESS_SIZE and entry.file_size > limits.compression_ratio * max(1, entry.compress_size):
                raise Refusal("archive_suspicious", member=entry.filename, ratio=entry.file_size // max(1, entry.compress_size))
        spans = sorted((entry.header_offset, entry.compress_size) for entry in entries)
        for (start, length), (following, _) in pairwise(spans):
            if start + length > following:
                raise Refusal("archive_suspicious", member="", ratio=0)
        yield archive


def unpack(archive: zipfile.ZipFile, name: str, limits: FileLimits) -> Iterator[bytes]:
    """A member's bytes in pieces, never more than its directory entry promises.

    A directory that promises too little is found out here: the check sum does not fit, and the file counts as damaged.
    """
    entry = archive.getinfo(name)
    read = 0
    try:
        with archive.open(entry) as member:
            while chunk := member.read(_CHUNK):
                read += len(chunk)
                if read > limits.unpacked_size:
                    raise Refusal("archive_too_large", size=read, limit=limits.unpacked_size)
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError):
        raise Refusal("file_damaged", member=name) from None
    if read != entry.file_size:
        raise Refusal("file_damaged", member=name)


def check_members(archive: zipfile.ZipFile, limits: FileLimits, cancelled: Callable[[], bool] | None = None) -> None:
    """Unpacks every member once, keeping nothing: a member that is cut off or larger than promised is found before it is trusted."""
    for entry in archive.infolist():
        check_cancelled(cancelled)
        for _ in unpack(archive, entry.filename, limits):
            continue


def check_cancelled(cancelled: Callable[[], bool] | None) -> None:
    """Stops the reading when the person has called it off (refusal ``cancelled``)."""
    if cancelled is not None and cancelled():
        raise Refusal("cancelled")
