"""People's names in SQL, and names of browsers for people."""

import re


def person_name(alias: str, nameless: str | None = None) -> str:
    """Return SQL for the name of the user behind a table alias.

    Null where there is no user, or `nameless` where that is given, as User.display_name says "User".
    """
    last = "" if nameless is None else f", '{nameless}'"
    named = (f"NULLIF({alias}.{column}, '')" for column in ("preferred_name", "name", "email"))
    return f"COALESCE({', '.join(named)}{last})"


def chosen_name(alias: str) -> str:
    """Return SQL for the name that a user chose, null for one who is known by an address only."""
    return f"COALESCE({alias}.preferred_name, {alias}.name)"


BROWSERS = {
    "Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari", "curl/": "curl",
}  # fmt: skip
SYSTEMS = {
    "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS X": "macOS",
    "Linux": "Linux",
}  # fmt: skip


def device(user_agent: str | None) -> str:
    text = user_agent or ""
    browser = next((name for mark, name in BROWSERS.items() if mark in text), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in text), "")
    plain = re.split(r"[/ ]", text, maxsplit=1)[0][:40]
    return " on ".join(part for part in (browser or plain or "Unknown browser", system) if part)
