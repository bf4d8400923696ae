"""CPython's ssl and the library doing handshakes at once: second_user.py ssl-first|shim-first ROUNDS PEM-FILE"""
import sys
import threading

order, rounds = sys.argv[1], int(sys.argv[2])


def load_ssl():
    global ssl, hosts_defaults
    import ssl
    context = ssl.create_default_context()
    hosts_defaults = (context.minimum_version, context.maximum_version, context.options, context.security_level,
                      tuple(c["name"] for c in context.get_ciphers()))


def load_shim():
    global raw
    import tlsshim.ctypes as raw
    assert len(raw.random(16)[1]) == 16

for load in (load_ssl, load_shim) if order == "ssl-first" else (load_shim, load_ssl):
    load()


def must(result):
    assert result >= 0, raw.error_text(result)
    return result

key = must(raw.key_generate("P-256"))
cert = must(raw.cert_self_signed(key, "localhost", 30))
pem = raw.key_export(key, raw.FORMAT_PEM, "")[1] + raw.cert_export(cert, raw.FORMAT_PEM)[1]
with open(sys.argv[3], "wb") as file:
    file.write(pem)

theirs_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
theirs_server.load_cert_chain(sys.argv[3])
theirs_client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
theirs_client.load_verify_locations(sys.argv[3])
trust = must(raw.trust_new())
must(raw.trust_add_cert(trust, cert))
ours_server = must(raw.context_new(raw.ROLE_SERVER))
must(raw.context_add_identity(ours_server, must(raw.identity_new(cert, key)), ""))
ours_client = must(raw.context_new(raw.ROLE_CLIENT))
must(raw.context_set_trust(ours_client, trust))


class Theirs:
    def __init__(self, server):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = (theirs_server if server else theirs_client).wrap_bio(
            self.incoming, self.outgoing, server_side=server, server_hostname=None if server else "localhost")
        self.done = False

    def step(self):
        try:
            self.tls.do_handshake()
            self.done = True
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    def take(self, data):
        self.incoming.write(data)

    def write(self, data):
        self.tls.write(data)
        return self.outgoing.read()

    def read(self):
        return self.tls.read(100)


class Ours:
    def __init__(self, server):
        self.conn = must(raw.conn_new(ours_server if server else ours_client, "" if server else "localhost"))
        self.done = False

    def step(self):
        result = raw.conn_handshake(self.conn)
        assert result == 0 or result in (raw.WANT_FEED, raw.WANT_DRAIN), raw.error_text(result)
        self.done = result == 0
        return self.drain()

    def drain(self):
        result, data = raw.conn_drain(self.conn, 40000)
        must(result)
        return data

    def take(self, data):
        while data:
            data = data[must(raw.conn_feed(self.conn, data)):]

    def write(self, data):
        assert must(raw.conn_write(self.conn, data)) == len(data)
        return self.drain()

    def read(self):
        result, data = raw.conn_read(self.conn, 100)
        must(result)
        return data

    def __del__(self):
        raw.close(self.conn)


def connect(client, server):
    for _ in range(20):
        server.take(client.step())
        client.take(server.step())
        if client.done and server.done:
            break
    assert client.done and server.done
    server.take(client.write(b"ping"))
    assert server.read() == b"ping"
    client.take(server.write(b"pong"))
    assert client.read() == b"pong"

failures = []


def many(client, server):
    try:
        for _ in range(rounds):
            connect(client(False), server(True))
            # An error of each in between: neither may find the other's.
            assert raw.error_code(raw.cert_load(b"nonsense")) == raw.E_FORMAT
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata="nonsense")
                assert False
            except ssl.SSLError as error:
                assert "no start line" in str(error), error
    except BaseException as failure:
        failures.append(repr(failure))

threads = [threading.Thread(target=many, args=sides)
           for sides in ((Theirs, Theirs), (Ours, Ours), (Theirs, Ours), (Ours, Theirs))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not failures, failures
now = ssl.create_default_context()
assert hosts_defaults == (now.minimum_version, now.maximum_version, now.options, now.security_level,
                          tuple(c["name"] for c in now.get_ciphers()))
print("defaults", hash(hosts_defaults[:4]), len(hosts_defaults[4]))
