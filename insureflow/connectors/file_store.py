"""Where files that prove something are kept: by the hash of their content, so that none can be changed without being noticed."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import IO, Protocol

from insureflow.domain.errors import Refusal

_CHUNK = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


class FileStore(Protocol):
    """A place for files, each under the SHA-256 of its content. What is there is never written over."""

    def put(self, stream: IO[bytes]) -> str:
        """Keep what a stream holds and give its hash; the same content twice is kept once."""
        ...

    def read(self, sha256: str) -> bytes:
        """The content with this hash, looked at again. Errors: ``stored_file_missing``, ``stored_file_altered``."""
        ...

    def has(self, sha256: str) -> bool:
        """True if content with this hash is kept."""
        ...


class FolderStore:
    """A folder on this machine. A file appears whole or not at all, and is on disk before its hash is given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise Refusal("stored_file_missing", sha256=sha256[:64])
        return self._folder / sha256[:2] / sha256

    def put(self, stream: IO[bytes]) -> str:
        """Keep what a stream holds and give its hash."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        digest = hashlib.sha256()
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".new-")
        new = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            path = self._path(digest.hexdigest())
            path.parent.mkdir(exist_ok=True, mode=0o700)
            new.replace(path)
            self._sync(path.parent)
        finally:
            new.unlink(missing_ok=True)
        return digest.hexdigest()

    @staticmethod
    def _sync(folder: Path) -> None:
        """The new name itself has to survive a crash."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self, sha256: str) -> bytes:
        """The content with this hash, looked at again."""
        try:
            content = self._path(sha256).read_bytes()
        except FileNotFoundError:
            raise Refusal("stored_file_missing", sha256=sha256) from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Refusal("stored_file_altered", sha256=sha256)
        return content

    def has(self, sha256: str) -> bool:
        """True if content with this hash is kept."""
        return self._path(sha256).is_file()
