"""Contexts: what an endpoint is and demands."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Iterable, Mapping, Optional, Union

from ._object import Field, Handle, checked, constant, listed, mask, milliseconds, raw, value, wire
from ._pki import Identity, Path, Secret, Trust
from ._tls import Conn

SESSIONS = 1024


def _version(name: Optional[str]) -> int:
    return constant("TLS", name.removeprefix("TLSv")) if name else 0


class Context(Handle):
    """What an endpoint is and demands; frozen by its first connection.

    Context("server", cert_file=..., key_file=..., ca_file=..., require_client_cert=True, alpn_protocols=["h2"])
    """

    def __init__(self, role: str, *, identity: Union[Identity, Iterable[Identity], None] = None,
                 identity_file: Optional[Path] = None, identity_data: Optional[bytes] = None,
                 cert_file: Optional[Path] = None, key_file: Optional[Path] = None,
                 cert_data: Optional[bytes] = None, key_data: Optional[bytes] = None, passphrase: Secret = "",
                 identities: Mapping[str, Union[Identity, Iterable[Identity]]] = {}, staple: Optional[bytes] = None,
                 psks: Mapping[str, bytes] = {},
                 trust: Optional[Trust] = None, ca_file: Union[Path, Iterable[Path], None] = None,
                 ca_data: Union[bytes, Iterable[bytes], None] = None,
                 require_client_cert: bool = False, request_client_cert: bool = False, post_handshake: bool = False,
                 verify_depth: Optional[int] = None, verify_flags: Union[str, Iterable[str]] = (),
                 pins: Iterable[bytes] = (), pin_mode: str = "and", staple_mode: Optional[str] = None,
                 chain_cache: Optional[int] = None,
                 alpn_protocols: Iterable[str] = (), alpn_mode: str = "fail",
                 profile: Optional[str] = None, security_level: Optional[int] = None,
                 min_version: Optional[str] = None, max_version: Optional[str] = None,
                 ciphers: Optional[str] = None, ciphersuites: Optional[str] = None, groups: Optional[str] = None,
                 signature_algorithms: Optional[str] = None, own_signature_algorithms: Optional[str] = None,
                 server_preference: Optional[bool] = None,
                 session_cache: Union[bool, int, None] = None, session_lifetime: Optional[int] = None,
                 tickets: Optional[int] = None, ticket_keys: Optional[bytes] = None,
                 ticket_rotation: Optional[int] = None,
                 handshake_timeout: Optional[float] = None, limits: Mapping[str, int] = {},
                 memory: Optional[str] = None, keylog_file: Optional[Path] = None,
                 events: Union[str, Iterable[str]] = (),
                 insecure_skip_chain: bool = False, insecure_skip_name: bool = False,
                 insecure_skip_time: bool = False, insecure_skip_purpose: bool = False,
                 insecure_legacy: bool = False):
        given = {name: option for name, option in locals().items() if name not in ("self", "role", "__class__")}
        super().__init__(raw.context_new(constant("ROLE", role)))
        _Options(self, given).set_all()

    def set_ticket_keys(self, keys: bytes) -> None:
        """Of a live server context: the first key seals, all open."""
        checked(raw.context_set_ticket_keys(self._handle, keys))

    def set_staple(self, identity: Identity, ocsp: bytes) -> None:
        """Of a live server context: the OCSP answer for one of its identities; empty for none."""
        checked(raw.context_set_staple(self._handle, identity._handle, ocsp))

    def replace(self, successor: Context) -> None:
        """Later connections take the successor's configuration; sessions and ticket keys stay."""
        checked(raw.context_replace(self._handle, successor._handle))

    def copy(self) -> Context:
        """An unfrozen twin, which shares the session cache and the ticket keys."""
        return Context._of(raw.copy(self._handle))

    frozen = Field[bool](raw.context_number, raw.CONTEXT_FROZEN, bool)
    handshakes = Field[int](raw.context_number, raw.CONTEXT_HANDSHAKES, int)
    resumptions = Field[int](raw.context_number, raw.CONTEXT_RESUMPTIONS, int)
    cache_hits = Field[int](raw.context_number, raw.CONTEXT_CACHE_HITS, int)
    cache_misses = Field[int](raw.context_number, raw.CONTEXT_CACHE_MISSES, int)
    cache_entries = Field[int](raw.context_number, raw.CONTEXT_CACHE_ENTRIES, int)
    verify_depth = Field[int](raw.context_number, raw.CONTEXT_VERIFY_DEPTH, int)
    handshake_timeout = Field[int](raw.context_number, raw.CONTEXT_HANDSHAKE_TIMEOUT, int)
    security_level = Field[int](raw.context_number, raw.CONTEXT_SECURITY_LEVEL, int)
    ciphers = Field[str](raw.context_text, raw.CONTEXT_CIPHERS, str)
    ciphersuites = Field[str](raw.context_text, raw.CONTEXT_CIPHERSUITES, str)
    groups = Field[str](raw.context_text, raw.CONTEXT_GROUPS, str)
    signatures = Field[str](raw.context_text, raw.CONTEXT_SIGNATURES, str)

    def conn(self, peer_name: str = "") -> Conn:
        return Conn(self, peer_name)


