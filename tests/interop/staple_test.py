#!/usr/bin/python3
"""Stapled OCSP answers with others: shown to them, shown by them, and signed by OpenSSL's own responder."""
import functools
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.interop import (PATIENCE, PEER, OursServing, Program, crt, folder, free_port, holds, key, ours_connects,
                             with_program)
from support.promise import run

VERSIONS = {"1.2": "TLSv1.2", "1.3": "TLSv1.3"}


@functools.cache
def answer(status="good", name="server"):
    """A file with OpenSSL's answer about a certificate, signed by its issuer."""
    serial = subprocess.run(["openssl", "x509", "-in", crt(name), "-noout", "-serial"], check=True, timeout=PATIENCE,
                            capture_output=True, text=True).stdout.strip().partition("=")[2]
    revoked = "250101000000Z,keyCompromise" if status == "revoked" else ""
    index = folder() / f"{name}-{status}.index"
    index.write_text(f"{status[0].upper().replace('G', 'V')}\t491231235959Z\t{revoked}\t{serial}\tunknown\t/CN=x\n")
    made = folder() / f"{name}-{status}.ocsp"
    subprocess.run(["openssl", "ocsp", "-index", index, "-CA", crt("below"), "-rsigner", crt("below"), "-rkey",
                    key("below"), "-issuer", crt("below"), "-cert", crt(name), "-respout", made, "-ndays", "1"],
                   check=True, timeout=PATIENCE, capture_output=True)
    return made


def s_client(port, *options):
    """All that s_client tells of a connection that is closed at once."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", crt("root"),
                           "-servername", "localhost", *options], check=False, timeout=PATIENCE, input="",
                          capture_output=True, text=True)
    return done.stdout


class Serving(Program):
    """openssl s_server that staples a file, or nothing."""

    def __init__(self, staple=None):
        super().__init__("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", crt("server"), "-cert_chain",
                         crt("server"), "-key", key("server"), "-rev", *(["-status_file", staple] if staple else []))
        self.port = int(self.expect(rb"ACCEPT 127\.0\.0\.1:(\d+)").group(1))


class GnutlsServing(Program):
    def __init__(self, staple):
        self.port = free_port()
        super().__init__("gnutls-serv", "--echo", "--quiet", "--port", self.port, "--x509certfile", crt("server"),
                         "--x509keyfile", key("server"), "--ocsp-response", staple)
        self.expect(rb"IPv4 .*done")


def s_client_is_shown_our_answer_if_it_asks():
    for version in VERSIONS:
        for name in ("server", "server-rsa"):
            with OursServing(tls=version, cert=crt(name), key=key(name), staple=answer(name=name), count=3) as server:
                told = s_client(server.port, "-status")
                assert "OCSP Response Status: successful" in told and "Cert Status: good" in told, told
                holds(server.facts(), version=VERSIONS[version], staple=answer(name=name).stat().st_size)
                assert "OCSP Response Status" not in s_client(server.port)
                holds(server.facts(), staple=0)
    with OursServing() as server:
        assert "OCSP response: no response sent" in s_client(server.port, "-status")


def our_client_judges_what_s_server_staples():
    for version in VERSIONS:
        for staple, mode, wanted in (
            (answer(), "require", {"verified": 1, "staple": answer().stat().st_size, "bytes": 6}),
            (answer(), "ask", {"verified": 1, "bytes": 6}),
            (answer("revoked"), "ask", {"error": "E_REVOKED"}),
            (answer(name="server-rsa"), "ask", {"error": "E_STAPLE"}),
            (None, "ask", {"verified": 1, "staple": 0, "bytes": 6}),
            (None, "require", {"error": "E_STAPLE"}),
        ):
            with Serving(staple) as server:
                holds(ours_connects(server.port, tls=version, talk="reverse", stapled=mode), **wanted)


def our_server_is_given_no_answer_that_says_revoked():
    command = [PEER, "serve", "127.0.0.1", f"cert={crt('server')}", f"key={key('server')}",
               f"staple={answer('revoked')}"]
    done = subprocess.run(command, check=False, timeout=PATIENCE, capture_output=True, text=True)
    assert done.returncode == 2 and "E_REVOKED certificate was revoked on 2025-01-01" in done.stdout, done


def gnutls_cli_accepts_our_answer():
    """It checks what is stapled of its own accord."""
    for version in VERSIONS:
        with OursServing(tls=version, staple=answer()) as server:
            with Program("gnutls-cli", "--port", server.port, "--x509cafile", crt("root"), "--verbose",
                         "localhost") as client:
                told = client.expect(rb"Simple Client Mode:").string.decode("utf-8", "replace")
                assert "The certificate is trusted" in told and "OCSP status request" in told, told
                assert "Certificate Status: good" in told, told
                client.hang_up()
                client.process.wait(PATIENCE)
            holds(server.facts(), staple=answer().stat().st_size)


def our_client_accepts_what_gnutls_serv_staples():
    for version in VERSIONS:
        with GnutlsServing(answer()) as server:
            holds(ours_connects(server.port, tls=version, stapled="require", bytes=100), verified=1, bytes=100)


if __name__ == "__main__":
    run([*with_program("openssl", [
        s_client_is_shown_our_answer_if_it_asks,
        our_client_judges_what_s_server_staples,
        our_server_is_given_no_answer_that_says_revoked,
    ]), *with_program("gnutls-cli", [
        gnutls_cli_accepts_our_answer,
        our_client_accepts_what_gnutls_serv_staples,
    ])])
