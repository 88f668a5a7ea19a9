"""Files given out: always as an attachment, never shown by the browser itself. And papers of ours, read before they are written."""

from __future__ import annotations

import io

from flask import Response, send_file, url_for

from insureflow.services.files import Download


def attachment(file: Download) -> Response:
    """A file as a download that no browser opens as a page."""
    response = send_file(io.BytesIO(file.content), mimetype=file.media_type, as_attachment=True, download_name=file.name, max_age=0)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "no-store"
    return response


def readable(paper: str) -> Response:
    """A paper of ours as a page that reads like the letter it becomes; it needs no other file but its style sheet."""
    style = f'<link rel="stylesheet" href="{url_for("static", filename="css/letter.css")}">'
    icon = f'<link rel="icon" type="image/svg+xml" href="{url_for("static", filename="images/mark.svg")}">'
    return Response(paper.replace("</head>", f"{icon}\n{style}\n</head>", 1), mimetype="text/html")
