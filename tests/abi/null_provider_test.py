#!/usr/bin/python3
"""The suites pass in a process whose default library context holds nothing but the null provider.

Many of OpenSSL's functions use that context whatever they are given; ours may not depend on what the host has there.
time limit: 600 s
"""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import BUILD, TOP, run

COUNTS = re.compile(r"^(\d+) passed, (\d+) failed", re.M)
SECONDS = 240


def a_promise(program):
    def passes():
        done = subprocess.run([program], capture_output=True, text=True, timeout=SECONDS, cwd=TOP, check=False,
                              env=dict(os.environ, TLSSHIM_TEST_NULL_PROVIDER="1"))
        counts = COUNTS.findall(done.stdout)
        assert done.returncode == 0 and counts and int(counts[-1][0]) > 0, \
            f"status {done.returncode}\n{done.stdout}{done.stderr}"
    passes.__name__ = f"{program.parent.name}_{program.name}_passes_without_algorithms_in_the_default_context"
    return passes


def programs():
    for source in sorted((TOP / "tests").glob("*/*_test.c")):
        if source.parent.name in ("unit", "flow"):
            yield BUILD / "tests" / source.parent.name / source.stem


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
    run([the_switch_takes_the_algorithms_away, *map(a_promise, programs())])
