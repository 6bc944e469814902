"""Process every call in four steps with limits: authenticate the caller, read the body, wait for a turn, do the work.

In this order, calls of strangers cost little. A body is refused first if its headers name a wrong size or type. If a
route needs a caller, the caller is authenticated before the body is read. On other routes the body must be small, and
the calls of each source are limited. A worker thread decompresses, counts, parses and validates a body when the call
has its turn, so that parsed bodies exist only for calls that are being processed.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from enum import StrEnum
from inspect import iscoroutinefunction
from typing import Any, Final, TypeVar

from fastapi import APIRouter, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api.http import bodies
from api.http.access import CALLERS, caller_of, credentials, source_of
from api.http.etags import with_tag
from api.http.limits import Budget, Limits, Rate
from api.http.request_faults import faults_of
from api.http.turns import Turns
from ledger.parties.access.attempts import source_of as one_source

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_LANE: Final = "__lane__"


class Lane(StrEnum):
    """A group of calls that share one queue and one limit for calls at the same time.

    Expensive calls have their own lanes: verifying (sends several queries to the chain), inspecting (reads or draws the
    whole history of a record), importing (reads a file) and batching (takes a large body with many statements).
    """

    LOOKING = "looking"
    ACTING = "acting"
    VERIFYING = "verifying"
    INSPECTING = "inspecting"
    IMPORTING = "importing"
    BATCHING = "batching"

    def __call__(self, endpoint: Endpoint) -> Endpoint:
        """Assign an endpoint to this lane: write ``@Lane.VERIFYING`` under its route."""
        setattr(endpoint, _LANE, self)
        return endpoint


class RecordId(StringConvertor):
    """The id of a record in an address. It matches only ULIDs, so ``/sessions/nonce`` is not ``/sessions/{id}``."""

    regex = "[0-9A-HJKMNP-TV-Z]{26}"


register_url_convertor("ulid", RecordId())


class Gate:
    """What all calls of one service share: the turns, the count of the bodies' bytes, and the rate limit for calls
    without a caller.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.budget = Budget(limits)
        self.strangers = Rate(limits.public_reserve, limits.public_per_second)
        self.entering = Turns(limits.entering, limits)
        at_once = {
            Lane.LOOKING: limits.looking,
            Lane.ACTING: limits.acting,
            Lane.VERIFYING: limits.verifying,
            Lane.INSPECTING: limits.inspecting,
            Lane.IMPORTING: limits.importing,
            Lane.BATCHING: limits.batching,
        }
        self.lanes = {lane: Turns(places, limits) for lane, places in at_once.items()}


class BoundedRoute(APIRoute):
    """A route that processes calls in the four steps of this module. ``async`` endpoints skip these steps."""

    def get_route_handler(self) -> Handler:
        """Return the framework's handler, wrapped in the four steps."""
        handle = super().get_route_handler()
        return handle if iscoroutinefunction(self.endpoint) else _Entrance(self, handle)


