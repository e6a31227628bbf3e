"""What a notice is about, as one word for programs, from the token that is its header."""

# The words of the installed features, by header.
NOTICES: dict[str, str] = {}
OTHER = "message"


def kind_of(header: str) -> str:
    """Return the word for a header; `message` for one that no feature declares."""
    return NOTICES.get(header, OTHER)
