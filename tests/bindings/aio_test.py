#!/usr/bin/python3
"""tlsshim.aio, under both raw layers: this script runs itself in a Python that has them."""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

if "TLSSHIM_RAW" not in os.environ:
    import hosts
    from support.promise import run

    def under(raw):
        def promise():
            env = dict(hosts.environment(), TLSSHIM_RAW=raw, PYTHONASYNCIODEBUG="1")
            ran = subprocess.run(["/usr/bin/python3", "-X", "dev", __file__], capture_output=True, text=True, env=env,
                                 check=False, timeout=100)
            print(ran.stdout, end="")
            assert ran.returncode == 0 and ", 0 failed" in ran.stdout, ran.stdout + ran.stderr
            assert "never" not in ran.stderr, ran.stderr
        promise.__name__ = f"asyncio_over_{raw}"
        return promise
    run([under("swig"), under("ctypes")])
    raise SystemExit

import asyncio  # noqa: E402
import gc  # noqa: E402
import tempfile  # noqa: E402

import tlsshim  # noqa: E402
from support.promise import run  # noqa: E402
from tlsshim import aio  # noqa: E402

SIZE, CLIENTS = 3_000_000, 8


class Town:
    """A server that echoes, and contexts to come to it with."""

    def __init__(self):
        ca = tlsshim.ca("CN=CA")
        trust = tlsshim.Trust(cert=ca.cert)
        self.server = tlsshim.Context("server", identity=ca.issue(names=["localhost"]), trust=trust,
                                      require_client_cert=True, alpn_protocols=["h2"])
        self.client = tlsshim.Context("client", identity=ca.issue(subject="CN=c", usage="client"), trust=trust,
                                      alpn_protocols=["h2"])
        self.nobody = tlsshim.Context("client", trust=trust)
        self.heard = []

    async def __aenter__(self):
        self.listening = await aio.start_server(self.echo, "127.0.0.1", 0, self.server, self.heard.append)
        return self

    async def __aexit__(self, *_):
        self.listening.close()
        await self.listening.wait_closed()

    async def echo(self, stream):
        async for data in stream:
            await stream.write(data)
        await stream.shutdown()

    async def come(self, context, session=None):
        port = self.listening.sockets[0].getsockname()[1]
        return await aio.connect("127.0.0.1", port, context, server_name="localhost", verify_name="localhost",
                                 session=session)


def in_loop(promise):
    def ran():
        before = tlsshim.live()
        asyncio.run(asyncio.wait_for(promise(), 60))
        gc.collect()
        assert tlsshim.live() == before, f"{tlsshim.live() - before} handles are left"
    ran.__name__ = promise.__name__
    return ran


@in_loop
async def many_connections_read_and_write_at_once():
    async def client(town, number):
        async with await town.come(town.client) as stream:
            data = bytes([number]) * SIZE

            async def push():
                await stream.write(data)
                await stream.shutdown()
            pushing = asyncio.create_task(push())
            got = b"".join([part async for part in stream])
            await pushing
            assert got == data, f"{len(got)} of {SIZE} bytes"

    async with Town() as town:
        await asyncio.gather(*(client(town, number) for number in range(CLIENTS)))
        assert town.server.handshakes == CLIENTS and not town.heard


@in_loop
async def a_file_is_sent():
    async with Town() as town:
        async with await town.come(town.client) as stream:
            with tempfile.TemporaryFile() as file:
                file.write(b"abcdefghij" * 100_000)
                file.flush()
                assert await stream.sendfile(file, 999_990) == 10
                assert await stream.sendfile(file.fileno(), 5, 150_000) == 150_000
                assert await stream.sendfile(file, 1_000_000) == 0
            await stream.shutdown()
            got = b"".join([part async for part in stream])
            assert got == b"abcdefghij" + b"fghijabcde" * 15_000, len(got)


@in_loop
async def a_session_is_resumed():
    async with Town() as town:
        session = None
        for resumed in (False, True):
            async with await town.come(town.client, session) as stream:
                await stream.write(b"hello")
                assert await stream.read() == b"hello"
                assert stream.conn.resumed == resumed and stream.conn.alpn == "h2"
                session = stream.conn.session()


@in_loop
async def a_refusal_reaches_both_ends():
    async with Town() as town:
        try:
            async with await town.come(town.nobody) as stream:
                await stream.read()
            raise AssertionError("was served without a certificate")
        except tlsshim.PeerError as error:
            assert error.code == "E_REJECTED", error.code
        while not town.heard:
            await asyncio.sleep(0.01)
        assert [error.code for error in town.heard] == ["E_NO_CERTIFICATE"]


@in_loop
async def a_wait_can_be_cancelled_and_the_stream_goes_on():
    async with Town() as town:
        async with await town.come(town.client) as stream:
            try:
                await asyncio.wait_for(stream.read(), 0.05)
                raise AssertionError("nobody had sent anything")
            except asyncio.TimeoutError:
                pass
            await stream.write(b"later")
            assert await stream.read() == b"later"


