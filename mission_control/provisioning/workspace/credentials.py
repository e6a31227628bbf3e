"""Read the credentials back from a workspace file."""

import re

KEYS = ("BASE_URL", "AUTH_TOKEN", "AGENT_NAME", "AGENT_ID", "BOARD_ID", "WORKSPACE_ROOT", "WORKSPACE_PATH")
# As we write a line, and as people and the predecessor do: as an item of a list, in backticks, exported, in quotes.
LINE = re.compile(rf"^\s*(?:[-*]\s+)?`?\s*(?:export\s+)?({'|'.join(KEYS)})\s*[=:]\s*(.*?)\s*`?\s*$")
QUOTES = re.compile(r"""^(["'])(.*)\1$""")


def credentials_in(text: str) -> dict[str, str]:
    """Return the credentials in a text by their keys. Of two lines with one key the first counts.

    Ours stand above all texts of people, which therefore cannot replace them.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        if match := LINE.match(line):
            key, value = match.groups()
            found.setdefault(key, QUOTES.sub(r"\2", value.strip()))
    return found


def token_in(text: str) -> str | None:
    """Return the agent's token in a text, or None."""
    return credentials_in(text).get("AUTH_TOKEN") or None
