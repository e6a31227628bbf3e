"""Export and import as pages: a look at the file first, then the import as a job."""

import asyncio
import json
from io import BytesIO
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from werkzeug import formparser

from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.people.models import Job
from mission_control.transfer.models import BoardImport
from tests.boards.test_board_staging import the_file
from tests.cast import Cast
from tests.visitor import HERE, Seen, Visitor, visitor

PATH = "/settings/import-export"


async def upload(person: Visitor, text: bytes) -> Seen:
    """Send a file as the form does."""
    mark = uuid4().hex
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="b.json"\r\n\r\n'
    body = head.encode() + text + f"\r\n--{mark}--\r\n".encode()
    headers = {**HERE, "Accept": "text/html", "Cookie": f"mission_control={person.cookie}"}
    headers["Content-Type"] = f"multipart/form-data; boundary={mark}"
    answer = await person.app.test_client(use_cookies=False).post(PATH, headers=headers, data=body)
    read: Any = await answer.get_data(as_text=False)
    return Seen(answer.status_code, read.decode(), answer.headers)


async def test_file_is_shown_before_it_is_imported(cast: Cast) -> None:
    ada, ben = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.ben)
    file = the_file()
    file["tasks"][0]["assigned_person"] = "nobody@example.org"
    to = (await upload(ada, json.dumps(file).encode())).leads_to
    (await ada.get(to)).is_status(200).has("Import Brought", "nobody@example.org", "New tags: New", ">5<")
    (await ada.get(PATH)).has("Brought", "5 tasks, 5 comments")
    (await ben.get(to)).is_status(404)
    assert (await ada.post(f"{to}/starts")).leads_to == "/work"
    while await Job.filter(state="running").exists():
        await asyncio.sleep(0.02)
    board = await Board.get(name="Brought")
    (await ada.get("/work")).has("Import Brought", f'href="/boards/{board.id}"', "1 note")
    (await ada.get(to)).is_status(404)


async def test_other_files_are_refused_with_the_reason(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await upload(ada, b"")).is_status(422).has("Choose a file")
    (await upload(ada, b"PK\x03\x04")).is_status(422).has("no file of a board")
    (await upload(ada, b'{"name": "x"}')).is_status(422).has("no file of a board")
    wrong = the_file()
    wrong["tasks"][0]["depends_on"] = [77]
    (await upload(ada, json.dumps(wrong).encode())).is_status(422).has("77")
    assert not await BoardImport.exists()


async def test_uploaded_file_leaves_none_open(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Mock(return_value=BytesIO())
    monkeypatch.setattr(formparser, "SpooledTemporaryFile", opened)
    ada = await visitor(cast.app, cast.ada)
    (await upload(ada, json.dumps(the_file()).encode())).is_status(303)
    opened.assert_not_called()


async def test_interrupted_import_is_said_and_started_again(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    to = (await upload(ada, json.dumps(the_file()).encode())).leads_to
    fields: dict[str, Any] = {"organization_id": cast.organization.id, "user_id": cast.ada.id, "kind": "board_import"}
    ended: dict[str, Any] = {
        "state": "interrupted",
        "error": "The server stopped while this ran.",
        "finished_at": times.clock_now(),
    }
    job = await Job.create(**fields, title="Import", **ended)
    await BoardImport.all().update(job_id=job.id)
    (await ada.get(to)).has("The server stopped", "Import the board")
    assert (await ada.post(f"{to}/starts")).leads_to == "/work"
    while await Job.filter(state="running").exists():
        await asyncio.sleep(0.02)
    assert await Board.filter(name="Brought").count() == 1


async def test_readers_export_and_are_told_who_imports(cast: Cast) -> None:
    dan = await visitor(cast.app, cast.dan)
    (await dan.get(PATH)).is_status(200).has(f"/api/v1{cast.home}/export", "Owners and admins import").lacks(
        "Look at the"
    )
    (await upload(dan, json.dumps(the_file()).encode())).is_status(403)


async def test_file_is_forgotten(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    to = (await upload(ada, json.dumps(the_file()).encode())).leads_to
    assert (await ada.post(f"{to}/deletions")).leads_to == PATH
    assert not await BoardImport.exists()
