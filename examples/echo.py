"""Echo over mutual TLS, both ends. TLSSHIM_RAW=swig or ctypes chooses the raw layer.

  echo.py server CA IDENTITY [PORT]   prints its port and echoes until it is stopped
  echo.py client CA IDENTITY PORT     has 1 MiB echoed, then once more over a resumed connection

CA is a file of anchors; IDENTITY.pem and IDENTITY.key say who this end is, "-" is nobody.
"""
import math
import sys

import tlsshim

PIECE, PIECES = 65536, 16


def serve(stream):
    stream.handshake()
    print(f"peer={stream.conn.peer_name} resumed={stream.conn.resumed:d}", flush=True)
    for data in stream:
        stream.write(data)
    stream.shutdown()


def server(context, port):
    with tlsshim.listen("localhost", port) as listener:
        print(f"port={listener.port}", flush=True)
        while True:
            with listener.accept(context, math.inf) as stream:
                try:
                    serve(stream)
                except tlsshim.Error as refusal:
                    print(f"refused={refusal.code}: {refusal}", flush=True)


def visit(context, port, session=None):
    with tlsshim.connect("localhost", port, context, session=session) as stream:
        for number in range(PIECES):
            sent, back = bytes([number]) * PIECE, b""
            stream.write(sent)
            while len(back) < PIECE:
                back += stream.read()
            assert back == sent, "the echo differs"
        stream.shutdown()
        assert stream.read() == b"", "bytes after the end"
        conn = stream.conn
        return conn.session(), conn.handshake_ms, (f"version={conn.version} cipher={conn.cipher} alpn={conn.alpn} "
                                                   f"peer={conn.peer_name} resumed={conn.resumed:d}")


role, ca, identity, *port = sys.argv[1:]
files = {} if identity == "-" else {"cert_file": f"{identity}.pem", "key_file": f"{identity}.key"}
try:
    with tlsshim.Context(role, ca_file=ca, require_client_cert=role == "server", min_version="TLSv1.3",
                         alpn_protocols=["h2", "http/1.1"], **files) as context:
        if role == "server":
            server(context, int(*port))
        session, first_ms, _ = visit(context, int(*port))
        _, ms, facts = visit(context, int(*port), session)
        print(f"{facts} handshake_ms={first_ms},{ms}")
except tlsshim.Error as refusal:
    sys.exit(print(f"refused={refusal.code}: {refusal}") or 1)
