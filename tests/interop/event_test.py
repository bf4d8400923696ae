#!/usr/bin/python3
"""Ends of ours whose decisions are events, with openssl, GnuTLS and curl at the other end: the keys are elsewhere, and
the host says which context serves, which certificate is shown and whether the peer is wanted."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.interop import (PATIENCE, OursServing, Program, crt, facts_of, free_port, holds, identity, key,
                             with_program, words)
from support.promise import BUILD, run

HOST = BUILD / "tests" / "interop" / "event_host"
VERSIONS = {"1.2": "TLSv1.2", "1.3": "TLSv1.3"}
PRIORITIES = {"1.2": "NORMAL:-VERS-ALL:+VERS-TLS1.2", "1.3": "NORMAL:-VERS-ALL:+VERS-TLS1.3"}
# What the key of a certificate signs with where the peer has no wishes of its own.
SCHEMES = {"server": "ecdsa_secp256r1_sha256", "server-rsa": "rsa_pss_rsae_sha256", "server-ed25519": "ed25519"}
CLIENT_SCHEMES = {"client": "ecdsa_secp256r1_sha256", "client-rsa": "rsa_pss_rsae_sha256"}


class Asking(OursServing):
    """Its front shows a certificate that no client wants: who gets another was led to another context."""

    host = HOST

    def __init__(self, **settings):
        super().__init__(**{**identity("wrong-host"), **settings})


def by_name(name):
    return {"sni": "localhost", "sni_cert": crt(name), "sni_key": key(name)}


def by_protocol(protocol, name):
    return {"alpn": protocol, "alpn_cert": crt(name), "alpn_key": key(name)}


def ours_connects(port, **settings):
    done = subprocess.run([HOST, "connect", "localhost", str(port), *words({"ca": crt("root"), **settings})],
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout, f"event_host says nothing, status {done.returncode}: {done.stderr}"
    return facts_of(done.stdout)


# --- clients of others, as programs: each gives what it told, and whether it was content ---

def s_client(port, *options, mine=None):
    shown = ["-cert", crt(mine), "-cert_chain", crt(mine), "-key", key(mine)] if mine else []
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", crt("root"),
                           "-servername", "localhost", "-verify_hostname", "localhost", "-verify_return_error",
                           *shown, *options], check=False, timeout=PATIENCE, input="", capture_output=True, text=True)
    return done.stdout + done.stderr, done.returncode == 0


def gnutls_cli(port, *options, mine=None):
    shown = ["--x509certfile", crt(mine), "--x509keyfile", key(mine)] if mine else []
    done = subprocess.run(["gnutls-cli", "--port", str(port), "--x509cafile", crt("root"), *shown, *options,
                           "localhost"], check=False, timeout=PATIENCE, input="", capture_output=True, text=True)
    return done.stdout + done.stderr, done.returncode == 0


def curl(port, *options, mine=None):
    shown = ["--cert", crt(mine), "--key", key(mine)] if mine else []
    done = subprocess.run(["curl", "--silent", "--show-error", "--noproxy", "*", "--http1.1", "--cacert", crt("root"),
                           *shown, *options, f"https://localhost:{port}/"], check=False, timeout=PATIENCE,
                          capture_output=True, text=True)
    return done.stdout + done.stderr, done.returncode == 0 and done.stdout == "hello\n"


def is_served_from_elsewhere(client, **settings):
    for tls, version in VERSIONS.items():
        for name, scheme in SCHEMES.items():
            with Asking(tls=tls, **by_name(name), **settings) as server:
                told, content = client(server.port)
                assert content, told
                holds(server.facts(), version=version, desk="sni", events="HS", scheme=scheme, end="OK")


def is_led_by_its_protocol(client, *options, **settings):
    for tls, version in VERSIONS.items():
        with Asking(tls=tls, **by_name("wrong-host"), **by_protocol("http/1.1", "server"), **settings) as server:
            told, content = client(server.port, *options)
            assert content, told
            holds(server.facts(), version=version, desk="alpn", alpn="http/1.1", end="OK")


def is_wanted_or_not(client, alert, *patience, **settings):
    for tls, version in VERSIONS.items():
        with Asking(tls=tls, ask=1, refuse="client-rsa", count=2, **by_name("server"), **settings) as server:
            told, content = client(server.port, mine="client")
            assert content, told
            facts = server.facts()
            holds(facts, version=version, peer="client.test", end="OK")
            assert sorted(facts["events"]) == ["H", "S", "V"], facts
        with Asking(tls=tls, ask=1, refuse="client.test", **by_name("server"), **settings) as server:
            told, content = client(server.port, *patience, mine="client")
            assert not content and alert in told.lower(), told
            holds(server.facts(), peer="client.test", error="E_VERDICT")


def the_front_alone_pleases_nobody():
    """What the promises about contexts rest on."""
    with Asking() as server:
        told, content = s_client(server.port)
        assert not content, told
        holds(server.facts(), desk="front", events="HS", error="E_REJECTED")


def s_client_is_served_by_keys_that_are_elsewhere():
    is_served_from_elsewhere(s_client)


def s_client_is_led_by_its_protocol():
    is_led_by_its_protocol(s_client, "-alpn", "h2,http/1.1")


def s_client_is_wanted_or_not():
    is_wanted_or_not(s_client, "alert certificate unknown", "-ign_eof")  # else it would not wait for the alert


def gnutls_cli_is_served_by_keys_that_are_elsewhere():
    is_served_from_elsewhere(gnutls_cli)


def gnutls_cli_is_led_by_its_protocol():
    is_led_by_its_protocol(gnutls_cli, "--alpn", "h2", "--alpn", "http/1.1")


def gnutls_cli_is_wanted_or_not():
    is_wanted_or_not(gnutls_cli, "alert [46]")


def curl_is_served_by_keys_that_are_elsewhere():
    is_served_from_elsewhere(curl, talk="http")


def curl_is_led_by_its_protocol():
    is_led_by_its_protocol(curl, talk="http")


def curl_is_wanted_or_not():
    is_wanted_or_not(curl, "alert certificate unknown", talk="http")


# --- servers of others ---

class SServing(Program):
    def __init__(self):
        super().__init__("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", crt("server"), "-cert_chain",
                         crt("server"), "-key", key("server"), "-CAfile", crt("root"), "-Verify", "3",
                         "-verify_return_error", "-rev")
        self.port = int(self.expect(rb"ACCEPT 127\.0\.0\.1:(\d+)").group(1))


class GnutlsServing(Program):
    def __init__(self):
        self.port = free_port()
        super().__init__("gnutls-serv", "--echo", "--quiet", "--port", self.port, "--x509certfile", crt("server"),
                         "--x509keyfile", key("server"), "--x509cafile", crt("root"), "--require-client-cert",
                         "--verify-client-cert")
        self.expect(rb"IPv4 .*done")


def our_client_is_asked_what_to_show(serving, answer):
    for tls, version in VERSIONS.items():
        for name, scheme in CLIENT_SCHEMES.items():
            with serving() as server:
                facts = ours_connects(server.port, tls=tls, answer=answer, **identity(name))
                holds(facts, version=version, peer="server.test", authorities=1, scheme=scheme, bytes=6, end="OK")
                assert facts["events"] == "VCS", facts
        with serving() as server:
            facts = ours_connects(server.port, tls=tls, answer=answer, **identity("other-client"))
            holds(facts, events="VCS", error="E_REJECTED")
        with serving() as server:
            holds(ours_connects(server.port, tls=tls, answer=answer, refuse="server.test", **identity("client")),
                  events="V", error="E_VERDICT")


def our_client_shows_s_server_what_its_host_says():
    our_client_is_asked_what_to_show(SServing, "olleh")


def our_client_shows_gnutls_serv_what_its_host_says():
    our_client_is_asked_what_to_show(GnutlsServing, "hello")


def s_server_is_told_that_it_is_not_wanted():
    for tls in VERSIONS:
        with SServing() as server:
            ours_connects(server.port, tls=tls, refuse="server.test", alert=44)
            server.expect(rb"alert certificate revoked")


if __name__ == "__main__":
    run([*with_program("openssl", [
        the_front_alone_pleases_nobody,
        s_client_is_served_by_keys_that_are_elsewhere,
        s_client_is_led_by_its_protocol,
        s_client_is_wanted_or_not,
        our_client_shows_s_server_what_its_host_says,
        s_server_is_told_that_it_is_not_wanted,
    ]), *with_program("gnutls-cli", [
        gnutls_cli_is_served_by_keys_that_are_elsewhere,
        gnutls_cli_is_led_by_its_protocol,
        gnutls_cli_is_wanted_or_not,
        our_client_shows_gnutls_serv_what_its_host_says,
    ]), *with_program("curl", [
        curl_is_served_by_keys_that_are_elsewhere,
        curl_is_led_by_its_protocol,
        curl_is_wanted_or_not,
    ])])
