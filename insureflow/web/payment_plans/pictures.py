"""The picture of a plan: as it is designed, or as it stands once it is agreed."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _

from insureflow.domain.payment_plans import WITHOUT_ASKING, Freedom, PlanDesign, PlanStanding
from insureflow.i18n.words import word
from insureflow.web.charts import Picture, Tone, request_language
from insureflow.web.charts.plans import PeriodEnd, PlanMark, plan_timeline
from insureflow.web.context import choose_locale
from insureflow.web.payment_plans.routes import FREEDOM_TONES, INSTALMENT_TONES


def picture_of_plan(design: PlanDesign, on: date, standing: PlanStanding | None = None) -> Picture:
    """Instalments along a time line: inside or outside what is free; once agreed, paid, late or missing as well."""
    locale = choose_locale()
    marks = []
    for number, instalment in enumerate(design.instalments, start=1):
        freedom = _hardest(design, number)
        is_inside = freedom in WITHOUT_ASKING
        tone, said, paid_on = Tone(FREEDOM_TONES[freedom]), word(freedom, locale), None
        if standing is not None:
            each = standing.instalments[number - 1]
            tone, paid_on = Tone(INSTALMENT_TONES[each.state]), each.paid_on
            said = word(each.state, locale) if is_inside else f"{word(each.state, locale)} ({said})"
        marks.append(PlanMark(number, instalment.due_on, instalment.amount_minor, tone, is_inside, said, paid_on))
    ends = [PeriodEnd(each.number, each.free_until) for each in design.invoices if each.is_insured and each.free_until is not None]
    return plan_timeline(marks, ends, on=on, language=request_language(design.currency), title=_("Instalments and last free days"))


def _hardest(design: PlanDesign, number: int) -> Freedom:
    """Of what an instalment pays, the part that is hardest to agree."""
    freedoms = [portion.freedom for portion in design.of_instalment(number)]
    return next((each for each in freedoms if each not in WITHOUT_ASKING), freedoms[0] if freedoms else Freedom.NOT_INSURED)
