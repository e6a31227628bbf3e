"""Installs the parts of the rooms (`core/extensions.py`). They are found in the modules and listed nowhere."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules, walk_packages
from types import FunctionType, ModuleType
from typing import Any

from quart import Blueprint, Quart
from tortoise.models import ModelMeta

import mission_control
from mission_control.background import sending
from mission_control.core import current_app, extensions
from mission_control.core.actor import RULES
from mission_control.core.extensions import Part
from mission_control.database.setup import MODEL_MODULES
from mission_control.events.commands import verb_of
from mission_control.http.operation_api import Api
from mission_control.http.registry import LOOKUPS, OPERATIONS
from mission_control.server.loading import loading

# These have no parts. The command line starts the application, which is served without it; so is the client.
WITHOUT_PARTS = ("core", "database", "server", "cli", "client")

# The operations of a path in the document; paths go by their letters.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

_blueprints: list[Blueprint] = []


def install() -> None:
    """Make the parts of all rooms count, in the order of the names of their modules; a no-op when that was done.

    Everything that runs commands calls it first. Raises RuntimeError for what is declared twice or lacks its rule.
    """
    if MODEL_MODULES:
        return
    with loading():
        for part in declared_parts():
            _install(part)
    OPERATIONS.sort(key=lambda operation: (operation.path, METHODS.index(operation.method)))
    check_verbs()
    check_lookups()


def serve(app: Quart) -> None:
    install()
    current_app.keep(app)
    for function in extensions.prepare.functions:
        function(app)
    for blueprint in _blueprints:
        app.register_blueprint(blueprint)

    @app.before_serving
    async def begin_sending() -> None:
        for senders in sending.senders.functions:
            for sender in senders(app):
                sending.install_sender(sender)


def declared_parts() -> Iterator[Any]:
    """Yield what stands in the modules of the rooms under a name, alone or in a tuple, once."""
    seen: set[int] = set()
    for module in list(_modules()):
        for value in list(vars(module).values()):
            for part in value if type(value) is tuple else (value,):
                if id(part) not in seen and not _is_imported(part, module):
                    seen.add(id(part))
                    yield part


def _is_imported(part: object, module: ModuleType) -> bool:
    """Return whether a function was written in another module: it counts there, in the order of the modules."""
    if type(part) is not FunctionType or "<locals>" in part.__qualname__:
        return False
    return part.__module__ != module.__name__


def _modules() -> Iterator[ModuleType]:
    """Yield the modules of the rooms but those on demand, whose names begin with `_`: functions import them."""
    for entry in iter_modules(mission_control.__path__):
        if entry.ispkg and entry.name not in WITHOUT_PARTS:
            package = import_module(f"mission_control.{entry.name}")
            for module in walk_packages(package.__path__, f"{package.__name__}."):
                if not module.ispkg and not module.name.rpartition(".")[2].startswith("_"):
                    yield import_module(module.name)


def _install(value: Any) -> None:
    # By its exact type: a context-bound proxy of Quart cannot be asked anything outside of a request.
    kind = type(value)
    if issubclass(kind, Part):
        value.install()
    if issubclass(kind, ModelMeta) and not value._meta.abstract and value.__module__ not in MODEL_MODULES:
        MODEL_MODULES.append(value.__module__)
    if kind is FunctionType:
        for install_function in vars(value).get("parts", ()):
            install_function(value)
    if issubclass(kind, Api | Blueprint):
        _blueprints.append(value.blueprint if kind is Api else value)


def check_verbs() -> None:
    """Refuse a command or an operation whose verb has no rule."""
    verbs = {operation.name: operation.rule for operation in OPERATIONS if operation.rule is not None}
    for name, module in list(sys.modules.items()):
        if name.startswith("mission_control."):
            commands = {f"{name}.{key}": verb_of(value) for key, value in vars(module).items()}
            verbs |= {key: verb for key, verb in commands.items() if verb is not None}
    for name, verb in verbs.items():
        if verb not in RULES:
            raise RuntimeError(f"{name}: the verb {verb} has no rule.")


def check_lookups() -> None:
    """Refuse an operation about a thing that nothing looks up."""
    for operation in OPERATIONS:
        if operation.find is None and operation.subject is not None and operation.subject not in LOOKUPS:
            raise RuntimeError(f"{operation.name}: no look-up finds {operation.subject}. Mark one, or declare `find`.")
