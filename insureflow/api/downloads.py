"""Files given out over the API: always as an attachment that no browser opens as a page."""

from __future__ import annotations

import io

from flask import Response, send_file

from insureflow.services.files import Download


def attachment(file: Download) -> Response:
    """A file as a download, byte by byte as it is kept."""
    response = send_file(io.BytesIO(file.content), mimetype=file.media_type, as_attachment=True, download_name=file.name, max_age=0)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "no-store"
    return response
