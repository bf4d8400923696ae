"""One machine of a fleet: whoever holds the fleet's secret resumes what any other began.

  server.py CA IDENTITY SECRET [PORT]   prints its port, then a line for each client

SECRET is a file of at least 32 random bytes, the same on every machine. Clients must show a certificate.
"""
import math
import sys
import threading
import time

import tlsshim

PERIOD = 3600


def follow_the_clock(context, secret):
    """New keys as each period begins. Clocks may differ by a period: keys of the last and the next one open too."""
    while True:
        time.sleep(PERIOD - time.time() % PERIOD)
        context.set_ticket_keys(tlsshim.derive_ticket_keys(secret, PERIOD))


def answer(stream):
    stream.handshake()
    conn = stream.conn
    print(f"peer={conn.peer_name} verified={conn.verified:d} resumed={conn.resumed:d}", flush=True)
    for request in stream:
        stream.write(b"hello " + request)
    stream.shutdown()


ca, identity, secret_file, *port = sys.argv[1:]
with open(secret_file, "rb") as file:
    secret = file.read()
context = tlsshim.Context("server", ca_file=ca, cert_file=f"{identity}.pem", key_file=f"{identity}.key",
                          require_client_cert=True, ticket_keys=tlsshim.derive_ticket_keys(secret, PERIOD))
threading.Thread(target=follow_the_clock, args=(context, secret), daemon=True).start()
with tlsshim.listen("localhost", *map(int, port)) as listener:
    print(f"port={listener.port}", flush=True)
    while True:
        with listener.accept(context, math.inf) as stream:
            try:
                answer(stream)
            except tlsshim.Error as refusal:
                print(f"refused={refusal.code}: {refusal}", flush=True)
