#!/usr/bin/python3
"""openssl s_server and s_client as peers."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.interop import (PATIENCE, OursServing, Program, crt, folder, holds, identity, key, ours_connects,
                             with_program)
from support.promise import run

VERSIONS = {"1.2": "TLSv1.2", "1.3": "TLSv1.3"}


class Serving(Program):
    """openssl s_server; `what` says what it does with connections."""

    def __init__(self, *options, name="server", what=("-rev",)):
        super().__init__("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", crt(name), "-cert_chain", crt(name),
                         "-key", key(name), *what, *options)
        self.port = int(self.expect(rb"ACCEPT 127\.0\.0\.1:(\d+)").group(1))


def s_client(port, *options, send=b"hello\n", wanted=b"hello\n"):
    """Sends, waits for the echo, ends; gives all that s_client has told."""
    with Program("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", crt("root"), "-servername",
                 "localhost", "-verify_hostname", "localhost", "-verify_return_error", *options) as client:
        client.say(send)
        before = client.expect(wanted + b"$")
        told = before.string.decode("utf-8", "replace")
        client.hang_up()
        client.process.wait(PATIENCE)
        return told


def our_client_talks_to_s_server_in_each_version_with_each_key():
    for version, wanted in VERSIONS.items():
        for name in ("server", "server-rsa", "server-ed25519", "server-p384"):
            with Serving(name=name) as server:
                facts = ours_connects(server.port, tls=version, talk="reverse")
                holds(facts, version=wanted, peer="server.test", bytes=6, resumed=0)


def our_client_shows_its_certificate_and_agrees_on_a_protocol():
    for version in VERSIONS:
        with Serving("-Verify", "3", "-verify_return_error", "-CAfile", crt("root"), "-alpn", "h2") as server:
            facts = ours_connects(server.port, tls=version, talk="reverse", alpn="h2,http/1.1", **identity("client"))
            holds(facts, alpn="h2", bytes=6)
            server.expect(rb"CN = client\.test")


def our_client_resumes_with_s_server():
    saved = folder() / "session"
    for version in VERSIONS:
        with Serving("-Verify", "3", "-CAfile", crt("root")) as server:
            settings = {"tls": version, "talk": "reverse", **identity("client-rsa")}
            holds(ours_connects(server.port, session_out=saved, **settings), resumed=0)
            holds(ours_connects(server.port, session_in=saved, **settings), resumed=1, bytes=6)


def our_client_refuses_what_a_verifier_must_refuse():
    for name, wanted in (("wrong-host", "E_NAME"), ("expired", "E_EXPIRED"), ("other-client", "E_VERIFY")):
        for version in VERSIONS:
            with Serving(name=name) as server:
                holds(ours_connects(server.port, tls=version, talk="reverse"), error=wanted)


def our_client_learns_why_s_server_refuses_it():
    for version in VERSIONS:
        with Serving("-Verify", "3", "-verify_return_error", "-CAfile", crt("root")) as server:
            facts = ours_connects(server.port, tls=version, talk="reverse")
            holds(facts, error="E_REJECTED")
            facts = ours_connects(server.port, tls=version, talk="reverse", **identity("other-client"))
            holds(facts, error="E_REJECTED")
            assert "unknown_ca" in facts["text"], facts


def no_version_in_common_is_told():
    with Serving("-no_tls1_3") as server:
        holds(ours_connects(server.port, tls="1.3"), error="E_NEGOTIATION")
    with OursServing(tls="1.3") as server:
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2"], check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
        assert done.returncode != 0 and b"alert protocol version" in done.stderr, done
        holds(server.facts(), error="E_NEGOTIATION")


OLD = {"1.0": ("-tls1", "TLSv1"), "1.1": ("-tls1_1", "TLSv1.1")}


def both_roles_speak_old_versions_where_they_are_allowed():
    for version, (option, wanted) in OLD.items():
        for name in ("server", "server-rsa"):
            with Serving(option, "-cipher", "DEFAULT@SECLEVEL=0", name=name) as server:
                holds(ours_connects(server.port, tls=version, talk="reverse"), version=wanted, peer="server.test",
                      bytes=6)
            with OursServing(tls=version, **identity(name)) as server:
                told = s_client(server.port, option, "-cipher", "DEFAULT@SECLEVEL=0")
                assert "Verify return code: 0 (ok)" in told or "Verification: OK" in told, told
                holds(server.facts(), version=wanted, bytes=6, end="OK")


def old_versions_are_refused_where_they_are_not_allowed():
    for option, _ in OLD.values():
        with Serving(option, "-cipher", "DEFAULT@SECLEVEL=0") as server:
            holds(ours_connects(server.port, talk="reverse"), error="E_NEGOTIATION")
        with OursServing() as server:
            done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", option, "-cipher",
                                   "DEFAULT@SECLEVEL=0"], check=False, stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=PATIENCE)
            assert done.returncode != 0 and b"alert protocol version" in done.stderr, done
            holds(server.facts(), error="E_NEGOTIATION")


def s_client_verifies_and_talks_to_our_server_in_each_version_with_each_key():
    for version, wanted in VERSIONS.items():
        for name in ("server", "server-rsa", "server-ed25519", "server-p384"):
            with OursServing(tls=version, **identity(name)) as server:
                told = s_client(server.port, "-x509_strict")
                assert "Verify return code: 0 (ok)" in told or "Verification: OK" in told, told
                holds(server.facts(), version=wanted, server_name="localhost", bytes=6, end="OK")


def s_client_shows_its_certificate_and_agrees_on_a_protocol():
    for version in VERSIONS:
        with OursServing(tls=version, ask=1, alpn="h2") as server:
            told = s_client(server.port, "-cert", crt("client"), "-cert_chain", crt("client"), "-key", key("client"),
                            "-alpn", "h2,http/1.1")
            assert "ALPN protocol: h2" in told, told
            holds(server.facts(), peer="client.test", alpn="h2", bytes=6, end="OK")


def s_client_resumes_with_our_server():
    saved = folder() / "s_client-session"
    for version in VERSIONS:
        with OursServing(tls=version, ask=1, count=2) as server:
            mutual = ("-cert", crt("client"), "-cert_chain", crt("client"), "-key", key("client"))
            s_client(server.port, *mutual, "-sess_out", saved)
            holds(server.facts(), resumed=0, peer="client.test")
            told = s_client(server.port, *mutual, "-sess_in", saved)
            assert "Reused, TLS" in told, told
            holds(server.facts(), resumed=1, peer="client.test", bytes=6)


def our_server_refuses_s_client_without_a_good_certificate():
    for version in VERSIONS:
        for mutual, wanted in (((), "E_NO_CERTIFICATE"),
                               (("-cert", crt("other-client"), "-key", key("other-client")), "E_VERIFY")):
            with OursServing(tls=version, ask=1) as server:
                subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *mutual], check=False,
                               stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
                holds(server.facts(), error=wanted)


def s_client_is_refused_a_second_handshake():
    with OursServing(tls="1.2") as server:
        with Program("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", crt("root"),
                     "-servername", "localhost") as client:
            client.say(b"hello\n")
            client.expect(rb"hello\n$")
            client.say(b"R\n")
            client.expect(rb"RENEGOTIATING(.|\n)*no renegotiation")
        holds(server.facts(), resumed=0, error="E_ALERT")  # its own: it gives up


def s_client_changes_keys_and_talks_on():
    with OursServing(tls="1.3") as server:
        with Program("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", crt("root"),
                     "-servername", "localhost") as client:
            for command in (b"", b"k", b"K"):  # K asks for the server's too
                if command:
                    client.say(command + b"\n")
                    client.expect(rb"KEYUPDATE\n")
                client.say(b"hello\n")
                client.expect(rb"hello\n$")
            client.hang_up()
            client.process.wait(PATIENCE)
        holds(server.facts(), bytes=18, end="OK")


if __name__ == "__main__":
    run(with_program("openssl", [
        our_client_talks_to_s_server_in_each_version_with_each_key,
        our_client_shows_its_certificate_and_agrees_on_a_protocol,
        our_client_resumes_with_s_server,
        our_client_refuses_what_a_verifier_must_refuse,
        our_client_learns_why_s_server_refuses_it,
        no_version_in_common_is_told,
        both_roles_speak_old_versions_where_they_are_allowed,
        old_versions_are_refused_where_they_are_not_allowed,
        s_client_verifies_and_talks_to_our_server_in_each_version_with_each_key,
        s_client_shows_its_certificate_and_agrees_on_a_protocol,
        s_client_resumes_with_our_server,
        our_server_refuses_s_client_without_a_good_certificate,
        s_client_is_refused_a_second_handshake,
        s_client_changes_keys_and_talks_on,
    ]))
