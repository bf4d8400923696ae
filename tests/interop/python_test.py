#!/usr/bin/python3
"""CPython's ssl module as a peer, with its strict rules for certificates."""
import contextlib
import pathlib
import socket
import ssl
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.interop import PATIENCE, OursServing, crt, folder, holds, identity, key, ours_connects
from support.promise import run

VERSIONS = {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}
MEBIBYTE = 1 << 20


def a_context(side, name=None, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if side == "client" else ssl.PROTOCOL_TLS_SERVER)
    context.load_verify_locations(crt("root"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if name:
        context.load_cert_chain(crt(name), key(name))
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def echo(connection):
    with contextlib.suppress(OSError):
        while data := connection.recv(65536):
            connection.sendall(data)
        connection.unwrap()


@contextlib.contextmanager
def serving(context, serve=echo, count=1):
    """Serves in a thread; gives the port and a list of what came of each connection."""
    results = []

    def work():
        for _ in range(count):
            plain, _ = listener.accept()
            plain.settimeout(PATIENCE)
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    results.append(connection)
                    serve(connection)
            except OSError as error:
                results.append(error)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield listener.getsockname()[1], results
        finally:
            thread.join()


def connected(context, port, host="localhost", session=None):
    plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
    return context.wrap_socket(plain, server_hostname=host, session=session)


def talk(connection, data=b"hello\n"):
    connection.sendall(data)
    back = b""
    while len(back) < len(data):
        back += connection.recv(65536)
    assert back == data, back


def our_client_echoes_a_mebibyte_by_mutual_tls_in_each_version():
    for version, wanted in VERSIONS.items():
        context = a_context("server", "server", version)
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_alpn_protocols(["h2"])
        with serving(context) as (port, _):
            facts = ours_connects(port, bytes=MEBIBYTE, alpn="h2,http/1.1", **identity("client"))
            holds(facts, version=wanted, alpn="h2", peer="server.test", bytes=MEBIBYTE, end="OK")


def our_client_resumes_with_python():
    saved = folder() / "python-session"
    for version in VERSIONS:
        with serving(a_context("server", "server", version), count=2) as (port, _):
            holds(ours_connects(port, session_out=saved), resumed=0)
            holds(ours_connects(port, session_in=saved), resumed=1, bytes=6, end="OK")


def our_client_tells_a_cut_from_a_goodbye():
    def cut(connection):
        connection.sendall(b"partial")
        connection.shutdown(socket.SHUT_RDWR)

    with serving(a_context("server", "server"), serve=cut) as (port, _):
        holds(ours_connects(port, talk="wait"), error="E_TRUNCATED")


def our_client_is_told_why_python_refuses_it():
    for version in VERSIONS:
        context = a_context("server", "server", version)
        context.verify_mode = ssl.CERT_REQUIRED
        with serving(context, count=2) as (port, results):
            holds(ours_connects(port), error="E_REJECTED")
            holds(ours_connects(port, **identity("other-client")), error="E_REJECTED")
        assert all(isinstance(result, ssl.SSLError) for result in results), results


def our_client_names_a_peer_that_speaks_http():
    def work():
        plain, _ = listener.accept()
        with plain:
            plain.recv(4096)
            plain.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=work)
        thread.start()
        facts = ours_connects(listener.getsockname()[1])
        thread.join()
    holds(facts, error="E_NOT_TLS")
    assert "HTTP" in facts["text"], facts


def python_echoes_a_mebibyte_by_mutual_tls_in_each_version():
    data = bytes(range(256)) * (MEBIBYTE // 256)
    for version, wanted in VERSIONS.items():
        with OursServing(ask=1, alpn="h2") as server:
            context = a_context("client", "client", version)
            context.set_alpn_protocols(["h2", "http/1.1"])
            with connected(context, server.port) as connection:
                sender = threading.Thread(target=connection.sendall, args=(data,))
                back = bytearray()
                sender.start()
                while len(back) < len(data):
                    back += connection.recv(65536)
                sender.join()
                assert back == data
                assert connection.selected_alpn_protocol() == "h2" and connection.version() == wanted
                connection.unwrap().close()
            holds(server.facts(), peer="client.test", alpn="h2", version=wanted, bytes=MEBIBYTE, end="OK")


def python_resumes_with_our_server():
    for version in VERSIONS:
        with OursServing(count=2, ask=1) as server:
            context = a_context("client", "client", version)
            with connected(context, server.port) as connection:
                talk(connection)
                session = connection.session
                connection.unwrap().close()
            holds(server.facts(), resumed=0)
            with connected(context, server.port, session=session) as connection:
                talk(connection)
                assert connection.session_reused
                connection.unwrap().close()
            holds(server.facts(), resumed=1, peer="client.test")


def python_takes_every_certificate_by_its_strict_rules():
    for name in ("server", "server-rsa", "server-ed25519", "server-p384"):
        with OursServing(**identity(name)) as server, connected(a_context("client"), server.port) as connection:
            names = connection.getpeercert()["subjectAltName"]
            assert ("DNS", "localhost") in names and ("IP Address", "127.0.0.1") in names, names


def python_refuses_what_we_should_not_show():
    for name, wanted in (("wrong-host", "Hostname mismatch"), ("expired", "expired"),
                         ("other-client", "unable to get local issuer")):
        with OursServing(**identity(name)) as server:
            try:
                connected(a_context("client"), server.port).close()
                assert False, f"{name} was taken"
            except ssl.SSLCertVerificationError as error:
                assert wanted in str(error), error
            facts = server.facts()
            assert facts.get("error") in ("E_REJECTED", "E_ALERT"), facts


if __name__ == "__main__":
    run([
        our_client_echoes_a_mebibyte_by_mutual_tls_in_each_version,
        our_client_resumes_with_python,
        our_client_tells_a_cut_from_a_goodbye,
        our_client_is_told_why_python_refuses_it,
        our_client_names_a_peer_that_speaks_http,
        python_echoes_a_mebibyte_by_mutual_tls_in_each_version,
        python_resumes_with_our_server,
        python_takes_every_certificate_by_its_strict_rules,
        python_refuses_what_we_should_not_show,
    ])
