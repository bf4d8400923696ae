#!/usr/bin/python3
"""gnutls-serv and gnutls-cli as peers."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.interop import (PATIENCE, OursServing, Program, crt, folder, free_port, holds, identity, key,
                             ours_connects, with_program)
from support.promise import run

# What GnuTLS calls a version alone, and what the connection is then called.
PRIORITIES = {"NORMAL:-VERS-ALL:+VERS-TLS1.2": "TLSv1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3": "TLSv1.3"}


class Serving(Program):
    def __init__(self, *options, name="server", priority="NORMAL"):
        self.port = free_port()
        super().__init__("gnutls-serv", "--echo", "--quiet", "--port", self.port, "--priority", priority,
                         "--x509certfile", crt(name), "--x509keyfile", key(name), *options)
        self.expect(rb"IPv4 .*done")


def gnutls_cli(port, *options, priority="NORMAL"):
    """Sends a line, waits for the echo, ends; gives what gnutls-cli has told before it."""
    with Program("gnutls-cli", "--port", port, "--x509cafile", crt("root"), "--priority", priority, *options,
                 "localhost") as client:
        told = client.expect(rb"Simple Client Mode:").string
        client.say(b"hello there\n")
        client.expect(rb"hello there\n")
        client.hang_up()
        client.process.wait(PATIENCE)
        return told.decode("utf-8", "replace")


def our_client_talks_to_gnutls_serv_in_each_version_with_each_key():
    for priority, wanted in PRIORITIES.items():
        for name in ("server", "server-rsa", "server-p384"):
            with Serving(name=name, priority=priority) as server:
                facts = ours_connects(server.port, bytes=20000)
                holds(facts, version=wanted, peer="server.test", bytes=20000, end="OK")


def our_client_shows_its_certificate_and_agrees_on_a_protocol():
    for priority, wanted in PRIORITIES.items():
        with Serving("--require-client-cert", "--verify-client-cert", "--x509cafile", crt("root"), "--alpn", "h2",
                     priority=priority) as server:
            facts = ours_connects(server.port, alpn="h2,http/1.1", bytes=100, **identity("client"))
            holds(facts, version=wanted, alpn="h2", bytes=100, end="OK")


def our_client_learns_that_gnutls_serv_refuses_it():
    for priority in PRIORITIES:
        with Serving("--require-client-cert", "--verify-client-cert", "--x509cafile", crt("root"),
                     priority=priority) as server:
            # Of a certificate that is not there GnuTLS says decode_error in TLS 1.2, which tells nothing.
            if "1.3" in priority:
                holds(ours_connects(server.port), error="E_REJECTED")
            holds(ours_connects(server.port, **identity("other-client")), error="E_REJECTED")


def our_client_resumes_with_gnutls_serv():
    saved = folder() / "gnutls-session"
    for priority in PRIORITIES:
        with Serving(priority=priority) as server:
            holds(ours_connects(server.port, bytes=100, session_out=saved), resumed=0)
            holds(ours_connects(server.port, bytes=100, session_in=saved), resumed=1, bytes=100)


def gnutls_cli_verifies_and_talks_to_our_server_in_each_version_with_each_key():
    for priority, wanted in PRIORITIES.items():
        for name in ("server", "server-rsa", "server-ed25519", "server-p384"):
            with OursServing(**identity(name)) as server:
                told = gnutls_cli(server.port, priority=priority)
                assert "Status: The certificate is trusted" in told, told
                holds(server.facts(), version=wanted, server_name="localhost", bytes=12, end="OK")


def gnutls_cli_shows_its_certificate_and_agrees_on_a_protocol():
    for priority, wanted in PRIORITIES.items():
        with OursServing(ask=1, alpn="h2") as server:
            gnutls_cli(server.port, "--x509certfile", crt("client"), "--x509keyfile", key("client"), "--alpn", "h2",
                       "--alpn", "http/1.1", priority=priority)
            holds(server.facts(), version=wanted, peer="client.test", alpn="h2", bytes=12, end="OK")


def gnutls_cli_resumes_with_our_server():
    """In TLS 1.2 only: in TLS 1.3 gnutls-cli waits for a ticket without a word, and ours comes with our first bytes."""
    with OursServing(tls="1.2", count=2) as server:
        with Program("gnutls-cli", "--port", server.port, "--x509cafile", crt("root"), "--resume",
                     "localhost") as client:
            client.expect(rb"This is a resumed session")
            client.hang_up()
            client.process.wait(PATIENCE)
        holds(server.facts(), version="TLSv1.2", resumed=0)
        holds(server.facts(), version="TLSv1.2", resumed=1)


if __name__ == "__main__":
    run(with_program("gnutls-cli", [
        our_client_talks_to_gnutls_serv_in_each_version_with_each_key,
        our_client_shows_its_certificate_and_agrees_on_a_protocol,
        our_client_learns_that_gnutls_serv_refuses_it,
        our_client_resumes_with_gnutls_serv,
        gnutls_cli_verifies_and_talks_to_our_server_in_each_version_with_each_key,
        gnutls_cli_shows_its_certificate_and_agrees_on_a_protocol,
        gnutls_cli_resumes_with_our_server,
    ]))
