"""The last step of a paper: metadata, language, colour profile and a fixed identity, as archives want them.

Papers follow the profile of PDF/A-2u: every font embedded with a table of its text, an output intent, metadata in XMP. Nobody has run a
validator over them, so papers do not claim conformance in other words than the profile's own marks.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

import pikepdf

from insureflow.documents.composition import Composition

PRODUCER = "InsureFlow"
_PROFILE = Path(__file__).resolve().parent / "colour" / "srgb.icc"


@cache
def _colour_profile() -> bytes:
    return _PROFILE.read_bytes()


def finish(drawn: bytes, composition: Composition) -> bytes:
    """The file with everything an archive asks for; its dates are those of the paper, so it is the same each time."""
    stamp = f"{composition.issued_on.isoformat()}T00:00:00Z"
    plain = f"D:{composition.issued_on:%Y%m%d}000000Z"
    with pikepdf.open(BytesIO(drawn)) as file:
        root = file.Root
        root.Lang = pikepdf.String(composition.wording.tag)
        root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        if composition.wording.is_right_to_left:
            root.ViewerPreferences.Direction = pikepdf.Name.R2L
        root.Metadata = file.make_indirect(pikepdf.Stream(file, _metadata(composition, stamp)))
        root.Metadata.Type = pikepdf.Name.Metadata
        root.Metadata.Subtype = pikepdf.Name.XML
        profile = file.make_stream(_colour_profile())
        profile.N = 3
        intent = pikepdf.Dictionary(
            Type=pikepdf.Name.OutputIntent,
            S=pikepdf.Name.GTS_PDFA1,
            OutputConditionIdentifier=pikepdf.String("sRGB"),
            Info=pikepdf.String("sRGB"),
            DestOutputProfile=profile,
        )
        root.OutputIntents = pikepdf.Array([file.make_indirect(intent)])
        file.trailer.Info = file.make_indirect(
            pikepdf.Dictionary(
                Title=pikepdf.String(_printable(composition.title)),
                Author=pikepdf.String(_printable(composition.sender.name)),
                Subject=pikepdf.String(_printable(composition.number)),
                Creator=pikepdf.String(PRODUCER),
                Producer=pikepdf.String(PRODUCER),
                CreationDate=pikepdf.String(plain),
                ModDate=pikepdf.String(plain),
            )
        )
        finished = BytesIO()
        file.save(
            finished,
            deterministic_id=True,
            min_version="1.7",
            fix_metadata_version=False,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
        )
    return finished.getvalue()


def _printable(text: str) -> str:
    """A text without what XML and file properties cannot hold: control characters and halves of characters."""
    return "".join(each if each.isprintable() else " " for each in text)


def _metadata(composition: Composition, stamp: str) -> bytes:
    title, author, number = (
        escape("".join(each if each.isprintable() else " " for each in text))
        for text in (composition.title, composition.sender.name, composition.number)
    )
    language = escape(composition.wording.tag)
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{number}</rdf:li></rdf:Alt></dc:description>
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
<xmp:CreatorTool>{PRODUCER}</xmp:CreatorTool>
<xmp:CreateDate>{stamp}</xmp:CreateDate>
<xmp:ModifyDate>{stamp}</xmp:ModifyDate>
<pdf:Producer>{PRODUCER}</pdf:Producer>
<pdfaid:part>2</pdfaid:part>
<pdfaid:conformance>U</pdfaid:conformance>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()
