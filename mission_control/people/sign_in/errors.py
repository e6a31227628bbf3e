"""The error of an identity provider that does not answer, apart from what asks it."""

from mission_control.core.errors import DomainError


class ProviderUnreachable(DomainError, status=503):
    """The identity provider gave no usable answer in time; the caller may try again."""

    def __init__(self, detail: str = "The identity provider does not answer. Try again in a moment.") -> None:
        super().__init__(detail)
        self.headers["Retry-After"] = "5"
