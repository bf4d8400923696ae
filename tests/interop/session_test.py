#!/usr/bin/python3
"""Resumption between processes: where it must happen and where it must not, as both ends tell it. time limit: 240 s

Our client with our server in every kind of store; then OpenSSL's, GnuTLS's and curl's clients, and their servers."""
import pathlib
import os
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.interop import (PATIENCE, OursServing, Program, crt, folder, free_port, holds, identity, key,
                             ours_connects, ours_connects_often, with_program)
from support.promise import run

# Version and where our server keeps sessions.
KINDS = {"TLS 1.2 id": {"tls": "1.2", "cache": 100}, "TLS 1.2 ticket": {"tls": "1.2", "cache": 0},
         "TLS 1.3 ticket": {"tls": "1.3", "cache": 0}, "TLS 1.3 stateful": {"tls": "1.3", "cache": 100}}
ASKED = {"ask": 1}
NOT_ASKED = {"ask": ""}
PERIOD = 3600
SECRET = "thirty-two bytes or more of chance"


def matrix(promise):
    """The promise for each kind of session, with client certificates and without."""
    def for_all():
        for name, kind in KINDS.items():
            for asked in (NOT_ASKED, ASKED):
                try:
                    promise(kind, asked)
                except AssertionError as broken:
                    raise AssertionError(f"{name}, {asked}: {broken}") from None

    for_all.__name__ = promise.__name__
    return for_all


def stateless(kind):
    return kind["cache"] == 0


def saved():
    return folder() / "kept-session"


def client(kind, **more):
    """Our client's settings: it has a certificate whether it is asked or not, since that is among its own rules."""
    return {"tls": kind["tls"], **identity("client"), **more}


def visit(server, kind, resumed, ordered=True, **more):
    """One connection of our client, by which it keeps its session; both ends must say whether it was resumed."""
    if ordered:
        server.order("serve")
    facts = ours_connects(server.port, **client(kind, session_out=saved(), **more))
    holds(facts, resumed=int(resumed), bytes=6, end="OK")
    holds(server.facts(), resumed=int(resumed), bytes=6, end="OK")


def first_visit(server, kind, **more):
    saved().unlink(missing_ok=True)
    visit(server, kind, False, **more)


def next_visit(server, kind, resumed, **more):
    visit(server, kind, resumed, session_in=saved(), **more)


def key_file(name, count=1):
    path = folder() / name
    path.write_bytes(os.urandom(80 * count))
    return path


# --- our client and our server ---

@matrix
def a_client_process_resumes_by_itself(kind, asked):
    with OursServing(**kind, **asked, count=3) as server:
        for i, facts in enumerate(ours_connects_often(server.port, **client(kind, cache=10), count=3)):
            holds(facts, resumed=int(i > 0), bytes=6, end="OK")
            holds(server.facts(), resumed=int(i > 0))


@matrix
def another_client_process_resumes(kind, asked):
    with OursServing(**kind, **asked, ordered=1) as server:
        first_visit(server, kind)
        for _ in range(2):
            next_visit(server, kind, True)


@matrix
def another_server_process_resumes_with_the_same_ticket_keys_only(kind, asked):
    keys, others = key_file("keys"), key_file("other-keys")
    with OursServing(**kind, **asked, ordered=1, keys=keys) as one, \
            OursServing(**kind, **asked, ordered=1, keys=keys) as two, \
            OursServing(**kind, **asked, ordered=1, keys=others) as stranger:
        first_visit(one, kind)
        next_visit(two, kind, stateless(kind))
        next_visit(stranger, kind, False)


@matrix
def a_fleet_resumes_with_derived_keys_in_tls_1_3_and_neighbouring_periods(kind, asked):
    fleet = {**kind, **asked, "ordered": 1, "secret": SECRET}
    resumes = stateless(kind) and kind["tls"] == "1.3"
    with OursServing(**fleet, at=1000 * PERIOD) as one, OursServing(**fleet, at=1001 * PERIOD) as next_period, \
            OursServing(**fleet, at=1002 * PERIOD) as later, \
            OursServing(**{**fleet, "secret": SECRET[::-1]}, at=1000 * PERIOD) as stranger:
        for other, resumed in ((one, resumes or not stateless(kind)), (next_period, resumes), (later, False),
                               (stranger, False)):
            first_visit(one, kind)
            next_visit(other, kind, resumed)


@matrix
def sessions_outlive_a_rotation_while_their_key_still_opens(kind, asked):
    old, new = key_file("old-keys"), key_file("new-keys")
    both = folder() / "both-keys"
    both.write_bytes(new.read_bytes() + old.read_bytes())
    with OursServing(**kind, **asked, ordered=1, keys=old) as server:
        first_visit(server, kind)
        server.order(f"keys {both}")
        next_visit(server, kind, True)
        first_visit(server, kind)
        server.order(f"keys {old}")
        next_visit(server, kind, not stateless(kind))


@matrix
def a_successor_resumes_under_equal_rules_only(kind, asked):
    mutual = asked is ASKED
    others = ["depth=1", "ask="] if mutual else ["ask=1"]  # stricter, weaker
    with OursServing(**kind, **asked, ordered=1) as server:
        first_visit(server, kind)
        server.order("replace depth=100")  # the default: nothing changes
        next_visit(server, kind, True)
        for other in others:
            server.order(f"replace {other}")
            next_visit(server, kind, False)
            next_visit(server, kind, True)
            server.order("replace depth=100 " + ("ask=1" if mutual else "ask="))
            next_visit(server, kind, False)


# --- OpenSSL ---

