"""Words are found in whatever form they stand in: the same texts by the same words on both databases."""

from urllib.parse import quote
from uuid import UUID

import pytest

from mission_control.database import search_index
from mission_control.database.sql import rows
from mission_control.memory.models import BoardMemory
from mission_control.search import queries as search_queries
from tests.cast import Cast

pytestmark = pytest.mark.dialect

# A text of each row is found by each of its words, and by no other row's words.
FORMS = {
    # Chinese and Japanese, within phrases
    "人工智能平台的全文检索功能需要改进": ("智能", "全文检索", "检索功能", "改进", "台"),
    "修复登录页面的错误提示": ("登录", "页面", "错误提示"),
    "東京の新幹線の予約システムを更新する": ("新幹線", "予約", "システム", "更新する", "東京"),
    "ﾌﾟﾛｼﾞｪｸﾄの締め切りを確認": ("プロジェクト", "締め切り", "確認"),
    # Korean with its particles, Thai without blanks
    "데이터베이스를 백업하는 작업": ("데이터베이스", "데이터", "백업", "작업"),
    "배포한 서버에서 로그를 확인했습니다": ("서버", "로그", "확인"),
    "ระบบค้นหาข้อมูลลูกค้าภาษาไทย": ("ค้นหา", "ข้อมูล", "ลูกค้า", "ภาษาไทย"),
    # German: parts of words, ß, marks, endings
    "Die Straßenbahn hält am Hauptbahnhof": (
        "bahn",
        "strassenbahn",
        "STRASSENBAHN",
        "straßen",
        "hauptbahnhöfe",
        "halt",
    ),
    "Kündigungsfristen für Verträge prüfen": ("kundigung", "fristen", "vertrage", "Vertrags", "prüft"),
    "Überweisungen der Häuser nachrechnen": ("überweisung", "haus", "rechnen", "uberweisungen"),
    # English: hyphens, versions, endings, typos
    "Re-run the nightly jobs": ("rerun", "re-run", "run", "nightly job", "nigthly"),
    "Release v2.10.3 of the gateway": ("2.10.3", "v2.10.3", "10.3", "gatewy", "releasing"),
    "Testing the calibration of two sensors": ("test", "tests", "tested", "sensor", "calibrat", "calibraton"),
    "The customer received the receipts": ("receive", "recieved", "receipt", "custmer", "customers"),
    "An e-mail about UTF-8 in Node.js": ("email", "e-mail", "utf8", "utf-8", "nodejs", "node.js"),
    "Authentication fails in getUserName": ("authentication", "authentcation", "getuser", "username", "failing"),
    # French, Spanish, Russian, Polish, Arabic
    "Vérifier les factures impayées à l'échéance": ("facture", "verifier", "impayée", "echeance"),
    "Configuración de los servidores de pruebas": ("configuracion", "servidor", "prueba"),
    "Проверить задачи, где ошибки в отчётах": ("задача", "ошибка", "отчетах", "отчёт", "провери"),
    "Żółta łódź płynie do Gdańska": ("zolta", "lodz", "gdansk"),
    "مراجعة الفواتير المتأخرة": ("مراجعة", "فواتير", "المتأخره"),
}
QUERIES = [(text, query) for text, queries in FORMS.items() for query in queries]


@pytest.fixture
async def texts(cast: Cast) -> dict[str, str]:
    """The id of each text, which is a task's title, its description, a comment or an entry of memory in turn."""
    found = {}
    for number, text in enumerate(FORMS):
        if number % 4 == 3:
            found[text] = str((await BoardMemory.create(board_id=cast.board.id, content=text)).id)
            continue
        title, description = (text, "") if number % 4 == 0 else ("0", text if number % 4 == 1 else "")
        task = await cast.add_task(title=title, description=description)
        found[text] = str(task["id"])
        if number % 4 == 2:
            comment = (await cast.vega.post(f"{cast.task(task)}/comments", {"message": text})).ok()
            found[text] = str(comment["id"])
    return found


