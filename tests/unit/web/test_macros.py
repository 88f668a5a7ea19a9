"""The parts of pages: what they show, what they tie together, and that words from outside stay words."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
from wtforms import Form, RadioField, SelectField, StringField, validators
from wtforms.fields.choices import SelectChoice

import insureflow
from insureflow.domain.money import Money
from insureflow.domain.trace import Step
from insureflow.i18n import values

HOSTILE = "<script>alert(1)</script>\"'&"


class _Arguments:
    def __init__(self, **values: str) -> None:
        self.values = values

    def lists(self) -> list[tuple[str, list[str]]]:
        return [(name, [value]) for name, value in self.values.items()]


def _money(minor: int, currency: str) -> str:
    return f"{Money(minor, currency).amount} {currency}"


@pytest.fixture
def page() -> Callable[..., str]:
    """Renders a piece of template with the filters of the product in their simplest form."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(insureflow.__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    environment.filters |= {
        "money": _money,
        "amount": lambda minor, currency: str(Money(minor, currency).amount),
        "percent": lambda value: f"{value}%",
        "number": lambda value: f"{value:,}",
        "day": lambda on: on.isoformat(),
        "instant": lambda at: at.isoformat(),
        "country": lambda code: {"SE": "Sweden"}[code],
        "word": lambda code: str(getattr(code, "value", code)).replace("_", " "),
        "said": lambda value, name, currency=None: values.said(name, value, "en", currency),
        "basis": lambda code: code,
    }
    environment.globals |= {
        "csrf_token": lambda: "token",
        "url_with": lambda **changes: "?" + "&".join(f"{name}={value}" for name, value in sorted(changes.items())),
        "request": SimpleNamespace(path="/buyers", args=_Arguments(sort="name", q="old", country="SE", on="2026-01-01", page="3")),
    }

    def render(imports: str, body: str, **values: Any) -> str:
        return environment.from_string(f"{{% from {imports} with context %}}{body}").render(**values)

    return render


def _listing(**changes: Any) -> SimpleNamespace:
    def column(key: str, kind: str = "text", currency: str | None = None) -> SimpleNamespace:
        return SimpleNamespace(key=key, label=key.title(), kind=kind, sortable=key != "state", currency=currency, align="start")

    values: dict[str, Any] = {
        "name": "buyers",
        "caption": "Buyers",
        "columns": [
            column("name"),
            column("country", "country"),
            column("open", "money", "EUR"),
            column("due", "money"),
            column("state", "badge"),
        ],
        "rows": [
            {
                "name": HOSTILE,
                "country": "SE",
                "open": {"value": (123456, "EUR"), "why_url": "/why/1", "hint": "since May"},
                "due": (500, "JPY"),
                "state": "refused",
                "url": "/buyers/1",
                "badges": ["over_limit"],
            },
            {"name": "Second", "country": None, "open": None, "due": {"value": (1, "USD"), "tone": "stopped"}, "state": "in_force"},
        ],
        "sort": "open",
        "direction": "desc",
        "page": 2,
        "pages": 3,
        "size": 25,
        "sizes": [25, 50],
        "total_rows": 52,
        "totals": {"open": [(999900, "EUR")], "due": [(500, "JPY"), (100, "USD")]},
        "filters": [
            SimpleNamespace(key="country", label="Country", kind="select", options=[("SE", "Sweden")], value="SE"),
            SimpleNamespace(key="due_on", label="Due", kind="date_range", options=(), value=["2026-01-01", ""]),
        ],
        "chips": [SimpleNamespace(label="Country: Sweden", remove_url="/buyers?sort=name")],
        "search": "old",
        "export_csv_url": "/buyers?format=csv",
        "export_xlsx_url": "/buyers?format=xlsx",
        "empty": None,
    }
    return SimpleNamespace(**(values | changes))


TABLE = ('"macros/tables.html" import table', "{{ table(listing) }}")


