"""Words that tell a buyer that the debt is insured: no paper for a buyer or for a court may hold one.

Limits and the very existence of insurance can be confidential under the policy, and a buyer who knows that somebody else will pay pays
later. The lists hold words that ordinary letters do not need; ``*`` stands for any ending.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

INSURANCE_WORDS: dict[str, tuple[str, ...]] = {
    "en": (
        "insur*",
        "uninsur*",
        "reinsur*",
        "underwrit*",
        "policy",
        "policies",
        "policyholder*",
        "cover",
        "covered",
        "coverage",
        "credit limit*",
        "discretionary limit*",
        "indemnit*",
        "indemnif*",
        "premium*",
        "maximum extension period",
        "waiting period",
        "notification of non-payment",
        "own retention",
        "deductible*",
    ),
    "sv": (
        "försäkring*",
        "kreditförsäkr*",
        "försäkrad*",
        "försäkrat",
        "oförsäkrad*",
        "kreditlimit*",
        "kreditgräns*",
        "kreditram*",
        "självrisk*",
        "skadeersättning*",
        "skadeanmäl*",
        "täckning*",
        "täckt",
        "täckta",
        "otäckt*",
        "karenstid*",
        "premie*",
        "förlängningsperiod*",
    ),
    "id": (
        "asuransi",
        "diasuransikan",
        "tertanggung",
        "penanggung",
        "pertanggungan",
        "polis",
        "premi",
        "batas kredit",
        "ganti rugi",
        "klaim",
        "persentasi yang diasuransikan",
        "periode tunggu",
    ),
    "nl": (
        "verzeker*",
        "kredietverzeker*",
        "onverzeker*",
        "polis*",
        "kredietlimiet*",
        "dekking*",
        "gedekt*",
        "ongedekt*",
        "premie*",
        "schadevergoeding*",
        "schadeclaim*",
        "eigen risico",
        "wachttermijn*",
        "achterstalligheidstermijn*",
    ),
    "fil": (
        "seguro",
        "nakaseguro*",
        "tagaseguro*",
        "insurance",
        "insurer",
        "polisa",
        "premium",
        "limitasyon ng kredito",
        "saklaw",
        "bayad-pinsala",
        "panahon ng paghihintay",
    ),
    "de": (
        "versicher*",
        "warenkreditversicher*",
        "kreditversicher*",
        "unversichert*",
        "police*",
        "kreditlimit*",
        "deckung*",
        "gedeckt*",
        "ungedeckt*",
        "entschädigung*",
        "selbstbehalt*",
        "selbstbeteiligung*",
        "prämie*",
        "schadenmeldung*",
        "nichtzahlungsmeldung*",
        "karenzzeit*",
        "kreditziel*",
    ),
    "fr": (
        "assurance*",
        "assurance-crédit",
        "assureur*",
        "assuré",
        "assurée",
        "assurés",
        "assurées",
        "police",
        "prime",
        "primes",
        "agrément*",
        "limite de crédit",
        "indemnité*",
        "indemnisation*",
        "sinistre*",
        "couverture*",
        "quotité*",
        "délai de carence",
    ),
    "es": (
        "seguro de crédito",
        "asegurad*",
        "póliza*",
        "prima",
        "primas",
        "límite de crédito",
        "clasificación",
        "indemnización",
        "indemnizaciones",
        "siniestro*",
        "cobertura*",
        "período de carencia",
        "plazo de carencia",
    ),
}
"""By language; English words are looked for in papers of every language."""

INSURERS = (
    "atradius",
    "coface",
    "allianz trade",
    "euler hermes",
    "credendo",
    "cesce",
    "sace",
    "sinosure",
    "hkecic",
    "ecgc",
    "ekn",
    "exim",
    "asei",
    "qbe",
    "solunion",
    "prisma",
    "r+v",
    "aig",
    "chubb",
    "tokio marine",
    "hiscox",
    "swiss re",
    "munich re",
    "finnvera",
    "eksfin",
    "bpifrance",
)
"""Names of insurers of receivables; looked for in papers of every language."""


@cache
def _pattern(language: str) -> re.Pattern[str]:
    words = {*INSURANCE_WORDS["en"], *INSURANCE_WORDS.get(language, ()), *INSURERS}
    ordered = sorted(words, key=lambda word: (-len(word), word))
    parts = [re.escape(word.rstrip("*")).replace(r"\ ", r"\s+") + (r"\w*" if word.endswith("*") else "") for word in ordered]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE)


def find_insurance_words(text: str, locale: str) -> tuple[str, ...]:
    """The words of a text that tell of insurance, in the order in which they stand; the language is that of the paper."""
    plain = unicodedata.normalize("NFC", text)
    language = locale.replace("-", "_").split("_", 1)[0]
    return tuple(dict.fromkeys(found[0] for found in _pattern(language).finditer(plain)))
