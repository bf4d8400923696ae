#!/usr/bin/python3
"""Certificates after the handshake (TLS 1.3) with openssl s_client, s_server and CPython's ssl."""
import contextlib
import pathlib
import socket
import ssl
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.interop import PATIENCE, OursServing, Program, crt, holds, identity, key, ours_connects, with_program
from support.promise import run

MUTUAL = ("-cert", crt("client"), "-cert_chain", crt("client"), "-key", key("client"))


def s_client(port, *options, lines=2):
    """Sends lines and waits for the echo of each: an answer goes out while it reads."""
    with Program("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", crt("root"), "-quiet",
                 "-no_ign_eof", "-verify_return_error", *options) as client:
        for number in range(lines):
            client.say(b"line %d\n" % number)
            client.expect(b"line %d\n" % number)
        client.hang_up()
        client.process.wait(PATIENCE)


def s_client_shows_its_certificate_when_our_server_asks():
    for with_session in (0, 10):
        with OursServing(post=1, cache=with_session) as server:
            s_client(server.port, "-enable_pha", *MUTUAL)
            holds(server.facts(), version="TLSv1.3", requested=0, verified=1, peer="client.test", bytes=14, end="OK")


def s_client_may_have_none_to_show():
    with OursServing(post=1) as server:
        s_client(server.port, "-enable_pha")
        facts = server.facts()
        holds(facts, requested=0, verified=0, bytes=14, end="OK")
        assert "peer" not in facts, facts


def our_server_refuses_what_s_client_shows_late():
    with OursServing(post=1) as server:
        with Program("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-enable_pha", "-cert",
                     crt("other-client"), "-key", key("other-client")) as client:
            client.say(b"hello\n")
            line = server.expect(rb"(.*)\n").group(1).decode()
            assert "verified=0" in line and "error=E_VERIFY" in line, line
            client.expect(rb"alert unknown ca")


def s_client_that_did_not_offer_is_not_asked():
    with OursServing(post=1) as server:
        with Program("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-quiet", *MUTUAL) as client:
            client.say(b"hello\n")
            assert "error=E_UNSUPPORTED" in server.expect(rb".*\n").group().decode()


def our_client_shows_its_certificate_when_s_server_asks():
    with Program("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", crt("server"), "-cert_chain", crt("server"),
                 "-key", key("server"), "-CAfile", crt("root"), "-msg") as server:
        port = int(server.expect(rb"ACCEPT 127\.0\.0\.1:(\d+)").group(1))
        facts = []
        client = threading.Thread(target=lambda: facts.append(
            ours_connects(port, post=1, talk="reverse", **identity("client"))))
        client.start()
        server.expect(rb"CIPHER is")
        server.say(b"c\n")
        server.expect(rb"SSL_do_handshake -> 1")
        server.expect(rb"<<< TLS 1.3, Handshake \[length [0-9a-f]{4}\], CertificateVerify")
        server.expect(rb"<<< TLS 1.3, Handshake \[length [0-9a-f]{4}\], Finished")
        server.say(b"olleh\n")
        client.join()
        holds(facts[0], version="TLSv1.3", requested=1, bytes=6)


def a_context(side, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if side == "client" else ssl.PROTOCOL_TLS_SERVER)
    context.load_verify_locations(crt("root"))
    context.load_cert_chain(crt(name), key(name))
    context.post_handshake_auth = True
    return context


def talk(connection, data):
    connection.sendall(data)
    back = b""
    while len(back) < len(data):
        more = connection.recv(4096)
        assert more, "the server has ended"
        back += more
    assert back == data, back


def python_shows_its_certificate_when_our_server_asks():
    with OursServing(post=1) as server:
        plain = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
        with a_context("client", "client").wrap_socket(plain, server_hostname="localhost") as connection:
            talk(connection, b"one")
            talk(connection, b"two")
            connection.unwrap()
        holds(server.facts(), requested=0, verified=1, peer="client.test", bytes=6, end="OK")


def our_client_shows_its_certificate_when_python_asks():
    context = a_context("server", "server")
    context.verify_mode = ssl.CERT_REQUIRED
    names = []

    def work():
        plain, _ = listener.accept()
        plain.settimeout(PATIENCE)
        with context.wrap_socket(plain, server_side=True) as connection, contextlib.suppress(OSError):
            names.append(connection.getpeercert())
            connection.verify_client_post_handshake()
            while data := connection.recv(4096):
                connection.sendall(data)
            names.append(dict(pair[0] for pair in connection.getpeercert()["subject"])["commonName"])
            connection.unwrap()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        thread = threading.Thread(target=work)
        thread.start()
        try:
            facts = ours_connects(listener.getsockname()[1], post=1, bytes=100000, **identity("client"))
        finally:
            thread.join()
    holds(facts, requested=1, bytes=100000, end="OK")
    assert names == [None, "client.test"], names


if __name__ == "__main__":
    run([*with_program("openssl", [
        s_client_shows_its_certificate_when_our_server_asks,
        s_client_may_have_none_to_show,
        our_server_refuses_what_s_client_shows_late,
        s_client_that_did_not_offer_is_not_asked,
        our_client_shows_its_certificate_when_s_server_asks,
    ]), python_shows_its_certificate_when_our_server_asks, our_client_shows_its_certificate_when_python_asks])
