"""What happens in the demo: buyers, limits, invoices, money and troubles, drawn from a seed as plain values.

Nothing here touches the database or the clock. Amounts are whole numbers of the currency's minor unit.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from insureflow.domain.money import minor_digits
from insureflow.services.demo.places import FIRST_PARTS, HOME, PLACES, SECOND_PARTS, TRADES, Place

BUYERS = 400
INVOICES = 6000
DAYS = 730

#: Buyers that need more than this have been asked for, in whole units of the limit currency.
NEVER_ASKED_UP_TO = 100_000

#: Rough worth of one euro, only to give invoices of all currencies a like size. Figures on pages use published rates.
ROUGHLY = {
    "EUR": 1,
    "GBP": 1,
    "USD": 1,
    "CHF": 1,
    "AUD": 2,
    "CAD": 2,
    "DKK": 7,
    "NOK": 11,
    "SEK": 11,
    "PLN": 4,
    "CZK": 25,
    "RON": 5,
    "HUF": 400,
}
ROUGHLY |= {"JPY": 160, "ZAR": 20}


@dataclass(slots=True)
class DemoLimit:
    """One entry of a limit's history; ``amount`` in whole units of the policy's limit currency, None for a withdrawal or request."""

    on: date
    status: str
    amount: int | None
    requested: int | None = None
    layer: str = "primary"
    kind: str = "named"
    valid_to: date | None = None
    conditions: dict[str, object] = field(default_factory=dict)
    reason: str = ""


@dataclass(slots=True)
class DemoInvoice:
    """An invoice with what was paid of it: ``payments`` are pairs of day and minor units."""

    number: str
    invoice_on: date
    shipment_on: date
    due_on: date
    net: int
    vat: int
    payments: list[tuple[date, int]] = field(default_factory=list)
    dispute: tuple[date, int, date | None, int | None, str] | None = None
    credit: tuple[date, int] | None = None


@dataclass(slots=True)
class DemoAct:
    """Something else that happened to an account; ``invoice`` is a number or None."""

    kind: str
    on: date
    invoice: str | None = None
    data: dict[str, object] = field(default_factory=dict)
    note: str = ""


@dataclass(slots=True)
class DemoBuyer:
    """A buyer with everything that happened to it. ``story`` is empty for ordinary ones."""

    number: str
    name: str
    place: Place
    town: str
    sector: str
    entity: str
    manner: str
    monthly: int
    story: str = ""
    not_insurable: str | None = None
    parent: str | None = None
    limits: list[DemoLimit] = field(default_factory=list)
    invoices: list[DemoInvoice] = field(default_factory=list)
    acts: list[DemoAct] = field(default_factory=list)


#: How buyers pay: share of buyers, and the range of days after the due date.
MANNERS = {"prompt": (46, -4, 3), "usual": (30, 0, 14), "slow": (17, 12, 38), "late": (7, 30, 58)}

#: The buyer at home, in the country of the group itself.
AT_HOME = "Almviks Järn AB"

#: Buyers worth a look: name, country, and what is going on.
STORIES = (
    ("Hafenwerk Logistik GmbH", "DE", "notify_soon"),
    ("Prado Alimentos S.L.", "ES", "over_limit_top_up"),
    ("Brio Costruzioni S.p.A.", "IT", "cut_and_frozen"),
    ("Calderbrook Stores PLC", "GB", "insolvent"),
    ("Tilia Meble Sp. z o.o.", "PL", "stop_soon"),
    ("Marlstein Anlagenbau AG", "DE", "stopped_shipping"),
    ("Lumotron Électronique SAS", "FR", "disputed"),
    ("Kvarnvik Handel AS", "NO", "extended"),
    ("Riva Yapı A.Ş.", "TR", "claim_soon"),
    ("Sablegate Trading LLC", "AE", "consented"),
    ("Quellport Hardware Inc.", "US", "notified_late"),
    ("Ondaverk Mineração Ltda.", "BR", "never_asked"),
    ("Zafirline Nigeria Ltd", "NG", "no_country"),
    ("Norrgard Danmark A/S", "DK", "affiliate"),
    ("Solidstal Brno s.r.o.", "CZ", "refused"),
    ("Terramart Polska S.A.", "PL", "seasonal"),
)


def generate(seed: int, on: date) -> list[DemoBuyer]:
    """The demo's book as it stands on a day; the same seed and day give the same book."""
    dice = random.Random(f"{seed}-{on.isoformat()}")  # noqa: S311 (a demo, not a secret)
    buyers = [_story_buyer(dice, index, *story) for index, story in enumerate(STORIES)]
    names = {buyer.name for buyer in buyers}
    places = [place for place in PLACES for _ in range(place.weight)]
    missing = list(PLACES)
    while len(buyers) < BUYERS:
        place = missing.pop() if missing else dice.choice(places)
        buyer = _buyer(dice, len(buyers), place)
        if buyer.name not in names:
            names.add(buyer.name)
            buyers.append(buyer)
    for index in range(30, 60, 3):
        buyers[index].parent = buyers[index + 1].number if buyers[index].place.country == buyers[index + 1].place.country else None
    told, others = buyers[: len(STORIES)], buyers[len(STORIES) :]
    for buyer in told:
        _trade(dice, buyer, 14, on)
        _tell(buyer, on)
    counts = _counts(dice, len(others), INVOICES - sum(len(buyer.invoices) for buyer in told))
    for buyer, count in zip(others, counts, strict=True):
        _trade(dice, buyer, count, on)
        _limits(dice, buyer, on)
    _at_home(next(buyer for buyer in others if buyer.place.country == "FI" and buyer.limits), on)
    _number(buyers)
    return buyers


