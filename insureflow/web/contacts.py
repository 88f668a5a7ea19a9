"""Contacts: people at buyers, desks of insurers, and the letterheads of the insured entities."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, FileField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from insureflow.domain.access import Permission
from insureflow.domain.contacts import ContactPurpose
from insureflow.domain.errors import Refusal
from insureflow.i18n.documents import LANGUAGES, choose_language
from insureflow.i18n.languages import letter_language
from insureflow.i18n.row_problems import reason_of
from insureflow.models.documents import BuyerContact
from insureflow.models.organisations import Entity
from insureflow.queries import contacts as queries
from insureflow.queries import policies as policy_queries
from insureflow.services import contacts
from insureflow.services.contacts import ContactDetails, DeskDetails, LetterheadDetails
from insureflow.services.files import Download
from insureflow.web.access import requires
from insureflow.web.buyers.pages import frame_of, language_name
from insureflow.web.buyers.routes import get_buyer_or_404
from insureflow.web.context import choose_locale
from insureflow.web.downloads import attachment
from insureflow.web.limits.forms import show_refusal

blueprint = Blueprint("contacts", __name__, url_prefix="/contacts")


class ContactForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """A person at a buyer."""

    name = StringField(_l("Name"), [Optional(), Length(max=200)])
    role = StringField(_l("Role"), [Optional(), Length(max=120)], description=_l("Such as accounts payable."))
    email = StringField(_l("E-mail address"), [Optional(), Length(max=320)], render_kw={"inputmode": "email", "autocomplete": "off"})
    phone = StringField(_l("Telephone"), [Optional(), Length(max=60)], render_kw={"inputmode": "tel"})
    language = SelectField(_l("Language of letters"), [Optional()], validate_choice=False, id="letter-language")
    gets_letters = BooleanField(_l("Letters go to this person"), default=True)


class DeskForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """Where papers for the insurer of a policy go."""

    name = StringField(_l("Name or department"), [Optional(), Length(max=200)])
    address = TextAreaField(_l("Postal address"), [Optional(), Length(max=500)])
    email = StringField(_l("E-mail address"), [Optional(), Length(max=320)], render_kw={"inputmode": "email", "autocomplete": "off"})
    language = SelectField(_l("Language of the papers"), [Optional()], validate_choice=False, id="paper-language")
    portal = StringField(
        _l("Portal"), [Optional(), Length(max=1000)], description=_l("The address where it is entered by hand, if there is one.")
    )


class LetterheadForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """What stands on the papers of an entity."""

    address = TextAreaField(_l("Postal address"), [Optional(), Length(max=500)], description=_l("Street first, then postal code and town."))
    contact = StringField(_l("Contact"), [Optional(), Length(max=200)], description=_l("Who is named under the letters."))
    phone = StringField(_l("Telephone"), [Optional(), Length(max=60)])
    email = StringField(_l("E-mail address"), [Optional(), Length(max=320)], description=_l("Answers to letters go to this address."))
    registration = StringField(_l("Registration number"), [Optional(), Length(max=120)])
    tax_number = StringField(_l("VAT number"), [Optional(), Length(max=40)])
    bank_name = StringField(_l("Bank"), [Optional(), Length(max=200)])
    bank_account = StringField(_l("Account"), [Optional(), Length(max=64)], description=_l("An IBAN where there is one."))
    bank_code = StringField(_l("Bank code"), [Optional(), Length(max=20)], description=_l("The BIC where there is one."))
    footer = TextAreaField(
        _l("Foot of the page"),
        [Optional(), Length(max=500)],
        description=_l("Your own words, such as the seat and the board. Numbers, e-mail address and account follow by themselves."),
    )


def _languages(first: str | None) -> list[tuple[str, str]]:
    known = sorted(((tag, language_name(tag) or tag) for tag in LANGUAGES), key=lambda pair: pair[1])
    return [*([("", first)] if first else []), *known]


def _values(form: FlaskForm) -> dict[str, Any]:
    return {field.name: field.data if isinstance(field.data, bool) else (field.data or "") for field in form if field.name != "csrf_token"}


@blueprint.get("/buyers/<int:buyer_id>")
@requires(Permission.VIEW_BUYERS)
def of_buyer(buyer_id: int) -> ResponseReturnValue:
    """The people at a buyer, and in which language each is written to."""
    frame = frame_of(buyer_id)
    found = [(contact, _language_of(contact, frame["buyer"])) for contact in queries.contacts_of(buyer_id)]
    return render_template("contacts/of_buyer.html", **frame, contacts=found, language=_language_of(None, frame["buyer"]))


def _language_of(contact: BuyerContact | None, buyer: Any) -> str:
    tag = letter_language(
        contact=contact.language if contact else None, buyer=buyer.language, country=buyer.country, organisation=g.organisation.locale
    )
    return language_name(tag) or tag


def _contact_form(**data: Any) -> ContactForm:
    form = ContactForm(data=data or None)
    form.language.choices = _languages(_("That of the buyer"))
    return form


@blueprint.route("/buyers/<int:buyer_id>/new", methods=["GET", "POST"])
@requires(Permission.SEND_LETTERS)
def add(buyer_id: int) -> ResponseReturnValue:
    """Add a person at a buyer."""
    buyer = get_buyer_or_404(buyer_id)
    form = _contact_form(gets_letters=True)
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate_on_submit():
            try:
                contacts.add_contact(g.actor, g.organisation.id, buyer_id, ContactDetails(**_values(form)))
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("The contact is added."), "success")
                return redirect(url_for("contacts.of_buyer", buyer_id=buyer_id))
    title = _("New contact at %(name)s", name=buyer.legal_name)
    return render_template("contacts/form.html", form=form, title=title, back=url_for("contacts.of_buyer", buyer_id=buyer_id)), status


def _contact_or_404(contact_id: int) -> BuyerContact:
    contact = queries.find_contact(contact_id)
    if contact is None:
        abort(404)
    return contact


@blueprint.route("/people/<int:buyer_contact_id>", methods=["GET", "POST"])
@requires(Permission.SEND_LETTERS)
def change(buyer_contact_id: int) -> ResponseReturnValue:
    """Change a person at a buyer."""
    contact = _contact_or_404(buyer_contact_id)
    buyer_id = contact.buyer_id
    form = _contact_form(**{name: getattr(contact, name) for name in ("name", "role", "email", "phone", "language", "gets_letters")})
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate_on_submit():
            try:
                contacts.change_contact(g.actor, g.organisation.id, buyer_contact_id, ContactDetails(**_values(form)))
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("The contact is changed."), "success")
                return redirect(url_for("contacts.of_buyer", buyer_id=buyer_id))
    back = url_for("contacts.of_buyer", buyer_id=buyer_id)
    return render_template("contacts/form.html", form=form, title=_("Change a contact"), back=back), status


@blueprint.post("/people/<int:buyer_contact_id>/remove")
@requires(Permission.SEND_LETTERS)
def remove(buyer_contact_id: int) -> ResponseReturnValue:
    """Take a person out."""
    _contact_or_404(buyer_contact_id)
    buyer_id = contacts.remove_contact(g.actor, g.organisation.id, buyer_contact_id)
    flash(_("The contact is taken out."), "success")
    return redirect(url_for("contacts.of_buyer", buyer_id=buyer_id))


class ImportForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF comes without types
    """A file of contacts."""

    file = FileField(
        _l("File"),
        description=_l("CSV with the columns entity, customer_number or buyer, name, role, email, phone, language, gets_letters."),
    )


@blueprint.route("/import", methods=["GET", "POST"])
@requires(Permission.SEND_LETTERS)
def import_file() -> ResponseReturnValue:
    """Take the people of a file over."""
    form, outcome, status = ImportForm(), None, 200
    if request.method == "POST":
        status = 422
        file = request.files.get("file")
        if form.validate_on_submit() and file is not None and file.filename:
            try:
                outcome = contacts.import_contacts(
                    g.actor, g.organisation.id, file.stream.read(current_app.config["MAX_CONTENT_LENGTH"] + 1)
                )
                status = 200
            except Refusal as refusal:
                show_refusal(form, refusal)
        elif form.validate_on_submit():
            form.file.errors = [_("Choose a file.")]
    problems = [] if outcome is None else [(each, reason_of(each.code, each.parameters, choose_locale())) for each in outcome.problems]
    return render_template("contacts/import.html", form=form, outcome=outcome, problems=problems), status


@blueprint.get("/policies/<int:policy_id>")
@requires(Permission.VIEW_POLICIES)
def of_policy(policy_id: int) -> ResponseReturnValue:
    """Where papers for the insurer of a policy go."""
    policy = policy_queries.find_policy(policy_id)
    if policy is None:
        abort(404)
    known = queries.policy_contacts(policy_id)
    rows = [(purpose, known.get(purpose.value)) for purpose in ContactPurpose]
    return render_template("contacts/of_policy.html", policy=policy, rows=rows, language_name=language_name)


@blueprint.route("/policies/<int:policy_id>/<purpose>", methods=["GET", "POST"])
@requires(Permission.EDIT_POLICIES)
def desk(policy_id: int, purpose: str) -> ResponseReturnValue:
    """Say where papers of one purpose go."""
    policy = policy_queries.find_policy(policy_id)
    if policy is None or purpose not in set(ContactPurpose):
        abort(404)
    known = queries.find_policy_contact(policy_id, purpose)
    form = DeskForm(
        data={} if known is None else {name: getattr(known, name) for name in ("name", "address", "email", "language", "portal")}
    )
    form.language.choices = _languages(None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate_on_submit():
            try:
                contacts.set_policy_contact(g.actor, g.organisation.id, policy_id, ContactPurpose(purpose), DeskDetails(**_values(form)))
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("The address is saved."), "success")
                return redirect(url_for("contacts.of_policy", policy_id=policy_id))
    title = _("Address of the insurer, policy %(number)s", number=policy.number)
    return render_template("contacts/form.html", form=form, title=title, back=url_for("contacts.of_policy", policy_id=policy_id)), status


@blueprint.get("/letterheads")
@requires(Permission.VIEW_SETTINGS)
def letterheads() -> ResponseReturnValue:
    """What stands on the papers of each entity."""
    known = queries.letterheads()
    rows = [(entity, known.get(entity.id)) for entity in g.scope.entities]
    missing = sum(head is None or not head.bank_account for _entity, head in rows)
    sentence = (
        ngettext(
            "%(count)s entity has no letterhead with an account to pay to.",
            "%(count)s entities have no letterhead with an account to pay to.",
            missing,
            count=missing,
        )
        if missing
        else _("Every entity has a letterhead with an account to pay to.")
    )
    return render_template("contacts/letterheads.html", rows=rows, sentence=sentence)


@blueprint.route("/letterheads/<int:entity_id>", methods=["GET", "POST"])
@requires(Permission.MANAGE_ORGANISATION)
def letterhead(entity_id: int) -> ResponseReturnValue:
    """Say what stands on the papers of an entity."""
    entity = next((each for each in g.scope.entities if each.id == entity_id), None)
    if entity is None:
        abort(404)
    known = queries.letterheads().get(entity_id)
    names = LetterheadDetails.__dataclass_fields__
    form = LetterheadForm(data={} if known is None else {name: getattr(known, name) for name in names})
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate_on_submit():
            try:
                contacts.set_letterhead(g.actor, g.organisation.id, entity_id, LetterheadDetails(**_values(form)))
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                flash(_("The letterhead is saved."), "success")
                return redirect(url_for("contacts.letterheads"))
    return _letterhead_page(form, entity, status)


def _letterhead_page(form: LetterheadForm, entity: Entity, status: int) -> ResponseReturnValue:
    page = render_template(
        "contacts/form.html",
        form=form,
        title=_("Letterhead of %(name)s", name=entity.name),
        back=url_for("contacts.letterheads"),
        save=url_for("contacts.letterhead", entity_id=entity.id),
        preview=url_for("contacts.preview_letterhead", entity_id=entity.id),
    )
    return page, status


@blueprint.post("/letterheads/<int:entity_id>/preview")
@requires(Permission.MANAGE_ORGANISATION)
def preview_letterhead(entity_id: int) -> ResponseReturnValue:
    """A page as it would look with what stands in the form; nothing is saved."""
    entity = next((each for each in g.scope.entities if each.id == entity_id), None)
    if entity is None:
        abort(404)
    form = LetterheadForm()
    if form.validate_on_submit():
        try:
            details = LetterheadDetails(**_values(form))
            language = choose_language([choose_locale()])
            content = contacts.preview_letterhead(g.organisation.id, entity_id, details, language, g.today)
        except Refusal as refusal:
            show_refusal(form, refusal)
        else:
            return attachment(Download(f"letterhead-{entity.code}.pdf", "application/pdf", content))
    return _letterhead_page(form, entity, 422)
