"""TLS through libtlsshim: certificates, connections without I/O, sockets with deadlines.

What fails raises Error: code ("E_NAME") and the full sentence. Handles are closed by `with`, close, or the collector.
"""

from __future__ import annotations

from typing import Optional

from ._context import Context, cipher_text
from ._event import Event, Handlers
from ._net import Listener, Stream, connect, listen
from ._object import Error, PeerError, SystemFailure, Timeout, TransportError, Want, checked, constant, raw, value
from ._pki import Cert, Identity, Key, Template, Trust, ca, crl_text, ocsp_text, request_text, self_signed
from ._tls import Conn, Peer, Session, State, derive_ticket_keys, ticket_keys

__all__ = ["Cert", "Conn", "Context", "Error", "Event", "Handlers", "Identity", "Key", "Listener", "Peer", "PeerError",
           "Session", "State", "Stream", "SystemFailure", "Template", "Timeout", "TransportError", "Trust", "Want",
           "ca", "cipher_text", "connect", "crl_text", "derive_ticket_keys", "has", "listen", "live", "ocsp_text",
           "request_text", "self_signed", "ticket_keys", "version"]


def version(what: str = "shim") -> Optional[str]:
    """shim, built_with, loaded, system_trust."""
    return value(raw.version(constant("VERSION", what)))


def has(feature: str) -> bool:
    return checked(raw.has(feature)) == 1


def live(kind: Optional[str] = None) -> int:
    """Counts the open handles in this process, for leak tests."""
    return checked(raw.live(constant("KIND", kind) if kind else 0))
