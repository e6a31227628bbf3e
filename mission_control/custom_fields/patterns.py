"""Regular expressions written by people, in Python's syntax, limited in length, size and time.

Python's own engine cannot be interrupted, so `regex` matches, which has a timeout. That engine in turn expands
counted repetitions when it compiles, so their product is checked first. Matching blocks the event loop, so all
values of one request share one limit too. CPU time counts: a busy machine makes no pattern slow.
pattern slow.
"""

import functools
import re
import warnings
from time import thread_time

import regex
from quart import g, has_request_context

LONGEST_PATTERN = 500
LARGEST_UNFOLDED = 5_000
LONGEST_TEXT = 10_000
SECONDS = 0.05
SECONDS_OF_A_REQUEST = 1.0

COUNT = re.compile(r"\{(\d*)(,?)(\d*)\}")
CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


class PatternTimeout(Exception):
    """The pattern did not finish within its time limit."""


@functools.lru_cache(maxsize=512)
def compiled(pattern: str) -> regex.Pattern[str]:
    """Compile a pattern. An invalid one: ValueError with the reason."""
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"a pattern has at most {LONGEST_PATTERN} characters")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            flags = re.compile(pattern).flags
            if flags & re.VERBOSE:
                raise ValueError("a pattern cannot use the verbose flag")
            if _unfolded(pattern) > LARGEST_UNFOLDED:
                raise ValueError("the pattern repeats too much")
            return regex.compile(pattern)
        except (re.error, regex.error, RecursionError, OverflowError) as error:
            raise ValueError(f"the pattern cannot be read: {error}") from None


def _unfolded(pattern: str) -> int:
    """Return the number of parts of a pattern with all counted repetitions expanded."""
    groups: list[list[int]] = [[]]
    at = 0
    while at < len(pattern):
        length = 1
        if pattern[at] == "\\":
            length = 2
            groups[-1].append(1)
        elif pattern[at] == "[" and (found := CLASS.match(pattern, at)):
            length = len(found[0])
            groups[-1].append(1)
        elif pattern[at] == "(":
            groups.append([])
        elif pattern[at] == ")":
            inner = groups.pop()
            groups[-1].append(1 + sum(inner))
        elif pattern[at] == "{":
            length = _repeat(pattern, at, groups[-1])
        else:
            groups[-1].append(1)
        at += length
    return sum(groups[0])


def _repeat(pattern: str, at: int, parts: list[int]) -> int:
    found = COUNT.match(pattern, at)
    numbers = [int(one) for one in (found[1], found[3]) if one] if found else []
    if not (found and numbers and parts):
        raise ValueError("a brace that is no repetition is written \\{")
    parts[-1] *= max(1, *numbers)
    return len(found[0])


def matches(pattern: str, text: str) -> bool:
    """Return whether a pattern matches a whole text. After `SECONDS`, or the request's limit: PatternTimeout."""
    ready, spent = compiled(pattern), _spent()
    if spent >= SECONDS_OF_A_REQUEST:
        raise PatternTimeout
    begun = thread_time()
    try:
        return ready.fullmatch(text, timeout=SECONDS) is not None
    except TimeoutError:
        raise PatternTimeout from None
    finally:
        if has_request_context():
            g.seconds_of_patterns = spent + thread_time() - begun


def _spent() -> float:
    return g.get("seconds_of_patterns", 0.0) if has_request_context() else 0.0
