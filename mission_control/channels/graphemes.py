"""What people read as one character: where a text may be cut, and what joins its parts."""

from unicodedata import category

MOST_MARKS = 16
JOINERS = "\u200c\u200d"
_OF_FLAGS = "".join(map(chr, range(0x1F1E6, 0x1F200)))


def whole(text: str, end: int) -> int:
    """Return the last place up to `end` at which nothing loses its accent, tone or half of its flag."""
    nearest = range(end, max(end - MOST_MARKS, -1), -1)
    return next((place for place in nearest if not _goes_on(text, place)), end)


def _goes_on(text: str, place: int) -> bool:
    one = text[place]
    if one in JOINERS or text[max(place - 1, 0)] == JOINERS[1]:
        return place > 0
    if not "\U0001f1e6" <= one <= "\U0001f1ff":  # two such letters are a flag
        return "\U0001f3fb" <= one <= "\U0001f3ff" or category(one).startswith("M")
    before = text[:place]
    return (place - len(before.rstrip(_OF_FLAGS))) % 2 == 1


def joins(text: str, place: int) -> bool:
    """Whether a place holds a joiner that writing of Persian or Hindi needs, or an emoji of several; not in Latin."""
    around = text[max(place - 1, 0)], text[min(place + 1, len(text) - 1)]
    return text[place] in JOINERS and all(one > "\u02ff" and one not in JOINERS for one in around)
