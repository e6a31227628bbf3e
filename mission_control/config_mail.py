"""How the settings of mail are read from text."""

from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from mission_control import config_values as values


def smtp_url(value: str) -> str:
    """Take the address of a mail server, such as smtps://user:password@mail.example.org."""
    parts = urlsplit(value)
    try:
        is_good = parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if value and not (is_good and parts.path in {"", "/"} and not parts.query):
        raise ValueError("use smtp://host:587 or smtps://host, with user:password@ before the host if it needs them.")
    return value


def sender(value: str) -> str:
    """Take an address that mail comes from, with or without a name."""
    address = parseaddr(value)[1]
    if value and (address.count("@") != 1 or not value.isprintable() or not all(address.split("@"))):
        raise ValueError('use an address such as "Mission Control <mission@example.org>".')
    return value


def missing(parsed: dict[str, Any]) -> list[str]:
    """Return one sentence for each setting that sending mail lacks."""
    if not parsed["smtp_url"]:
        return []
    needed = {
        "mail_from": "SMTP_URL needs MAIL_FROM, the address that mail comes from.",
        "base_url": "SMTP_URL needs BASE_URL, because mails hold links.",
    }
    return [sentence for name, sentence in needed.items() if not parsed[name]]


values.TYPE_NAMES.update({smtp_url: "URL", sender: "address"})
