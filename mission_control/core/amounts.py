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


def cost(usd: float, unpriced: int) -> str:
    """Money, and the doubt about it while tokens have no price: `0.43 USD and more`, `not known`."""
    if not unpriced:
        return money(usd)
    return f"{money(usd)} and more" if usd else "not known"


def spent(usd: float, tokens: int, unpriced: int) -> list[str]:
    """A cost where nothing else says that it is one: `0.43 USD`, `cost not known`; nothing where nothing was used."""
    said = cost(usd, unpriced)
    return [f"cost {said}" if unpriced and not usd else said] if usd or tokens else []


def tokens(number: int) -> str:
    """`1 token`, `12,345 tokens`."""
    return f"{number:,} token{'' if number == 1 else 's'}"


def short(number: int) -> str:
    """A number in few characters: `950`, `12.3k`, `4M`."""
    for size, letter in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number * 10 // size / 10:.1f}".removesuffix(".0") + letter
    return str(number)


# What templates say amounts with.
WORDS = {"money": money, "cost": cost, "tokens": tokens, "short": short}


def used_of(unit: str, value: float) -> str:
    return tokens(int(value)) if unit == "tokens" else money(value)


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
    kept = int(limit) if unit == "tokens" else micros(limit)
    if kept < 1:
        raise ValueError("the limit is too small")
    return kept