class Router(APIRouter):
    """A router whose routes are ``BoundedRoute``."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(route_class=BoundedRoute, **arguments)


class _Entrance:
    def __init__(self, route: APIRoute, handle: Handler) -> None:
        self._handle = handle
        self._needs_caller = not CALLERS.isdisjoint(_called(route.dependant))
        field = route.body_field
        self._body = None if field is None else _validator(field.field_info.rebuild_annotation())
        self._may_lack_body = field is not None and not field.field_info.is_required()
        usual = Lane.LOOKING if route.methods == {"GET"} else Lane.ACTING
        self._lane = getattr(route.endpoint, _LANE, usual)

    async def __call__(self, request: Request) -> Response:
        gate: Gate = request.app.state.gate
        source = one_source(source_of(request))
        if self._body is None:
            await self._enter(gate, request, source)
            response = await self._in_turn(gate, request, source)
            return with_tag(request, response) if request.method == "GET" else response
        try:
            return await self._with_body(gate, request, source)
        except ClientDisconnect:
            # The client has disconnected and will not receive this answer.
            return Response(status_code=400)

    async def _with_body(self, gate: Gate, request: Request, source: str) -> Response:
        limits = gate.limits
        most, _ = self._bounds(limits)
        bodies.require_readable(request, most)
        await self._enter(gate, request, source)
        with gate.budget.share(source) as take:
            body = await bodies.read(request, most, limits.body_seconds, take)
            return await self._in_turn(gate, request, source, body)

    async def _enter(self, gate: Gate, request: Request, source: str) -> None:
        if self._needs_caller:
            async with gate.entering.turn(source):
                request.state.caller = await run_in_threadpool(caller_of, request, *await credentials(request))
        elif self._body is not None:
            gate.strangers.count(source)

    async def _in_turn(self, gate: Gate, request: Request, source: str, body: bytes | None = None) -> Response:
        async with gate.lanes[self._lane].turn(source) as waited:
            if waited and await request.is_disconnected():
                raise ClientDisconnect
            if body is None:
                return await self._handle(request)
            return await self._handle_read(request, await run_in_threadpool(self._value, gate.limits, request, body))

    async def _handle_read(self, request: Request, value: Any) -> Response:
        """Pass a validated body to FastAPI. Faults of an invalid body are reported only after the permission checks."""
        if not isinstance(value, _Invalid):
            return await self._handle(_Read(request, value))
        try:
            return await self._handle(_Read(request, _REFUSED))
        except RequestValidationError as error:
            others = [each for each in error.errors() if each["loc"][0] != "body"]
            raise RequestValidationError([*others, *value.errors]) from None

    def _value(self, limits: Limits, request: Request, body: bytes) -> Any:
        """Return the validated value of the body, or its faults; runs in a worker thread. Raises ``BodyRefused``."""
        if self._body is None or not body:
            return _NOTHING
        most, values = self._bounds(limits)
        text = bodies.unpacked(body, request.headers.get("content-encoding", ""), most)
        if not text:
            return _NOTHING
        value = bodies.parsed(text, values, limits.body_depth)
        if value is None and self._may_lack_body:
            return None
        try:
            return self._body.validate_python(value)
        except ValidationError as error:
            return _Invalid(faults_of(error))

    def _bounds(self, limits: Limits) -> tuple[int, int]:
        """Return the maximum number of bytes and of JSON values in a request body of this route."""
        if not self._needs_caller:
            return limits.public_bytes, limits.public_values
        if self._lane is Lane.BATCHING:
            return limits.batch_bytes, limits.batch_values
        return limits.body_bytes, limits.body_values


@dataclass(frozen=True, slots=True)
class _Invalid:
    """The faults of an invalid body."""

    errors: list[dict[str, Any]]


class _Read(Request):
    """A request whose body was already read and validated; FastAPI receives the validated value unchanged."""

    def __init__(self, request: Request, value: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._value = value

    async def body(self) -> bytes:
        return b"" if self._value is _NOTHING else b"read"

    async def json(self) -> Any:
        return self._value


_NOTHING: Final = object()
# The body that FastAPI gets in place of an invalid body. No route accepts a number, so FastAPI refuses this body, but
# only after it has resolved the dependencies, which check permissions.
_REFUSED: Final = 0


def _validator(kind: Any) -> TypeAdapter[Any]:
    """Return the validator for the type of a body; raises ``TypeError`` if that type would accept ``_REFUSED``."""
    made = TypeAdapter[Any](kind)
    try:
        made.validate_python(_REFUSED)
    except ValidationError:
        return made
    raise TypeError(kind)


def _called(dependant: Dependant) -> Iterator[Callable[..., Any] | None]:
    """Yield every function that the dependencies of a route call."""
    for each in dependant.dependencies:
        yield each.call
        yield from _called(each)
