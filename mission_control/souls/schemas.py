"""Shapes of the souls directory."""

from pydantic import BaseModel, Field


class SoulQuery(BaseModel):
    """Which souls to look for."""

    q: str = Field("", max_length=200)
    limit: int = Field(20, ge=1, le=100)


class SoulsDirectorySoulRef(BaseModel):
    """A soul, and where it is."""

    handle: str
    slug: str
    page_url: str
    raw_md_url: str


class SoulsDirectorySearchResponse(BaseModel):
    """The souls that were found."""

    items: list[SoulsDirectorySoulRef]


class SoulsDirectoryMarkdownResponse(BaseModel):
    """The text of a soul."""

    handle: str
    slug: str
    content: str
