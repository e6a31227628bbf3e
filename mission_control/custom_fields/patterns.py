"""Regular expressions that people write: bounded in length and in the time that a match may take."""

import warnings

import regex

LONGEST_PATTERN = 500
LONGEST_TEXT = 10_000
SECONDS = 0.05


class TakesTooLong(Exception):
    """The pattern did not decide within its time."""


def compiled(pattern: str) -> regex.Pattern[str]:
    """The pattern, ready to match; ValueError says what is wrong with it."""
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"a pattern has at most {LONGEST_PATTERN} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        raise ValueError(f"the pattern cannot be read: {error}") from None


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern matches a whole text. TakesTooLong after `SECONDS`."""
    try:
        return compiled(pattern).fullmatch(text, timeout=SECONDS) is not None
    except TimeoutError:
        raise TakesTooLong from None
