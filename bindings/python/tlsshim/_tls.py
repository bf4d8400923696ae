"""Connections without I/O, sessions."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Callable, Iterable, List, NamedTuple, Optional

from ._event import Event, Handlers, checked_handlers, driven, handle, pending
from ._object import Field, Handle, Want, checked, constant, data, date, failure, raw, wire
from ._pki import Cert, Identity

if TYPE_CHECKING:
    from ._context import Context

PIECE = 65536


def ticket_keys(count: int = 1) -> bytes:
    """Random ticket keys, 80 bytes each."""
    return data(raw.ticket_keys_new(count))


def derive_ticket_keys(secret: bytes, period: int = 3600, now: Optional[float] = None) -> bytes:
    """The keys of a fleet that shares a secret of at least 32 random bytes: of this period, the last and the next."""
    return data(raw.ticket_keys_derive(secret, int(time.time() if now is None else now), period))


class State(NamedTuple):
    handshake_done: bool
    readable: bool
    output_pending: bool
    event_pending: bool
    peer_closed: bool
    we_closed: bool
    failed: bool
    input_ended: bool


class Peer(NamedTuple):
    """Who the peer is. The certificate is as it was sent; the chain is the one that was verified, if it was."""

    common_name: Optional[str]
    subject: Optional[str]
    names: list[str]
    fingerprint: Optional[str]
    verified: Optional[bool]
    cert: Cert
    chain: Optional[Cert]


INSECURE = ("chain", "name", "time", "purpose", "legacy")


def _insecure(bits: int) -> list[str]:
    return [name for name in INSECURE if bits & constant("INSECURE", name)]


class Conn(Handle):
    """The engine: bytes from the peer are fed, bytes for the peer are drained. Raises Want where it cannot go on."""

    handlers: Optional[Handlers] = None
    """Functions by kind of event that answer what steps ask; handshake sets them."""

    def __init__(self, context: Context, peer_name: str = ""):
        super().__init__(raw.conn_new(context._handle, peer_name))

    @cached_property
    def _answering(self) -> threading.RLock:
        """One thread answers while another waits."""
        return threading.RLock()

    version = Field[str](raw.conn_text, raw.CONN_VERSION, str)
    cipher = Field[str](raw.conn_text, raw.CONN_CIPHER, str)
    cipher_bits = Field[int](raw.conn_number, raw.CONN_CIPHER_BITS, int)
    group = Field[str](raw.conn_text, raw.CONN_GROUP, str)
    signature = Field[str](raw.conn_text, raw.CONN_SIGNATURE, str)
    peer_signature = Field[str](raw.conn_text, raw.CONN_PEER_SIGNATURE, str)
    alpn = Field[str](raw.conn_text, raw.CONN_ALPN, str)
    server_name = Field[str](raw.conn_text, raw.CONN_SERVER_NAME, str)
    verify_name = Field[str](raw.conn_text, raw.CONN_VERIFY_NAME, str)
    verify_report = Field[str](raw.conn_text, raw.CONN_VERIFY_REPORT, str)
    verify_code = Field[int](raw.conn_number, raw.CONN_VERIFY_CODE, int)
    shared_ciphers = Field[str](raw.conn_text, raw.CONN_SHARED_CIPHERS, str)
    psk_identity = Field[str](raw.conn_text, raw.CONN_PSK_IDENTITY, str)
    verified = Field[bool](raw.conn_number, raw.CONN_VERIFIED, bool)
    resumed = Field[bool](raw.conn_number, raw.CONN_RESUMED, bool)
    certificate_requested = Field[bool](raw.conn_number, raw.CONN_CERTIFICATE_REQUESTED, bool)
    hello_retry = Field[bool](raw.conn_number, raw.CONN_HELLO_RETRY, bool)
    extended_master_secret = Field[bool](raw.conn_number, raw.CONN_EXTENDED_MASTER_SECRET, bool)
    insecure = Field[List[str]](raw.conn_number, raw.CONN_INSECURE, _insecure)
    client_random = Field[bytes](raw.conn_bytes, raw.CONN_CLIENT_RANDOM, bytes)
    staple = Field[bytes](raw.conn_bytes, raw.CONN_STAPLE, bytes)
    handshake_ms = Field[int](raw.conn_number, raw.CONN_HANDSHAKE_MS, int)
    bytes_in = Field[int](raw.conn_number, raw.CONN_BYTES_IN, int)
    bytes_out = Field[int](raw.conn_number, raw.CONN_BYTES_OUT, int)

    def set_server_name(self, name: str) -> None:
        checked(raw.conn_set_server_name(self._handle, name))

    def set_verify_name(self, name: str) -> None:
        checked(raw.conn_set_verify_name(self._handle, name))

    def set_alpn(self, protocols: Iterable[str], mode: str = "fail") -> None:
        checked(raw.conn_set_alpn(self._handle, wire(protocols), constant("ALPN", mode)))

    def set_session(self, session: Session) -> None:
        checked(raw.conn_set_session(self._handle, session._handle))

    def session(self) -> Optional[Session]:
        """The newest session to come back with; None until the server has sent one."""
        return Session._of_any(raw.conn_take_session(self._handle))

    def feed(self, received: bytes) -> int:
        return checked(raw.conn_feed(self._handle, received))

    def feed_end(self) -> None:
        checked(raw.conn_feed_end(self._handle))

    def drain(self, most: int = PIECE) -> bytes:
        """Bytes to send; empty when nothing is left."""
        return data(raw.conn_drain(self._handle, most))

    @property
    def event(self) -> Optional[Event]:
        """What the connection asks; None when it asks nothing."""
        return pending(self)

    def handshake(self, handlers: Optional[Handlers] = None) -> None:
        """With handlers, functions by kind of event, these answer what this step and later ones ask."""
        if handlers is not None:
            self.handlers = checked_handlers(handlers)
        checked(driven(self, raw.conn_handshake, self._handle))

    def read(self, most: int = PIECE) -> bytes:
        """Decrypted bytes; empty after the peer's goodbye."""
        return data(driven(self, raw.conn_read, self._handle, most))

    def peek(self, most: int = PIECE) -> bytes:
        return data(driven(self, raw.conn_peek, self._handle, most))

    def write(self, plain: bytes) -> int:
        return checked(driven(self, raw.conn_write, self._handle, plain))

    def shutdown(self) -> None:
        checked(driven(self, raw.conn_shutdown, self._handle))

    def open(self, received: bytes, most: int = PIECE) -> tuple[bytes, int]:
        """Decrypts: the plaintext, and how much of the input was used; a Want says so as `taken`."""
        return _moved(self, raw.conn_open, received, most)

    def seal(self, plain: bytes, most: int = PIECE) -> tuple[bytes, int]:
        """Encrypts: the bytes to send, and how much of the input was used; a Want says so as `taken`."""
        return _moved(self, raw.conn_seal, plain, most)

    def use_identity(self, identity: Identity) -> None:
        """Before a client's handshake: shows this identity in place of the context's."""
        checked(raw.conn_use_identity(self._handle, identity._handle))

    def request_certificate(self) -> None:
        """Asks a client for its certificate after the handshake."""
        checked(raw.conn_request_certificate(self._handle))

    def cork(self, on: bool) -> None:
        checked(raw.conn_cork(self._handle, int(on)))

    def key_update(self, both: bool = False) -> None:
        checked(raw.conn_key_update(self._handle, int(both)))

    @property
    def state(self) -> State:
        bits = checked(raw.conn_state(self._handle))
        return State(*(bool(bits & constant("STATE", name)) for name in State._fields))

    @property
    def pending(self) -> int:
        return checked(raw.conn_pending(self._handle))

    @property
    def pending_out(self) -> int:
        return checked(raw.conn_pending_out(self._handle))

    @property
    def peer_cert(self) -> Optional[Cert]:
        return Cert._of_any(raw.conn_peer_cert(self._handle))

    @property
    def verified_chain(self) -> Optional[Cert]:
        return Cert._of_any(raw.conn_verified_chain(self._handle))

    @property
    def local_cert(self) -> Optional[Cert]:
        return Cert._of_any(raw.conn_local_cert(self._handle))

    @property
    def peer_name(self) -> Optional[str]:
        """The common name of the peer's certificate."""
        cert = self.peer_cert
        if cert is None:
            return None
        with cert:
            return cert.common_name

    @property
    def peer(self) -> Optional[Peer]:
        """Who the peer is, in one call; None if it has shown no certificate."""
        cert = self.peer_cert
        if cert is None:
            return None
        return Peer(cert.common_name, cert.subject, cert.names, cert.fingerprint, self.verified, cert,
                    self.verified_chain)

    def channel_binding(self, kind: str = "tls-exporter") -> bytes:
        return data(raw.conn_channel_binding(self._handle, kind))

    def export_keying(self, label: str, length: int, context: Optional[bytes] = None) -> bytes:
        with_context = int(context is not None)
        return data(raw.conn_export_keying(self._handle, label, with_context, context or b"", length))


