"""What ends a command: a sentence and an exit code. `EXIT_CODES` declares all of them."""

from __future__ import annotations

DONE, REFUSED, USAGE, NOTHING, NOT_SIGNED_IN, UNREACHABLE, BROKEN, AGAIN, INTERRUPTED, PIPE_CLOSED = (
    0, 1, 2, 3, 4, 5, 70, 75, 130, 141,
)  # fmt: skip
EXIT_CODES = {
    DONE: "done",
    REFUSED: "refused, with a sentence: by the server, or by the people who were asked",
    USAGE: "the command is not complete, or not written as it should be",
    NOTHING: "nothing to do, or nobody answered in time",
    NOT_SIGNED_IN: "there is no token, or none that the server takes for this",
    UNREACHABLE: "the server cannot be reached, or something else answers in its place",
    BROKEN: "a fault of this program",
    AGAIN: "the server is too busy at the moment: try again later",
    INTERRUPTED: "ended by Ctrl-C",
    PIPE_CLOSED: "the program that read the output has ended",
}


class Problem(Exception):
    """What a command cannot do, in a sentence; `code` is a word for programs."""

    exit_code = REFUSED

    def __init__(self, text: str, code: str = "refused", detail: object = None) -> None:
        super().__init__(text)
        self.text, self.code = text, code
        self.detail = detail if isinstance(detail, dict) and "message" in detail else {"message": text, "code": code}


class Usage(Problem):
    """Something is missing in what was typed."""

    exit_code = USAGE

    def __init__(self, text: str, code: str = "usage") -> None:
        super().__init__(text, code)


class Nothing(Problem):
    exit_code = NOTHING

    def __init__(self, text: str, code: str = "nothing") -> None:
        super().__init__(text, code)


class NotSignedIn(Problem):
    """There is no token that the server takes."""

    exit_code = NOT_SIGNED_IN

    def __init__(self, text: str, code: str = "no_token") -> None:
        super().__init__(text, code)


class Unreachable(Problem):
    """The server did not answer, or something else did."""

    exit_code = UNREACHABLE

    def __init__(self, text: str, code: str = "no_answer") -> None:
        super().__init__(text, code)


class Busy(Problem):
    """The server answered that it cannot at the moment."""

    exit_code = AGAIN
