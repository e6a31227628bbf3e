"""Hide secrets in texts that come from programs."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

TOKEN = re.compile(r"\b(mc[au]_)[A-Za-z0-9_-]+")
# How credentials of others look, and what is written before one.
FORMS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}|\b(?:gh[oprsu]|github_pat)_\w{16,}|\bglpat-[\w-]{16,}|\bxox[a-z]-[\w-]{10,}"
    r"|\bA[KS]IA[A-Z0-9]{16}\b|\bAIza[\w-]{30,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|(?<=://)[^\s/:@]+:[^\s/@]+(?=@)"
    r"|(?i:(?<=bearer )[\w.~+/=-]{8,})",
    re.DOTALL,
)
NAMED = re.compile(
    r"""(?i)(\b\w*(?:password|passwd|secret|token|api[_-]?key)\w*["']?\s*[=:]\s*)(?:"[^"]+"|'[^']+'|[^\s"',;&]+)"""
)
HIDDEN = "••••"
TELLING = 4  # so many first characters of a secret are held back; fewer end many a word
SHORTEST = 8  # a shorter secret would hide ordinary words


class Mask:
    """Hides tokens of agents and people, the secrets of one gateway; with `forms` all that looks like a credential."""

    def __init__(self, secrets: Iterable[str | None] = (), *, forms: bool = False) -> None:
        self._forms = forms
        self._secrets = sorted(
            {secret for secret in secrets if secret and len(secret) >= SHORTEST}, key=len, reverse=True
        )

    def text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        if self._forms:
            text = NAMED.sub(rf"\1{HIDDEN}", FORMS.sub(HIDDEN, text))
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
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value