def test_a_sorted_column_says_so_and_turns_the_other_way(page: Callable[..., str]) -> None:
    html = page(*TABLE, listing=_listing())
    assert html.count('aria-sort="descending"') == 1
    assert 'href="?direction=asc&amp;page=None&amp;sort=open"' in html
    turned = page(*TABLE, listing=_listing(direction="asc"))
    assert 'href="?direction=desc&amp;page=None&amp;sort=open"' in turned
    head = html[html.index("<thead") : html.index("</thead>")]
    assert head.count("aria-sort") == 4


def test_cells_show_currency_once_and_lead_to_their_reason(page: Callable[..., str]) -> None:
    html = page(*TABLE, listing=_listing())
    body = html[html.index("<tbody") : html.index("</tbody>")]
    assert '<span class="unit">EUR</span>' in html
    assert "1234.56" in body
    assert "1234.56 EUR" not in body
    assert "500 JPY" in body
    assert 'hx-get="/why/1"' in body
    assert "since May" in body
    assert 'class="tone tone-stopped"' in body
    assert 'class="tag tag-stopped">refused' in body
    assert 'class="tag tag-covered">in force' in body
    assert "Sweden" in body
    assert body.count('class="cell-none"') == 2


def test_words_from_outside_stay_words(page: Callable[..., str]) -> None:
    html = page(*TABLE, listing=_listing())
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_totals_keep_currencies_apart(page: Callable[..., str]) -> None:
    html = page(*TABLE, listing=_listing())
    foot = html[html.index("<tfoot") : html.index("</tfoot>")]
    assert re.findall(r'total-line">([^<]+)<', foot) == ["9999.00", "500 JPY", "1.00 USD"]
    assert "Total of all 52 rows" in foot


def test_pages_say_where_they_are(page: Callable[..., str]) -> None:
    html = page(*TABLE, listing=_listing())
    assert "Rows 26 to 50 of 52" in html
    last = page(*TABLE, listing=_listing(page=3))
    assert "Rows 51 to 52 of 52" in last
    assert 'rel="next"' not in last


def test_the_filter_form_keeps_the_rest_of_the_view_but_not_what_is_remembered_elsewhere(page: Callable[..., str]) -> None:
    html = page(*TABLE, listing=_listing())
    assert re.findall(r'type="hidden" name="(\w+)"', html) == ["sort"]
    assert 'name="due_on_from" value="2026-01-01"' in html
    assert re.search(r'<option value="SE" selected>', html)


def test_every_field_of_the_filters_has_its_label(page: Callable[..., str]) -> None:
    html = page(*TABLE, listing=_listing())
    labelled = set(re.findall(r'<label[^>]*\bfor="([^"]+)"', html))
    fields = set(re.findall(r'<(?:input|select) id="([^"]+)"', html))
    assert fields
    assert fields <= labelled


def test_an_empty_table_teaches_and_a_filtered_one_offers_a_way_back(page: Callable[..., str]) -> None:
    empty = SimpleNamespace(title="No buyers yet", text="Import a ledger.", action_url="/imports", action_label="Import")
    taught = page(*TABLE, listing=_listing(rows=[], total_rows=0, chips=[], search=None, empty=empty))
    assert "No buyers yet" in taught
    assert 'href="/imports"' in taught
    filtered = page(*TABLE, listing=_listing(rows=[], total_rows=0, empty=empty))
    assert "Nothing matches these filters" in filtered
    assert 'href="/buyers"' in filtered


def test_a_slot_for_saved_views(page: Callable[..., str]) -> None:
    html = page('"macros/tables.html" import table', "{% call table(listing) %}<b>My view</b>{% endcall %}", listing=_listing())
    assert "<b>My view</b>" in html


