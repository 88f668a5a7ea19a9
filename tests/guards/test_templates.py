"""Templates keep the layout djlint gives, hold no inline code, and leave escaping on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.tree import PACKAGE, ROOT

TEMPLATES = sorted((PACKAGE / "templates").rglob("*.html"))


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE / "templates"))


def test_there_are_templates() -> None:
    assert TEMPLATES


def test_djlint_has_no_complaint() -> None:
    command = [Path(sys.executable).parent / "djlint", PACKAGE / "templates", "--lint", "--quiet"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_no_inline_code_and_no_foreign_host(path: Path) -> None:
    text = re.sub(r"\{[#%{].*?[#%}]\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = re.findall(
        r"<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>",
        text,
        re.IGNORECASE,
    )
    found += re.findall(r"(?:src|href)=[\"'](?:https?:)?//[^\"']*", text)
    assert found == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_escaping_stays_on(path: Path) -> None:
    assert re.findall(r"\|\s*safe\b|autoescape\s+false", path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_cell_says_its_column_on_a_phone(path: Path) -> None:
    """On a small screen a table becomes a list, and a cell without a label would vanish with what it holds."""
    tables = re.findall(r'<table\b[^>]*class="[^"]*\b(?:data|trace)-table\b.*?</table>', path.read_text(encoding="utf-8"), re.DOTALL)
    rows = [re.sub(r"<tfoot\b.*?</tfoot>", "", each, flags=re.DOTALL) for each in tables]
    assert [cell for each in rows for cell in re.findall(r"<td\b(?![^>]*data-label)[^>]*>.{0,60}", each)] == []
