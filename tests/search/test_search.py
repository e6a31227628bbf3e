"""Search: what is found, in which order, and by whom."""

from typing import Any
from urllib.parse import quote

import pytest

from mission_control.database.sql import connection, rows
from mission_control.database.sqlite.connection import is_unbounded
from mission_control.database.sqlite.engine import SafeSqliteClient
from mission_control.memory.models import BoardMemory
from mission_control.search.queries import SearchHit, snippet
from tests.cast import Caller, Cast
from tests.statements import counted
from tests.visitor import visitor

pytestmark = pytest.mark.dialect


async def found(who: Caller, q: str, more: str = "") -> list[tuple[str, str]]:
    """Return kind and id of every hit."""
    body: dict[str, Any] = (await who.get(f"/search?q={q}{more}")).ok()
    for hit in body["items"]:
        SearchHit.model_validate(hit)
    assert body["total"] == len(body["items"])
    return [(hit["kind"], hit["id"]) for hit in body["items"]]


async def test_tasks_comments_memory_and_approvals_are_found(cast: Cast) -> None:
    task = await cast.add_task(title="Calibrate the Éclair sensor", description="Use the lunar target.")
    comment = (await cast.vega.post(f"{cast.task(task)}/comments", {"message": "The zirconium filter drifts"})).ok()
    asked = await cast.ask(cast.vega, task, lead_reasoning="The obsidian shutter is risky")
    note = await BoardMemory.create(board_id=cast.board.id, content="Wavelengths live in the periwinkle folder")
    assert await found(cast.ada, "eclair") == [("task", task["id"])]
    assert await found(cast.ada, "LUNAR target") == [("task", task["id"])]
    assert await found(cast.ada, "zirc") == [("comment", comment["id"])]
    assert await found(cast.ada, "obsidian") == [("approval", asked["id"])]
    assert await found(cast.ada, "periwinkle") == [("memory", str(note.id))]
    assert await found(cast.ada, "lunar zirconium") == []


async def test_title_matches_rank_first(cast: Cast) -> None:
    text = await cast.add_task(title="Something", description="mentions the gyroscope once")
    title = await cast.add_task(title="Gyroscope")
    assert await found(cast.ada, "gyroscope") == [("task", title["id"]), ("task", text["id"])]


async def test_index_follows_changes_and_deletions(cast: Cast) -> None:
    task = await cast.add_task(title="Heliotrope")
    await cast.vega.post(f"{cast.task(task)}/comments", {"message": "heliotrope indeed"})
    (await cast.ada.patch(cast.task(task), {"title": "Marigold"})).ok()
    assert [kind for kind, _ in await found(cast.ada, "heliotrope")] == ["comment"]
    (await cast.ada.delete(cast.task(task))).ok()
    assert await found(cast.ada, "marigold") == await found(cast.ada, "heliotrope") == []
    (await cast.ada.post(f"{cast.task(task)}/restorations")).ok()
    assert await found(cast.ada, "marigold") == [("task", task["id"])]


async def test_results_are_limited_to_readable_boards(cast: Cast) -> None:
    await cast.add_task(title="Quasar")
    assert len(await found(cast.dan, "quasar")) == 1
    assert len(await found(cast.vega, "quasar")) == 1
    for stranger in (cast.eve, cast.mira, cast.nova):
        assert await found(stranger, "quasar") == []


async def test_filters_and_pages(cast: Cast) -> None:
    for number in range(5):
        await cast.add_task(title=f"Nebula {number}")
    assert await found(cast.ada, "nebula", "&kind=comment&kind=approval") == []
    assert len(await found(cast.ada, "nebula", f"&kind=task&board_id={cast.board.id}")) == 5
    page = (await cast.ada.get("/search?q=nebula&limit=2&offset=4")).ok()
    assert (len(page["items"]), page["total"], page["limit"], page["offset"]) == (1, 5, 2, 4)
    beyond = (await cast.ada.get("/search?q=nebula&limit=2&offset=6")).ok()
    assert (beyond["items"], beyond["total"]) == ([], 5)
    (await cast.ada.get("/search")).refused(422)
    (await cast.ada.get("/search?q=x&limit=101")).refused(422)


async def test_texts_are_scanned_once(cast: Cast) -> None:
    await cast.add_task(title="Nebula")
    with counted() as statements:
        assert len(await found(cast.ada, "nebula")) == 1
    assert len([one for one in statements if "WITH hits" in one]) == 1


@pytest.mark.parametrize("q", [
    "%22", "*", "-", "a%20OR", "NEAR(", "%27%29%3B--", "a:b", "(", "%26", "!", "<->", "c%2B%2B", "_", "__a_",
    "a_%20_b",
])  # fmt: skip
async def test_any_query_is_valid_syntax(cast: Cast, q: str) -> None:
    (await cast.ada.get(f"/search?q={q}")).ok()


