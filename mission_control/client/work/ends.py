"""Why a program ended a turn, from what it says itself: the codes of its protocol first, its words last.

Each program has a table of signs (`Program.signs`); `COMMON` holds for all. The words are those of the versions that
the tables name.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# A window of a subscription is used up; the provider is overloaded or cannot be reached; the program is signed out;
# something does not work.
WINDOW, OVERLOAD, SIGN_IN, FAULT = "window", "overload", "sign_in", "fault"
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
AT = re.compile(
    r"(?:resets?|try again)\s+(?:on\s+)?(?:at\s+)?"
    r"(?:(?P<month>[a-z]{3})[a-z]*\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?(?:,?\s+(?P<year>\d{4}))?,?\s+(?:at\s+)?)?"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?\s*(?P<half>[ap])m(?:\s*\((?P<zone>[\w+/-]+)\))?",
    re.IGNORECASE,
)
AFTER = re.compile(r"(?:resets?|try again|retry)\s+(?:in|after)\s+((?:\d+(?:\.\d+)?\s*[a-z]+,?\s*)+)", re.IGNORECASE)
SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
LONG_AGO = timedelta(hours=12)  # an hour of the day that was earlier than that is the next day's


class Sign:
    """A code, or words, by which a program says why it ended."""

    def __init__(self, end: str, *codes: str, words: str = "") -> None:
        self.end, self.codes, self.words = end, codes, words

    def fits(self, codes: Iterable[str], text: str) -> bool:
        return any(code in self.codes for code in codes) or bool(
            self.words and re.search(self.words, text, re.IGNORECASE)
        )


# -32000 is ACP's "authentication required".
COMMON = (
    Sign(SIGN_IN, "-32000"),
    Sign(WINDOW, words=r"you.ve (hit|reached) your .{0,60}limit|usage limit (has been )?reached"),
    Sign(
        OVERLOAD,
        words=r"overloaded|at capacity|rate.?limit|too many requests|service unavailable"
        r"|(status|error|code|http)\W{0,3}(429|5\d\d)\b"
        r"|unable to connect|connection (refused|error|failed|reset|lost)|econn|enotfound|etimedout|eai_again",
    ),
)


class End:
    """Why a turn ended: whose fault it was, the program's words, and when it may go on (None: it did not say)."""

    def __init__(self, kind: str, words: str, until: datetime | None = None) -> None:
        self.kind, self.words, self.until = kind, words, until


def end_of(signs: Iterable[Sign], codes: Iterable[str], text: str, now: datetime) -> End:
    """Return why a turn ended that failed with these codes and this text."""
    kind = next((sign.end for sign in (*signs, *COMMON) if sign.fits(codes, text)), FAULT)
    return End(kind, text, reset_of(text, now) if kind == WINDOW else None)


def refusal_of(signs: Iterable[Sign], text: str, now: datetime) -> End | None:
    """Return that a window is used up when that is all that a program says in place of an answer."""
    words = text.strip()
    is_all = len(words) < 400 and any(
        sign.end == WINDOW and sign.words and re.match(rf"\W*({sign.words})", words, re.IGNORECASE)
        for sign in (*signs, *COMMON)
    )
    return End(WINDOW, words, reset_of(words, now)) if is_all else None


def reset_of(text: str, now: datetime) -> datetime | None:
    """Return when a window begins anew, None when the text does not say; `now` has a zone, in which words without one
    are read.
    """
    if match := AFTER.search(text):
        spans = re.findall(r"(\d+(?:\.\d+)?)\s*([dhms])", match[1].lower())
        return now + timedelta(seconds=sum(float(count) * SECONDS[unit] for count, unit in spans)) if spans else None
    match = AT.search(text)
    if match is None or not 1 <= int(match["hour"]) <= 12:
        return None
    here = now.astimezone(_zone(match["zone"]) or now.tzinfo)
    hour = int(match["hour"]) % 12 + (12 if match["half"].lower() == "p" else 0)
    try:
        reset = here.replace(hour=hour, minute=int(match["minute"] or 0), second=0, microsecond=0)
        if match["month"]:
            month, year = MONTHS.index(match["month"].lower()) + 1, int(match["year"] or here.year)
            reset = reset.replace(year=year, month=month, day=int(match["day"]))
            if not match["year"] and here - reset > timedelta(days=180):
                reset = reset.replace(year=year + 1)
        elif here - reset > LONG_AGO:
            reset += timedelta(days=1)
    except ValueError:
        return None
    return reset.astimezone(timezone.utc)


def _zone(name: str | None) -> timezone | None:
    if name is None or name.upper() in ("UTC", "GMT"):
        return None if name is None else timezone.utc
    try:
        from zoneinfo import ZoneInfo

        return ZoneInfo(name)  # type: ignore[return-value]
    except (ImportError, LookupError, OSError, ValueError):
        return None
