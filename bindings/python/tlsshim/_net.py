"""Streams and listeners. Times are seconds, by default those of the object (30)."""

from __future__ import annotations

from typing import Any, Iterator, Optional

from ._context import Context
from ._event import Handlers, checked_handlers, driven
from ._object import Field, Handle, Timeout, Want, checked, data, failure, milliseconds, raw
from ._tls import PIECE, Conn, Session

ALL = (1 << 53) - 1  # bytes of a file


class _Waiter(Handle):
    timeout: float = 30.0

    def _ms(self, timeout: Optional[float]) -> int:
        return milliseconds(self.timeout if timeout is None else timeout)

    def fileno(self) -> int:
        return checked(raw.stream_fd(self._handle))


class Stream(_Waiter):
    """A socket, plain or TLS. Iterating gives what arrives until the peer's clean end."""

    _conn: Optional[Conn] = None

    def __init__(self) -> None:
        raise TypeError("connect, Listener.accept or Stream.adopt make streams")

    peer_address = Field[str](raw.stream_text, raw.STREAM_PEER_ADDRESS, str)
    peer_port = Field[int](raw.stream_number, raw.STREAM_PEER_PORT, int)
    local_address = Field[str](raw.stream_text, raw.STREAM_LOCAL_ADDRESS, str)
    local_port = Field[int](raw.stream_number, raw.STREAM_LOCAL_PORT, int)
    tls = Field[bool](raw.stream_number, raw.STREAM_TLS, bool)

    @classmethod
    def adopt(cls, fd: int, context: Optional[Context] = None, peer_name: str = "", *, take: bool = False) -> Stream:
        """Makes a stream of a connected socket; with take the stream closes it."""
        rule = raw.FD_TAKE if take else raw.FD_KEEP
        return cls._of(raw.stream_adopt(fd, context._handle if context else 0, peer_name, rule))

    def start_tls(self, context: Context, peer_name: str = "", already_read: bytes = b"") -> None:
        checked(raw.stream_start_tls(self._handle, context._handle, peer_name, already_read))

    @property
    def conn(self) -> Optional[Conn]:
        """Its engine, for questions; None of a plain stream; closed with the stream."""
        if self._conn is None:
            self._conn = Conn._of_any(raw.stream_conn(self._handle))
        return self._conn

    def close(self) -> None:
        if self._conn is not None:
            self._conn.close()
        super().close()

    def handshake(self, timeout: Optional[float] = None, handlers: Optional[Handlers] = None) -> None:
        """With handlers, functions by kind of event, these answer what this call and later ones ask. Their time is
        their own: each step after an answer has the whole timeout again."""
        conn = self.conn
        if handlers is not None and conn is not None:
            conn.handlers = checked_handlers(handlers)
        checked(driven(conn, raw.stream_handshake, self._handle, self._ms(timeout)))

    def read(self, most: int = PIECE, timeout: Optional[float] = None) -> bytes:
        """What has come, as soon as there is anything; empty at the peer's clean end."""
        return data(driven(self._conn, raw.stream_read, self._handle, most, self._ms(timeout)))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.read, b"")

    def write(self, plain: bytes, timeout: Optional[float] = None) -> None:
        """Sends all of it; if the time does not suffice, the error says how much was `written`."""
        ms, size = self._ms(timeout), len(memoryview(plain).cast("B"))
        taken = driven(self._conn, raw.stream_write, self._handle, plain, ms)
        if taken == size:
            return
        error = failure(taken if taken < 0 else raw.TIMEOUT if ms else raw.WANT_WRITE)
        if isinstance(error, (Timeout, Want)):
            error.written = max(taken, 0)
        raise error

    def sendfile(self, file: Any, offset: int = 0, count: Optional[int] = None, timeout: Optional[float] = None) -> int:
        """Sends bytes of an open file, or its descriptor: `count` of them, or to its end. Gives how many were taken:
        fewer where the file or the time ends before, 0 at the end of the file."""
        fd = file if isinstance(file, int) else file.fileno()
        return checked(driven(self._conn, raw.stream_sendfile, self._handle, fd, offset,
                              ALL if count is None else count, self._ms(timeout)))

    def flush(self, timeout: Optional[float] = None) -> None:
        checked(driven(self._conn, raw.stream_flush, self._handle, self._ms(timeout)))

    def shutdown(self, timeout: Optional[float] = None) -> None:
        """Says goodbye; reading goes on."""
        checked(driven(self._conn, raw.stream_shutdown, self._handle, self._ms(timeout)))

    @property
    def wants(self) -> int:
        return checked(raw.stream_wants(self._handle))


def connect(host: str, port: int, context: Optional[Context] = None, *, timeout: float = 30.0,
            session: Optional[Session] = None, server_name: Optional[str] = None,
            verify_name: Optional[str] = None, handlers: Optional[Handlers] = None) -> Stream:
    """Connects and shakes hands, all within the time; without a context the stream is plain. With timeout 0 the stream
    comes at once and goes on connecting in its calls, which do not wait either. Handlers are as in handshake."""
    stream = Stream._of(raw.stream_connect(host, port, context._handle if context else 0, 0))
    try:
        stream.timeout = timeout
        conn: Any = stream.conn
        if server_name is not None:
            conn.set_server_name(server_name)
        if verify_name is not None:
            conn.set_verify_name(verify_name)
        if session is not None:
            conn.set_session(session)
        if handlers is not None:
            conn.handlers = checked_handlers(handlers)
        if timeout != 0:
            stream.handshake()
    except BaseException:
        stream.close()
        raise
    return stream


class Listener(_Waiter):
    """Where a server's streams come from; port 0 is any that is free, host "" all addresses."""

    def __init__(self, host: str = "", port: int = 0, backlog: int = 0):
        super().__init__(raw.listener_new(host, port, backlog))

    @property
    def port(self) -> int:
        return checked(raw.listener_port(self._handle))

    def accept(self, context: Optional[Context] = None, timeout: Optional[float] = None) -> Stream:
        """The next stream. It has not shaken hands: reads, writes or handshake do that."""
        return Stream._of(raw.listener_accept(self._handle, context._handle if context else 0, self._ms(timeout)))


listen = Listener
