"""The search for tasks by words, the same on the board's page and in the API."""

from typing import Any

from mission_control.database.sql import contains

LONGEST_NUMBER = 9  # digits


def matching(text: str) -> list[tuple[str, list[Any]]]:
    """Return a condition on `tasks t` for each word: it is in the title or the description, or is the number.

    Of a longer text the first 20,000 characters are searched.
    """
    return [_contains(word) for word in text.split()]


def _contains(word: str) -> tuple[str, list[Any]]:
    found, values = f"{contains('t.title')} OR {contains('t.description')}", [word.lower()] * 2
    number = word.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER:
        return f"({found} OR t.number = {int(number)})", values
    return f"({found})", values
