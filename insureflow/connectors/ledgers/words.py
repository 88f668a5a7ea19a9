"""Words that ledgers use: headings of columns, kinds of documents, yes and no, and payment terms, in several languages.

English, Swedish, German, Dutch, French, Spanish and Indonesian.
"""

from __future__ import annotations

import re
import unicodedata

from insureflow.domain.receivables import DocumentKind, PaymentTerms

_HEADINGS = """
number: invoice number | invoice no | invoice id | invoice | invoice nr | document number | document no | doc no | doc number | doc id |
 voucher number | number | fakturanummer | fakturanr | faktura nr | verifikationsnummer | rechnungsnummer | rechnungsnr | rechnung nr |
 belegnummer | belegnr | beleg | factuurnummer | factuurnr | numero de facture | n facture | no facture | numero facture | numero de factura |
 n factura | factura | num factura | nomor faktur | no faktur | nomor invoice | no invoice
customer_number: customer number | customer no | customer id | customer code | customer | cust number | cust no | cust id | account number |
 account no | account | debtor number | debtor no | buyer id | client id | client number | kundnummer | kundnr | kund nr | kund id |
 kundennummer | kundennr | kunden nr | debitor | debitorennummer | debitorennr | debitorennr | klantnummer | klantnr | debiteurnummer |
 debiteur | debiteurnr | numero client | n client | code client | compte client | numero de cliente | codigo cliente | cod cliente |
 n cliente | nomor pelanggan | kode pelanggan | id pelanggan | no pelanggan
customer_name: customer name | name customer | customername | name | debtor name | buyer name | buyer | client name | company name | company |
 kundnamn | kund | namn | bolag | kundenname | kunde | name des kunden | firma | debitorenname | klantnaam | naam | klant |
 nom client | nom du client | client | raison sociale | nombre cliente | nombre del cliente | cliente | razon social |
 nama pelanggan | pelanggan | nama
country: country | country code | customer country | buyer country | countrycode | land | landskod | lander kod | landercode | laenderkennzeichen |
 landerkennzeichen | landcode | pays | code pays | pais | codigo pais | negara | kode negara
currency: currency | currency code | curr | ccy | invoice currency | document currency | valuta | valutakod | wahrung | waehrung | wkz | munt |
 devise | monnaie | moneda | divisa | mata uang
net: net | net amount | amount excl vat | amount excluding vat | excl vat | net value | nettobelopp | netto | belopp exkl moms | exkl moms |
 nettobetrag | netto betrag | nettobedrag | bedrag excl btw | montant ht | total ht | ht | importe neto | base imponible | neto |
 jumlah bersih | dpp
vat: vat | vat amount | tax | tax amount | gst | sales tax | moms | momsbelopp | mwst | mwst betrag | ust | steuerbetrag | steuer | btw |
 btw bedrag | tva | montant tva | iva | importe iva | impuesto | ppn | pajak
gross: amount | gross | gross amount | invoice amount | total | total amount | amount incl vat | invoice total | original amount |
 document amount | belopp | bruttobelopp | fakturabelopp | belopp inkl moms | summa | totalt | betrag | bruttobetrag | rechnungsbetrag |
 brutto | bedrag | factuurbedrag | bruto | totaal | montant | montant ttc | total ttc | ttc | importe | importe total | monto |
 jumlah | nilai | total tagihan | nilai faktur
open: open amount | outstanding | outstanding amount | balance | balance due | amount due | open balance | total open amount | open |
 remaining amount | restbelopp | saldo | oppet belopp | kvar att betala | utestaende | offener betrag | offen | restbetrag | op betrag |
 openstaand | openstaand bedrag | openstaand saldo | solde | reste du | montant ouvert | restant du | importe pendiente | pendiente |
 saldo pendiente | sisa | sisa tagihan | outstanding idr
document_on: invoice date | document date | date | doc date | posting date | issue date | issued on | transaction date | fakturadatum |
 datum | bokforingsdatum | utfardad | rechnungsdatum | belegdatum | buchungsdatum | factuurdatum | boekdatum | date facture |
 date de facture | date de facturation | date piece | fecha factura | fecha de factura | fecha | fecha emision | tanggal faktur |
 tanggal invoice | tanggal | tgl faktur
shipment_on: shipment date | delivery date | ship date | shipping date | dispatch date | leveransdatum | utleveransdatum | lieferdatum |
 versanddatum | leverdatum | leveringsdatum | date de livraison | date livraison | date expedition | fecha de entrega | fecha entrega |
 fecha envio | tanggal pengiriman | tanggal kirim
due_on: due date | due | due on | due in date | payment due | payment due date | maturity | maturity date | forfallodatum | forfallodag |
 forfaller | faelligkeit | falligkeit | falligkeitsdatum | faellig am | fallig am | nettofalligkeit | vervaldatum | vervaldag |
 date echeance | date d echeance | echeance | fecha vencimiento | fecha de vencimiento | vencimiento | jatuh tempo |
 tanggal jatuh tempo | tgl jatuh tempo
original_due_on: original due date | ursprungligt forfallodatum | ursprungliche falligkeit | oorspronkelijke vervaldatum |
 echeance initiale | vencimiento original | jatuh tempo awal
settled_on: settled date | settled on | settlement date | paid date | paid on | payment date | date paid | clearing date | betaldatum |
 betald | betalningsdatum | zahlungsdatum | bezahlt am | ausgleichsdatum | betaaldatum | betaald op | date paiement |
 date de paiement | date de reglement | fecha de pago | fecha pago | tanggal bayar | tanggal pembayaran | tanggal pelunasan
terms: terms | payment terms | payment term | cust payment terms | terms of payment | credit days | betalningsvillkor | betvillkor |
 kredittid | zahlungsbedingung | zahlungsbedingungen | zahlungsziel | betalingsconditie | betalingstermijn | betaaltermijn |
 conditions de paiement | delai de paiement | condiciones de pago | plazo de pago | plazo | syarat pembayaran | termin
kind: type | document type | doc type | transaction type | kind | typ | dokumenttyp | verifikationstyp | belegart | dokumentart |
 documentsoort | soort | type de document | type piece | tipo | tipo documento | tipo de documento | jenis | jenis dokumen
applies_to: applies to | applied to | original invoice | related invoice | invoice reference | credited invoice | avser faktura |
 krediterar faktura | bezug | bezugsrechnung | ursprungsrechnung | betreft factuur | facture d origine | facture liee |
 factura rectificada | factura origen | faktur asal
disputed: disputed | dispute | in dispute | query | tvist | tvistig | omtvistad | strittig | reklamation | betwist | dispuut | litige |
 conteste | en disputa | disputa | sengketa
disputed_amount: disputed amount | dispute amount | tvistigt belopp | strittiger betrag | betwist bedrag | montant conteste |
 importe en disputa | nilai sengketa
dispute_reason: dispute reason | reason for dispute | dispute text | tvisteorsak | reklamationsgrund | reden betwisting |
 motif du litige | motivo disputa | motivo de la disputa | alasan sengketa
reference: reference | ref | your reference | order number | po number | purchase order | referens | ordernummer | referenz |
 bestellnummer | referentie | bestelnummer | commande | numero de commande | referencia | pedido | referensi | nomor po
vat_number: vat number | vat no | vat id | tax id | tax number | vat registration number | momsregnr | vat nummer |
 momsregistreringsnummer | ust id | ust idnr | ustid | umsatzsteuer id | btw nummer | btwnr | numero de tva | n tva | tva intracom |
 nif | cif | nif iva | npwp
registration_number: registration number | company number | company registration number | organisationsnummer | orgnr | org nr |
 handelsregisternummer | hrb | kvk | kvk nummer | kvknummer | siren | siret | numero de registro | nib
lei: lei | lei code | lei number | lei kod | legal entity identifier | code lei | codigo lei | kode lei
entity_code: entity | company code | business code | legal entity | entity code | selling entity | bolagskod | buchungskreis |
 mandant | bedrijfscode | administratie | societe | code societe | sociedad | codigo sociedad | kode perusahaan
"""

