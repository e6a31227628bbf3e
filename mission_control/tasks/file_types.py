"""Find the type of a file by its first bytes, not by what its sender calls it."""

import re

from mission_control.core.errors import Invalid

DOWNLOAD = "application/octet-stream"
SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
INLINE_TYPES = {"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"}
MARKUP = re.compile(rb"^\s*(<\?xml|<!doctype|<!--|<[a-z][a-z0-9:-]*[\s/>])", re.IGNORECASE)
NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
ACTIVE_TEXT = {"text/html", "text/xml", "text/javascript", "text/ecmascript"}


def checked_type(content: bytes, claimed: str) -> str:
    """Return the type to store for a file: one that browsers may show, else a download.

    Raise Invalid for a file that claims to be an image, a PDF or text and is not.
    """
    found = _found_type(content)
    claimed = claimed.lower()
    claims_text = claimed.startswith("text/") and claimed not in ACTIVE_TEXT
    wanted = "text/plain" if claims_text else claimed
    if wanted in INLINE_TYPES and wanted != found and not (claims_text and found == DOWNLOAD and _is_text(content)):
        raise Invalid(f"The file says that it is {claimed}, but its content is not.")
    return found


def _found_type(content: bytes) -> str:
    for signature, name in SIGNATURES:
        if content.startswith(signature):
            return name
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"#!") or MARKUP.match(content.removeprefix(b"\xef\xbb\xbf")) or not _is_text(content):
        return DOWNLOAD
    return "text/plain"


def _is_text(content: bytes) -> bool:
    if NO_TEXT.search(content):
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
