"""TLS for asyncio: the engine between asyncio's own streams. Nothing here blocks the loop but the arithmetic.

    async with await tlsshim.aio.connect("www.test", 443, context) as stream:
        await stream.write(b"...")
        async for data in stream:
            ...
"""

from __future__ import annotations

import asyncio
import inspect
import os
from typing import Any, AsyncIterator, Awaitable, Callable, Optional

from ._context import Context
from ._event import Handlers, checked_handlers
from ._object import Error, Want
from ._tls import PIECE, Conn, Session


class Stream:
    """A TLS connection. One task may read while another writes."""

    def __init__(self, conn: Conn, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.conn = conn
        self._reader, self._writer = reader, writer
        self._sending, self._receiving, self._answering = asyncio.Lock(), asyncio.Lock(), asyncio.Lock()
        self._handlers: Handlers = {}
        self._fed, self._unfed = 0, b""

    async def _send(self) -> None:
        """Hands over all that the engine has for the peer: one task at a time, or records would change places."""
        async with self._sending:
            while data := self.conn.drain(PIECE):
                self._writer.write(data)
                await self._writer.drain()

    async def _receive(self, fed: int) -> None:
        """Feeds what the peer sent next, unless another task has done so since `fed` was read."""
        async with self._receiving:
            if self._fed != fed:
                return
            data = self._unfed or await self._reader.read(PIECE)
            self._fed += 1
            if data:
                self._unfed = data[self.conn.feed(data):]
            else:
                self.conn.feed_end()

    async def _answer(self) -> bool:
        """Whether a handler has answered what the engine asks, in this task or in another. The engine knows nothing of
        these handlers: they may be coroutines."""
        async with self._answering:
            event = self.conn.event
            if event is None:
                return True
            handler = self._handlers.get(event.kind)
            if handler is None:
                return False
            returned = handler(event)
            event.conclude(await returned if inspect.isawaitable(returned) else returned)
            return True

    async def _until_done(self, step: Callable[[], Any]) -> Any:
        """Repeats a step of the engine until nothing is in its way; the alert of a failure still goes out."""
        while True:
            fed = self._fed
            try:
                return step()
            except Want as want:
                if want.code == "WANT_EVENT":
                    if not await self._answer():
                        raise
                    continue
                await self._send()
                if want.code == "WANT_FEED":
                    await self._receive(fed)
            except Error:
                try:
                    await self._send()
                except (Error, OSError):
                    pass
                raise

    async def handshake(self, handlers: Optional[Handlers] = None) -> None:
        """With handlers, functions or coroutine functions by kind of event, these answer what this call and later ones
        ask."""
        if handlers is not None:
            self._handlers = checked_handlers(handlers)
        await self._until_done(self.conn.handshake)
        await self._send()

    async def read(self, most: int = PIECE) -> bytes:
        """What has come, as soon as there is anything; empty at the peer's clean end."""
        data = await self._until_done(lambda: self.conn.read(most))
        await self._send()
        return data

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        data = await self.read()
        if not data:
            raise StopAsyncIteration
        return data

    async def write(self, plain: bytes) -> None:
        view = memoryview(plain).cast("B")
        while view:
            taken = await self._until_done(lambda: self.conn.write(view))
            view = view[taken:]
            await self._send()

    async def sendfile(self, file: Any, offset: int = 0, count: Optional[int] = None) -> int:
        """Sends bytes of an open file, or its descriptor: `count` of them, or to its end; gives how many."""
        fd = file if isinstance(file, int) else file.fileno()
        loop, sent = asyncio.get_running_loop(), 0
        while count is None or sent < count:
            size = PIECE if count is None else min(PIECE, count - sent)
            piece = await loop.run_in_executor(None, os.pread, fd, size, offset + sent)
            if not piece:
                break
            await self.write(piece)
            sent += len(piece)
        return sent

    async def shutdown(self) -> None:
        """Says goodbye; reading goes on."""
        await self._until_done(self.conn.shutdown)
        await self._send()

    def close(self) -> None:
        """Closes the connection at once, without a goodbye."""
        self.conn.close()
        self._writer.close()

    async def __aenter__(self) -> Stream:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


async def connect(host: str, port: int, context: Context, *, session: Optional[Session] = None,
                  server_name: Optional[str] = None, verify_name: Optional[str] = None,
                  handlers: Optional[Handlers] = None) -> Stream:
    """Connects and shakes hands; asyncio.timeout or wait_for limit the time."""
    conn = Conn(context, host)
    if server_name is not None:
        conn.set_server_name(server_name)
    if verify_name is not None:
        conn.set_verify_name(verify_name)
    if session is not None:
        conn.set_session(session)
    stream = Stream(conn, *await asyncio.open_connection(host, port))
    try:
        await stream.handshake(handlers)
    except BaseException:
        stream.close()
        raise
    return stream


async def start_server(serve: Callable[[Stream], Awaitable[None]], host: str, port: int, context: Context,
                       refused: Optional[Callable[[Error], None]] = None,
                       handlers: Optional[Handlers] = None) -> asyncio.Server:
    """Serves each connection by `serve` once its handshake is done; `refused` hears of those that fail."""
    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with Stream(Conn(context), reader, writer) as stream:
            try:
                await stream.handshake(handlers)
                await serve(stream)
            except Error as error:
                if refused:
                    refused(error)
    return await asyncio.start_server(accepted, host, port)
