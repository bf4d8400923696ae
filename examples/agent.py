"""A private key that lives in a process of its own, and a TLS server that has none.

  agent.py agent SOCKET NAME=KEYFILE...     holds keys, and signs what TLS 1.3 wants signed
  agent.py server SOCKET NAME CA CERT [PORT]  echoes over mutual TLS; its signatures come from the agent's key NAME

A request is three fields (name, scheme, message), an answer one (the signature; empty = refused), each behind its
length in four bytes. The socket is for its owner alone, who could read the key files as well: the point is that the
process which talks to the world cannot.
"""
import os
import socket
import struct
import sys
import threading

import tlsshim

# What a key signs in a TLS 1.3 handshake begins so (RFC 8446, 4.4.3): a signature for anything else is not to be had.
PREFIX = b" " * 64 + b"TLS 1.3, "
LONGEST = 65536


def send(peer, *fields):
    peer.sendall(b"".join(struct.pack("!I", len(field)) + field for field in fields))


def receive(peer):
    """One field; raises EOFError at the end."""
    def exactly(count):
        found = peer.recv(count, socket.MSG_WAITALL)
        if len(found) < count:
            raise EOFError
        return found
    (length,) = struct.unpack("!I", exactly(4))
    if length > LONGEST:
        raise EOFError
    return exactly(length) if length else b""


def sign(keys, name, scheme, message):
    """The signature, or nothing."""
    if name not in keys or not message.startswith(PREFIX):
        return b""
    try:
        return keys[name].sign(message, scheme)
    except tlsshim.Error as error:
        print(f"{name}: {error}", file=sys.stderr, flush=True)
        return b""


def serve(peer, keys):
    with peer:
        try:
            while True:
                name, scheme, message = (receive(peer) for _ in range(3))
                send(peer, sign(keys, name.decode(), scheme.decode(), message))
        except (EOFError, OSError, UnicodeDecodeError):
            pass


def agent(path, *named):
    keys = {name: tlsshim.Key.load_file(file) for name, _, file in (each.partition("=") for each in named)}
    os.umask(0o177)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print(f"keys={','.join(keys)}", flush=True)
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0], keys), daemon=True).start()


class Signer:
    """The agent, from the other side."""

    def __init__(self, path, name):
        self.name, self.peer = name, socket.socket(socket.AF_UNIX)
        self.peer.connect(path)

    def __call__(self, event):
        send(self.peer, self.name.encode(), event.scheme.encode(), event.message)
        return receive(self.peer)


def server(path, name, ca, cert, port="0"):
    ask = Signer(path, name)
    identity = tlsshim.Identity.external(tlsshim.Cert.load_file(cert))
    context = tlsshim.Context("server", identity=identity, ca_file=ca, require_client_cert=True, events="sign",
                              min_version="TLSv1.3", alpn_protocols=["h2", "http/1.1"])
    with tlsshim.listen("localhost", int(port)) as listener:
        print(f"port={listener.port}", flush=True)
        while True:
            with listener.accept(context, float("inf")) as stream:
                try:
                    stream.handshake(handlers={"sign": ask})
                    for data in stream:
                        stream.write(data)
                    stream.shutdown()
                except tlsshim.Error as refusal:
                    print(f"refused={refusal.code}: {refusal}", flush=True)


if __name__ == "__main__":
    {"agent": agent, "server": server}[sys.argv[1]](*sys.argv[2:])
