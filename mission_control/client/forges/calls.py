"""One call to a forge: bounded, never sent on to another host with the token, refusals in words."""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import json
import re

from mission_control.client import clock, credentials
from mission_control.client.api import Answer, Api
from mission_control.client.forges import reading
from mission_control.client.printing import line
from mission_control.client.problems import Busy, NotSignedIn, Problem, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mission_control.client.forges.places import Place
    from mission_control.client.forges.tokens import Token

LARGEST_ANSWER, LARGEST_LOG, PIECE = 16 * 1024 * 1024, 64 * 1024 * 1024, 64 * 1024
MOST_PAGES, MOST_MOVES = 20, 3
ANSWER_SECONDS = 120.0  # for a whole answer, however slowly it comes
SHORTEST_WAIT, LONGEST_WAIT = 60.0, 7_200.0
MOVED, BUSY = (301, 302, 303, 307, 308), (500, 502, 503, 504)
NEXT = re.compile(r'<[^>]*>;[^,]*\brel="?next"?')
LIMIT = re.compile(r"rate limit|abuse", re.IGNORECASE)
NAMES = {"github": "GitHub", "gitlab": "GitLab", "forgejo": "Forgejo"}


class Later(Busy):
    """The forge takes no more calls before a moment: `at`, in seconds since 1970."""

    def __init__(self, text: str, at: float) -> None:
        super().__init__(text, "rate_limited")
        self.at = at


