#!/usr/bin/python3
"""curl as a client of our server."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.interop import PATIENCE, OursServing, crt, holds, identity, key, with_program
from support.promise import run

VERSIONS = {"1.2": "TLSv1.2", "1.3": "TLSv1.3"}


def curl(port, *options, host="localhost"):
    return subprocess.run(["curl", "--silent", "--show-error", "--noproxy", "*", "--cacert", crt("root"), *options,
                           f"https://{host}:{port}/"], capture_output=True, timeout=PATIENCE, check=False)


def curl_gets_a_page_in_each_version():
    for version, wanted in VERSIONS.items():
        with OursServing(tls=version, talk="http", alpn="http/1.1") as server:
            done = curl(server.port)
            assert done.stdout == b"hello\n", done
            holds(server.facts(), version=wanted, alpn="http/1.1", server_name="localhost", end="OK")


def curl_verifies_an_address():
    with OursServing(talk="http", host="::1") as server:
        done = curl(server.port, host="[::1]")
        assert done.stdout == b"hello\n", done


def curl_shows_its_certificate():
    for version in VERSIONS:
        with OursServing(tls=version, talk="http", ask=1) as server:
            done = curl(server.port, "--cert", crt("client"), "--key", key("client"))
            assert done.stdout == b"hello\n", done
            holds(server.facts(), peer="client.test", end="OK")


def curl_without_certificate_is_refused():
    for version in VERSIONS:
        with OursServing(tls=version, talk="http", ask=1) as server:
            done = curl(server.port)
            assert done.returncode != 0 and done.stdout == b"", done
            assert b"alert" in done.stderr, done
            holds(server.facts(), error="E_NO_CERTIFICATE")


def curl_refuses_what_we_should_not_show():
    for name in ("wrong-host", "expired", "other-client"):
        with OursServing(talk="http", **identity(name)) as server:
            done = curl(server.port)
            assert done.returncode == 60, done  # CURLE_PEER_FAILED_VERIFICATION
            if name != "wrong-host":  # of the name curl makes up its mind after the handshake
                facts = server.facts()
                assert facts.get("error") in ("E_REJECTED", "E_ALERT"), facts


if __name__ == "__main__":
    run(with_program("curl", [
        curl_gets_a_page_in_each_version,
        curl_verifies_an_address,
        curl_shows_its_certificate,
        curl_without_certificate_is_refused,
        curl_refuses_what_we_should_not_show,
    ]))
