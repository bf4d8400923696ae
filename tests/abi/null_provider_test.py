#!/usr/bin/python3
"""The suites pass in a process whose default library context holds nothing but the null provider.

Many of OpenSSL's functions use that context whatever they are given; ours may not depend on what the host has there.
time limit: 600 s
"""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import run, suites_again


def the_switch_takes_the_algorithms_away():
    ask = """
import ctypes, ctypes.util
crypto = ctypes.CDLL("libcrypto.so.3")
for name in ("OSSL_PROVIDER_load", "EVP_MD_fetch"):
    getattr(crypto, name).restype = ctypes.c_void_p
assert crypto.OSSL_PROVIDER_load(None, b"null")
assert not crypto.EVP_MD_fetch(None, b"SHA2-256", None)
"""
    done = subprocess.run(["/usr/bin/python3", "-c", ask], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    run([the_switch_takes_the_algorithms_away,
         *suites_again(("unit", "flow"), "without_algorithms_in_the_default_context", TLSSHIM_TEST_NULL_PROVIDER="1")])
