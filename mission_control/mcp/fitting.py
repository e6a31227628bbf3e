"""Cut what is too long for a model out of an answer."""

from typing import Any

LONGEST_TEXT = 100_000  # characters
MOST_CHARACTERS = 400_000  # of all texts of an answer together
SHORT = 1_000
CUT = " … [cut: {} more characters; the HTTP API has them]"


def fitted(answer: Any) -> Any:
    """Return an answer of dicts and lists with its long texts cut; what is anything else stays as it is."""
    return _Budget().fit(answer)


class _Budget:
    """What is left for the texts of one answer. Short texts are never cut."""

    def __init__(self) -> None:
        self._left = MOST_CHARACTERS

    def fit(self, value: Any) -> Any:
        """Return a value that fits."""
        if isinstance(value, dict):
            return {name: self.fit(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.fit(one) for one in value]
        if not isinstance(value, str) or len(value) <= SHORT:
            return value
        most = max(SHORT, min(LONGEST_TEXT, self._left))
        self._left -= min(len(value), most)
        return value if len(value) <= most else value[:most] + CUT.format(len(value) - most)