@pytest.mark.parametrize(
    ("state", "is_polled"), [("queued", True), ("running", True), ("done", False), ("failed", False), ("cancelled", False)]
)
def test_progress_asks_again_only_while_there_is_progress(page: Callable[..., str], state: str, is_polled: bool) -> None:
    job = {
        "url": "/tasks/1",
        "name": "Import",
        "state": state,
        "done": 10,
        "total": 40,
        "cancel_url": "/tasks/1/cancel",
        "result_url": "/r",
    }
    html = page('"macros/page.html" import progress', "{{ progress(job) }}", job=job)
    assert ('hx-trigger="every 2s"' in html) is is_polled
    assert ('action="/tasks/1/cancel"' in html) is is_polled
    assert ('href="/r"' in html) is not is_polled
    assert '<progress max="40" value="10"' in html


@pytest.mark.parametrize(
    ("code", "tone"),
    [("in_force", "covered"), ("over_limit", "uncovered"), ("withdrawn", "stopped"), ("never_asked", "undecided"), ("?", "undecided")],
)
def test_a_state_has_the_colour_of_its_meaning(page: Callable[..., str], code: str, tone: str) -> None:
    html = page('"macros/page.html" import badge', "{{ badge(code) }}", code=code)
    assert f"tag-{tone}" in html


class _BuyerForm(Form):  # type: ignore[misc]  # WTForms is untyped
    name = StringField("Legal name", [validators.InputRequired()], description="As registered.")
    note = StringField("Note")
    country = SelectField("Country", choices=[SelectChoice("SE", "Sweden")])
    mode = RadioField("Mode", choices=[SelectChoice("a", "A"), SelectChoice("b", "B")])


def test_a_field_is_tied_to_its_hint_and_error(page: Callable[..., str]) -> None:
    form = _BuyerForm()
    form.validate()
    html = page('"macros/forms.html" import form_field', "{{ form_field(form.name) }}", form=form)
    control = re.search(r"<input[^>]*>", html)
    assert control is not None
    assert 'aria-describedby="name-hint name-error"' in control.group()
    assert 'aria-invalid="true"' in control.group()
    assert set(re.findall(r'<p class="[\w-]+" id="([\w-]+)"', html)) == {"name-hint", "name-error"}
    assert "(optional)" not in html


def test_kinds_of_fields(page: Callable[..., str]) -> None:
    html = page('"macros/forms.html" import form_field', "{% for field in form %}{{ form_field(field) }}{% endfor %}", form=_BuyerForm())
    assert "<legend>Mode</legend>" in html
    assert html.count('type="radio"') == 2
    assert 'class="form-select"' in html
    assert "(optional)" in html


def test_the_summary_of_errors_leads_to_each_field(page: Callable[..., str]) -> None:
    form = _BuyerForm()
    form.validate()
    html = page('"macros/forms.html" import error_summary', "{{ error_summary(form) }}", form=form)
    assert '<a href="#name">Legal name</a>' in html
    assert 'role="alert"' in html


def test_a_trace_says_each_step_with_its_basis(page: Callable[..., str]) -> None:
    inputs = (("open", Money(120000, "EUR")), ("share", Decimal("0.90")), ("late", False), ("until", None))
    step = Step("eligible_amount", "open_less_tax", inputs, Money(100000, "EUR"), "policy.vat", on=date(2026, 1, 2))
    html = page('"macros/traces.html" import trace', "{{ trace(steps) }}", steps=[step])
    for words in (
        "1. eligible amount",
        "2 Jan 2026",
        'open: <strong class="figure">1,200.00\u00a0EUR</strong>',
        ">0.9</strong>",
        "<strong>no</strong>",
        "1,000.00\u00a0EUR",
        "policy.vat",
    ):
        assert words in html
    nothing = page('"macros/traces.html" import trace', "{{ trace(steps) }}", steps=[])
    assert "nothing was calculated" in nothing


def test_the_plain_form_of_a_trace_reads_the_same(page: Callable[..., str]) -> None:
    step = Step("eligible_amount", "open", (("open", Money(120000, "EUR")),), Money(100000, "EUR"), "policy.vat")
    html = page('"macros/traces.html" import trace', "{{ trace(steps) }}", steps=[step.to_dict()])
    assert 'open: <strong class="figure">1,200.00\u00a0EUR</strong>' in html
    assert '<strong class="figure">1,000.00\u00a0EUR</strong>' in html