def _moved(conn: Conn, call: Callable[..., Any], given: bytes, most: int) -> tuple[bytes, int]:
    used = 0
    while True:
        result, output, taken = call(conn._handle, given[used:] if used else given, most)
        used += taken or 0
        if result != raw.WANT_EVENT or not handle(conn):
            break
    if result >= 0 and output is not None:
        return output, used
    error = failure(result)
    if isinstance(error, Want):
        error.taken = used
    raise error


class Session(Handle):
    """What lets a client come back without a full handshake."""

    def __init__(self, exported: bytes):
        super().__init__(raw.session_load(exported))

    id = Field[str](raw.session_text, raw.SESSION_ID, str)
    peer_name = Field[str](raw.session_text, raw.SESSION_PEER_NAME, str)
    alpn = Field[str](raw.session_text, raw.SESSION_ALPN, str)
    created = Field[datetime](raw.session_number, raw.SESSION_CREATED, date)
    lifetime = Field[int](raw.session_number, raw.SESSION_LIFETIME, int)
    usable = Field[bool](raw.session_number, raw.SESSION_USABLE, bool)
    has_ticket = Field[bool](raw.session_number, raw.SESSION_HAS_TICKET, bool)

    def export(self) -> bytes:
        """A secret: who has it can pose as the client towards that server."""
        return data(raw.session_export(self._handle))
