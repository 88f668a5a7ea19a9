"""The application for a WSGI server: ``gunicorn wsgi:app``."""

from __future__ import annotations

from insureflow.app import create_app

app = create_app()
