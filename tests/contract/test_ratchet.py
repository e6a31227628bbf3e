"""The counts of `tools/ratchet.json` may only fall, room by room."""

import json

from tools.ratchet import FILE, counts_of, rises


def test_no_count_of_a_room_rises() -> None:
    before = json.loads(FILE.read_text(encoding="utf-8"))
    now = counts_of()
    assert rises(before, now) == []
    # A count that fell is held from now on.
    assert now == before, "Counts fell: `python -m tools.ratchet --write` stores them."