_SEPARATORS = re.compile(r"[\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def plain_words(text: str) -> str:
    """A heading as plain words: no accents, no letter case, no punctuation; ``InvoiceDate`` is two words."""
    text = _CAMEL.sub(" ", text)
    text = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o").replace("Ø", "O").replace("№", "no"))
    text = "".join(each for each in text if not unicodedata.combining(each))
    return _SEPARATORS.sub(" ", text).strip().lower()


def _read_headings() -> dict[str, tuple[str, ...]]:
    joined = re.sub(r"\n ", " ", _HEADINGS.strip())
    table: dict[str, tuple[str, ...]] = {}
    for line in joined.splitlines():
        name, _, words = line.partition(":")
        table[name.strip()] = tuple(dict.fromkeys(plain_words(word) for word in words.split("|")))
    return table


#: For every field the headings it goes by, the most usual first.
HEADINGS: dict[str, tuple[str, ...]] = _read_headings()

_KIND_WORDS: dict[DocumentKind, str] = {
    DocumentKind.INVOICE: "invoice inv in rv faktura fakt rechnung re factuur facture fac factura fra faktur tagihan debit",
    DocumentKind.CREDIT_NOTE: "credit note|credit memo|creditnote|credit|cn|cm|kreditfaktura|kredit|kreditnota|gutschrift|gs|creditnota|creditfactuur|"
    "avoir|note de credit|nota de credito|abono|rectificativa|nota kredit",
    DocumentKind.PAYMENT: "payment|pay|pmt|receipt|betalning|inbetalning|zahlung|zahlungseingang|betaling|ontvangst|paiement|reglement|encaissement|"
    "pago|cobro|pembayaran|penerimaan",
}

#: What documents are called, as plain words.
KINDS: dict[str, DocumentKind] = {
    word.strip(): kind for kind, words in _KIND_WORDS.items() for word in (words.split("|") if "|" in words else words.split())
}

YES = frozenset({"oui", "wahr", "true", "on", "ja", "si", "yes", "s", "j", "ya", "x", "vrai", "sann", "sant", "verdadero", "y", "o", "1"})
NO = frozenset({"nee", "falskt", "tidak", "0", "nej", "no", "n", "false", "off", "falso", "nein", "falsch", "non", "faux"})

_TERMS = re.compile(
    r"(?:payment|payable|betalning|zahlbar|betaling|paiement|pago|pembayaran|due)?\s*"
    r"(?:within|inom|innerhalb von|innerhalb|binnen|in|sous|a|dalam)?\s*(?:netto|net|n)?\s*[-/]?\s*(\d{1,3})\s*"
    r"(?:days?|dagar|dgr|d|tagen?|tg|t|dagen|dgn|jours?|j|dias?|hari)?\s*(?:netto|net|after invoice date|from invoice date)?\Z"
)


def parse_terms(text: str) -> PaymentTerms | None:
    """Payment terms that a plain text states ("30", "net 30", "30 dagar"); None when it says anything more or else.

    End-of-month terms are not read from words: "30 days end of month" is understood in two ways, so a profile must say which.
    """
    match = _TERMS.match(plain_words(text))
    return PaymentTerms(days=int(match[1])) if match else None
