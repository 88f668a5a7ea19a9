"""The form of a buyer, and how it becomes what the services take."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, FieldList, Form, FormField, SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional

from insureflow.domain.buyers import AddressKind, IdentifierScheme, NameKind, NotInsurable
from insureflow.domain.countries import COUNTRIES
from insureflow.domain.errors import InvalidValue, InvalidValues
from insureflow.domain.sectors import DIVISIONS, SECTION_OF, SECTIONS, sector_code
from insureflow.i18n.words import sentence_for
from insureflow.models.buyers import Buyer
from insureflow.queries import buyers as buyer_queries
from insureflow.services.buyers import Address, BuyerDetails, IdentifierEntry
from insureflow.web.context import choose_locale
from insureflow.web.tables import country_options, word_options

#: Empty rows at the end of each list, for what is to be added.
_SPARE = 2


class NameRow(Form):  # type: ignore[misc]  # the library comes without types
    """Another name."""

    kind = SelectField(_l("Kind of name"))
    name = StringField(_l("Name"), [Optional(), Length(max=300)])


class IdentifierRow(Form):  # type: ignore[misc]  # the library comes without types
    """A number of a public register."""

    scheme = SelectField(_l("Register"))
    country = SelectField(_l("Country of the register"))
    value = StringField(_l("Number"), [Optional(), Length(max=60)])


class AddressRow(Form):  # type: ignore[misc]  # the library comes without types
    """An address."""

    kind = SelectField(_l("Kind of address"))
    street = StringField(_l("Street"), [Optional(), Length(max=300)])
    postal_code = StringField(_l("Postal code"), [Optional(), Length(max=20)])
    city = StringField(_l("City"), [Optional(), Length(max=120)])
    region = StringField(_l("Region"), [Optional(), Length(max=120)])
    country = SelectField(_l("Country of the address"))


class CustomerNumberRow(Form):  # type: ignore[misc]  # the library comes without types
    """A customer number in an entity's ledger."""

    entity = SelectField(_l("Entity"), coerce=int)
    number = StringField(_l("Customer number"), [Optional(), Length(max=60)])


class InsurerNumberRow(Form):  # type: ignore[misc]  # the library comes without types
    """The number under which an insurer knows the buyer."""

    insurer = StringField(_l("Insurer"), [Optional(), Length(max=60)])
    number = StringField(_l("Number with the insurer"), [Optional(), Length(max=60)])


class BuyerForm(FlaskForm):  # type: ignore[misc]  # the library comes without types
    """All that is entered about a buyer."""

    legal_name = StringField(_l("Legal name"), [DataRequired(), Length(max=300)])
    country = SelectField(_l("Country"), [DataRequired()])
    language = StringField(
        _l("Language for letters"),
        id="buyer-language",
        validators=[Optional(), Length(max=20)],
        description=_l("A language tag, such as de or sv."),
    )
    sector = SelectField(_l("Sector"), [Optional()])
    parent = StringField(
        _l("Group parent"), [Optional(), Length(max=300)], description=_l("Name or customer number of the buyer directly above this one.")
    )
    not_insurable = SelectField(
        _l("Insurable"), [Optional()], description=_l("Sales to some buyers are outside credit insurance; say why.")
    )
    natural_person = BooleanField(_l("A natural person, not a company"))
    names = FieldList(FormField(NameRow), label=_l("Other names"))
    identifiers = FieldList(FormField(IdentifierRow), label=_l("Public numbers"))
    addresses = FieldList(FormField(AddressRow), label=_l("Addresses"))
    customer_numbers = FieldList(FormField(CustomerNumberRow), label=_l("Customer numbers"))
    insurer_numbers = FieldList(FormField(InsurerNumberRow), label=_l("Numbers with insurers"))


def build_form(details: BuyerDetails | None, parent: Buyer | None, entities: Any, insurers: list[str]) -> BuyerForm:
    """The form, filled with what is known or with what was sent, with spare rows to add to."""
    form = BuyerForm(data=_data(details, parent))
    countries = country_options(sorted(COUNTRIES))
    form.country.choices = [("", _("Choose a country")), *countries]
    form.sector.choices = [
        ("", _("Not known")),
        *(
            pair
            for section in SECTIONS
            for pair in _labelled([section, *(division for division in DIVISIONS if SECTION_OF[division] == section)])
        ),
    ]
    form.not_insurable.choices = [("", _("Yes, sales to this buyer can be insured")), *word_options(list(NotInsurable))]
    for rows in (form.names, form.identifiers, form.addresses, form.customer_numbers, form.insurer_numbers):
        filled = len(rows.entries)
        while not form.is_submitted() and len(rows.entries) < filled + _SPARE and len(rows.entries) < 40:
            rows.append_entry()
    for row in form.names:
        row.form.kind.choices = word_options(list(NameKind))
    for row in form.identifiers:
        row.form.scheme.choices = word_options(list(IdentifierScheme))
        row.form.country.choices = [("", _("As the buyer")), *countries]
    for row in form.addresses:
        row.form.kind.choices = word_options(list(AddressKind))
        row.form.country.choices = [("", _("As the buyer")), *countries]
    for row in form.customer_numbers:
        row.form.entity.choices = [(entity.id, entity.name) for entity in entities]
    for row in form.insurer_numbers:
        row.form.insurer.render_kw = {"list": "insurers"}
    del insurers
    return form


