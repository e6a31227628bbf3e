"""The heads of logs: signed with every write, and what somebody without the secret key cannot hide."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from quart import Quart

from mission_control.core.secrets import audit_key
from mission_control.database.sql import rows
from mission_control.events.event_log import GENESIS, Verdict, chain_hash, use_key, verify
from mission_control.events.models import Event
from mission_control.events.position import ACCOUNT_HEAD
from mission_control.people.audit import account_log
from mission_control.people.audit.log_heads import LogHead, fault_against, heads, sign_again, sign_first_heads
from mission_control.people.models import AccountEvent, InstanceSetting, Organization
from tests.cast import Cast

pytestmark = pytest.mark.dialect


@pytest.fixture
def other_key(app: Quart) -> Iterator[None]:
    """A process with another secret key."""
    use_key(audit_key("another-secret-key-that-is-long-enough"))
    yield
    use_key(audit_key(app.config["SECRET_KEY"]))


async def kept_heads() -> dict[str, LogHead]:
    """The heads of all logs, as `audit head` prints them."""
    return {one.log: LogHead.parse(one.line()) for one in await heads()}


async def rewrite(cast: Cast, seq: int, **values: Any) -> None:
    """Change an event and compute every hash from there on anew, the head's too: all that needs no key."""
    previous = ""
    for event in await Event.filter(organization_id=cast.organization.id, seq__gte=seq).order_by("seq"):
        if event.seq == seq:
            event.update_from_dict(values)
        event.prev_hash = previous or event.prev_hash
        previous = event.hash = chain_hash(event)
        await event.save()
    await Organization.filter(id=cast.organization.id).update(log_hash=previous)


async def as_before_signatures(cast: Cast) -> None:
    """Bring the logs into the form they had before heads were signed and actors' names hashed."""
    for organization in (cast.organization, cast.elsewhere):
        previous = GENESIS
        for event in await Event.filter(organization_id=organization.id).order_by("seq"):
            event.version, event.prev_hash = 1, previous
            previous = event.hash = chain_hash(event)
            await event.save()
        await Organization.filter(id=organization.id).update(log_hash=previous, log_signature="")
    head = await account_log.read_head()
    assert head is not None
    await InstanceSetting.filter(name=ACCOUNT_HEAD).update(value=f"{head.seq}:{head.digest}")


async def test_every_write_leaves_a_signed_head(cast: Cast) -> None:
    await cast.add_task()
    found = await kept_heads()
    assert set(found) == {str(cast.organization.id), str(cast.elsewhere.id), "accounts"}
    assert {one.verdict for one in found.values()} == {Verdict.VALID}
    assert [await fault_against(one) for one in found.values()] == [None] * 3


async def test_rewritten_and_rehashed_log_is_detected(cast: Cast) -> None:
    await cast.add_task()
    kept = (await kept_heads())[str(cast.organization.id)]
    await rewrite(cast, 2, actor_name="Somebody else", message="Something else.")
    held, fault = await verify(cast.organization.id)
    assert held == kept.seq and "not signed by this installation" in str(fault)
    assert "the log was rewritten" in str(await fault_against(kept))


async def test_later_writes_do_not_sign_a_rewritten_log(cast: Cast) -> None:
    await rewrite(cast, 2, message="Something else.")
    await cast.add_task()
    await cast.add_task()
    assert "not signed by this installation" in str((await verify(cast.organization.id))[1])
    assert (await verify(cast.elsewhere.id))[1] is None


async def test_truncated_log_is_detected(cast: Cast) -> None:
    await Event.filter(organization_id=cast.organization.id).delete()
    await Organization.filter(id=cast.organization.id).update(log_seq=0, log_hash=GENESIS, log_signature="")
    await cast.add_task()
    assert "not signed" in str((await verify(cast.organization.id))[1])


async def test_restored_old_head_is_detected_with_an_external_head(cast: Cast) -> None:
    older = (await kept_heads())[str(cast.organization.id)]
    await cast.add_task()
    newer = (await kept_heads())[str(cast.organization.id)]
    await Event.filter(organization_id=cast.organization.id, seq__gt=older.seq).delete()
    await Organization.filter(id=cast.organization.id).update(
        log_seq=older.seq, log_hash=older.hash, log_signature=older.signature
    )
    assert await verify(cast.organization.id) == (older.seq, None)  # what no database alone can show
    assert await fault_against(newer) == f"Number {newer.seq} was written and is gone."


