"""The REST API, version 1: the same services as the pages, for other systems.

Each feature's module gives a flask-smorest ``blueprint``. OpenAPI 3.1 stands at ``/api/v1/openapi.json``.
"""

from __future__ import annotations

from http import HTTPStatus
from importlib import import_module
from pkgutil import iter_modules

from flask import Flask
from flask.typing import ResponseReturnValue
from flask_smorest import Api, Blueprint

from insureflow.api import access, errors, fields

PREFIX = "/api/v1"

DESCRIPTION = """Limits, exposure and "may I ship?" for other systems.

Come in with `Authorization: Bearer <key>`; keys are made under Settings, or with `insureflow token add`. Amounts are texts with
every digit and a currency beside them. A refusal is `application/problem+json` with a stable `code` and its parameters."""


class _Api(Api):  # type: ignore[misc]  # flask-smorest comes without types
    """flask-smorest, with problems instead of its own errors."""

    ERROR_SCHEMA = errors.ProblemSchema

    def _register_error_handlers(self) -> None:
        """The application answers errors itself, by the kind of face asked."""

    def _register_responses(self) -> None:
        """Every error is described as the problem it is, with the media type of problems."""
        content = {errors.MEDIA_TYPE: {"schema": self.ERROR_SCHEMA}}
        for name, phrase in (("DEFAULT_ERROR", "Any other error"), *((status.name, status.phrase) for status in HTTPStatus)):
            self.spec.components.response(name, {"description": phrase, "content": content}, lazy=True)


def register(app: Flask) -> None:
    """Add the resources of every feature, in alphabetical order."""
    app.config.update(
        API_TITLE="InsureFlow",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        API_SPEC_OPTIONS={
            "info": {"description": DESCRIPTION, "license": {"name": "AGPL-3.0-or-later"}},
            "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
            "security": [{"key": []}],
        },
    )
    api = _Api(app)
    fields.describe(api)
    access.register(app)
    for info in iter_modules(__path__):
        blueprint = getattr(import_module(f"{__name__}.{info.name}"), "blueprint", None)
        if isinstance(blueprint, Blueprint):
            app.extensions["csrf"].exempt(blueprint)  # no cookie opens the API for a change
            api.register_blueprint(blueprint, url_prefix=PREFIX + (blueprint.url_prefix or ""))


def answer(error: Exception) -> ResponseReturnValue:
    """Any error as a problem."""
    return errors.answer(error)
