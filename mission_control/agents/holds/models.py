"""The rows of holds."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from mission_control.core.actor import Scope
from mission_control.core.programs import program_name
from mission_control.database.records import Dated, UtcDatetimeField, nullable, reference


class Hold(Dated):
    """The workers of one account on one machine wait `until` their program may go on, or until people say otherwise.

    `kind` is why: its window is closed, its provider is overloaded, or its sign-in ended; `words` are the program's
    own. With the `answer` `stop` they wait until `resumes_at`. One hold of an account is open on a board at a time.
    """

    organization = reference("Organization")
    board = reference("Board")
    program = fields.CharField(max_length=32)
    host_label = fields.CharField(max_length=255)
    account = fields.CharField(max_length=64)
    kind = fields.CharField(max_length=16)
    words = fields.TextField()
    until = UtcDatetimeField()
    answer = nullable(fields.CharField, max_length=16)
    answered_by_user = reference("User", null=True, on_delete=fields.SET_NULL)
    answered_at = UtcDatetimeField(null=True)
    resumes_at = UtcDatetimeField(null=True)
    ended_at = UtcDatetimeField(null=True)

    organization_id: UUID
    board_id: UUID
    answered_by_user_id: UUID | None

    class Meta:
        table = "worker_holds"
        indexes = (Index(fields=("organization_id",)), Index(fields=("board_id",)))

    @property
    def worker(self) -> str:
        return f"{program_name(self.program, self.program)} on {self.host_label}"

    def scope(self) -> Scope:
        return Scope(self.organization_id, self.board_id, subject_id=self.id)


class HoldWorker(Dated):
    """An agent whose worker waits, where it is connected, and until when the worker is known to listen.

    `notified_at` is when it was told the answer of people.
    """

    hold = reference("Hold")
    agent = reference("Agent")
    connection_id = nullable(fields.UUIDField)
    listens_until = UtcDatetimeField()
    notified_at = UtcDatetimeField(null=True)

    hold_id: UUID
    agent_id: UUID

    class Meta:
        table = "hold_workers"
        unique_together = (("hold", "agent"),)
        indexes = (Index(fields=("agent_id",)),)
