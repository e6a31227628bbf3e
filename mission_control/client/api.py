"""One call to the server: the token, another try with the same Idempotency-Key, refusals in words, news."""

from __future__ import annotations

import http.client
import json
import os
import re
import sys

from mission_control import __version__
from mission_control.client import clock
from mission_control.client.printing import entry, line, plain
from mission_control.client.problems import Busy, NotSignedIn, Problem, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mission_control.client.credentials import Connection

TRIES = 4
PATIENCE_SECONDS = 60.0
LONGEST_PAUSE = 30.0
LARGEST_ANSWER = 256 * 1024 * 1024
VERSION_HEADER = "X-Mission-Control-Version"
TITLE = re.compile(r"<title[^>]*>([^<]{1,200})", re.IGNORECASE)
BUSY = (429, 502, 503, 504)
SAFE = "-._~!$&'()*+,;=:@/%?"


class Answer:
    """What the server answered; `value` is its JSON, or None for something else."""

    def __init__(self, status: int, body: bytes, value: Any, headers: http.client.HTTPMessage) -> None:
        self.status, self.body, self.value, self.headers = status, body, value, headers


class Api:
    """Calls of one command to one server. `newest` is the version of the server, when it told it."""

    server = "Mission Control"

    def __init__(self, connection: Connection) -> None:
        self.connection, self.newest, self.news_to = connection, "", sys.stderr
        self._open: http.client.HTTPConnection | None = None
        _, _, rest = connection.url.partition("://")
        self.host, _, self.prefix = rest.partition("/")
        self.prefix = f"/{self.prefix}" if self.prefix else ""
        self.is_https = connection.url.startswith("https:")

    def call(self, method: str, path: str, body: object = None, **options: Any) -> Any:
        found = self.answer(method, path, body, **options)
        if found.value is None:
            raise Unreachable(_no_json(found), "no_json")
        return found.value

    def answer(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        fence: int | None = None,
        seconds: float = 0.0,
        key: str = "",
    ) -> Answer:
        """Return an answer with a status below 300; `seconds` is how long the server may wait before it answers.

        What does not arrive, or finds the server busy, is sent again. A write has the same key each time, so that it is
        done once; with a `key` of the caller's also when it is sent again later.
        """
        headers = {"X-Agent-Token": self.connection.token} if self.connection.token else {}
        if method != "GET":
            headers["Idempotency-Key"] = key or os.urandom(12).hex()
        if fence is not None:
            headers["X-Task-Fence"] = str(fence)
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        found = self.tried(method, path, content, headers, seconds)
        self._tell_news(found.value)
        return _checked(found, self.connection)

    def form(self, path: str, **fields: str) -> Answer:
        """Send a form, as OAuth wants it, and return the answer, whatever the status."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.tried("POST", path, query(**fields)[1:].encode(), headers)

    def tried(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str], seconds: float = 0.0
    ) -> Answer:
        """Send a request until it is answered by a server that is not too busy, and return the last answer."""
        for turn in range(TRIES):
            is_last, pause = turn + 1 == TRIES, 0.25 * 4**turn
            try:
                found = self.send(method, path, content, headers, seconds)
            except Unreachable:
                if is_last:
                    raise
            else:
                if found.status not in BUSY or is_last:
                    break
                asked = found.headers.get("Retry-After", "")
                pause = min(float(asked), LONGEST_PAUSE) if asked.isascii() and asked.isdigit() else pause
            clock.sleep(pause)
        return found

    def send(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str], seconds: float = 0.0
    ) -> Answer:
        """Send one request and return its answer, whatever the status. Raise Unreachable when there is none."""
        agent = f"mission-control-client/{__version__} (Python {sys.version_info[0]}.{sys.version_info[1]})"
        sent = {"User-Agent": agent, "Accept": "application/json", **headers}
        target = self.prefix + "".join(
            one if one.isascii() and (one in SAFE or one.isalnum()) else _percent(one) for one in path
        )
        for is_second in (False, True):
            was_open = self._open is not None
            try:
                connection, target_sent = self._connected(target, PATIENCE_SECONDS + seconds)
                connection.request(method, target_sent, content, sent)
                response = connection.getresponse()
                body = self.read(response)
            except Unreachable:
                self.close()
                raise
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if was_open and not is_second:  # it was kept open, and the server had closed it
                    continue
                raise Unreachable(self._unreachable(error)) from error
            break
        if response.will_close:
            self.close()
        self.newest = response.headers.get(VERSION_HEADER, self.newest)
        value, status = _json(body), response.status
        if isinstance(value, dict) and isinstance(value.get("status"), int) and "detail" in value:
            status = value["status"]  # of an answer that began with white space
        return Answer(status, body, value, response.headers)

    def read(self, response: http.client.HTTPResponse) -> bytes:
        body = response.read(LARGEST_ANSWER + 1)
        if len(body) > LARGEST_ANSWER:
            raise Unreachable("The answer is larger than 256 MiB.")
        return body

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connected(self, target: str, patience: float) -> tuple[http.client.HTTPConnection, str]:
        proxy = _proxy_for(self.is_https, self.host)
        if proxy is not None and not self.is_https:
            target = f"http://{self.host}{target}"
        if self._open is None:
            kind = http.client.HTTPSConnection if self.is_https else http.client.HTTPConnection
            self._open = kind(self.host if proxy is None else proxy, timeout=patience)
            if proxy is not None and self.is_https:
                self._open.set_tunnel(self.host)
        elif self._open.sock is not None:
            self._open.sock.settimeout(patience)
        return self._open, target

    def _unreachable(self, error: Exception) -> str:
        where = self.connection.url
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return (
                f"The certificate of {where} is not one that this machine trusts. With a certificate of your own set"
                " SSL_CERT_FILE to the file of who signed it."
            )
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
        return f"{self.server} did not answer at {where} ({reason})."

    def _tell_news(self, value: object) -> None:
        news = value.get("news") if isinstance(value, dict) else None
        if not isinstance(news, dict):
            return
        if news.get("directive"):
            print(entry(f"NEWS {news['directive']}: {news.get('directive_reason') or ''}"), file=self.news_to)
        for item in news.get("items") or ():
            print(entry(f"NEWS {item.get('text', '')}"), file=self.news_to)
        if news.get("more"):
            print(f"NEWS {news['more']} more are in your inbox", file=self.news_to)
        self.news_to.flush()


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _percent(letter: str) -> str:
    return "".join(f"%{one:02X}" for one in letter.encode("utf-8", "surrogateescape"))


def query(**values: object) -> str:
    safe = "-._~"
    pairs = (
        (
            name,
            "".join(one if one.isascii() and (one.isalnum() or one in safe) else _percent(one) for one in str(value)),
        )
        for name, value in values.items()
    )
    return "?" + "&".join(f"{name}={value}" for name, value in pairs)


def _proxy_for(is_https: bool, host: str) -> str | None:
    name = "https_proxy" if is_https else "http_proxy"
    given = os.environ.get(name) or os.environ.get(name.upper()) or ""
    bare = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if not given or bare.strip("[]") in ("localhost", "127.0.0.1", "::1"):
        return None
    from urllib.request import proxy_bypass

    if proxy_bypass(host):
        return None
    return given.split("://", 1)[-1].rstrip("/").rsplit("@", 1)[-1]


def _checked(found: Answer, connection: Connection) -> Answer:
    if found.status < 300:
        return found
    if found.status < 400:
        where = plain(found.headers.get("Location", "another address"))
        raise Unreachable(f"{connection.url} sends on to {where}. Use that address.", "moved")
    detail = found.value.get("detail") if isinstance(found.value, dict) else None
    if detail is None:
        raise Unreachable(_no_json(found), "no_json")
    text, code = _sentence(detail), _code(found.value, detail)
    if found.status == 401:
        from mission_control.client.credentials import how_to_sign_in

        raise NotSignedIn(f"{text} The token is in {connection.source}. {how_to_sign_in()}", code)
    kind = Busy if found.status in BUSY else Problem
    raise kind(text, code, detail)


def _sentence(detail: object) -> str:
    if isinstance(detail, dict):
        return plain(detail.get("message") or json.dumps(detail))
    if isinstance(detail, list):
        problems = (one for one in detail if isinstance(one, dict))
        return plain("; ".join(f"{'.'.join(map(str, one.get('loc', ())))}: {one.get('msg')}" for one in problems))
    text = plain(detail)
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _code(value: dict[str, Any], detail: object) -> str:
    named = detail.get("code") if isinstance(detail, dict) else None
    return str(named or value.get("code") or ("invalid" if isinstance(detail, list) else "refused"))


def _no_json(found: Answer) -> str:
    title = TITLE.search(found.body[:100_000].decode("utf-8", "replace"))
    said = f" It says “{line(title[1])}”." if title else ""
    return (
        f"The answer was {found.status} and no JSON: something between you and Mission Control answered, such as a"
        f" proxy or a page to sign in.{said}"
    )
