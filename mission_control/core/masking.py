"""Hide secrets in texts that come from programs."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

TOKEN = re.compile(r"\b(mc[au]_)[A-Za-z0-9_-]+")
HIDDEN = "••••"
TELLING = 4  # so many first characters of a secret are held back; fewer end many a word
SHORTEST = 8  # a shorter secret would hide ordinary words


class Mask:
    """Hides tokens of agents and people, and the secrets of one gateway."""

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        self._secrets = sorted({one for one in secrets if one and len(one) >= SHORTEST}, key=len, reverse=True)

    def text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return TOKEN.sub(rf"\1{HIDDEN}", text)

    def growing(self, text: str) -> str:
        """Return the beginning of a text that still grows, without its secrets and without the start of one."""
        text = self.text(text)
        for secret in self._secrets:
            for length in range(min(len(secret) - 1, len(text)), TELLING - 1, -1):
                if text.endswith(secret[:length]):
                    text = text[:-length]
                    break
        return text

    def value(self, value: object) -> Any:
        """Return a JSON value with all its texts masked; its shape stays."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.value(one) for one in value]
        return value
