"""Where the demo's buyers are: countries with a weight, currency, usual terms, legal forms and towns. All names are made up of these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A country of the demo; ``policy`` is the short name of the policy that should insure it (``""`` for none)."""

    country: str
    weight: int
    currency: str
    terms_days: int
    policy: str
    forms: tuple[str, ...]
    towns: tuple[str, ...]


def _place(line: str) -> Place:
    country, weight, currency, terms, policy, forms, towns = (part.strip() for part in line.split("|"))
    return Place(country, int(weight), currency, int(terms), policy, tuple(forms.split(",")), tuple(towns.split(",")))


PLACES: tuple[Place, ...] = tuple(
    _place(line)
    for line in """
    DE|46|EUR|45|europe|GmbH,GmbH & Co. KG,AG|Kassel,Ulm,Bremen,Essen,Jena,Bielefeld
    FR|30|EUR|60|europe|SAS,SARL,SA|Lyon,Nantes,Lille,Rennes,Tours
    NL|24|EUR|30|europe|B.V.,N.V.|Breda,Zwolle,Tilburg,Eindhoven
    GB|26|GBP|45|europe|Ltd,Limited,PLC|Leeds,Bristol,Derby,Hull,Cardiff
    DK|16|DKK|30|europe|A/S,ApS|Aarhus,Odense,Vejle,Kolding
    NO|16|NOK|30|europe|AS,ASA|Bergen,Stavanger,Drammen,Moss
    FI|14|EUR|30|europe|Oy,Oyj|Tampere,Turku,Oulu,Vaasa
    PL|16|PLN|60|europe|Sp. z o.o.,S.A.|Poznań,Łódź,Gdynia,Lublin
    IT|18|EUR|90|europe|S.r.l.,S.p.A.|Brescia,Modena,Verona,Bari
    ES|16|EUR|60|europe|S.L.,S.A.|Zaragoza,Vigo,Murcia,Bilbao
    BE|10|EUR|30|europe|BV,NV,SRL|Gent,Liège,Hasselt
    AT|9|EUR|30|europe|GmbH,AG|Linz,Graz,Wels
    CH|9|CHF|30|europe|AG,GmbH|Basel,St. Gallen,Thun
    CZ|8|CZK|45|europe|s.r.o.,a.s.|Brno,Plzeň,Olomouc
    EE|5|EUR|30|europe|OÜ,AS|Tartu,Pärnu
    LV|5|EUR|30|europe|SIA,AS|Liepāja,Jelgava
    LT|5|EUR|30|europe|UAB,AB|Kaunas,Klaipėda
    PT|6|EUR|60|europe|Lda.,S.A.|Braga,Aveiro,Porto
    IE|5|EUR|45|europe|Ltd,DAC|Cork,Galway
    HU|5|HUF|45|europe|Kft.,Zrt.|Győr,Szeged
    RO|5|RON|60|europe|S.R.L.,S.A.|Cluj-Napoca,Timișoara
    GR|4|EUR|90|europe|A.E.,E.P.E.|Patra,Volos
    TR|8|EUR|90|world|A.Ş.,Ltd. Şti.|Bursa,İzmir,Konya
    AE|7|USD|60|world|LLC,FZE|Dubai,Sharjah
    SA|5|USD|90|world|LLC,Est.|Dammam,Jeddah
    EG|4|USD|90|world|S.A.E.,LLC|Alexandria,Port Said
    ZA|5|ZAR|60|world|(Pty) Ltd|Durban,Gqeberha
    IN|7|USD|90|world|Pvt. Ltd.,Ltd.|Pune,Chennai,Surat
    ID|5|USD|60|world|Tbk PT,PT|Surabaya,Bandung
    PH|4|USD|60|world|Inc.,Corp.|Cebu,Davao
    SG|5|USD|45|world|Pte. Ltd.|Jurong,Tuas
    JP|5|JPY|60|world|K.K.,G.K.|Nagoya,Kobe,Sendai
    AU|5|AUD|45|world|Pty Ltd|Geelong,Newcastle
    US|22|USD|45|america|Inc.,LLC,Corp.|Toledo,Tulsa,Boise,Akron,Fresno
    CA|9|CAD|45|america|Inc.,Ltd.|Hamilton,Windsor,Laval
    MX|8|USD|60|america|S.A. de C.V.|Puebla,León,Monterrey
    BR|7|USD|90|america|Ltda.,S.A.|Curitiba,Joinville
    CL|4|USD|60|america|SpA,S.A.|Concepción,Antofagasta
    CO|4|USD|60|america|S.A.S.|Medellín,Cali
    NG|3|USD|60||Ltd,PLC|Lagos,Kano
    """.strip().splitlines()
)

