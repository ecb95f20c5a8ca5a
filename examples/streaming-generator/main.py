"""The plan of a loan as CSV, one line a month, each sent when it is computed: ?amount=1200&percent=12&months=3"""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

CENT = Decimal("0.01")
MOST_MONTHS = 600


def handler(event, context):
    try:
        amount, percent, months = (Decimal(event["query"][name]) for name in ("amount", "percent", "months"))
        is_loan = 1 <= amount <= 10**12 and CENT <= percent <= 100 and months in range(1, MOST_MONTHS + 1)
    except (KeyError, InvalidOperation):  # missing, or no number; to compare "nan" is invalid, too
        is_loan = False
    if not is_loan:
        yield from refusal(f"amount from 1, percent from {CENT} to 100, whole months up to {MOST_MONTHS} are required")
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