def _entity_for(place: Place) -> str:
    if place.policy == "america" or place.country in ("US", "CA"):
        return "US"
    return "DE" if place.country in ("DE", "AT", "CH", "PL", "CZ", "HU") else "SE"


def _story_buyer(dice: random.Random, index: int, name: str, country: str, story: str) -> DemoBuyer:
    place = next(place for place in PLACES if place.country == country)
    sector = dice.choice(TRADES)[1]
    return DemoBuyer(f"{10001 + index}", name, place, dice.choice(place.towns), sector, _entity_for(place), "usual", 60_000, story)


def _buyer(dice: random.Random, index: int, place: Place) -> DemoBuyer:
    trade, sector = dice.choice(TRADES)
    word = dice.choice(FIRST_PARTS) + dice.choice(SECOND_PARTS)
    name = f"{word} {trade} {dice.choice(place.forms)}" if dice.random() < 0.6 else f"{word} {dice.choice(place.forms)}"
    manner = dice.choices(list(MANNERS), weights=[share for share, _low, _high in MANNERS.values()])[0]
    monthly = int(dice.lognormvariate(9.3, 0.95))
    return DemoBuyer(
        f"{10001 + index}", name, place, dice.choice(place.towns), sector, _entity_for(place), manner, max(900, min(monthly, 400_000))
    )


def _counts(dice: random.Random, buyers: int, total: int) -> list[int]:
    """How many invoices each buyer gets; together exactly ``total``, and at least three each."""
    counts = [max(3, round(dice.gauss(total / buyers, 5))) for _ in range(buyers)]
    position = 0
    while sum(counts) != total:
        step = 1 if sum(counts) < total else -1
        if counts[position] + step >= 3:
            counts[position] += step
        position = (position + 1) % buyers
    return counts


def _in_currency(amount: int, currency: str) -> int:
    """Minor units of an amount given in euro, at a rough rate."""
    return int(amount * ROUGHLY.get(currency, 1) * 10 ** minor_digits(currency))


