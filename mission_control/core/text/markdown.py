"""Markdown as people and agents write it, turned into HTML that cannot do anything."""

from html import escape

# Everybody waits while a text is read (`_markdown.py`).
LONGEST = 30_000
LONGEST_PLAIN = 200_000


def render(text: str, names: tuple[str, ...] = ()) -> str:
    """Render GitHub-flavoured Markdown without raw HTML. Headings start at level 3; `@names` are marked.

    With `names`, only those are marked, whole or by their first word, and @lead. A text of more than 30,000 characters,
    or one that takes too long to read, keeps its lines and is not read as Markdown.
    """
    if len(text) > LONGEST:
        return plain(text[:LONGEST_PLAIN])
    from mission_control.core.text import _markdown

    return _markdown.rendered(text, names)


def plain(text: str) -> str:
    return f"<p>{escape(text)}</p>".replace("\n", "<br>\n")
