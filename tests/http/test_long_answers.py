"""Answers of several megabytes are sent piece by piece, the same bytes as otherwise."""

import gzip

import orjson
import pytest

from mission_control.http import compression
from tests.cast import Cast

pytestmark = pytest.mark.dialect


async def test_long_answer_is_the_same_in_pieces(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        await cast.add_task(title=f"Long {number}", description="aé" * 1000)
    whole = (await cast.ada.get(cast.tasks)).ok()
    one = cast.task(whole["items"][0])
    tag = (await cast.ada.get(one)).headers["ETag"]
    monkeypatch.setattr(compression, "LARGE", 1000)
    monkeypatch.setattr(compression, "PIECE", 700)
    answer = await cast.ada.get(cast.tasks)
    assert answer.ok() == whole and int(answer.headers["Content-Length"]) > 12_000
    client = cast.app.test_client(use_cookies=False)
    packed = await client.get(f"/api/v1{cast.tasks}", headers={**cast.ada.headers, "Accept-Encoding": "gzip"})
    data = bytes(await packed.get_data(as_text=False))
    assert packed.headers["Content-Encoding"] == "gzip" and orjson.loads(gzip.decompress(data)) == whole
    assert packed.headers["Content-Length"] == str(len(data))
    again = await cast.ada.get(one)
    assert again.headers["ETag"] == tag and again.ok() == whole["items"][0]
    assert (await cast.ada.get(one, headers={"If-None-Match": tag})).status == 304
