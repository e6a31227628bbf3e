"""Fill the registries from features: the only place where anything is registered."""

import sys
from collections.abc import Sequence
from itertools import chain
from typing import Any

from quart import Quart

from mission_control.agents.notices import NOTICES
from mission_control.agents.page_frame import TABS
from mission_control.asks.kinds import install_kind
from mission_control.core.actor import RULES, install_rules
from mission_control.database.setup import MODEL_MODULES
from mission_control.doors.registry import install_tools
from mission_control.feature import Feature
from mission_control.gateways.events import CONNECTED, HANDLERS
from mission_control.gateways.page_frame import TABS as GATEWAY_TABS
from mission_control.http.authentication import callbacks
from mission_control.http.body_limit import BODY_LIMITS
from mission_control.http.operation_api import Api
from mission_control.http.registry import LOOKUPS, OPERATIONS, install_lookup
from mission_control.http.request_log import SECRET_PATHS
from mission_control.log import channels
from mission_control.log.commands import verb_of
from mission_control.log.event_log import ACCOUNT_KINDS, KINDS
from mission_control.log.unit_of_work import install_reactions
from mission_control.people import organization_commands
from mission_control.tasks import waiting
from mission_control.tasks.sentences import TASK_FIELDS
from mission_control.web import regions
from mission_control.web.asides import ASIDES
from mission_control.web.lists import Pages
from mission_control.web.shell import ENTRIES, SETTINGS, providers
from mission_control.work.loop import install_sender

# Fields that one feature sets, and the objects that take them.
SINGLE: tuple[tuple[Any, str], ...] = (
    (callbacks, "local_owner"),
    (callbacks, "ensure_membership"),
    (callbacks, "provider_token"),
    (callbacks, "agent_seen"),
    (callbacks, "delete_at_provider"),
    (organization_commands.callbacks, "before_removal"),
    (providers, "build_shell"),
    (providers, "needs_setup"),
    (waiting.callbacks, "explain_waiting"),
)

_installed: list[Feature] = []


def install(features: Sequence[Feature]) -> None:
    """Install features, once in a process; raises RuntimeError for what is declared twice or lacks its rule."""
    if _installed:
        return
    _installed.extend(features)
    for feature in features:
        _install_state(feature)
        _install_http(feature)
        _install_pages(feature)
        _install_background(feature)
        for target, name in SINGLE:
            _set_once(target, name, getattr(feature, name))
    check_verbs()
    check_lookups()


def serve(app: Quart, features: Sequence[Feature]) -> None:
    """Let an application serve what features have installed."""
    of_lists = (one.regions for feature in features for one in feature.blueprints if isinstance(one, Pages))
    regions.install(app, [*chain(*(feature.regions for feature in features)), *chain(*of_lists)])
    for feature in features:
        if feature.prepare is not None:
            feature.prepare(app)
        for blueprint in feature.blueprints:
            app.register_blueprint(blueprint.blueprint if isinstance(blueprint, Api) else blueprint)

    @app.before_serving
    async def begin_sending() -> None:
        for feature in features:
            for sender in feature.senders(app) if feature.senders is not None else ():
                install_sender(sender)


def _install_state(feature: Feature) -> None:
    MODEL_MODULES.extend(module.__name__ for module in feature.models if module.__name__ not in MODEL_MODULES)
    for rules in feature.rules:
        install_rules(rules)
    for reactions in feature.reactions:
        install_reactions(reactions)
    _add(KINDS, feature.kinds)
    _add(ACCOUNT_KINDS, feature.account_kinds)
    _add(TASK_FIELDS, feature.task_sentences)


def _install_http(feature: Feature) -> None:
    for blueprint in feature.blueprints:
        if isinstance(blueprint, Api):
            OPERATIONS.extend(blueprint.operations)
    for find in feature.lookups:
        install_lookup(find)
    BODY_LIMITS.extend(feature.body_limits)
    SECRET_PATHS.extend(feature.secret_paths)
    for tools in feature.tools:
        install_tools(tools)


def _install_pages(feature: Feature) -> None:
    _add(TABS, {tab.key: tab for tab in feature.agent_tabs})
    _add(GATEWAY_TABS, {tab.key: tab for tab in feature.gateway_tabs})
    _add(ASIDES, {(aside.place, aside.name): aside for aside in feature.asides})
    ENTRIES.extend(feature.palette)
    of_lists = [page for one in feature.blueprints if isinstance(one, Pages) for page in one.settings]
    _add(SETTINGS, {page.key: page for page in (*feature.settings_pages, *of_lists)})
    ENTRIES.extend(page.palette_entry for page in (*feature.settings_pages, *of_lists))
    _add(NOTICES, feature.notices)
    for one in feature.asks:
        install_kind(one)


def _install_background(feature: Feature) -> None:
    for channel, notified in feature.on_notify.items():
        channels.on_notify(channel, notified)
    for family, called in feature.on_notify_family.items():
        channels.on_notify_family(family, called)
    for name, handler in feature.gateway_events.items():
        HANDLERS.setdefault(name, []).append(handler)
    CONNECTED.extend(feature.on_gateway_connected)


def _add(registry: dict[Any, Any], more: Any) -> None:
    for key, value in more.items():
        if key in registry:
            raise RuntimeError(f"{key} is declared by two features.")
        registry[key] = value


def _set_once(target: object, name: str, value: object) -> None:
    if value is not None:
        if getattr(target, name) is not None:
            raise RuntimeError(f"Two features set {name}.")
        setattr(target, name, value)


def check_verbs() -> None:
    """Refuse a command or an operation whose verb has no rule: no feature names the rule's object."""
    asked = {one.name: one.rule for one in OPERATIONS if one.rule is not None}
    for name, module in list(sys.modules.items()):
        if name.startswith("mission_control."):
            found = {f"{name}.{key}": verb_of(value) for key, value in vars(module).items()}
            asked |= {key: verb for key, verb in found.items() if verb is not None}
    for name, verb in asked.items():
        if verb not in RULES:
            raise RuntimeError(f"{name}: the verb {verb} has no rule. Name the module's `rules` in its feature.")


def check_lookups() -> None:
    """Refuse an operation about a thing that nothing looks up: no feature names the look-up."""
    for one in OPERATIONS:
        if one.find is None and one.subject is not None and one.subject not in LOOKUPS:
            raise RuntimeError(
                f"{one.name}: no look-up finds {one.subject}. Name one in its feature, or declare `find`."
            )