@in_loop
async def an_end_without_goodbye_is_told_from_a_clean_one():
    async with Town() as town:
        async def cut(reader, writer):
            async with aio.Stream(tlsshim.Conn(town.server), reader, writer) as stream:
                await stream.handshake()
                await stream.write(b"half")
        cutting = await asyncio.start_server(cut, "127.0.0.1", 0)
        port = cutting.sockets[0].getsockname()[1]
        async with await aio.connect("127.0.0.1", port, town.client, verify_name="localhost") as stream:
            assert await stream.read() == b"half"
            try:
                await stream.read()
                raise AssertionError("was taken for a clean end")
            except tlsshim.TransportError as error:
                assert error.code == "E_TRUNCATED", error.code
        cutting.close()
        await cutting.wait_closed()


def external(identity):
    """An identity without its private key, and a handler that signs with that, after a while, as a remote one does."""
    key, asked = identity.key, []

    async def sign(event):
        asked.append(event.scheme)
        await asyncio.sleep(0.01)
        return key.sign(event.message, event.scheme)
    return tlsshim.Identity.external(identity.cert), sign, asked


class Decisions(Town):
    """Both ends ask: for signatures, and whether the peer is welcome."""

    def __init__(self, welcome):
        super().__init__()
        ca = tlsshim.ca("CN=CA")
        trust = tlsshim.Trust(cert=ca.cert)
        server, self.server_signs, self.server_asked = external(ca.issue(names=["localhost"]))
        client, self.client_signs, self.client_asked = external(ca.issue(subject="CN=c", usage="client"))
        self.server = tlsshim.Context("server", identity=server, trust=trust, require_client_cert=True,
                                      events=["hello", "sign", "verify"])
        self.client = tlsshim.Context("client", identity=client, trust=trust, events=["sign"])
        self.welcome, self.names = welcome, []

    async def __aenter__(self):
        async def verify(event):
            await asyncio.sleep(0)
            return event.conn.peer.common_name in self.welcome
        handlers = {"hello": lambda event: self.names.append(event.server_name), "sign": self.server_signs,
                    "verify": verify}
        self.listening = await aio.start_server(self.echo, "127.0.0.1", 0, self.server, self.heard.append, handlers)
        return self

    async def come(self, handlers):
        port = self.listening.sockets[0].getsockname()[1]
        return await aio.connect("127.0.0.1", port, self.client, server_name="localhost", verify_name="localhost",
                                 handlers=handlers)


@in_loop
async def handlers_may_be_coroutines():
    async with Decisions(welcome=["c"]) as town:
        streams = await asyncio.gather(*(town.come({"sign": town.client_signs}) for _ in range(CLIENTS)))
        for stream in streams:
            await stream.write(b"hello")
            assert await stream.read() == b"hello"
            stream.close()
        assert len(town.client_asked) == len(town.server_asked) == CLIENTS, (town.client_asked, town.server_asked)
        assert town.names == ["localhost"] * CLIENTS, town.names


@in_loop
async def a_host_that_refuses_is_heard_by_the_peer():
    async with Decisions(welcome=["somebody else"]) as town:
        try:
            async with await town.come({"sign": town.client_signs}) as stream:
                await stream.read()
            raise AssertionError("was served though not welcome")
        except tlsshim.PeerError as error:
            assert (error.code, error.number("alert")) == ("E_REJECTED", 46), (error.code, error.number("alert"))
        while not town.heard:
            await asyncio.sleep(0.01)
        assert [error.code for error in town.heard] == ["E_VERDICT"]


@in_loop
async def what_has_no_handler_is_left_to_the_host():
    async with Decisions(welcome=["c"]) as town:
        try:
            await town.come({})
            raise AssertionError("nobody had signed")
        except tlsshim.Want as want:
            assert want.code == "WANT_EVENT", want.code


@in_loop
async def tasks_that_come_upon_one_event_have_it_answered_once():
    async with Decisions(welcome=["c"]) as town:
        port = town.listening.sockets[0].getsockname()[1]
        conn = tlsshim.Conn(town.client, "localhost")
        async with aio.Stream(conn, *await asyncio.open_connection("127.0.0.1", port)) as stream:
            await asyncio.gather(stream.handshake({"sign": town.client_signs}), stream.write(b"one"), stream.read())
        assert len(town.client_asked) == 1, town.client_asked


if __name__ == "__main__":
    run([handlers_may_be_coroutines, a_host_that_refuses_is_heard_by_the_peer, what_has_no_handler_is_left_to_the_host,
         tasks_that_come_upon_one_event_have_it_answered_once, many_connections_read_and_write_at_once, a_file_is_sent,
         a_session_is_resumed, a_refusal_reaches_both_ends,
         a_wait_can_be_cancelled_and_the_stream_goes_on, an_end_without_goodbye_is_told_from_a_clean_one])