async def test_every_form_finds_its_text_and_no_other(cast: Cast, texts: dict[str, str]) -> None:
    assert len(QUERIES) >= 92
    wrong = []
    for text, query in QUERIES:
        hits = (await cast.ada.get(f"/search?q={quote(query)}")).ok()["items"]
        if [hit["id"] for hit in hits] != [texts[text]]:
            wrong.append((query, text, [hit["snippet"] or hit["title"] for hit in hits]))
    assert wrong == []


async def test_lists_and_memory_find_the_same_forms(cast: Cast) -> None:
    task = await cast.add_task(title="Testing the Straßenbahn", description="Vérifier les factures")
    memory = f"{cast.home}/memory"
    entry = (await cast.ada.post(memory, {"content": "Überweisungen der Häuser"})).ok()
    for word in ("tested", "strassenbahn", "verifier", "facture", "Straßenbahm"):
        for name in ("q", "query"):
            assert [one["id"] for one in (await cast.ada.get(f"{cast.tasks}?{name}={quote(word)}")).ok()["items"]] == [
                task["id"]
            ], word
    for word in ("uberweisung", "haus", "Überweisumgen"):
        found = (await cast.ada.get(f"{memory}?q={quote(word)}")).ok()["items"]
        assert [one["id"] for one in found] == [entry["id"]], word
    assert (await cast.ada.get(f"{cast.tasks}?q=tram")).ok()["total"] == 0


async def test_exact_hits_stand_before_others(cast: Cast) -> None:
    titles = ("Tset the login", "Contested logins", "Tested", "Something", "Test")
    ids = [
        (await cast.add_task(title=title, description="a test" if title == "Something" else ""))["id"]
        for title in titles
    ]
    hits = (await cast.ada.get("/search?q=test")).ok()["items"]
    assert [hit["id"] for hit in hits[:2]] == [ids[4], ids[3]]
    assert {hit["id"] for hit in hits[2:4]} == {ids[1], ids[2]}
    assert [hit["id"] for hit in hits[4:]] == [ids[0]]


async def test_index_is_filled_in_parts_and_after_losses(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    await search_queries.index()
    monkeypatch.setattr(search_index, "BATCH_CHARACTERS", 10)
    monkeypatch.setattr(search_index, "MOST_BEFORE_A_SEARCH", 2)
    ids = {(await cast.add_task(title=f"Nebula {number}"))["id"] for number in range(5)}
    totals = [(await cast.ada.get("/search?q=nebula")).ok()["total"] for _ in range(4)]
    assert totals == [1, 2, 3, 5]  # more than two wait: a text for each search
    await rows("DELETE FROM search_documents WHERE thing_id = ?", UUID(next(iter(ids))))
    assert await search_index.note_missing() == (1, 1)
    assert {hit["id"] for hit in (await cast.ada.get("/search?q=nebula")).ok()["items"]} == ids


async def test_words_of_erased_texts_are_forgotten(cast: Cast) -> None:
    await cast.add_task(title="Pulsar")
    await cast.add_task(title="Quasar")
    await search_queries.index()
    await rows("DELETE FROM tasks WHERE title = 'Pulsar'")
    await search_queries.index()
    assert [row["word"] for row in await rows("SELECT word FROM search_vocabulary")] == ["quasar"]


async def test_archived_tasks_and_their_comments_are_found_when_they_are_back(cast: Cast) -> None:
    task = await cast.add_task(title="Heliotrope", status="done")
    await cast.ada.post(f"{cast.task(task)}/comments", {"message": "heliotropes"})
    for method, number in (("POST", 0), ("DELETE", 2)):
        (await cast.ada.call(method, f"{cast.task(task)}/archivals")).ok()
        assert (await cast.ada.get("/search?q=heliotrope")).ok()["total"] == number
