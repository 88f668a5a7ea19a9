"""What a difference from an insurer is about, in words: a cover of theirs, a limit of ours, a request of ours."""

from __future__ import annotations

from insureflow.domain.cover.events import Layer
from insureflow.i18n.catalogues import marked, translate
from insureflow.i18n.words import word

_OUR_LIMIT = marked("our limit, %(layer)s")
_OUR_REQUEST = marked("our request %(reference)s")


def subject_in_words(subject: str, locale: str) -> str:
    """The subject of a difference as people read it; the insurer's own reference stays as it is."""
    kind, _, rest = subject.partition("/")
    if kind == "limit" and rest.count("/") == 1 and rest.partition("/")[2] in set(Layer):
        return translate(_OUR_LIMIT, locale, layer=word(Layer(rest.partition("/")[2]), locale))
    if kind == "request" and rest:
        return translate(_OUR_REQUEST, locale, reference=rest)
    return subject
