"""Addresses as others write them."""

from urllib.parse import SplitResult, urlsplit


def parts_of(address: str) -> SplitResult:
    """Return the parts of an address; all are empty when it cannot be parsed."""
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "", "", "", "")