#: The home of the group: one buyer there, so that papers in Swedish are to be seen.
HOME = _place("SE|0|EUR|30|europe|AB|Borås")

FIRST_PARTS = [
    "Alder",
    "Amber",
    "Anker",
    "Arbor",
    "Aster",
    "Aurum",
    "Balt",
    "Bergen",
    "Birk",
    "Bolt",
    "Brand",
    "Brio",
    "Calder",
    "Carbo",
    "Cedar",
    "Celt",
    "Corda",
    "Crest",
    "Delta",
    "Dorn",
    "Ebba",
    "Elm",
    "Emer",
    "Falk",
    "Faro",
    "Ferro",
    "Fjord",
    "Flint",
    "Forma",
    "Gale",
    "Garn",
    "Glas",
    "Grano",
    "Hafen",
    "Halden",
    "Hart",
    "Helio",
    "Holm",
    "Inno",
    "Iris",
    "Juno",
    "Kalk",
    "Karst",
    "Kest",
    "Klar",
    "Kobo",
    "Kvarn",
    "Lager",
    "Lana",
    "Largo",
    "Linde",
    "Lumo",
    "Marl",
    "Mera",
    "Metro",
    "Mira",
    "Nord",
    "Norr",
    "Nova",
    "Oker",
    "Onda",
    "Orbis",
    "Palma",
    "Pano",
    "Pila",
    "Pluma",
    "Polar",
    "Porta",
    "Prado",
    "Quarz",
    "Quell",
    "Radix",
    "Rand",
    "Riva",
    "Rosso",
    "Rund",
    "Sable",
    "Salix",
    "Sand",
    "Sento",
    "Silva",
    "Solid",
    "Stahl",
    "Stella",
    "Tal",
    "Tanne",
    "Terra",
    "Tilia",
    "Tonda",
    "Torv",
    "Ultra",
    "Ursa",
    "Vala",
    "Vera",
    "Vesta",
    "Vik",
    "Vulk",
    "Wald",
    "Werft",
    "Yala",
    "Zafir",
    "Zinn",
]
SECOND_PARTS = [
    "bau",
    "berg",
    "brook",
    "chem",
    "core",
    "dal",
    "fab",
    "fors",
    "gard",
    "gate",
    "haus",
    "heim",
    "kraft",
    "land",
    "line",
    "mark",
    "mart",
    "med",
    "mill",
    "parts",
    "pharm",
    "plast",
    "point",
    "port",
    "rand",
    "ria",
    "stad",
    "stal",
    "stein",
    "tech",
    "tek",
    "tex",
    "tron",
    "vale",
    "verk",
    "vest",
    "ware",
    "way",
    "wood",
    "works",
]
TRADES = (
    ("Machinery", "28"),
    ("Steel", "24"),
    ("Foods", "10"),
    ("Building Supplies", "46"),
    ("Packaging", "17"),
    ("Automotive", "29"),
    ("Furniture", "31"),
    ("Electronics", "26"),
    ("Chemicals", "20"),
    ("Retail", "47"),
    ("Tools", "25"),
    ("Textiles", "13"),
)