def _trade(dice: random.Random, buyer: DemoBuyer, count: int, on: date) -> None:
    low, high = MANNERS[buyer.manner][1:]
    days = sorted(dice.randrange(0, DAYS - 1) for _ in range(count))
    for ago in reversed(days):
        invoice_on = on - timedelta(days=ago)
        shipment_on = invoice_on - timedelta(days=dice.choice((0, 0, 1, 2, 5)))
        terms = buyer.place.terms_days if dice.random() < 0.9 else buyer.place.terms_days + 30
        due_on = invoice_on + timedelta(days=terms)
        net = _in_currency(
            max(120, int(buyer.monthly * DAYS / 30 / count * dice.uniform(0.5, 1.6))), buyer.place.currency
        ) + dice.randrange(0, 100)
        if minor_digits(buyer.place.currency) == 0:
            net = max(1, net)
        vat = net * 19 // 100 if buyer.entity == "DE" and buyer.place.country == "DE" else 0
        invoice = DemoInvoice("", invoice_on, shipment_on, due_on, net, vat)
        paid_on = due_on + timedelta(days=dice.randint(low, high))
        if paid_on <= on:
            _pay(dice, invoice, paid_on, on)
        if dice.random() < 0.02 and not invoice.payments:
            invoice.credit = (min(on, invoice_on + timedelta(days=9)), net // 20 + 1)
        if dice.random() < 0.012 and not invoice.payments and invoice_on < on - timedelta(days=20):
            invoice.dispute = (
                on - timedelta(days=dice.randrange(2, 18)),
                max(1, net // dice.choice((2, 3, 4))),
                None,
                None,
                "Quality of part of the delivery",
            )
        buyer.invoices.append(invoice)


def _pay(dice: random.Random, invoice: DemoInvoice, paid_on: date, on: date) -> None:
    gross = invoice.net + invoice.vat
    if dice.random() < 0.06 and gross > 10:
        first = gross * dice.randrange(3, 8) // 10
        invoice.payments.append((paid_on, first))
        rest_on = paid_on + timedelta(days=dice.randrange(7, 40))
        if rest_on <= on:
            invoice.payments.append((rest_on, gross - first))
        return
    invoice.payments.append((paid_on, gross))


def _at_home(buyer: DemoBuyer, on: date) -> None:
    """A buyer turns out to be one at home who has owed its last invoice for some weeks."""
    buyer.name, buyer.place, buyer.town = AT_HOME, HOME, HOME.towns[0]
    late = buyer.invoices[-1]
    late.invoice_on, late.due_on = on - timedelta(days=75), on - timedelta(days=45)
    late.shipment_on, late.payments, late.dispute, late.credit = late.invoice_on, [], None, None
    buyer.invoices.sort(key=lambda each: each.invoice_on)


def _need(buyer: DemoBuyer) -> int:
    """What limit the trade calls for, in whole units of the limit currency."""
    days = buyer.place.terms_days + 30
    return max(5_000, round(buyer.monthly * days * 2 / (30 * 5_000)) * 5_000)


def _limits(dice: random.Random, buyer: DemoBuyer, on: date) -> None:
    if not buyer.place.policy:
        return
    start = on - timedelta(days=DAYS + dice.randrange(20, 200))
    need = _need(buyer)
    draw = dice.random()
    if draw < 0.03:
        if need > NEVER_ASKED_UP_TO:  # nobody forgets a buyer of this size: it was asked for, and the insurer looks at it
            buyer.limits.append(DemoLimit(on - timedelta(days=6), "requested", None, need))
        return
    if draw < 0.06:
        buyer.limits.append(DemoLimit(start, "refused", 0, need, reason="No accounts filed"))
        return
    if draw < 0.10 and need <= 20_000:
        buyer.limits.append(DemoLimit(start, "approved", need, need, kind="discretionary", reason="Agency report on file"))
        return
    granted = need if dice.random() < 0.74 else max(5_000, round(need * dice.uniform(0.45, 0.9) / 5_000) * 5_000)
    conditions: dict[str, object] = {"insured_percentage": str(dice.choice((75, 80)))} if dice.random() < 0.08 else {}
    buyer.limits.append(DemoLimit(start, "approved" if granted >= need else "partly_approved", granted, need, conditions=conditions))
    if dice.random() < 0.28:
        raised = round(granted * dice.uniform(1.2, 2.0) / 5_000) * 5_000
        buyer.limits.append(
            DemoLimit(
                on - timedelta(days=dice.randrange(120, 600)), "approved", max(raised, granted + 5_000), raised, conditions=conditions
            )
        )
    if dice.random() < 0.09:
        last = buyer.limits[-1].amount or granted
        cut = max(5_000, round(last * dice.uniform(0.3, 0.7) / 5_000) * 5_000)
        if cut < last:
            cut_on = on - timedelta(days=dice.randrange(1, 90))
            buyer.limits.append(DemoLimit(cut_on, "reduced", cut, None, conditions=conditions, reason="Weaker results, higher debt"))
    elif dice.random() < 0.035:
        buyer.limits.append(DemoLimit(on - timedelta(days=dice.randrange(5, 150)), "withdrawn", None, reason="Payment incidents reported"))
    elif dice.random() < 0.06:
        asked = (buyer.limits[-1].amount or granted) + 25_000
        buyer.limits.append(DemoLimit(on - timedelta(days=dice.randrange(1, 20)), "requested", None, asked))
    if dice.random() < 0.03 and need > 60_000 and buyer.place.policy == "europe":
        buyer.limits.append(DemoLimit(on - timedelta(days=200), "approved", granted // 2, granted // 2, layer="top_up", kind="top_up"))


def _open(buyer: DemoBuyer, invoice_on: date, due_on: date, amount: int, *, vat: int = 0) -> DemoInvoice:
    net = _in_currency(amount, buyer.place.currency)
    invoice = DemoInvoice("", invoice_on, invoice_on, due_on, net, vat)
    buyer.invoices.append(invoice)
    buyer.invoices.sort(key=lambda each: each.invoice_on)
    return invoice


def _settle_before(buyer: DemoBuyer, day: date) -> None:
    """Everything invoiced before a day is paid and everything after it taken back, so that the story stands alone."""
    buyer.invoices = [invoice for invoice in buyer.invoices if invoice.invoice_on < day]
    for invoice in buyer.invoices:
        invoice.dispute = None
        gross = invoice.net + invoice.vat - (invoice.credit[1] if invoice.credit else 0)
        invoice.payments = [(min(invoice.due_on + timedelta(days=6), day), gross)]


def _tell(buyer: DemoBuyer, on: date) -> None:
    def ago(days: int) -> date:
        return on - timedelta(days=days)

    start = ago(DAYS + 90)
    terms = buyer.place.terms_days
    story = buyer.story
    limit = DemoLimit(start, "approved", 250_000, 250_000)
    buyer.limits = [limit]
    _settle_before(buyer, ago(200))

    def unpaid(due_ago: int, amount: int) -> DemoInvoice:
        return _open(buyer, ago(due_ago + terms), ago(due_ago), amount)

    if story == "notify_soon":  # the extension period is over, three days are left to tell the insurer
        unpaid(87, 48_200)
        unpaid(71, 31_750)
        unpaid(40, 22_400)
    elif story == "over_limit_top_up":
        limit.amount = limit.requested = 150_000
        buyer.limits.append(DemoLimit(ago(180), "approved", 75_000, 75_000, layer="top_up", kind="top_up"))
        for index, amount in enumerate((92_000, 64_000, 58_500, 41_000)):
            _open(buyer, ago(44 - 11 * index), on + timedelta(days=16 + 11 * index), amount)
    elif story == "cut_and_frozen":
        unpaid(35, 88_000)
        _open(buyer, ago(70), on + timedelta(days=20), 96_000)
        _open(buyer, ago(50), on + timedelta(days=40), 120_500)
        buyer.limits += [
            DemoLimit(ago(34), "reduced", 150_000, None, reason="Group under pressure, late filing"),
            DemoLimit(ago(12), "withdrawn", None, reason="Late payments reported by several suppliers"),
        ]
        _open(buyer, ago(6), on + timedelta(days=84), 27_000)
    elif story == "insolvent":
        unpaid(62, 57_300)
        unpaid(33, 64_900)
        _open(buyer, ago(41), on + timedelta(days=4), 38_800)
        buyer.acts += [
            DemoAct("insolvency", ago(9), note="Administrators appointed"),
            DemoAct("date_of_loss", ago(9), note="Insolvency"),
            DemoAct("overdue_notification", ago(8), note="Notified with the administrators' letter"),
        ]
        buyer.limits.append(DemoLimit(ago(8), "withdrawn", None, reason="Administration"))
    elif story == "stop_soon":  # in five days the extension period ends and supplies must stop
        unpaid(55, 36_400)
        unpaid(20, 29_900)
        _open(buyer, ago(4), on + timedelta(days=56), 18_250)
    elif story == "stopped_shipping":
        unpaid(78, 71_000)
        _open(buyer, ago(12), on + timedelta(days=33), 45_500)
        _open(buyer, ago(5), on + timedelta(days=40), 39_000)
    elif story == "disputed":
        first = unpaid(28, 82_000)
        first.dispute = (ago(21), first.net * 2 // 5, None, None, "Displays from two pallets do not light up")
        second = _open(buyer, ago(110), ago(50), 30_000)
        second.dispute = (ago(48), second.net // 3, ago(10), second.net // 6, "Price difference, settled half and half")
        second.payments = []
    elif story == "extended":
        late = unpaid(30, 66_000)
        buyer.acts.append(
            DemoAct("extension", ago(20), "@" + late.due_on.isoformat(), {"new_due_on": (late.due_on + timedelta(days=75)).isoformat()})
        )
        _open(buyer, ago(15), on + timedelta(days=15), 24_000)
    elif story == "claim_soon":
        unpaid(150, 54_000)
        unpaid(118, 47_500)
        buyer.acts.append(DemoAct("overdue_notification", ago(70), note="Notified through the insurer's portal"))
        buyer.acts.append(DemoAct("collection_started", ago(62), note="Handed to a lawyer in Bursa"))
    elif story == "consented":
        late = unpaid(70, 28_000)
        buyer.acts.append(
            DemoAct("consent", ago(6), "@" + late.due_on.isoformat(), note="Further supplies agreed in writing against a payment plan")
        )
        _open(buyer, ago(3), on + timedelta(days=57), 33_000)
    elif story == "notified_late":
        unpaid(104, 61_000)
        unpaid(64, 27_500)
        buyer.acts.append(DemoAct("overdue_notification", ago(5), note="Reported after the deadline"))
    elif story == "never_asked":
        buyer.limits = []
        _open(buyer, ago(40), on + timedelta(days=50), 52_000)
    elif story == "no_country":
        buyer.limits = []
        _open(buyer, ago(30), on + timedelta(days=30), 17_000)
    elif story == "affiliate":
        buyer.not_insurable = "affiliate"
        buyer.limits = []
        _open(buyer, ago(25), on + timedelta(days=5), 140_000)
    elif story == "refused":
        buyer.limits = [DemoLimit(ago(300), "refused", 0, 80_000, reason="Negative equity in the last two years")]
        _open(buyer, ago(18), on + timedelta(days=27), 21_000)
    else:  # a seasonal limit that ends soon
        limit.amount = limit.requested = 120_000
        buyer.limits.append(DemoLimit(ago(60), "approved", 260_000, 260_000, kind="temporary", valid_to=on + timedelta(days=24)))
        _open(buyer, ago(45), on + timedelta(days=15), 110_000)
        _open(buyer, ago(20), on + timedelta(days=40), 105_000)


def _number(buyers: list[DemoBuyer]) -> None:
    """Number all invoices of an entity in the order of their dates, and point acts at them."""
    by_entity: dict[str, list[tuple[date, int, DemoInvoice]]] = {}
    for position, buyer in enumerate(buyers):
        for invoice in buyer.invoices:
            by_entity.setdefault(buyer.entity, []).append((invoice.invoice_on, position, invoice))
    for entity, entries in sorted(by_entity.items()):
        for count, (_day, _position, invoice) in enumerate(sorted(entries, key=lambda entry: entry[:2]), start=1):
            invoice.number = f"{entity}-{100000 + count}"
    for buyer in buyers:
        for act in buyer.acts:
            if act.invoice and act.invoice.startswith("@"):
                due = act.invoice[1:]
                act.invoice = next(each.number for each in buyer.invoices if each.due_on.isoformat() == due and not each.payments)
