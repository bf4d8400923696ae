"""Contexts, connections without I/O, sessions."""

from __future__ import annotations

import math
import time
from datetime import datetime
from typing import Any, Iterable, Mapping, NamedTuple, Optional, Union

from ._object import Field, Handle, Want, checked, constant, data, date, failure, mask, raw
from ._pki import Cert, Identity, Path, Secret, Trust

PIECE = 65536
SESSIONS = 1024


def _version(name: Optional[str]) -> int:
    return constant("TLS", name.removeprefix("TLSv")) if name else 0


def _wire(protocols: Iterable[str]) -> bytes:
    text = ",".join(protocols)
    return data(raw.alpn_encode(text)) if text else b""


class Context(Handle):
    """What an endpoint is and demands; frozen by its first connection.

    Context("server", cert_file=..., key_file=..., ca_file=..., require_client_cert=True, alpn_protocols=["h2"])
    """

    def __init__(self, role: str, *, identity: Optional[Identity] = None, identity_file: Optional[Path] = None,
                 cert_file: Optional[Path] = None, key_file: Optional[Path] = None, passphrase: Secret = "",
                 identities: Mapping[str, Identity] = {}, trust: Optional[Trust] = None,
                 ca_file: Optional[Path] = None, require_client_cert: bool = False, request_client_cert: bool = False,
                 alpn_protocols: Iterable[str] = (), alpn_mode: str = "fail", min_version: Optional[str] = None,
                 max_version: Optional[str] = None, ciphers: Optional[str] = None, ciphersuites: Optional[str] = None,
                 groups: Optional[str] = None, verify_depth: Optional[int] = None,
                 verify_flags: Union[str, Iterable[str]] = (), tickets: Optional[int] = None,
                 session_lifetime: Optional[int] = None, session_cache: Union[bool, int, None] = None,
                 ticket_keys: Optional[bytes] = None, ticket_rotation: Optional[int] = None,
                 chain_cache: Optional[int] = None, pins: Iterable[bytes] = (), pin_mode: str = "and",
                 handshake_timeout: Optional[float] = None,
                 memory: Optional[str] = None, insecure_skip_chain: bool = False, insecure_skip_name: bool = False,
                 insecure_skip_time: bool = False, insecure_skip_purpose: bool = False):
        super().__init__(raw.context_new(constant("ROLE", role)))
        for pattern, each in identities.items():
            self._set("add_identity", each._handle, pattern)
        if identity is not None:
            self._set("add_identity", identity._handle, "")
        if identity_file is not None:
            with Identity.load_file(identity_file, passphrase) as loaded:
                self._set("add_identity", loaded._handle, "")
        if cert_file is not None:
            if key_file is None:
                raise TypeError("cert_file needs key_file")
            with Identity.load_files(cert_file, key_file, passphrase) as loaded:
                self._set("add_identity", loaded._handle, "")
        if trust is not None:
            self._set("set_trust", trust._handle)
        if ca_file is not None:
            with Trust(file=ca_file) as loaded_trust:
                self._set("set_trust", loaded_trust._handle)
        if require_client_cert or request_client_cert:
            mode = "require" if require_client_cert else "request"
            self._set("set_client_certificate", constant("CLIENT_CERTIFICATE", mode))
        protocols = _wire(alpn_protocols)
        if protocols:
            self._set("set_alpn", protocols, constant("ALPN", alpn_mode))
        if min_version or max_version:
            self._set("set_versions", _version(min_version), _version(max_version))
        if handshake_timeout is not None:
            self._set("set_handshake_timeout", milliseconds(handshake_timeout))
        if memory is not None:
            self._set("set_memory", constant("POLICY", memory))
        if verify_flags:
            self._set("set_verify_flags", mask("VERIFY", verify_flags))
        for pin in pins:
            self._set("add_pin", pin, constant("PIN", pin_mode))
        if session_cache is not None:
            self._set("set_session_cache", SESSIONS if session_cache is True else int(session_cache))
        for setter, given in (("set_ticket_keys", ticket_keys), ("set_ticket_rotation", ticket_rotation),
                              ("set_chain_cache", chain_cache), ("set_ciphers", ciphers),
                              ("set_ciphersuites", ciphersuites), ("set_groups", groups),
                              ("set_verify_depth", verify_depth), ("set_tickets", tickets),
                              ("set_session_lifetime", session_lifetime)):
            if given is not None:
                self._set(setter, given)
        for setter, on in (("insecure_skip_chain", insecure_skip_chain), ("insecure_skip_name", insecure_skip_name),
                           ("insecure_skip_time", insecure_skip_time),
                           ("insecure_skip_purpose", insecure_skip_purpose)):
            if on:
                self._set(setter, 1)

    def set_ticket_keys(self, keys: bytes) -> None:
        """Of a live server context: the first key seals, all open."""
        self._set("set_ticket_keys", keys)

    def replace(self, successor: Context) -> None:
        """Later connections take the successor's configuration; sessions and ticket keys stay."""
        self._set("replace", successor._handle)

    def _set(self, setter: str, *arguments: Any) -> None:
        checked(getattr(raw, f"context_{setter}")(self._handle, *arguments))

    frozen = Field[bool](raw.context_number, raw.CONTEXT_FROZEN, bool)
    handshakes = Field[int](raw.context_number, raw.CONTEXT_HANDSHAKES, int)
    resumptions = Field[int](raw.context_number, raw.CONTEXT_RESUMPTIONS, int)
    cache_hits = Field[int](raw.context_number, raw.CONTEXT_CACHE_HITS, int)
    cache_misses = Field[int](raw.context_number, raw.CONTEXT_CACHE_MISSES, int)
    cache_entries = Field[int](raw.context_number, raw.CONTEXT_CACHE_ENTRIES, int)
    ciphers = Field[str](raw.context_text, raw.CONTEXT_CIPHERS, str)
    ciphersuites = Field[str](raw.context_text, raw.CONTEXT_CIPHERSUITES, str)
    groups = Field[str](raw.context_text, raw.CONTEXT_GROUPS, str)

    def conn(self, peer_name: str = "") -> Conn:
        return Conn(self, peer_name)


