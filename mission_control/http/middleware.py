"""What lies around the application: one exchange for each request, one look before its handler, one after it."""

from quart import Quart, Response
from quart.typing import ResponseTypes

from mission_control.config import Settings
from mission_control.http import body_limit, health, rate_limits
from mission_control.http.asgi import Application, Receive, Scope, Send, wrap
from mission_control.http.cache_control import never_cache_personal
from mission_control.http.compression import Compression
from mission_control.http.cors import Cors
from mission_control.http.exchange import Exchange, Rules
from mission_control.http.framing import refuse_websocket
from mission_control.http.proxies import is_trusted, scope_client_ip, scope_from_proxies
from mission_control.http.request_id import id_of
from mission_control.http.safe_writes import refuse_on_pages
from mission_control.http.trailing_slash import list_declared_methods, refused_or_redirected


def install(app: Quart, settings: Settings) -> None:
    """Put the middleware around the application; call this before anything else registers request functions."""
    app.url_map.merge_slashes = False  # two slashes are not taken for one
    rate_limits.set_budgets(settings)
    body_limit.install(app, settings)
    health.install(app, settings)
    _look_before_and_after(app, settings)
    wrap(app, lambda inner: _exchanging(inner, Rules.of(settings)))


def _look_before_and_after(app: Quart, settings: Settings) -> None:
    cors, compression, limit = Cors(settings), Compression(), settings.max_body_bytes

    async def before() -> Response | None:
        if cors.is_on and (preflight := cors.preflight()) is not None:
            return preflight
        body_limit.refuse_large_body(limit)
        refuse_on_pages()
        return refused_or_redirected(app)

    async def after(response: ResponseTypes) -> ResponseTypes:
        never_cache_personal(response)
        rate_limits.add_allowance(response)
        list_declared_methods(app, response)
        if cors.is_on:
            cors.mark(response)
        if isinstance(response, Response):
            await compression.compress(response)
        return response

    app.before_request(before)
    app.after_request(after)


def _exchanging(inner: Application, rules: Rules) -> Application:
    async def exchanging(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await Exchange(rules, scope, receive, send).run(inner)
        elif scope["type"] == "websocket":  # of HTTP/2
            if is_trusted(scope_client_ip(scope), rules.trusted_proxies):
                scope = scope_from_proxies(scope, rules.trusted_proxies)
            await refuse_websocket(scope, send, id_of(scope))
        else:
            await inner(scope, receive, send)

    return exchanging
