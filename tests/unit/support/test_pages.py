from __future__ import annotations

import pytest
from support.pages import faults_of

PAGE = """<!doctype html>
<html lang="en"><head><title>Buyers</title><link rel="stylesheet" href="/static/a.css"><script src="/static/a.js"></script></head>
<body><h1>Buyers</h1><h2>Open</h2><form><label for="q">Search</label><input id="q" name="q"><button>Go</button></form>%s</body></html>"""


def test_a_page_in_order_has_no_fault() -> None:
    assert faults_of(PAGE % "<h3>One</h3><h2>Two</h2><svg><title>Picture</title></svg>") == []


@pytest.mark.parametrize(
    ("part", "word"),
    [
        ('<p id="q">twice</p>', "stands 2 times"),
        ('<input name="amount">', "no label"),
        ("<h4>skipped</h4>", "follows"),
        ("<h1>second</h1>", "only h1"),
        ('<p style="color:red">x</p>', "inline style"),
        ("<style>p{}</style>", "inline style"),
        ("<script>x()</script>", "inline script"),
        ('<a href="#" onclick="x()">x</a>', "inline handler"),
        ('<a href="javascript:x()">x</a>', "script in href"),
        ('<img src="/a.png">', "alternative text"),
        ('<script src="https://cdn.example/x.js"></script>', "elsewhere"),
        ('<a href="/buyers"><span></span></a>', "without words"),
        ('<label for="gone">x</label>', "not on the page"),
        ('<p class="a" class="b">x</p>', "twice"),
    ],
)
def test_each_fault_is_found(part: str, word: str) -> None:
    assert any(word in fault for fault in faults_of(PAGE % part)), faults_of(PAGE % part)


@pytest.mark.parametrize(
    ("change", "word"),
    [(' lang="en"', "no language"), ("<title>Buyers</title>", "no title"), ("<h1>Buyers</h1>", "h1"), ("<!doctype html>", "doctype")],
)
def test_what_a_whole_page_needs(change: str, word: str) -> None:
    page = PAGE.replace(change, "")
    assert any(word in fault for fault in faults_of(page % ""))


def test_a_part_of_a_page_needs_no_title() -> None:
    assert faults_of("<tr><td>1</td></tr>", whole=False) == []