def milliseconds(seconds: float) -> int:
    return math.ceil(min(seconds * 1000, 2**53))


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


class Conn(Handle):
    """The engine: bytes from the peer are fed, bytes for the peer are drained. Raises Want where it cannot go on."""

    def __init__(self, context: Context, peer_name: str = ""):
        super().__init__(raw.conn_new(context._handle, peer_name))

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
    verified = Field[bool](raw.conn_number, raw.CONN_VERIFIED, bool)
    resumed = Field[bool](raw.conn_number, raw.CONN_RESUMED, bool)
    certificate_requested = Field[bool](raw.conn_number, raw.CONN_CERTIFICATE_REQUESTED, bool)
    handshake_ms = Field[int](raw.conn_number, raw.CONN_HANDSHAKE_MS, int)
    bytes_in = Field[int](raw.conn_number, raw.CONN_BYTES_IN, int)
    bytes_out = Field[int](raw.conn_number, raw.CONN_BYTES_OUT, int)

    def set_server_name(self, name: str) -> None:
        checked(raw.conn_set_server_name(self._handle, name))

    def set_verify_name(self, name: str) -> None:
        checked(raw.conn_set_verify_name(self._handle, name))

    def set_alpn(self, protocols: Iterable[str], mode: str = "fail") -> None:
        checked(raw.conn_set_alpn(self._handle, _wire(protocols), constant("ALPN", mode)))

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

    def handshake(self) -> None:
        checked(raw.conn_handshake(self._handle))

    def read(self, most: int = PIECE) -> bytes:
        """Decrypted bytes; empty after the peer's goodbye."""
        return data(raw.conn_read(self._handle, most))

    def peek(self, most: int = PIECE) -> bytes:
        return data(raw.conn_peek(self._handle, most))

    def write(self, plain: bytes) -> int:
        return checked(raw.conn_write(self._handle, plain))

    def shutdown(self) -> None:
        checked(raw.conn_shutdown(self._handle))

    def open(self, received: bytes, most: int = PIECE) -> tuple[bytes, int]:
        """Decrypts: the plaintext, and how much of the input was used; a Want says so as `taken`."""
        return _moved(raw.conn_open(self._handle, received, most))

    def seal(self, plain: bytes, most: int = PIECE) -> tuple[bytes, int]:
        """Encrypts: the bytes to send, and how much of the input was used; a Want says so as `taken`."""
        return _moved(raw.conn_seal(self._handle, plain, most))

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

    def channel_binding(self, kind: str = "tls-exporter") -> bytes:
        return data(raw.conn_channel_binding(self._handle, kind))

    def export_keying(self, label: str, length: int, context: Optional[bytes] = None) -> bytes:
        with_context = int(context is not None)
        return data(raw.conn_export_keying(self._handle, label, with_context, context or b"", length))


def _moved(answer: tuple[int, Optional[bytes], Optional[int]]) -> tuple[bytes, int]:
    result, output, taken = answer
    if result >= 0 and output is not None:
        return output, taken or 0
    error = failure(result)
    if isinstance(error, Want):
        error.taken = taken or 0
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
