"""Amounts of tokens and money: how they are stored, and how they are said. Money is in millionths of a US dollar."""

import math
from decimal import ROUND_HALF_UP, Decimal

MICROS = 1_000_000


def money(usd: float) -> str:
    """US dollars to the cent, less than ten cents with two digits that count: `0.043 USD`, `0.00012 USD`."""
    if usd >= 0.1 or usd == 0:
        return f"{usd:,.2f} USD"
    places = min(6, 1 - math.floor(math.log10(usd)))
    whole, _, digits = f"{usd:.{places}f}".partition(".")
    return f"{whole}.{digits.rstrip('0'):0<2} USD"


def exact_money(usd: float) -> str:
    """US dollars with two places, or as many as an amount below one has: `1.50 USD`, `0.125 USD`."""
    whole, _, places = (f"{usd:,.2f}" if usd >= 1 else f"{usd:.6f}").partition(".")
    return f"{whole}.{places.rstrip('0'):0<2} USD"


def at_least(words: str, gaps: int) -> str:
    """An amount, and the doubt about it while something is missing: `at least 4,800 tokens`."""
    return f"at least {words}" if gaps else words


def cost(usd: float, unpriced: int, gaps: int = 0) -> str:
    """Money, and the doubt about it while tokens have no price: `at least 0.43 USD`, `not known`."""
    return "not known" if unpriced and not usd else at_least(money(usd), unpriced or gaps)


def spent(usd: float, tokens: int, unpriced: int, gaps: int = 0) -> list[str]:
    """A cost where nothing else says that it is one: `0.43 USD`, `cost not known`; nothing where nothing was used."""
    amount = cost(usd, unpriced, gaps)
    return [f"cost {amount}" if unpriced and not usd else amount] if usd or tokens else []


def count(number: int, gaps: int = 0) -> str:
    """`12,345`, `at least 12,345`."""
    return at_least(f"{number:,}", gaps)


def tokens(number: int, gaps: int = 0) -> str:
    """`1 token`, `12,345 tokens`, `at least 12,345 tokens`."""
    return f"{count(number, gaps)} token{'' if number == 1 else 's'}"


def short(number: int, gaps: int = 0) -> str:
    """A number in few characters: `950`, `12.3k`, `at least 4M`."""
    for size, letter in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return at_least(f"{number * 10 // size / 10:.1f}".removesuffix(".0") + letter, gaps)
    return at_least(str(number), gaps)


# What templates say amounts with.
WORDS = {"money": money, "cost": cost, "count": count, "tokens": tokens, "short": short}


def used_of(unit: str, value: float, gaps: int = 0) -> str:
    return tokens(int(value), gaps) if unit == "tokens" else at_least(money(value), gaps)


def amount_of(unit: str, value: float) -> str:
    return tokens(int(value)) if unit == "tokens" else exact_money(value)


def micros(usd: Decimal) -> int:
    """US dollars as millionths of one, rounded half up."""
    return int((usd * MICROS).quantize(Decimal(1), ROUND_HALF_UP))


def amount(unit: str, inside: int) -> int | float:
    """Tokens as they are, money as a number of US dollars."""
    return inside if unit == "tokens" else inside / MICROS


def inside(unit: str, limit: Decimal) -> int:
    """A limit as it is kept; ValueError when it is no whole token, or less than one or than a millionth of a dollar."""
    if unit == "tokens" and limit != limit.to_integral_value():
        raise ValueError("a limit of tokens is a whole number")
    stored = int(limit) if unit == "tokens" else micros(limit)
    if stored < 1:
        raise ValueError("the limit is too small")
    return stored