async def test_event_added_after_the_head_is_detected(cast: Cast) -> None:
    last: Any = await Event.filter(organization_id=cast.organization.id).order_by("-seq").first()
    forged = Event(**{name: getattr(last, name) for name in Event._meta.db_fields if name != "id"})
    forged.seq, forged.prev_hash = last.seq + 1, last.hash
    forged.hash = chain_hash(forged)
    await forged.save()
    assert f"Event {last.seq + 1} was added" in str((await verify(cast.organization.id))[1])


@pytest.mark.parametrize("how", ["cut", "emptied", "head removed", "head reset"])
async def test_truncated_account_log_is_detected(cast: Cast, how: str) -> None:
    kept = (await kept_heads())["accounts"]
    entries = AccountEvent.all() if how != "cut" else AccountEvent.filter(seq=kept.seq)
    await entries.delete()
    if how == "cut":
        last: Any = await AccountEvent.all().order_by("-seq").first()
        await InstanceSetting.filter(name=ACCOUNT_HEAD).update(value=f"{last.seq}:{last.hash}:{kept.signature}")
    elif how == "head removed":
        await InstanceSetting.filter(name=ACCOUNT_HEAD).delete()
    elif how == "head reset":
        await InstanceSetting.filter(name=ACCOUNT_HEAD).update(value=f"0:{GENESIS}")
    assert (await account_log.verify())[1] is not None
    assert await fault_against(kept) == f"Number {kept.seq} was written and is gone."
    await sign_first_heads()  # the next start
    assert (await account_log.verify())[1] is not None


async def test_older_logs_verify_and_their_names_are_sealed(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    await as_before_signatures(cast)
    before = {one.log: one.seq for one in await heads()}
    await sign_first_heads()
    await sign_first_heads()
    assert await verify(cast.organization.id) == (before[str(cast.organization.id)] + 1, None)
    assert await verify(cast.elsewhere.id) == (before[str(cast.elsewhere.id)] + 1, None)
    assert await account_log.verify() == (before["accounts"], None)
    await cast.add_task()
    assert (await verify(cast.organization.id))[1] is None
    await rows("UPDATE events SET actor_name = 'Somebody else' WHERE actor_name = 'Vega'")
    sealed = before[str(cast.organization.id)] + 1
    expected = f"The name of an actor in an event before event {sealed} was changed."
    assert await verify(cast.organization.id) == (sealed - 1, expected)


async def test_heads_without_signatures_are_not_signed_twice(cast: Cast) -> None:
    await Organization.all().update(log_signature="")
    await InstanceSetting.filter(name=ACCOUNT_HEAD).delete()
    await sign_first_heads()
    assert "not signed" in str((await verify(cast.organization.id))[1])
    assert await account_log.verify() == (0, "The account log has no head: it was removed.")


async def test_different_key_is_not_reported_as_tampering(cast: Cast, other_key: None) -> None:
    assert (await verify(cast.organization.id))[1] is None
    assert {one.verdict for one in await heads()} == {Verdict.OTHER_KEY}
    kept = next(iter((await kept_heads()).values()))
    assert await fault_against(kept) is None


async def test_changed_line_is_detected(cast: Cast) -> None:
    kept = (await kept_heads())["accounts"]
    assert "it was changed" in str(await fault_against(replace(kept, seq=kept.seq - 1)))


async def test_deleted_organization_is_fine_but_a_missing_one_is_reported(cast: Cast) -> None:
    theirs = (await kept_heads())[str(cast.elsewhere.id)]
    mine = (await kept_heads())[str(cast.organization.id)]
    (await cast.eve.delete("/organizations/me")).ok()
    assert await fault_against(theirs) is None
    await Organization.filter(id=cast.organization.id).delete()
    assert await fault_against(mine) == "The organization is gone, but nobody deleted it."


async def test_faulty_heads_are_resigned_on_request_and_recorded(cast: Cast) -> None:
    await Organization.filter(id=cast.organization.id).update(log_signature="")
    faulty = [one for one in await heads() if one.verdict is not Verdict.VALID]
    await sign_again(faulty)
    assert (await verify(cast.organization.id))[1] is None
    await cast.add_task()
    assert (await verify(cast.organization.id))[1] is None
    entry = await AccountEvent.get(kind="audit.heads_signed")
    assert str(cast.organization.id) in entry.data
