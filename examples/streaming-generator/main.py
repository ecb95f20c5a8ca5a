"""The plan of a loan as CSV, one line a month, each sent when it is computed: ?amount=1200&percent=12&months=3"""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

CENT = Decimal("0.01")
MOST_MONTHS = 600


def handler(event, context):
    try:
        amount, percent, months = (Decimal(event["query"][name]) for name in ("amount", "percent", "months"))
    except (KeyError, InvalidOperation):
        yield from refusal("amount, percent and months must be numbers")
        return
    if not (0 < amount < 10**12 and 0 < percent <= 100 and 1 <= months <= MOST_MONTHS and months == int(months)):
        yield from refusal(f"amount, percent and months must be above 0, months a whole number up to {MOST_MONTHS}")
        return
    yield {"headers": {"Content-Type": "text/csv"}}
    yield "month,payment,interest,rest\n"
    yield from lines(amount, percent / 1200, int(months))


def lines(amount, rate, months):
    """`rate` is that of one month. Each payment is the same, but for the last one, which takes what rounding left."""
    payment = rounded(amount * rate / (1 - (1 + rate) ** -months))
    rest = amount
    for month in range(1, months + 1):
        interest = rounded(rest * rate)
        paid = payment if month < months else rest + interest
        rest += interest - paid
        yield f"{month},{paid:.2f},{interest:.2f},{rest:.2f}\n"


def rounded(value):
    return value.quantize(CENT, ROUND_HALF_UP)


def refusal(message):
    """The first thing that a generator yields may be the head of its response."""
    yield {"statusCode": 400, "headers": {"Content-Type": "text/plain"}}
    yield message + "\n"
