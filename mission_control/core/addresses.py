"""Addresses as others write them."""

from urllib.parse import SplitResult, urlsplit


def parts_of(address: str) -> SplitResult:
    """An address in its parts; one that cannot be read has none."""
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "", "", "", "")