class _Options:
    """Sets what was given, in the order in which one builds on another: what is allowed, what is offered, who this end
    is, what it demands."""

    def __init__(self, context: Context, given: dict[str, Any]):
        self._handle, self._given = context._handle, given

    def set_all(self) -> None:
        self._allow_and_offer()
        with ExitStack() as borrowed:
            self._show(borrowed)
            self._trust(borrowed)
        self._demand()
        self._keep()

    def _call(self, setter: str, *arguments: Any) -> None:
        checked(getattr(raw, f"context_{setter}")(self._handle, *arguments))

    def _each(self, *names: str) -> None:
        """Options that are one call with one value."""
        for name in names:
            if self._given[name] is not None:
                option = self._given[name]
                self._call(f"set_{name}", int(option) if isinstance(option, bool) else option)

    def _insecure(self, *names: str) -> None:
        for name in names:
            if self._given[name]:
                self._call(name, 1)

    def _allow_and_offer(self) -> None:
        given = self._given
        self._insecure("insecure_legacy")
        self._each("profile", "security_level")
        if given["min_version"] or given["max_version"]:
            self._call("set_versions", _version(given["min_version"]), _version(given["max_version"]))
        self._each("ciphers", "ciphersuites", "groups", "server_preference")
        accepted, own = given["signature_algorithms"], given["own_signature_algorithms"]
        if accepted is not None or own is not None:
            self._call("set_signature_algorithms", accepted or "", own or "")
        protocols = wire(given["alpn_protocols"])
        if protocols:
            self._call("set_alpn", protocols, constant("ALPN", given["alpn_mode"]))

    def _load_identity(self) -> Optional[Identity]:
        """Made for this context alone. A key that is not named is beside its certificate."""
        given = self._given
        if given["identity_file"] is not None:
            return Identity.load_file(given["identity_file"], given["passphrase"])
        if given["identity_data"] is not None:
            return Identity.load(given["identity_data"], given["passphrase"])
        if given["cert_file"] is not None:
            return Identity.load_files(given["cert_file"], given["key_file"] or given["cert_file"],
                                       given["passphrase"])
        if given["cert_data"] is not None:
            return Identity.load_parts(given["cert_data"], given["key_data"] or given["cert_data"],
                                       given["passphrase"])
        return None

    def _show(self, borrowed: ExitStack) -> None:
        for pattern, many in self._given["identities"].items():
            for each in listed(many):
                self._call("add_identity", each._handle, pattern)
        own, loaded = listed(self._given["identity"]), self._load_identity()
        if loaded is not None:
            own.insert(0, borrowed.enter_context(loaded))
        for each in own:
            self._call("add_identity", each._handle, "")
        if self._given["staple"] is not None:
            if not own:
                raise TypeError("staple needs the identity that it speaks for")
            self._call("set_staple", own[0]._handle, self._given["staple"])
        for name, key in self._given["psks"].items():
            self._call("add_psk", name, key)

    def _trust(self, borrowed: ExitStack) -> None:
        trust, file, pem = self._given["trust"], self._given["ca_file"], self._given["ca_data"]
        if file is not None or pem is not None:
            if trust is not None:
                raise TypeError("give trust, or ca_file and ca_data, not both")
            trust = borrowed.enter_context(Trust(file=file, data=pem))
        if trust is not None:
            self._call("set_trust", trust._handle)

    def _demand(self) -> None:
        given = self._given
        if given["require_client_cert"] or given["request_client_cert"]:
            mode = "require" if given["require_client_cert"] else "request"
            self._call("set_client_certificate", constant("CLIENT_CERTIFICATE", mode))
        if given["post_handshake"]:
            self._call("set_post_handshake", 1)
        self._each("verify_depth", "chain_cache")
        if given["verify_flags"]:
            self._call("set_verify_flags", mask("VERIFY", given["verify_flags"]))
        for pin in given["pins"]:
            self._call("add_pin", pin, constant("PIN", given["pin_mode"]))
        if given["staple_mode"] is not None:
            self._call("set_staple_mode", constant("STAPLE", given["staple_mode"]))
        self._insecure("insecure_skip_chain", "insecure_skip_name", "insecure_skip_time", "insecure_skip_purpose")

    def _keep(self) -> None:
        given = self._given
        if given["session_cache"] is not None:
            self._call("set_session_cache", SESSIONS if given["session_cache"] is True else int(given["session_cache"]))
        self._each("session_lifetime", "tickets", "ticket_keys", "ticket_rotation", "keylog_file")
        if given["handshake_timeout"] is not None:
            self._call("set_handshake_timeout", milliseconds(given["handshake_timeout"]))
        for name, most in given["limits"].items():
            self._call("set_limit", constant("LIMIT", name), most)
        if given["memory"] is not None:
            self._call("set_memory", constant("POLICY", given["memory"]))
        if given["events"]:
            self._call("set_events", mask("EVENT", given["events"]))


def cipher_text(name: str) -> Optional[str]:
    """What a cipher is, in a line, by its IANA name, OpenSSL's or its number; None where nobody knows it."""
    return value(raw.cipher_text(name))
