"""What the API says of requests it cannot serve, by the name of the HTTP status."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

SENTENCES: dict[str, str] = {
    "http.bad_request": _("The request cannot be read. Send JSON as the description of the interface says."),
    "http.unauthorized": _(
        "No valid key came with the request. Send “Authorization: Bearer” and a key; keys are made under Settings and may have ended."
    ),
    "http.forbidden": _("The key, or the role of its owner, does not allow this. Ask an administrator of your organisation."),
    "http.not_found": _("There is nothing at this address. Look it up in the description of the interface."),
    "http.method_not_allowed": _("This address does not take this method; the header Allow names those it takes."),
    "http.request_entity_too_large": _("The request is too large. Send less at once."),
    "http.unsupported_media_type": _("Send the body as application/json."),
    "http.unprocessable_entity": _("Some values cannot be used; “problems” names each with its place."),
    "http.unprocessable_content": _("Some values cannot be used; “problems” names each with its place."),
    "http.too_many_requests": _("Too many requests in a short time. Wait as long as the header Retry-After says."),
    "http.internal_server_error": _("Something failed on our side. Tell your administrator the number in “request_id”."),
}
