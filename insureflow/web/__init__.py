"""The pages. Each feature's module gives a ``blueprint``."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from flask import Blueprint, Flask


def register(app: Flask) -> None:
    """Add the pages of every feature, in alphabetical order."""
    for info in iter_modules(__path__):
        blueprint = getattr(import_module(f"{__name__}.{info.name}"), "blueprint", None)
        if isinstance(blueprint, Blueprint) and blueprint.name not in app.blueprints:
            app.register_blueprint(blueprint)
