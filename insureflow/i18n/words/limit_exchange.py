"""Requests out and decisions in by file: CSV, workbooks and EDIFACT."""

from __future__ import annotations

from insureflow.i18n.catalogues import marked as _

WORDS: dict[str, str] = {
    "Way.interface": _("interface"),
    "Way.file": _("file"),
    "Way.portal": _("portal or e-mail"),
    "Action.limit_requests.exported": _("limit requests written to a file"),
    "Action.limits.answers_imported": _("insurer's answers read from a file"),
    "ExchangeFormat.csv": _("CSV, for portals and spreadsheets"),
    "ExchangeFormat.xlsx": _("workbook (XLSX)"),
    "ExchangeFormat.text": _("text, for a portal's form or an e-mail"),
    "ExchangeFormat.receco_d96a": _("EDIFACT RECECO, directory D.96A"),
    "ExchangeFormat.receco_d01b": _("EDIFACT RECECO, directory D.01B"),
}

SENTENCES: dict[str, str] = {
    "evidence_needed": _("This insurer is reached by portal or e-mail. Add the file that shows its answer: nobody can fetch it again."),
    "log_in_refused_before": _(
        "%(connector)s refused these credentials a short while ago. To keep the account from being locked, nothing is tried for %(minutes)s minutes: enter new ones on the connection's page."
    ),
    "nothing_to_send": _("No request under %(policy)s waits to be sent by hand."),
    "answer_of_other_buyer": _(
        "The answer is to our request %(reference)s for %(buyer)s, but the insurer's number belongs to another buyer. Ask the insurer which is meant."
    ),
    "exchange_profile_unknown": _("There is no way of reading called “%(profile)s”. There are: %(profiles)s."),
    "edifact_too_large": _("The file is larger than %(limit)s bytes allow. Split it into several interchanges."),
    "edifact_separators": _("The separators that the file names in its first segment (UNA) cannot be used."),
    "edifact_too_many_segments": _("The file has more than %(limit)s segments. Split it into several interchanges."),
    "edifact_segment_too_long": _("Segment %(segment)s is longer than %(limit)s characters."),
    "edifact_too_many_elements": _("Segment %(segment)s has more elements than any segment of the standard."),
    "edifact_not_terminated": _("Segment %(segment)s has no end: the file was cut off."),
    "edifact_bad_tag": _("Segment %(segment)s begins with “%(tag)s”, which is no name of a segment."),
    "edifact_character_set": _("The file names the character set “%(name)s”, which is not known. UNOA to UNOK and UNOY are read."),
    "edifact_character": _("Segment %(segment)s holds a character that its character set does not have."),
    "edifact_segment_expected": _("Segment %(segment)s should be %(expected)s but is “%(found)s”."),
    "edifact_segment_not_here": _("Segment %(segment)s (%(tag)s) may not stand in this place."),
    "edifact_segment_missing": _("The file ends after segment %(segment)s without %(expected)s: it was cut off."),
    "edifact_after_end": _("Segment %(segment)s stands after the end of the interchange (UNZ)."),
    "edifact_count": _("Segment %(segment)s (%(tag)s) counts “%(said)s”, but there are %(found)s. The file is not complete."),
    "edifact_reference": _("Segment %(segment)s (%(tag)s) names “%(said)s” and not “%(expected)s”, with which it began."),
    "edifact_reference_twice": _("The reference “%(reference)s” in segment %(segment)s is missing or used twice."),
    "edifact_prepared": _("The time of preparation “%(said)s” is not written with ten digits."),
    "edifact_text_too_long": _("A text of %(length)s characters does not fit in the message, which takes %(limit)s. Shorten it."),
    "receco_release": _("The directory “%(release)s” of the message is not known. D.96A, D.01B and D.10B are read."),
    "receco_only_named": _(
        "The request %(reference)s is for %(kind)s. An EDIFACT message carries named limits of the first layer only: send this one as CSV."
    ),
    "receco_text_too_long": _("“%(text)s” is longer than the %(limit)s characters that the message takes. Send this request as CSV."),
    "receco_other_message": _("This message is a “%(value)s” and not RECECO, the message about credit cover."),
    "receco_other_policy": _("This message is about the policy “%(value)s” and not about %(policy)s."),
    "receco_one_buyer": _("The message must name exactly one buyer (NAD+BY), so that nobody else gets the limit."),
    "receco_begins_otherwise": _("The message does not begin with BGM."),
    "receco_segment_not_here": _("The segment %(value)s may not stand in this place, or not so often."),
    "receco_no_answer": _("There is no answer (CCD, data element 4507) for this cover."),
    "receco_two_currencies": _("Two currencies are named for one amount: %(value)s."),
    "receco_amount_kind": _("The amount is of the kind “%(value)s”. Current (254) and new (255) credit cover are read."),
}
