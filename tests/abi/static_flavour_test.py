#!/usr/bin/python3
"""Both flavours in a host that exports an OpenSSL of its own: one refuses with a text, the other works."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import BACKEND, BUILD, LIBRARY, SANITIZE, TOP, Skip, command, run, same_lines

STATIC = BUILD / "static" / "libtlsshim.so.1"
HOST = BUILD / "tests" / "abi" / "own_openssl"


def plain_build_only():
    if SANITIZE or BACKEND != "shared":
        raise Skip("judged on the plain build, which makes both flavours")


def exported(library):
    return [line.split()[0] for line in command("nm", "-D", "-P", "--defined-only", library).splitlines()]


def the_host_really_exports_its_own_openssl():
    plain_build_only()
    assert {"SSL_CTX_new_ex", "SSL_do_handshake", "EVP_DigestSign", "X509_verify_cert"} <= set(exported(HOST))
    assert "libssl" not in command("ldd", HOST)


def the_shared_flavour_refuses_with_a_text_that_names_the_other():
    plain_build_only()
    said = command(HOST, LIBRARY)
    assert said.startswith("error -21 ") and "BACKEND=static" in said, said


def the_static_flavour_shakes_hands():
    plain_build_only()
    assert command(HOST, STATIC) == "handshake TLSv1.3, 0 handles left\n", command(HOST, STATIC)


def the_static_flavour_exports_the_same_and_needs_no_openssl():
    plain_build_only()
    same_lines(exported(STATIC), (TOP / "tests/abi/symbols.txt").read_text().split(), "static flavour")
    needed = command("readelf", "-dW", STATIC)
    assert "libssl" not in needed and "libcrypto" not in needed, needed


if __name__ == "__main__":
    run([the_host_really_exports_its_own_openssl,
         the_shared_flavour_refuses_with_a_text_that_names_the_other,
         the_static_flavour_shakes_hands,
         the_static_flavour_exports_the_same_and_needs_no_openssl])
