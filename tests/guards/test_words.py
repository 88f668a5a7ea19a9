"""No file tells where or how it was written, and none holds a secret or a path of somebody's machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from support.tree import ROOT

_HOME = "/" + "(?:root|home|Users|work|tmp)" + "/"
_PRIVATE_PATH = re.compile(rf"(?<![\w.:/~$}}{{]){_HOME}[\w.-]+")
_TEXT = {
    ".py",
    ".md",
    ".toml",
    ".html",
    ".css",
    ".js",
    ".yaml",
    ".yml",
    ".json",
    ".cfg",
    ".ini",
    ".sh",
    ".txt",
    ".po",
    ".pot",
    ".service",
    "",
}
_VENDORED = ("insureflow/static/vendor/", "tests/browser/vendor/", "uv.lock")


def tracked() -> list[str]:
    """The files of the repository, those not yet committed included."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def readable() -> list[tuple[str, str]]:
    """Name and text of every text file of our own."""
    return [
        (name, (ROOT / name).read_text(encoding="utf-8", errors="replace"))
        for name in tracked()
        if Path(name).suffix in _TEXT and not name.startswith(_VENDORED) and (ROOT / name).stat().st_size < 1_000_000
    ]


def test_no_path_of_a_machine_is_written_down() -> None:
    found = [f"{name}: {match.group()}" for name, text in readable() for match in _PRIVATE_PATH.finditer(text)]
    assert found == []


def test_nothing_made_is_kept() -> None:
    made = re.compile(r"(^|/)(__pycache__|\.venv|\.uv|instance|htmlcov)/|\.(pyc|mo|db|sqlite|log)$|^\.coverage")
    assert [name for name in tracked() if made.search(name)] == []


def test_no_private_key_or_token_is_kept() -> None:
    secret = re.compile("-----BEGIN [A-Z ]*PRIVATE " + "KEY-----|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}")
    assert [name for name, text in readable() if secret.search(text)] == []