@pytest.mark.parametrize(("text", "q"), [
    ("Released on 2026-11-24 at noon", "2026-11-24"),
    ("Released on 2026-11-24 at noon", "11 noon"),
    ("See https://docs.example.org/setup/first-steps.html#keys", "docs example"),
    ("See https://docs.example.org/setup/first-steps.html#keys", "steps.html"),
    ("Write to grace.hopper@navy.example today", "hopper today"),
    ("Write to grace.hopper@navy.example today", "navy"),
    ("It broke in mission_control/search/queries.py again", "queries.py"),
    ("It broke in mission_control/search/queries.py again", "search again"),
    ("It broke in mission_control/search/queries.py again", "mission_control"),
    ("Version 1.2.3-rc1 is out", "1.2.3"),
    ("Version 1.2.3-rc1 is out", "rc1 out"),
    ("Minus -17.5 degrees", "17.5"),
    ("Minus -17.5 degrees", "5 degrees"),
    ("A fire-and-forget call", "forget call"),
    ("<b>bold</b> &amp; brave", "bold brave"),
    ("<b>bold</b> &amp; brave", "amp"),
    ("Ticket ABC-123/456", "123 456"),
    ("Grüße an das Straßenfest: 100%", "gruße straßenfest 100"),
    ("你好 世界", "世界"),
    ("1e5 and 0x1F and 12ab", "0x1f 12ab"),
    ("snake_case_word", "case"),
    ("snake_case_word", "snake_cas"),
    ("back\\slash {brace} [square] ~tilde~ `tick` |pipe|", "slash brace square tilde tick pipe"),
])  # fmt: skip
async def test_words_match_in_any_place(cast: Cast, text: str, q: str) -> None:
    task = await cast.add_task(title="Something", description=text)
    await cast.add_task(title="Something else", description="Nothing of the kind")
    assert await found(cast.ada, quote(q)) == [("task", task["id"])]
    assert await found(cast.ada, quote(f"{q} zebra")) == []


async def test_erased_rows_leave_no_search_documents(cast: Cast) -> None:
    await cast.add_task(title="Pulsar")
    await rows("DELETE FROM tasks")
    assert await rows("SELECT 1 AS one FROM search_documents") == []
    assert await found(cast.ada, "pulsar") == []


async def test_repeated_words_are_searched_once(cast: Cast) -> None:
    task = await cast.add_task(title="Alpha and Omega")
    for words in ("a a and a", "om", "omega and omega"):
        assert [hit["id"] for hit in (await cast.ada.get(f"/search?q={quote(words)}")).ok()["items"]] == [task["id"]]


async def test_beginning_of_a_long_text_is_searched(cast: Cast) -> None:
    task = await cast.add_task(title="Long", description=f"nebula {'a ' * 150_000}quasar")
    assert await found(cast.ada, "nebula") == [("task", task["id"])]
    assert await found(cast.ada, "quasar") == []
    (await cast.ada.patch(cast.task(task), {"description": "short"})).ok()
    assert await found(cast.ada, "nebula") == []
    assert await found(cast.ada, "short") == [("task", task["id"])]


async def test_lists_search_the_first_20_000_characters(cast: Cast) -> None:
    text = f"{'Ä' * 19_990}Nebula{'b' * 500_000}quasar"
    await cast.add_task(title="Long", description=text)
    memory = f"/boards/{cast.board.id}/memory"
    (await cast.ada.post(memory, {"content": text})).ok()
    for path in (f"{cast.tasks}?q=", f"{cast.tasks}?query=", f"{memory}?q="):
        assert (await cast.ada.get(f"{path}nebula")).ok()["total"] == 1
        assert (await cast.ada.get(f"{path}%C3%84%C3%84")).ok()["total"] == 1
        assert (await cast.ada.get(f"{path}quasar")).ok()["total"] == 0


def test_snippet_shows_the_match() -> None:
    text = "x " * 200 + "needle" + " y" * 200
    cut = snippet(text, ["needle"])
    assert "needle" in cut and len(cut) <= 202 and cut.startswith("…") and cut.endswith("…")
    assert snippet("short text", ["other"]) == "short text"


@pytest.mark.once
async def test_no_search_runs_on_the_loops_thread(cast: Cast) -> None:
    """On SQLite; one step of a search may take as long as the texts are."""
    client = connection()
    if not isinstance(client, SafeSqliteClient):
        pytest.skip("PostgreSQL searches in processes of its own")
    file = await client.opened()
    assert file.reader is not None
    task = await cast.add_task(title="Long", description="a" * 300_000)
    here: list[str] = []
    file.reader.set_trace_callback(here.append)
    many = "+".join(f"word{number}" for number in range(30))
    ada = await visitor(cast.app, cast.ada)
    for path in (f"{cast.tasks}?q=a", f"{cast.tasks}?query={many}", f"{cast.home}/memory?q=a", "/search?q=a",
                 "/skills/marketplace?search=a"):  # fmt: skip
        (await cast.ada.get(path)).ok()
    for path in (f"{cast.home}?q={many}", f"{cast.home}?view=table&q=a", "/palette?q=a", "/settings/skills?q=a",
                 f"{cast.task(task)}/links?q=a"):  # fmt: skip
        (await ada.get(path)).is_status(200)
    file.reader.set_trace_callback(None)
    assert here and not [one for one in here if is_unbounded(one)]
