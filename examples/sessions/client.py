"""Visits servers with sessions that are kept in Redis, where every process of this client finds them.

  client.py REDIS CA IDENTITY PORT...   one visit to each port, a line for each

REDIS is an address such as unix:///run/sessions.sock. What is kept there is secret: who reads it can pose as this
client until the sessions end.
"""
import sys

import redis
import tlsshim

SERVICE = "localhost"
KEY = f"tls-sessions:{SERVICE}"
MOST = 8  # sessions in store
address, ca, identity, *ports = sys.argv[1:]
store = redis.Redis.from_url(address)
context = tlsshim.Context("client", ca_file=ca, cert_file=f"{identity}.pem", key_file=f"{identity}.key")


def take():
    """The newest session, which nobody else gets then: tickets of TLS 1.3 are for one use."""
    while exported := store.lpop(KEY):
        try:
            session = tlsshim.Session(exported)
        except tlsshim.Error:
            continue  # damaged, or of another version of the library
        if session.usable:
            return session
    return None


def keep(session):
    with store.pipeline() as pipe:
        pipe.lpush(KEY, session.export()).ltrim(KEY, 0, MOST - 1).expire(KEY, session.lifetime).execute()


def connect(port):
    """A session that does not suit this client (another CA, another own certificate) costs a full handshake."""
    try:
        return tlsshim.connect(SERVICE, port, context, session=take())
    except tlsshim.Error as refusal:
        if refusal.code not in ("E_MISMATCH", "E_EXPIRED"):
            raise
        return tlsshim.connect(SERVICE, port, context)


for port in map(int, ports):
    with connect(port) as stream:
        stream.write(b"world")
        said = stream.read()
        while (session := stream.conn.session()) is not None:  # they came with the server's first bytes
            keep(session)
        stream.shutdown()
        print(f"said={said.decode()!r} resumed={stream.conn.resumed:d}", flush=True)
