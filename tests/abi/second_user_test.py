#!/usr/bin/python3
"""Two users of OpenSSL in one process, the library and CPython's ssl or a C host, whichever comes first: both do
handshakes at once, on several threads, and neither notices the other."""
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import BUILD, LIBRARY, command, host_environment, run

PROGRAM = pathlib.Path(__file__).with_name("second_user.py")


def python(order):
    env = host_environment(PYTHONPATH=f"{BUILD}/python", PYTHONHASHSEED="0", TLSSHIM_LIBRARY=str(LIBRARY))
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        return command("/usr/bin/python3", PROGRAM, order, "25", file.name, env=env, timeout=100)


def pythons_ssl_and_the_library_work_at_once_when_ssl_comes_first():
    python("ssl-first")


def pythons_ssl_and_the_library_work_at_once_when_the_library_comes_first():
    python("shim-first")


def pythons_ssl_gets_the_same_defaults_whoever_comes_first():
    assert python("ssl-first") == python("shim-first")


def a_c_host_with_the_default_context_works_at_once():
    for order in ("host-first", "shim-first"):
        command(BUILD / "tests" / "abi" / "second_host", order, "60", env=dict(os.environ), timeout=100)


if __name__ == "__main__":
    run([pythons_ssl_and_the_library_work_at_once_when_ssl_comes_first,
         pythons_ssl_and_the_library_work_at_once_when_the_library_comes_first,
         pythons_ssl_gets_the_same_defaults_whoever_comes_first,
         a_c_host_with_the_default_context_works_at_once])
