"""The souls directory: searching, reading, caching, and errors of the directory."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from mission_control.agents.souls.directory import SoulsDirectory
from mission_control.core import times
from mission_control.core.outbound import Outbound
from tests.cast import Cast
from tests.outside import Directory, souls_directory

pytestmark = pytest.mark.dialect

SEARCH = "/souls-directory/search"


@pytest.fixture
async def souls(cast: Cast) -> AsyncIterator[Directory]:
    async with souls_directory(cast.app) as directory:
        yield directory


@pytest.mark.parametrize("prefix", ["", "sm:"])
async def test_people_and_agents_search_souls(cast: Cast, souls: Directory, prefix: str) -> None:
    souls.lists(
        "/", "/souls/ada/Stargazer", "/about", "/souls/ben/bookkeeper/extra?x=1&amp;y=2", "/souls/ben", "/souls/x/a.b",
        "/souls/ada/night-owl", prefix=prefix,
    )  # fmt: skip
    for caller in (cast.ada, cast.dan, cast.eve, cast.vega):
        found = (await caller.get(SEARCH)).ok()
        assert [(one["handle"], one["slug"]) for one in found["items"]] == [
            ("ada", "Stargazer"), ("ben", "bookkeeper"), ("ada", "night-owl"),
        ]  # fmt: skip
    assert found["items"][0] == {
        "handle": "ada",
        "slug": "Stargazer",
        "page_url": f"{souls.url}/souls/ada/Stargazer",
        "raw_md_url": f"{souls.url}/api/souls/ada/Stargazer.md",
    }
    for words, slugs in [("STAR", ["Stargazer"]), ("ada/", ["Stargazer", "night-owl"]), ("%20", None), ("zz", [])]:
        items = (await cast.ada.get(f"{SEARCH}?q={words}")).ok()["items"]
        assert [one["slug"] for one in items] == (
            slugs if slugs is not None else ["Stargazer", "bookkeeper", "night-owl"]
        )
    assert len((await cast.ada.get(f"{SEARCH}?limit=2")).ok()["items"]) == 2
    assert souls.asked == ["/sitemap.xml"]


async def test_index_is_read_again_after_an_hour(cast: Cast, souls: Directory) -> None:
    souls.lists("/souls/ada/one")
    (await cast.ada.get(SEARCH)).ok()
    souls.lists("/souls/ada/two")
    assert (await cast.ada.get(SEARCH)).ok()["items"][0]["slug"] == "one"
    with times.travelled(timedelta(minutes=61)):
        assert (await cast.ada.get(SEARCH)).ok()["items"][0]["slug"] == "two"


async def test_stale_answer_serves_while_the_directory_is_down(cast: Cast, souls: Directory) -> None:
    souls.lists("/souls/ada/one")
    souls.pages["/api/souls/ada/one.md"] = (200, "I am one.")
    (await cast.ada.get(SEARCH)).ok()
    (await cast.ada.get("/souls-directory/ada/one")).ok()
    souls.pages = dict.fromkeys(souls.pages, (500, "secret trace"))
    with times.travelled(timedelta(minutes=61)):
        for _ in range(3):
            assert (await cast.ada.get(SEARCH)).ok()["items"][0]["slug"] == "one"
        assert (await cast.ada.get("/souls-directory/ada/one")).ok()["content"] == "I am one."
    assert souls.asked.count("/sitemap.xml") == 2
    souls.lists("/souls/ada/two")
    with times.travelled(timedelta(minutes=63)):
        assert (await cast.ada.get(SEARCH)).ok()["items"][0]["slug"] == "two"


async def test_empty_index_is_not_cached(cast: Cast, souls: Directory) -> None:
    souls.lists()
    assert (await cast.ada.get(SEARCH)).ok() == {"items": []}
    souls.lists("/souls/ada/one")
    assert len((await cast.ada.get(SEARCH)).ok()["items"]) == 1


async def test_concurrent_callers_share_one_fetch(cast: Cast, souls: Directory) -> None:
    souls.lists("/souls/ada/one")
    souls.pause = 0.05
    answers = await asyncio.gather(*(cast.ada.get(SEARCH) for _ in range(5)))
    assert [answer.status for answer in answers] == [200] * 5 and souls.asked == ["/sitemap.xml"]


async def test_soul_is_read_by_both_addresses(cast: Cast, souls: Directory) -> None:
    souls.pages["/api/souls/ada/night-owl.md"] = (200, "# Night owl\nI see in the dark: é")
    for caller in (cast.dan, cast.atlas):
        for path in ("/ada/night-owl", "/ada/night-owl.md", "/%20ada%20/night-owl%20"):
            assert (await caller.get(f"/souls-directory{path}")).ok() == {
                "handle": "ada",
                "slug": "night-owl",
                "content": "# Night owl\nI see in the dark: é",
            }
    assert souls.asked == ["/api/souls/ada/night-owl.md"]


@pytest.mark.parametrize(
    "path", ["/%20/x", "/ada/%20", "/ada/.md", "/a.b/x", "/ada/x%2E%2E", "/-ada/x", "/ada/x%3Fy", "/é/x"]
)
async def test_invalid_soul_names_are_refused(cast: Cast, souls: Directory, path: str) -> None:
    detail = (await cast.ada.get(f"/souls-directory{path}")).refused(422)
    assert isinstance(detail, str) and ("handle" in detail or "slug" in detail)
    assert souls.asked == []


async def test_failing_directory_reveals_nothing_internal(cast: Cast, souls: Directory) -> None:
    souls.pages["/sitemap.xml"] = (500, "trace")
    assert (await cast.ada.get(SEARCH)).refused(502) == "The souls directory answered with status 500."
    assert (await cast.ada.get("/souls-directory/ada/x")).refused(502) == "The souls directory does not have this."
    souls.pages["/sitemap.xml"] = (302, "")
    assert (await cast.ada.get(SEARCH)).refused(502) == "The souls directory answered with status 302."
    souls.pages["/api/souls/ada/big.md"] = (200, "x" * 524_289)
    assert (await cast.ada.get("/souls-directory/ada/big")).refused(502) == "The souls directory sent too much."


async def test_directory_on_a_private_address_is_refused_unless_allowed() -> None:
    from mission_control.core.errors import Unreachable

    with pytest.raises(Unreachable, match="may not be reached from here"):
        await SoulsDirectory("http://127.0.0.1:9", Outbound()).search("", 1)
    with pytest.raises(Unreachable, match="has no souls directory"):
        await SoulsDirectory("", Outbound()).search("", 1)


async def test_reading_souls_needs_authentication(cast: Cast, souls: Directory) -> None:
    for path in ("/search", "/ada/x", "/ada/x.md"):
        assert (await cast.nobody.get(f"/souls-directory{path}")).refused(401) == "Unauthorized"
    for query in ("limit=0", "limit=101", "limit=x"):
        assert isinstance((await cast.ada.get(f"{SEARCH}?{query}")).refused(422), list)
