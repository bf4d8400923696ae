"""Events: what the host decides in the middle of a connection.

A step that needs a decision raises Want with WANT_EVENT. Conn.event is the question: its kind, details that are looked
up when asked for, and the answers. Handlers, functions by kind, answer between two steps; Python calls them, never C.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Callable, Generic, List, Mapping, Optional, Union

from ._object import T, checked, constant, data, raw, value
from ._pki import Identity

if TYPE_CHECKING:
    from ._context import Context
    from ._tls import Conn, Session

Handlers = Mapping[str, Callable[["Event"], Any]]
KINDS = {constant("EVENT", name): name for name in ("hello", "verify", "certificate", "session", "keylog", "sign")}
# What a refusal tells the peer unless it is said: handshake_failure, certificate_unknown, internal_error.
ALERTS = {"hello": 40, "verify": 46, "certificate": 80, "sign": 80}


def _numbers(listed: bytes) -> list[int]:
    """Big-endian 16-bit numbers, as IANA gives them out."""
    return [int.from_bytes(listed[at:at + 2], "big") for at in range(0, len(listed), 2)]


def _names(wire: bytes) -> list[str]:
    return data(raw.alpn_decode(wire)).split(",") if wire else []


class Detail(Generic[T]):
    """A detail of an event, looked up once while the event waits; None where it has none."""

    def __init__(self, call: Callable[[int, int], tuple[int, Any]], field: str, turn: Callable[[Any], T]):
        self._call, self._field, self._turn = call, constant("DETAIL", field), turn

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, event: Any, _: Any = None) -> Optional[T]:
        if event is None:
            return self  # type: ignore[return-value]
        if event.answered:
            return None
        found = value(self._call(event.conn._handle, self._field))
        event.__dict__[self._name] = found = None if found is None else self._turn(found)
        return found


class Event:
    """What a connection asks. It takes one answer: done, accept, refuse or sign."""

    server_name = Detail[str](raw.conn_event_text, "server_name", str)
    alpn = Detail[List[str]](raw.conn_event_bytes, "alpn", _names)
    versions = Detail[List[int]](raw.conn_event_bytes, "versions", _numbers)
    ciphers = Detail[List[int]](raw.conn_event_bytes, "ciphers", _numbers)
    groups = Detail[List[int]](raw.conn_event_bytes, "groups", _numbers)
    signatures = Detail[List[int]](raw.conn_event_bytes, "signatures", _numbers)
    verify_code = Detail[int](raw.conn_event_number, "verify_code", int)
    verify_text = Detail[str](raw.conn_event_text, "verify_code", str)
    depth = Detail[int](raw.conn_event_number, "depth", int)
    ca_names = Detail[List[str]](raw.conn_event_text, "ca_names", str.splitlines)
    keylog_line = Detail[str](raw.conn_event_text, "keylog_line", str)
    scheme = Detail[str](raw.conn_event_text, "sign_scheme", str)
    digest = Detail[str](raw.conn_event_text, "sign_digest", str)
    input = Detail[bytes](raw.conn_event_bytes, "sign_input", bytes)
    message = Detail[bytes](raw.conn_event_bytes, "sign_message", bytes)

    def __init__(self, conn: Conn, kind: str):
        self.conn, self.kind, self.answered = conn, kind, False

    def __repr__(self) -> str:
        return f"<tlsshim event {self.kind!r}{' answered' if self.answered else ''}>"

    @cached_property
    def session(self) -> Optional[Session]:
        """Of a session event: the session that came."""
        return self.conn.session()

    def _answer(self, call: Callable[..., int], *given: Any) -> None:
        checked(raw.E_STATE if self.answered else call(self.conn._handle, *given))
        self.answered = True

    def done(self) -> None:
        """Goes on with what was chosen: hello, certificate, session, keylog."""
        self._answer(raw.conn_event_done)

    def accept(self) -> None:
        """A good judgement on the peer stands; after a bad one the next step fails all the same."""
        self._answer(raw.conn_accept_peer)

    def refuse(self, alert: Optional[int] = None) -> None:
        """The next step fails with E_VERDICT, and the peer is sent the alert."""
        self._answer(raw.conn_refuse, ALERTS.get(self.kind, 80) if alert is None else alert)

    def sign(self, signature: bytes) -> None:
        self._answer(raw.conn_sign_with, signature)

    def use(self, choice: Union[Identity, Context]) -> None:
        """Records a choice, an identity or (for hello) a context; done then goes on with it."""
        call = raw.conn_use_identity if isinstance(choice, Identity) else raw.conn_use_context
        checked(raw.E_STATE if self.answered else call(self.conn._handle, choice._handle))

    def conclude(self, returned: Any) -> None:
        """What a handler has left open follows from what it returned: an identity or a context to use, True for a peer
        that is welcome, a signature. No word for a peer, and no signature, is a refusal."""
        if self.answered:
            return
        if self.kind in ("verify", "sign"):
            if not returned:
                self.refuse()
            elif self.kind == "verify":
                self.accept()
            else:
                self.sign(returned)
            return
        if self.kind in ("hello", "certificate") and returned is not None:
            self.use(returned)
        self.done()


def checked_handlers(handlers: Handlers) -> Handlers:
    for kind in handlers:
        constant("EVENT", kind)
    return handlers


def pending(conn: Conn) -> Optional[Event]:
    """What the connection asks; None when it asks nothing."""
    kind = raw.conn_event(conn._handle)
    return None if kind == raw.NONE else Event(conn, KINDS[checked(kind)])


def handle(conn: Conn) -> bool:
    """Whether a handler has answered, of this thread or of another."""
    if not conn.handlers:
        return False
    with conn._answering:
        event = pending(conn)
        if event is None:
            return True
        handler = conn.handlers.get(event.kind)
        if handler is None:
            return False
        event.conclude(handler(event))
        return True


def driven(conn: Optional[Conn], step: Callable[..., T], *arguments: Any) -> T:
    """Makes a step, again and again while handlers answer what it asks."""
    while True:
        answer = step(*arguments)
        result = answer[0] if isinstance(answer, tuple) else answer
        if result != raw.WANT_EVENT or conn is None or not handle(conn):
            return answer
