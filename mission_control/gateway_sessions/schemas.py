"""Shapes of the sessions of gateways."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.core.schemas import Body, NonEmptyStr


class GatewayQuery(BaseModel):
    """The gateway: that of a board, or one by its id. The id wins."""

    board_id: str | None = None
    gateway_id: UUID | None = None


class GatewaysStatusQuery(GatewayQuery):
    """The gateway: one by its url, which wins; else that of a board, or one by its id."""

    gateway_url: str | None = Field(None, max_length=2_000)
    gateway_token: str | None = Field(None, max_length=4_000)
    gateway_disable_device_pairing: bool | None = None
    gateway_allow_insecure_tls: bool | None = None


class GatewayCommandsQuery(BaseModel):
    """Without an id it is the gateway that was connected last."""

    gateway_id: UUID | None = None


class GatewaysStatusResponse(BaseModel):
    """Whether a gateway can be used, and its sessions."""

    connected: bool
    gateway_url: str
    sessions_count: int | None = None
    sessions: list[Any] | None = None
    main_session: dict[str, Any] | None = None
    main_session_error: str | None = None
    error: str | None = None


class GatewaySessionsResponse(BaseModel):
    """The sessions of a gateway as it describes them."""

    sessions: list[Any]
    main_session: dict[str, Any] | None = None


class GatewaySessionResponse(BaseModel):
    """A session as its gateway describes it."""

    session: Any


class GatewaySessionHistoryResponse(BaseModel):
    """The messages of a session as its gateway keeps them."""

    history: list[Any]


class GatewaySessionMessageRequest(BaseModel):
    """A message to a session. The same `idempotency_key` again sends nothing again."""

    content: NonEmptyStr
    idempotency_key: str | None = Field(None, min_length=1, max_length=200)


class GatewaySessionAbortRequest(Body):
    """Which run to end; without one all runs of the session."""

    run_id: str | None = Field(None, min_length=1, max_length=200)


class GatewaySessionAbortResponse(BaseModel):
    """Which runs were ended."""

    ok: bool
    run_ids: list[str]


class GatewayCommandsResponse(BaseModel):
    """What a gateway says that it can do."""

    protocol_version: int
    methods: list[str]
    events: list[str]
