"""The work of bench/plain from Python: host.py swig|ctypes|ssl WORK key=value..., amounts on standard input.

WORK is bulk, sockets or resumed.

swig and ctypes are raw layers of tlsshim, ssl is CPython's own module (in memory: with MemoryBIO).
"""
import importlib
import os
import socket
import sys
import time

OPTIONS = dict(argument.split("=", 1) for argument in sys.argv[3:])
SIZE = int(OPTIONS.get("size", 16384))
SUITE = OPTIONS.get("suite", "TLS_AES_256_GCM_SHA384")
MESSAGE = b"x" * SIZE
PER_TURN = max(1, min(32, 32768 // SIZE))


def file(name):
    return os.path.join(os.environ["BENCH_CERTS"], name)


class Shim:
    def __init__(self, module):
        self.raw = importlib.import_module("tlsshim." + module)

    def must(self, result):
        number = result[0] if isinstance(result, tuple) else result
        if number < 0:
            raise RuntimeError(self.raw.error_text(number)[1])
        return result

    def contexts(self):
        raw, must = self.raw, self.must
        trust = raw.trust_new()
        must(raw.trust_add_file(trust, file("ca.pem")))
        client, server = raw.context_new(raw.ROLE_CLIENT), raw.context_new(raw.ROLE_SERVER)
        must(raw.context_set_trust(client, trust))
        cert, key = must(raw.cert_load_file(file("server.pem"))), must(raw.key_load_file(file("server.key"), ""))
        must(raw.context_add_identity(server, must(raw.identity_new(cert, key)), ""))
        for context in client, server:
            must(raw.context_set_ciphersuites(context, SUITE))
            must(raw.context_set_memory(context, raw.POLICY_BUSY_FAST))
        return client, server

    def connect_memory(self):
        raw, must = self.raw, self.must
        client_context, server_context = self.contexts()
        client, server = must(raw.conn_new(client_context, "localhost")), must(raw.conn_new(server_context, ""))
        for _ in range(4):
            for one, other in ((client, server), (server, client)):
                raw.conn_handshake(one)
                data = must(raw.conn_drain(one, 65536))[1]
                if data:
                    must(raw.conn_feed(other, data))
        data = must(raw.conn_seal(server, b"x", 65536))[1]
        assert raw.conn_open(client, data, 1)[0] == 1
        self.client, self.server = client, server

    def bulk(self, amount):
        seal, unseal, client, server = self.raw.conn_seal, self.raw.conn_open, self.client, self.server
        for _ in range(amount):
            data = seal(client, MESSAGE, 17000)[1]
            if unseal(server, data, SIZE)[0] != SIZE:
                raise RuntimeError("bytes were lost")

    def connect_resumed(self):
        self.client_context, self.server_context = self.contexts()
        self.must(self.raw.context_set_session_cache(self.client_context, 8))
        assert not self.one()

    def one(self):
        """A connection in memory with a byte each way, resumed by the client's cache; as bench/shim/handshake.c."""
        raw, must = self.raw, self.must
        client = must(raw.conn_new(self.client_context, "localhost"))
        server = must(raw.conn_new(self.server_context, ""))
        handshake, drain, feed = raw.conn_handshake, raw.conn_drain, raw.conn_feed
        waiting = True
        while waiting:
            waiting = False
            for one, other in ((client, server), (server, client)):
                result = handshake(one)
                data = must(drain(one, 65536))[1]
                if data:
                    must(feed(other, data))
                waiting = waiting or result != 0
        data = must(raw.conn_seal(client, b"x", 65536))[1]
        assert raw.conn_open(server, data, 1)[0] == 1
        data = must(raw.conn_seal(server, b"x", 65536))[1]
        assert raw.conn_open(client, data, 1)[0] == 1
        resumed = must(raw.conn_number(client, raw.CONN_RESUMED))[1]
        for end in (client, server):
            must(raw.conn_shutdown(end) and 0)
            raw.close(end)
        return resumed

    def resumed(self, amount):
        for _ in range(amount):
            assert self.one()

    def connect_sockets(self):
        raw, must = self.raw, self.must
        self.held = socket.socketpair()
        client_context, server_context = self.contexts()
        self.client = must(raw.stream_adopt(self.held[0].fileno(), client_context, "localhost", raw.FD_KEEP))
        self.server = must(raw.stream_adopt(self.held[1].fileno(), server_context, "", raw.FD_KEEP))
        done = False
        while not done:
            done = [raw.stream_handshake(stream, 0) for stream in (self.client, self.server)] == [0, 0]
        must(raw.stream_write(self.server, b"x", 1000))
        must(raw.stream_read(self.client, 1, 1000))

    def sockets(self, amount):
        write, read, client, server = self.raw.stream_write, self.raw.stream_read, self.client, self.server
        while amount > 0:
            turn = min(amount, PER_TURN)
            for _ in range(turn):
                if write(client, MESSAGE, 10000) != SIZE:
                    raise RuntimeError("a message was cut")
            left = turn * SIZE
            while left > 0:
                left -= self.must(read(server, 16384, 10000))[0]
            amount -= turn


class Ssl:
    def contexts(self):
        import ssl
        client, server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        client.load_verify_locations(file("ca.pem"))
        server.load_cert_chain(file("server.pem"), file("server.key"))
        return client, server

    def connect_memory(self):
        import ssl
        client_context, server_context = self.contexts()
        self.up, self.down = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.inbound, self.back = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client_context.wrap_bio(self.back, self.up, server_hostname="localhost")
        self.server = server_context.wrap_bio(self.inbound, self.down, server_side=True)
        for _ in range(4):
            for one, out, into in ((self.client, self.up, self.inbound), (self.server, self.down, self.back)):
                try:
                    one.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                into.write(out.read())
        self.server.write(b"x")
        self.back.write(self.down.read())
        assert self.client.read(1) == b"x"

    def bulk(self, amount):
        client, server, up, inbound = self.client, self.server, self.up, self.inbound
        for _ in range(amount):
            client.write(MESSAGE)
            inbound.write(up.read())
            if len(server.read(SIZE)) != SIZE:
                raise RuntimeError("bytes were lost")

    def connect_resumed(self):
        self.client_context, self.server_context = self.contexts()
        self.session = None
        assert not self.one()

    def one(self):
        import ssl
        up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = self.client_context.wrap_bio(down, up, server_hostname="localhost", session=self.session)
        server = self.server_context.wrap_bio(up, down, server_side=True)
        waiting = [client, server]
        while waiting:
            for end in list(waiting):
                try:
                    end.do_handshake()
                    waiting.remove(end)
                except ssl.SSLWantReadError:
                    pass
        client.write(b"x")
        assert server.read(1) == b"x"
        server.write(b"x")
        assert client.read(1) == b"x"
        self.session = client.session
        for end in (client, server):
            try:
                end.unwrap()
            except ssl.SSLWantReadError:
                pass
        return client.session_reused

    def resumed(self, amount):
        for _ in range(amount):
            assert self.one()

    def connect_sockets(self):
        import ssl
        client_context, server_context = self.contexts()
        one, other = socket.socketpair()
        one.setblocking(False)
        other.setblocking(False)
        self.client = client_context.wrap_socket(one, server_hostname="localhost", do_handshake_on_connect=False)
        self.server = server_context.wrap_socket(other, server_side=True, do_handshake_on_connect=False)
        waiting = [self.client, self.server]
        while waiting:
            for end in list(waiting):
                try:
                    end.do_handshake()
                    waiting.remove(end)
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    pass
        for end in (self.client, self.server):
            end.settimeout(10)
        self.server.sendall(b"x")
        assert self.client.recv(1) == b"x"

    def sockets(self, amount):
        send, receive = self.client.send, self.server.recv
        while amount > 0:
            turn = min(amount, PER_TURN)
            for _ in range(turn):
                if send(MESSAGE) != SIZE:
                    raise RuntimeError("a message was cut")
            left = turn * SIZE
            while left > 0:
                left -= len(receive(16384))
            amount -= turn


def main():
    host = Ssl() if sys.argv[1] == "ssl" else Shim(sys.argv[1])
    {"bulk": host.connect_memory, "sockets": host.connect_sockets, "resumed": host.connect_resumed}[sys.argv[2]]()
    work = getattr(host, sys.argv[2])
    for line in sys.stdin:
        wall, cpu = time.monotonic(), time.process_time()
        work(int(line))
        print(f"{time.process_time() - cpu:.9f} {time.monotonic() - wall:.9f}", flush=True)


main()
