#!/usr/bin/python3
"""The library as a guest: loaded, used and left behind, it says nothing and changes nothing in the host's process."""
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import BUILD, LIBRARY, SANITIZE, TOP, Skip, command, host_environment, run

HOST = BUILD / "tests" / "abi" / "guest_host"

USE = """
import ctypes, sys
shim = ctypes.CDLL(sys.argv[1])
shim.tlsshim_key_generate.restype = shim.tlsshim_cert_self_signed.restype = ctypes.c_int64
shim.tlsshim_cert_self_signed.argtypes = [ctypes.c_int64, ctypes.c_char_p, ctypes.c_int32, ctypes.c_int32]
shim.tlsshim_close.argtypes = [ctypes.c_int64]
key = shim.tlsshim_key_generate(b"P-256", 5)
assert key > 0, key
cert = shim.tlsshim_cert_self_signed(key, b"localhost", 9, 30)
assert cert > 0, cert
"""


def silent(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL, **options)
    assert done.returncode == 0 and not done.stdout and not done.stderr, \
        f"status {done.returncode}\n{done.stdout}{done.stderr}"


def loading_using_and_leaving_changes_nothing_in_the_process():
    silent(HOST, LIBRARY)


def an_interpreter_that_never_closes_its_handles_ends_in_silence():
    silent("/usr/bin/python3", "-c", USE, LIBRARY, env=host_environment())


def loading_alone_and_ending_is_silent():
    silent("/usr/bin/python3", "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])", LIBRARY, env=host_environment())


def a_host_without_standard_streams_is_served():
    silent("/bin/sh", "-c", f'exec "{HOST}" "{LIBRARY}" <&- 2>&-', env=os.environ)


def the_library_never_asks_on_the_terminal():
    """A key under a passphrase, none given: an error, though there is a terminal to ask on."""
    ask = USE + """
shim.tlsshim_key_export.argtypes = [ctypes.c_int64, ctypes.c_int32, ctypes.c_char_p, ctypes.c_int32, ctypes.c_char_p,
                                    ctypes.c_int32]
buf = ctypes.create_string_buffer(4096)
length = shim.tlsshim_key_export(key, 1, b"secret", 6, buf, 4096)
assert 0 < length <= 4096, length
shim.tlsshim_key_load.restype = ctypes.c_int64
result = shim.tlsshim_key_load(buf.raw[:length], length, b"", 0)
assert -((-result) & 255) == -97, result
"""
    import pty
    child, terminal = pty.fork()
    if child == 0:
        os.execve("/usr/bin/python3", ["python3", "-c", ask, str(LIBRARY)], host_environment())
    said = b""
    try:
        while chunk := os.read(terminal, 1000):
            said += chunk
    except OSError:  # the other end is gone
        pass
    _, status = os.waitpid(child, 0)
    assert status == 0 and not said, f"status {status}: {said.decode(errors='replace')}"


FIXED = """
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include "tlsshim.h"
int main(void)
{
    /* Naming functions of the libraries in fixed code gives them addresses within the program itself. */
    void (*volatile certificate)(X509 *) = X509_free;
    void (*volatile connection)(SSL *) = SSL_free;
    char bytes[4], text[600];
    int32_t result = tlsshim_random(bytes, 4);
    int32_t len = result < 0 ? tlsshim_error_text(result, text, sizeof text) : 0;
    certificate(NULL);
    connection(NULL);
    printf("%.*s", (int)len, text);
    return result == 4 ? 0 : 1;
}
"""


def a_host_that_is_not_position_independent_is_served():
    if SANITIZE:
        raise Skip("judged on the plain build")
    if platform.machine() != "x86_64":
        raise Skip("other machines make such programs in other ways")
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder, "fixed")
        source = pathlib.Path(folder, "fixed.c")
        source.write_text(FIXED)
        command(os.environ.get("CC", "cc"), "-fno-pie", "-no-pie", "-I", TOP / "include", source, "-o", program,
                LIBRARY, f"-Wl,-rpath,{BUILD}", "-lssl", "-lcrypto")
        symbols = command("readelf", "--dyn-syms", "-W", program).splitlines()
        lent = [line for line in symbols if " UND X509_free" in line and int(line.split()[1], 16) != 0]
        assert lent, "the program is not of the kind that is meant"
        silent(program)


if __name__ == "__main__":
    run([loading_using_and_leaving_changes_nothing_in_the_process,
         an_interpreter_that_never_closes_its_handles_ends_in_silence,
         loading_alone_and_ending_is_silent,
         a_host_without_standard_streams_is_served,
         the_library_never_asks_on_the_terminal,
         a_host_that_is_not_position_independent_is_served])
