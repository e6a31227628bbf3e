"""Notifications over HTTP."""

from mission_control.core.actor import Actor
from mission_control.core.values import Page, page
from mission_control.home import notification_queries
from mission_control.home.notification_queries import (
    NotificationQuery,
    NotificationRead,
    NotificationReading,
    UnreadCount,
)
from mission_control.home.notification_reactions import mark_read
from mission_control.http.operation_api import Api

api = Api(__name__, "users", below="/users/me/notifications")


@api.get("", Page[NotificationRead], rule="notification.read")
async def list_notifications(actor: Actor, query: NotificationQuery) -> dict[str, object]:
    """List where you were mentioned and which tasks you were given, in the active organization, newest first."""
    found, total = await notification_queries.list_notifications(actor, query)
    return page(found, total, query)


@api.post("/readings", UnreadCount, rule="notification.read")
async def mark_notifications_read(actor: Actor, data: NotificationReading) -> dict[str, int]:
    """Mark some of your notifications as read, or all until a moment; what is read already stays so."""
    await mark_read(actor, data.ids, data.until)
    return {"unread": await notification_queries.unread_count(actor)}
