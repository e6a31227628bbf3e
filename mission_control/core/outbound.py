"""Requests and mails to the outside: which addresses they may reach, over which certificates."""

import ipaddress
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.header import Header
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import formatdate, parseaddr
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    import httpx2

# Cloud providers' metadata services at addresses that look public.
NAT64 = ipaddress.ip_network("64:ff9b::/96")
REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"),  # services of clouds
        *(
            "0.0.0.0",
            "::",
            "169.254.0.0/16",
            "fe80::/10",
            "224.0.0.0/4",
            "ff00::/8",
        ),  # unspecified, link-local, multicast
        *("192.88.99.0/24", "2002::/16", "2001::/32"),  # obsolete tunnels with an unknown other end
    )
)


def address_of(host: str) -> str | None:
    """Return the address that a host is in whatever spelling (`2130706433`, `0x7f.1`), None for a name."""
    with suppress(ValueError):
        return str(ipaddress.ip_address(host))
    with suppress(OSError, UnicodeError):
        plain = host.encode("idna").decode().rstrip(".")
        return socket.inet_ntoa(socket.inet_aton(plain)) if plain[:1].isdigit() else None
    return None


def is_out_of_reach(url: str, *, allow_private: bool) -> bool:
    """Return whether the host of a URL is an address, no name, that outbound requests may not reach."""
    try:
        address = address_of(urlsplit(url if "://" in url else f"//{url}").hostname or "")
    except ValueError:
        return False
    return address is not None and not may_reach(address, allow_private=allow_private)


def may_reach(text: str, *, allow_private: bool) -> bool:
    """Return whether an address, or the IPv4 address wrapped in it, belongs to the public internet.

    `allow_private` adds private and loopback addresses; metadata, link-local and multicast stay refused.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if address in NAT64:
        address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    address = getattr(address, "ipv4_mapped", None) or address
    if any(address in network for network in REFUSED):
        return False
    if address.is_loopback:
        return allow_private
    if address.is_reserved:
        return False
    is_inside = address.is_private or getattr(address, "is_site_local", False)
    return allow_private if is_inside else address.is_global


class OutboundError(Exception):
    """An outbound request failed. The text is the second half of a sentence and reveals nothing internal."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to an outbound request."""

    status: int
    headers: "httpx2.Headers"
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Outbound:
    """Limits of outbound requests: where they may go, how long they may take, how much may come back.

    Without `reads_body` only the status is read. With `cuts_body` a longer answer is cut, and not refused.
    """

    allow_private: bool = False
    seconds: float = 15.0
    most_bytes: int = 1_048_576
    redirects: int = 0
    reads_body: bool = True
    cuts_body: bool = False

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        return await self.request("GET", url, headers)

    async def request(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Reply:
        """Send a request and return the whole answer. Raises OutboundError when there is none within the limits."""
        from mission_control.core import _requests

        return await _requests.answered(self, method, url, headers or {}, content)


SECONDS = 20.0
PORTS = {"smtp": 587, "smtps": 465}
PERMANENT = 500


class MailError(Exception):
    """The mail server did not take a message; the text says how it answered, for people."""


class MailRefused(MailError):
    """The mail server refuses the address, or this message, for good."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A message. Its id stays the same when it is sent again, so that a mailbox can tell that it has it.

    `headers` come beside the usual ones, or replace them.
    """

    id: str
    to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str] = field(default_factory=dict)


def _unquoted(text: str | None) -> str | None:
    return unquote(text) if text else None


async def send_mail(server: str, sender: str, mail: Mail) -> None:
    """Hand a message to the mail server. A name and password are sent over TLS only, unless the server is local."""
    import aiosmtplib

    parts = urlsplit(server)
    host, user, password = parts.hostname or "", _unquoted(parts.username), _unquoted(parts.password)
    uses_tls = parts.scheme == "smtps"
    must_start_tls = True if user is not None and not _is_local(host) else None  # None: where the server offers it
    try:
        await aiosmtplib.send(
            _message(sender, mail),
            hostname=host,
            port=parts.port or PORTS[parts.scheme],
            username=user,
            password=password,
            use_tls=uses_tls,
            start_tls=False if uses_tls else must_start_tls,
            timeout=SECONDS,
        )
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise _mail_error(error, mail.to) from error


def _mail_error(error: Exception, to: str) -> MailError:
    import aiosmtplib

    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            is_final = any(answer.code >= PERMANENT for answer in error.recipients)
            text = f"The mail server does not take mail for {to}: {_in_a_line(error.recipients[0].message)}"
        case aiosmtplib.SMTPResponseException():
            is_final = isinstance(error, aiosmtplib.SMTPDataError) and error.code >= PERMANENT  # too large, for example
            text = f"The mail server answered {error.code}: {_in_a_line(error.message)}"
        case aiosmtplib.SMTPNotSupported():
            is_final = not to.isascii()
            text = f"The mail server cannot send mail to {to}: {_in_a_line(str(error))}"
        case _:
            is_final = False
            text = f"The mail server cannot be reached or does not answer: {_in_a_line(str(error))}"
    return (MailRefused if is_final else MailError)(text)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Whole(UnstructuredHeader, BaseHeader):
    """A header that is sent on one line: an address or an id that is folded or encoded means nothing."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


class _Words(UnstructuredHeader, BaseHeader):
    """A header of words, encoded as a whole: where some are ASCII, the library joins encoded words wrongly."""

    def fold(self, *, policy: Policy) -> str:
        text = str(self)
        words = Header(text, "us-ascii" if text.isascii() else "utf-8", header_name=self.name)
        return f"{self.name}: {words.encode(linesep=policy.linesep)}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("Subject", _Words)
for _name in ("In-Reply-To", "References", "List-Id", "List-Unsubscribe"):
    _HEADERS.map_to_type(_name, _Whole)
_POLICY = SMTP.clone(header_factory=_HEADERS)


def _message(sender: str, mail: Mail) -> EmailMessage:
    message = EmailMessage(policy=_POLICY)
    headers = {
        "From": sender,
        "To": _with_plain_host(mail.to),
        "Subject": _as_typed(mail.subject),
        "Date": formatdate(usegmt=True),
        "Message-ID": f"<{mail.id}@mission-control>",
        "Auto-Submitted": "auto-generated",
        **mail.headers,
    }
    for name, value in headers.items():
        message[name] = " ".join(value.split())
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _with_plain_host(address: str) -> str:
    """Return an address whose host has no letters that mail servers may not know, where it can be written so."""
    name, at, host = address.rpartition("@")
    try:
        return f"{name}{at}{host.encode('idna').decode()}"
    except UnicodeError:
        return address


def _as_typed(text: str) -> str:
    """Return a text for a header in which nothing counts as an encoded word: it could hide a line break."""
    return text.replace("=?", "= ?")


def named_sender(name: str, sender: str) -> str:
    name = _as_typed(name).replace("\\", "").replace('"', "")
    return f'"{name}" <{parseaddr(sender)[1]}>'


def _in_a_line(text: str) -> str:
    return " ".join(text.split())[:300] or "no reason given"