def s_client(server, kind, *options):
    """Sends a line, waits for its echo; gives what it told."""
    with Program("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", crt("root"), "-servername",
                 "localhost", "-verify_return_error", "-cert", crt("client"), "-cert_chain", crt("client"), "-key",
                 key("client"), "-tls1_2" if kind["tls"] == "1.2" else "-tls1_3", *options) as program:
        program.say(b"hello\n")
        told = program.expect(rb"hello\n").string.decode("utf-8", "replace")
        program.hang_up()
        program.process.wait(PATIENCE)
        return told


def s_client_visits(server, kind, resumed, *options):
    server.order("serve")
    told = s_client(server, kind, "-sess_out", saved(), *options)
    assert ("Reused, TLS" in told) == resumed, told
    holds(server.facts(), resumed=int(resumed), bytes=6, end="OK")


@matrix
def s_client_resumes_where_our_client_would(kind, asked):
    keys = key_file("keys")
    with OursServing(**kind, **asked, ordered=1, keys=keys) as server, \
            OursServing(**kind, **asked, ordered=1, keys=keys) as other:
        s_client_visits(server, kind, False)
        s_client_visits(server, kind, True, "-sess_in", saved())
        s_client_visits(other, kind, stateless(kind), "-sess_in", saved())
        server.order("replace " + ("ask=" if asked is ASKED else "ask=1"))
        s_client_visits(other, kind, True, "-sess_in", saved())
        s_client_visits(server, kind, False, "-sess_in", saved())


def our_client_resumes_with_s_server_in_each_kind():
    for name, kind in KINDS.items():
        for asked in ((), ("-Verify", "3", "-verify_return_error", "-CAfile", crt("root"))):
            store = () if stateless(kind) else ("-no_ticket",)
            with Program("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", crt("server"), "-cert_chain",
                         crt("server"), "-key", key("server"), "-rev", *asked, *store) as server:
                server.port = int(server.expect(rb"ACCEPT 127\.0\.0\.1:(\d+)").group(1))
                settings = client(kind, talk="reverse", session_out=saved())
                holds(ours_connects(server.port, **settings), resumed=0, bytes=6)
                for _ in range(2):
                    facts = ours_connects(server.port, **settings, session_in=saved())
                    assert facts.get("resumed") == "1", f"{name}, {asked}: {facts}"


# --- GnuTLS ---

GNUTLS = {"1.2": "NORMAL:-VERS-ALL:+VERS-TLS1.2", "1.3": "NORMAL:-VERS-ALL:+VERS-TLS1.3"}


@matrix
def gnutls_cli_resumes_with_our_server(kind, asked):
    """Our server speaks first: in TLS 1.3 its tickets come with its first bytes, and gnutls-cli waits for one."""
    with OursServing(**kind, **asked, count=2, talk="greet") as server:
        with Program("gnutls-cli", "--port", server.port, "--x509cafile", crt("root"), "--priority",
                     GNUTLS[kind["tls"]], "--x509certfile", crt("client"), "--x509keyfile", key("client"), "--resume",
                     "--waitresumption", "localhost") as program:
            program.expect(rb"This is a resumed session")
            program.hang_up()
            program.process.wait(PATIENCE)
        holds(server.facts(), resumed=0)
        holds(server.facts(), resumed=1)


def our_client_resumes_with_gnutls_serv_in_each_kind():
    for name, kind in KINDS.items():
        if kind["tls"] == "1.3" and not stateless(kind):
            continue  # GnuTLS has none
        store = () if stateless(kind) else ("--noticket",)
        for asked in ((), ("--require-client-cert", "--verify-client-cert", "--x509cafile", crt("root"))):
            port = free_port()
            with Program("gnutls-serv", "--echo", "--quiet", "--port", port, "--priority", GNUTLS[kind["tls"]],
                         "--x509certfile", crt("server"), "--x509keyfile", key("server"), *asked, *store) as server:
                server.expect(rb"IPv4 .*done")
                settings = client(kind, bytes=100, session_out=saved())
                holds(ours_connects(port, **settings), resumed=0, bytes=100)
                facts = ours_connects(port, **settings, session_in=saved())
                assert facts.get("resumed") == "1", f"{name}, {asked}: {facts}"


# --- curl ---

@matrix
def curl_resumes_for_its_second_address(kind, asked):
    """But for tickets of TLS 1.2, which it never asks for."""
    asks = kind != KINDS["TLS 1.2 ticket"]
    with OursServing(**kind, **asked, count=2, talk="http") as server:
        address = f"https://localhost:{server.port}/"
        done = subprocess.run(["curl", "--silent", "--show-error", "--noproxy", "*", "--cacert", crt("root"), "--cert",
                               crt("client"), "--key", key("client"), address, address],
                              capture_output=True, timeout=PATIENCE, check=False)
        assert done.stdout == b"hello\n" * 2, done
        for resumed in (False, asks):
            holds(server.facts(), resumed=int(resumed), end="OK")


if __name__ == "__main__":
    run([a_client_process_resumes_by_itself,
         another_client_process_resumes,
         another_server_process_resumes_with_the_same_ticket_keys_only,
         a_fleet_resumes_with_derived_keys_in_tls_1_3_and_neighbouring_periods,
         sessions_outlive_a_rotation_while_their_key_still_opens,
         a_successor_resumes_under_equal_rules_only]
        + with_program("openssl", [s_client_resumes_where_our_client_would,
                                   our_client_resumes_with_s_server_in_each_kind])
        + with_program("gnutls-cli", [gnutls_cli_resumes_with_our_server,
                                      our_client_resumes_with_gnutls_serv_in_each_kind])
        + with_program("curl", [curl_resumes_for_its_second_address]))
