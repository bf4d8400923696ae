#!/usr/bin/python3
"""Pre-shared keys with openssl and GnuTLS as peers, in both roles."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.interop import (PATIENCE, OursServing, Program, crt, folder, free_port, holds, key, ours_connects,
                             with_program)
from support.promise import run

KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
OTHER = "ff" + KEY[2:]
VERSIONS = {"1.2": "TLSv1.2", "1.3": "TLSv1.3"}
NAMES = {"1.2": "-tls1_2", "1.3": "-tls1_3"}
BARE = {"ca": "", "cert": "", "key": ""}


# --- openssl ---

class OpensslServing(Program):
    def __init__(self, *options):
        super().__init__("openssl", "s_server", "-accept", "127.0.0.1:0", "-rev", "-psk", KEY, *options)
        self.port = int(self.expect(rb"ACCEPT 127\.0\.0\.1:(\d+)").group(1))


def s_client(port, *options):
    """Sends, waits for the echo, ends."""
    with Program("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-psk_identity", "alice", *options) as client:
        client.say(b"hello\n")
        client.expect(rb"hello\n$")
        client.hang_up()
        client.process.wait(PATIENCE)


def s_client_with_a_key_talks_to_our_server_without_certificate():
    for version, wanted in VERSIONS.items():
        with OursServing(**BARE, tls=version, psk=f"alice:{KEY}") as server:
            s_client(server.port, "-psk", KEY, NAMES[version])
            holds(server.facts(), version=wanted, psk="alice", bytes=6, end="OK", resumed=0)


def our_client_with_a_key_talks_to_s_server_without_certificate():
    for version, wanted in VERSIONS.items():
        with OpensslServing("-nocert", "-psk_identity", "alice", NAMES[version]) as server:
            holds(ours_connects(server.port, tls=version, psk=f"alice:{KEY}", talk="reverse"), version=wanted,
                  psk="alice", bytes=6, resumed=0)


def our_client_judges_an_s_server_that_shows_its_certificate():
    """It knows another identity, and goes on with its certificate; in TLS 1.2 it would not be asked."""
    for name, wanted in (("server", None), ("wrong-host", "E_NAME"), ("expired", "E_EXPIRED")):
        with OpensslServing("-cert", crt(name), "-cert_chain", crt(name), "-key", key(name), "-psk_identity", "bob",
                            "-tls1_3") as server:
            facts = ours_connects(server.port, psk=f"alice:{KEY}", talk="reverse")
            if wanted is None:
                holds(facts, peer="server.test", psk="", bytes=6)
            else:
                holds(facts, error=wanted)


def another_key_is_told_at_both_ends():
    for version in VERSIONS:
        with OursServing(**BARE, tls=version, psk=f"alice:{KEY}") as server:
            with Program("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-psk_identity", "alice",
                         "-psk", OTHER, NAMES[version]) as client:
                holds(server.facts(), error="E_VERIFY")
                client.expect(rb"alert")
        with OpensslServing("-nocert", "-psk_identity", "alice", NAMES[version]) as server:
            facts = ours_connects(server.port, tls=version, psk=f"alice:{OTHER}", talk="reverse")
            holds(facts, error="E_REJECTED")
            assert '"alice"' in facts["text"], facts


# --- GnuTLS ---

PRIORITIES = {
    "1.2": "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-PSK:+DHE-PSK",
    "1.3": "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK:+DHE-PSK:-CIPHER-ALL:+AES-128-GCM:+CHACHA20-POLY1305",
}


def gnutls_cli_with_a_key_talks_to_our_server():
    """In TLS 1.2 it only shakes hands: gnutls-cli 3.7 crashes as it prints what was agreed."""
    for version, priority in PRIORITIES.items():
        with OursServing(**BARE, psk=f"alice:{KEY}") as server:
            with Program("gnutls-cli", "--port", server.port, "--priority", priority, "--pskusername", "alice",
                         "--pskkey", KEY, "localhost") as client:
                if version == "1.3":
                    client.expect(rb"Simple Client Mode:")
                    client.say(b"hello there\n")
                    client.expect(rb"hello there\n")
                    client.hang_up()
                    client.process.wait(PATIENCE)
                facts = server.facts()
            holds(facts, version=VERSIONS[version], psk="alice")
            if version == "1.3":
                holds(facts, bytes=12, end="OK")


class GnutlsServing(Program):
    def __init__(self, priority):
        self.port = free_port()
        passwords = folder() / "psk.txt"
        passwords.write_text(f"alice:{KEY}\n")
        super().__init__("gnutls-serv", "--echo", "--quiet", "--port", self.port, "--priority", priority,
                         "--pskpasswd", passwords)
        self.expect(rb"IPv4 .*done")


def our_client_with_a_key_talks_to_gnutls_serv():
    for version, priority in PRIORITIES.items():
        with GnutlsServing(priority) as server:
            holds(ours_connects(server.port, psk=f"alice:{KEY}", bytes=5000), version=VERSIONS[version], psk="alice",
                  bytes=5000, end="OK")
        with GnutlsServing(priority) as server:
            facts = ours_connects(server.port, psk=f"alice:{OTHER}")
            holds(facts, error="E_REJECTED")


if __name__ == "__main__":
    run([*with_program("openssl", [
        s_client_with_a_key_talks_to_our_server_without_certificate,
        our_client_with_a_key_talks_to_s_server_without_certificate,
        our_client_judges_an_s_server_that_shows_its_certificate,
        another_key_is_told_at_both_ends,
    ]), *with_program("gnutls-cli", [
        gnutls_cli_with_a_key_talks_to_our_server,
        our_client_with_a_key_talks_to_gnutls_serv,
    ])])
