#!/usr/bin/python3
"""What openssl and certtool say of certificates and keys that tlsshim has made."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.interop import PATIENCE, crt, key, with_program
from support.promise import command, run

SERVERS = ("server", "server-rsa", "server-ed25519", "server-p384")
CLIENTS = ("client", "client-rsa")


def verdict(name, *options):
    done = subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", crt("root"), "-untrusted", crt(name),
                           *options, crt(name)], capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.returncode == 0, done.stdout + done.stderr


def openssl_takes_servers_strictly_by_name_and_address():
    for name in SERVERS:
        for what in (("-verify_hostname", "localhost"), ("-verify_ip", "127.0.0.1"), ("-verify_ip", "::1")):
            good, said = verdict(name, "-purpose", "sslserver", *what)
            assert good, said


def openssl_takes_clients_strictly_as_clients_only():
    for name in CLIENTS:
        good, said = verdict(name, "-purpose", "sslclient")
        assert good, said
        good, said = verdict(name, "-purpose", "sslserver")
        assert not good and "unsuitable certificate purpose" in said, said


def openssl_takes_authorities_strictly():
    for name in ("root", "below"):
        good, said = verdict(name, "-purpose", "any")
        assert good, said


def openssl_refuses_what_is_wrong():
    for name, options, wanted in (("expired", (), "certificate has expired"),
                                  ("wrong-host", ("-verify_hostname", "localhost"), "hostname mismatch"),
                                  ("other-client", (), "unable to get local issuer")):
        good, said = verdict(name, *options)
        assert not good and wanted in said, said


def openssl_finds_each_key_sound_and_of_its_certificate():
    for name in (*SERVERS, *CLIENTS, "root", "below"):
        command("openssl", "pkey", "-in", key(name), "-check", "-noout")
        public = command("openssl", "pkey", "-in", key(name), "-pubout")
        assert public == command("openssl", "x509", "-in", crt(name), "-pubkey", "-noout"), name


def leaves_hold_what_strict_verifiers_ask_for():
    for name in (*SERVERS, *CLIENTS):
        text = command("openssl", "x509", "-in", crt(name), "-noout", "-text")
        for wanted in ("Subject Key Identifier", "Authority Key Identifier", "Key Usage: critical",
                       "Extended Key Usage", "Version: 3"):
            assert wanted in text, f"{name}: {wanted}\n{text}"
        assert ("Subject Alternative Name" in text) == (name in SERVERS), text


def certtool_verifies_each_chain():
    for name in (*SERVERS, *CLIENTS):
        said = command("certtool", "--verify", "--load-ca-certificate", crt("root"), "--infile", crt(name),
                       "--verify-profile", "medium")
        assert "The certificate is trusted" in said, said


def certtool_refuses_what_is_wrong():
    for name in ("expired", "other-client"):
        done = subprocess.run(["certtool", "--verify", "--load-ca-certificate", crt("root"), "--infile", crt(name)],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode != 0 and "NOT trusted" in done.stdout + done.stderr, done


if __name__ == "__main__":
    run(with_program("openssl", [
        openssl_takes_servers_strictly_by_name_and_address,
        openssl_takes_clients_strictly_as_clients_only,
        openssl_takes_authorities_strictly,
        openssl_refuses_what_is_wrong,
        openssl_finds_each_key_sound_and_of_its_certificate,
        leaves_hold_what_strict_verifiers_ask_for,
    ]) + with_program("certtool", [certtool_verifies_each_chain, certtool_refuses_what_is_wrong]))