def _labelled(codes: list[str]) -> list[tuple[str, str]]:
    return [
        (code, f"{code} – {label}") for code, (_code, label) in zip(codes, word_options([sector_code(code) for code in codes]), strict=True)
    ]


def _data(details: BuyerDetails | None, parent: Buyer | None) -> dict[str, Any]:
    if details is None:
        return {}
    return {
        "legal_name": details.legal_name,
        "country": details.country,
        "language": details.language or "",
        "sector": details.sector or "",
        "parent": parent.legal_name if parent else "",
        "not_insurable": details.not_insurable.value if details.not_insurable else "",
        "natural_person": details.natural_person,
        "names": [{"kind": kind.value, "name": name} for kind, name in details.names],
        "identifiers": [{"scheme": each.scheme.value, "country": each.country, "value": each.value} for each in details.identifiers],
        "addresses": [
            {
                "kind": each.kind.value,
                "street": each.street,
                "postal_code": each.postal_code,
                "city": each.city,
                "region": each.region,
                "country": each.country,
            }
            for each in details.addresses
        ],
        "customer_numbers": [{"entity": entity_id, "number": number} for entity_id, number in details.customer_numbers],
        "insurer_numbers": [{"insurer": insurer, "number": number} for insurer, number in details.insurer_numbers],
    }


def read_form(form: BuyerForm, parent: Buyer | None, buyer_id: int | None) -> BuyerDetails:
    """What was sent, as the services take it. Errors: ``InvalidValue`` for a parent that is nobody or several."""
    return BuyerDetails(
        legal_name=form.legal_name.data or "",
        country=form.country.data or "",
        names=tuple((NameKind(row["kind"]), row["name"]) for row in form.names.data if (row["name"] or "").strip()),
        language=(form.language.data or "").strip() or None,
        sector=form.sector.data or None,
        parent_id=_parent_id(form.parent.data or "", parent, buyer_id),
        not_insurable=NotInsurable(form.not_insurable.data) if form.not_insurable.data else None,
        natural_person=bool(form.natural_person.data),
        identifiers=tuple(
            IdentifierEntry(IdentifierScheme(row["scheme"]), row["country"] or "", row["value"])
            for row in form.identifiers.data
            if (row["value"] or "").strip()
        ),
        addresses=tuple(
            Address(
                AddressKind(row["kind"]),
                row["country"] or "",
                row["street"] or "",
                row["postal_code"] or "",
                row["city"] or "",
                row["region"] or "",
            )
            for row in form.addresses.data
        ),
        customer_numbers=tuple((row["entity"], row["number"]) for row in form.customer_numbers.data if (row["number"] or "").strip()),
        insurer_numbers=tuple((row["insurer"] or "", row["number"]) for row in form.insurer_numbers.data if (row["number"] or "").strip()),
    )


def _parent_id(text: str, parent: Buyer | None, buyer_id: int | None) -> int | None:
    text = " ".join(text.split())
    if not text:
        return None
    if parent is not None and text == parent.legal_name:
        return parent.id
    found = buyer_queries.search_buyers(text, without=buyer_id)
    exact = [each for each in found if each.legal_name.casefold() == text.casefold()] or list(found)
    if len(exact) == 1:
        return exact[0].id
    code = "parent_ambiguous" if exact else "parent_unknown"
    raise InvalidValue(code, "parent", text, buyers=", ".join(each.legal_name for each in exact[:5]))


def show_problems(form: BuyerForm, refusal: InvalidValues) -> None:
    """Put each problem at its field, or above the form where it belongs to a row of a list."""
    for problem in refusal.problems:
        field = getattr(form, problem.path.removesuffix("_id"), None)
        message = sentence_for(problem, choose_locale())
        if field is not None and not isinstance(field, FieldList):
            field.errors = [*field.errors, message]
        else:
            form.form_errors.append(message)