class Refused(Problem):
    """The forge answered that it does not do this; `status` is its number for why."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text, "forge_refused")
        self.status = status


class Calls(Api):
    """Calls to the API of the forge of a repository, by paths in that API."""

    def __init__(self, place: Place, base: str, token: Token, header: Callable[[str], dict[str, str]]) -> None:
        # The token itself goes into `headers`: a connection's token is one of Mission Control's.
        super().__init__(credentials.Connection(base, "", token.source, http=True))
        self.place, self.base, self.token, self.server = place, base, token, NAMES[place.provider]
        self.headers, self._reads_log, self._until = header(token.secret), False, 0.0

    def get(self, path: str) -> object:
        return self._value(self.asked("GET", path))

    def post(self, path: str, body: object) -> object:
        return self._value(self.asked("POST", path, body))

    def change(self, path: str, body: object) -> object:
        return self._value(self.asked("PUT", path, body))

    def pages(self, path: str, *inside: str, most: int = MOST_PAGES, size: str = "per_page=100") -> list[object]:
        """The entries of all pages of a list, or of a list inside of the answer."""
        entries: list[object] = []
        for page in range(1, most + 1):
            joined = "&" if "?" in path else "?"
            answer = self.asked("GET", f"{path}{joined}{size}&page={page}")
            entries += reading.items(self._value(answer), *inside)
            if not NEXT.search(answer.headers.get("Link", "")):
                break
        return entries

    def log(self, path: str) -> str:
        """The end of a log, empty where it cannot be had."""
        self._reads_log = True
        try:
            answer = self.asked("GET", path, accept="*/*")
            return reading.end_of_log(answer.body)
        except (Refused, Unreachable):
            return ""
        finally:
            self._reads_log = False

    def asked(self, method: str, path: str, body: object = None, accept: str = "") -> Answer:
        """An answer below 300. A read is sent again when the forge is busy or does not answer, and follows moves."""
        headers = {**self.headers, **({"Accept": accept} if accept else {})}
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        for _ in range(MOST_MOVES + 1):
            answer = self._tried(method, path, content, headers)
            if answer.status not in MOVED:
                return self._checked(answer)
            moved = self._moved(answer)
            if method != "GET":
                raise Unreachable(f"{self.server} says that {self.place.path} has moved. Change the remote.", "moved")
            if moved is None:
                return self._elsewhere(answer)
            path = moved
        raise Unreachable(f"{self.server} sends from one address to the next.", "moved")

    def read(self, response: http.client.HTTPResponse) -> bytes:
        largest = LARGEST_LOG if self._reads_log else LARGEST_ANSWER
        pieces, size, until = [b""], 0, clock.monotonic() + ANSWER_SECONDS
        while piece := response.read1(PIECE):
            pieces, size = [*pieces, piece], size + len(piece)
            if self._reads_log:
                pieces = [b"".join(pieces)[-2 * reading.LONGEST_LOG :]]
            if size > largest or clock.monotonic() > until:
                raise Unreachable(f"The answer of {self.server} is too large or too slow.", "too_large")
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        return b"".join(pieces)

    def _tried(self, method: str, path: str, content: bytes | None, headers: dict[str, str]) -> Answer:
        if method != "GET":
            self.close()  # on an old connection it would be sent again when nothing comes back
        for pause in (1.0, 4.0, 0.0) if method == "GET" else (0.0,):
            try:
                answer = self.send(method, path, content, headers)
            except Unreachable as error:
                if not pause or error.code == "too_large":
                    raise
            else:
                if not (pause and _may_pass(answer)):
                    break
            clock.sleep(pause)
        return answer

    def _moved(self, answer: Answer) -> str | None:
        """The path at this API to which an answer sends on, None for an address elsewhere."""
        target = answer.headers.get("Location", "")
        if target.startswith(f"{self.base}/"):
            return target[len(self.base) :]
        prefix = f"{self.prefix}/"
        return target[len(self.prefix) :] if target.startswith(prefix) and not target.startswith("//") else None

    def _elsewhere(self, answer: Answer) -> Answer:
        """What lies at another address: only a log, only where this forge keeps its logs, and without the token."""
        target = answer.headers.get("Location", "")
        where = re.fullmatch(r"(https://[a-z0-9.-]+)(/[\x21-\x7e]*)", target)
        hosts = (".blob.core.windows.net", ".githubusercontent.com")
        if not self._reads_log or self.place.host != "github.com" or not where or not where[1].endswith(hosts):
            raise Unreachable(f"{self.server} sends on to {line(target)[:200] or 'nowhere'}.", "moved")
        storage = _Storage(credentials.Connection(where[1], "", "nowhere"))
        storage.reader = self
        with contextlib.closing(storage):
            return self._checked(storage.send("GET", where[2], None, {"Accept": "*/*"}))

    def _value(self, answer: Answer) -> object:
        if answer.value is None and answer.status != 204:
            raise Unreachable(
                f"What answers at {self.base} is not the API of {self.server}: the answer is no JSON.",
                "no_json",
            )
        return answer.value

    def _checked(self, answer: Answer) -> Answer:
        status = answer.status
        if status < 300:
            return answer
        words = self._words(answer)
        if status == 429 or (status == 403 and _is_limit(answer, words)):
            raise Later(f"{self.server} takes no more calls with the token in {self.token.source} yet.", _when(answer))
        if status == 503 and answer.headers.get("Retry-After"):
            raise Later(f"{self.server} is not there at the moment.", _when(answer))
        if status >= 500:
            raise Unreachable(f"{self.server} answered {status} at {self.base}.{words}")
        if status == 401:
            raise NotSignedIn(f"{self.server} does not take the token in {self.token.source}.{words}", "bad_token")
        where = f"{self.place.path} at {self.place.host}"
        sentences = {
            403: f"The token in {self.token.source} may not do this with {where}.{words}",
            404: f"There is no such thing in {where}, or the token in {self.token.source} may not see it.",
        }
        raise Refused(sentences.get(status, f"{self.server} refused it for {where} ({status}).{words}"), status)

    def _words(self, answer: Answer) -> str:
        """What the forge says, on one line, without the token that it might repeat."""
        value = answer.value
        message = reading.at(value, "message") or reading.at(value, "error_description") or reading.at(value, "error")
        parts = [message if isinstance(message, str) else json.dumps(message)] if message else []
        parts += [text for error in reading.items(value, "errors") if (text := reading.text(error, "message"))]
        words = line(" ".join(parts)).replace(self.token.secret, "(the token)")[:300]
        return f" It says “{words}”." if words else ""


class _Storage(Api):
    """Where a forge keeps its logs; it gets no token."""

    server = "The storage of logs"
    reader: Calls

    def read(self, response: http.client.HTTPResponse) -> bytes:
        return self.reader.read(response)


def _may_pass(answer: Answer) -> bool:
    return answer.status in BUSY and not answer.headers.get("Retry-After")


def _is_limit(answer: Answer, words: str) -> bool:
    headers = answer.headers
    return bool(headers.get("Retry-After") or headers.get("X-RateLimit-Remaining") == "0" or LIMIT.search(words))


def _when(answer: Answer) -> float:
    """When the forge wants to be asked again, by its own headers, within bounds."""
    now = clock.time()
    after, moment = answer.headers.get("Retry-After", ""), 0.0
    if after.isascii() and after.isdigit():
        moment = now + min(int(after), LONGEST_WAIT)
    elif after:
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            moment = email.utils.parsedate_to_datetime(after).timestamp()
    for name in ("X-RateLimit-Reset", "RateLimit-Reset"):
        reset = answer.headers.get(name, "")
        if not moment and reset.isascii() and reset.isdigit() and len(reset) < 12:
            moment = float(reset)
    return min(max(moment, now + 1.0), now + LONGEST_WAIT) if moment else now + SHORTEST_WAIT
