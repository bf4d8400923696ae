"""resume.py COUNT: mutual TLS in memory, each connection but the first resumed by the client's cache."""
import gc
import sys

import tlsshim

times = int(sys.argv[1])
ca = tlsshim.ca("CN=loop")
trust = tlsshim.Trust(cert=ca.cert)
server = tlsshim.Context("server", identity=ca.issue(names=["localhost"]), trust=trust, require_client_cert=True,
                         session_cache=64)
identity = ca.issue(subject="CN=client", usage="client")
client = tlsshim.Context("client", identity=identity, trust=trust, session_cache=64)


def pump(origin, to):
    while data := origin.drain():
        to.feed(data)


def step(conn):
    try:
        conn.handshake()
    except tlsshim.Want:
        pass


def visit():
    with client.conn("localhost") as a, server.conn() as b:
        for _ in range(4):
            step(a)
            pump(a, b)
            step(b)
            pump(b, a)
        assert b.write(b"x") == 1
        pump(b, a)
        assert a.read() == b"x" and b.verified
        return a.resumed and b.resumed


def resident():
    gc.collect()
    with open("/proc/self/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


assert not visit(), "the first one is full"
for _ in range(times // 10):
    assert visit(), "not resumed"
live, before = tlsshim.live(), resident()
for _ in range(times):
    assert visit(), "not resumed"
print(f"resumed={server.resumptions} leaked={tlsshim.live() - live} grown_kb={resident() - before} "
      f"cached={client.cache_entries}")
