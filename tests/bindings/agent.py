"""agent.py FD FOLDER COUNT: mutual TLS in memory, with both private keys behind a socket, while the collector works."""
import gc
import struct
import sys
import threading

import tlsshim

fd, folder, times = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
agent = tlsshim.Stream.adopt(fd)
counts = {"signed": 0, "collections": 0}


def receive(count):
    found = b""
    while len(found) < count:
        found += agent.read(count - len(found))
    return found


def signer(name):
    def sign(event):
        counts["signed"] += 1
        fields = name, event.scheme.encode(), event.message
        agent.write(b"".join(struct.pack("!I", len(field)) + field for field in fields))
        return receive(*struct.unpack("!I", receive(4)))
    return {"sign": sign}


def collect(ended):
    while not ended.wait(0.002):
        gc.collect()
        counts["collections"] += 1


trust = tlsshim.Trust(file=f"{folder}/root.pem")


def context(role):
    identity = tlsshim.Identity.external(tlsshim.Cert.load_file(f"{folder}/{role}.pem"))
    return tlsshim.Context(role, identity=identity, trust=trust, events="sign", require_client_cert=role == "server",
                           session_cache=64 if role == "server" else None)


client, server = context("client"), context("server")
at_client, at_server = signer(b"client"), signer(b"server")


def pump(origin, to):
    while data := origin.drain():
        to.feed(data)


def step(conn, handlers):
    try:
        conn.handshake(handlers)
        return True
    except tlsshim.Want:
        return False


def visit():
    with client.conn("localhost") as a, server.conn() as b:
        done = False
        while not done:
            done = step(a, at_client)
            pump(a, b)
            done = step(b, at_server) and done
            pump(b, a)
        assert b.write(b"x") == 1
        pump(b, a)
        assert a.read() == b"x" and a.verified and b.verified and not a.resumed


def resident():
    gc.collect()
    with open("/proc/self/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


gc.set_threshold(5, 2, 2)
ended = threading.Event()
collector = threading.Thread(target=collect, args=(ended,))
collector.start()
for _ in range(20):
    visit()
live, before = tlsshim.live(), resident()
counts["signed"] = 0
for _ in range(times):
    visit()
ended.set()
collector.join()
print(f"signed={counts['signed']} collections={counts['collections']} leaked={tlsshim.live() - live} "
      f"grown_kb={resident() - before}")
