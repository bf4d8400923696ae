#!/usr/bin/python3
"""Keys in another process: handshakes in a row whose signatures an agent makes. time limit: 240 s"""
import contextlib
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import hosts
from support.promise import SANITIZE, Skip, TOP, run

HERE = TOP / "tests" / "bindings"
AGENT = [hosts.PYTHON, str(TOP / "examples" / "agent.py")]
TIMES = 1000 if os.environ.get("SOAK") else 60
GROWN_KB = 4096
MAKE = """
import pathlib, sys, tlsshim
folder = pathlib.Path(sys.argv[1])
root = tlsshim.ca("CN=Root")
(folder / "root.pem").write_bytes(root.cert.export())
for name, template in ("server", {"names": ["localhost"]}), ("client", {"subject": "CN=client", "usage": "client"}):
    whole = root.issue(**template)
    (folder / f"{name}.pem").write_bytes(whole.cert.export())
    (folder / f"{name}.key").write_bytes(whole.key.export())
visitor = root.issue(subject="CN=visitor", usage="client")
(folder / "visitor.pem").write_bytes(visitor.cert.export() + visitor.key.export())
"""


@contextlib.contextmanager
def program(*words):
    """A program that runs until the block ends, and the first line that it says."""
    started = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True,
                               env=hosts.environment())
    try:
        yield started.stdout.readline().strip(), started
    finally:
        started.kill()
        started.communicate()


@contextlib.contextmanager
def town():
    """A folder with certificates, and an agent that alone has the keys."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([hosts.PYTHON, "-c", MAKE, folder], check=True, env=hosts.environment())
        keys = [f"{folder}/{name}.key" for name in ("server", "client")]
        with program(*AGENT, "agent", f"{folder}/agent", f"server={keys[0]}", f"client={keys[1]}") as (line, _):
            assert line == "keys=server,client", line
            for key in keys:
                os.unlink(key)
            yield folder


def handshakes(*words, **more):
    with town() as folder, socket.socket(socket.AF_UNIX) as agent:
        agent.connect(f"{folder}/agent")
        env = hosts.environment(AGENT_FD=str(agent.fileno()), FOLDER=folder, COUNT=str(TIMES), **more)
        ran = subprocess.run([*map(str, words), str(agent.fileno()), folder, str(TIMES)], capture_output=True,
                             text=True, env=env, pass_fds=[agent.fileno()], check=False, timeout=1200)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    line = ran.stdout.strip().splitlines()[-1]
    print(f"{words[0]} {more.get('TLSSHIM_RAW', '')}: {TIMES} handshakes, {line}")
    facts = {name: int(number) for name, number in (word.split("=") for word in line.split())}
    assert facts["signed"] == 2 * TIMES, line
    assert facts["collections"] > 0, line
    assert facts["leaked"] <= 0, line  # less where the collector closed what came before
    if not SANITIZE:
        assert facts["grown_kb"] < GROWN_KB, line


def alone(name):
    if SANITIZE:
        raise Skip(f"{name} does not live with a sanitizer")


def lua_has_both_keys_elsewhere():
    handshakes("lua5.4", HERE / "agent.lua")


def luajit_has_both_keys_elsewhere():
    alone("LuaJIT")
    handshakes("luajit", HERE / "agent.lua")


def python_with_swig_has_both_keys_elsewhere():
    handshakes(hosts.PYTHON, HERE / "agent.py", TLSSHIM_RAW="swig")


def python_with_ctypes_has_both_keys_elsewhere():
    handshakes(hosts.PYTHON, HERE / "agent.py", TLSSHIM_RAW="ctypes")


def sbcl_has_both_keys_elsewhere():
    alone("SBCL")
    handshakes("sbcl", "--script", HERE / "agent.lisp")


VISIT = """
import sys, tlsshim
port, folder = int(sys.argv[1]), sys.argv[2]
client = tlsshim.Context("client", ca_file=f"{folder}/root.pem", cert_file=f"{folder}/visitor.pem")
with tlsshim.connect("localhost", port, client) as stream:
    stream.write(b"hello")
    stream.shutdown()
    print(b"".join(stream).decode(), stream.conn.version)
"""


def the_example_serves_without_a_key():
    with town() as folder:
        words = "server", f"{folder}/agent", "server", f"{folder}/root.pem", f"{folder}/server.pem"
        with program(*AGENT, *words) as (line, _):
            port = line.removeprefix("port=")
            told = subprocess.run([hosts.PYTHON, "-c", VISIT, port, folder], check=False, capture_output=True,
                                  text=True, env=hosts.environment(), timeout=60)
            assert told.stdout == "hello TLSv1.3\n", told.stdout + told.stderr


def answer_to(agent, *fields):
    agent.sendall(b"".join(struct.pack("!I", len(field)) + field for field in fields))
    (length,) = struct.unpack("!I", agent.recv(4, socket.MSG_WAITALL))
    return agent.recv(length, socket.MSG_WAITALL) if length else b""


def the_example_signs_nothing_but_handshakes():
    handshake, scheme = b" " * 64 + b"TLS 1.3, server CertificateVerify" + bytes(33), b"ecdsa_secp256r1_sha256"
    with town() as folder, socket.socket(socket.AF_UNIX) as agent:
        assert pathlib.Path(f"{folder}/agent").stat().st_mode & 0o177 == 0
        agent.connect(f"{folder}/agent")
        assert answer_to(agent, b"server", scheme, handshake)
        for refused in ((b"server", scheme, b"I owe you"), (b"nobody", scheme, handshake),
                        (b"server", b"ed25519", handshake), (b"server", b"", handshake[1:])):
            assert answer_to(agent, *refused) == b"", refused


if __name__ == "__main__":
    run([lua_has_both_keys_elsewhere, luajit_has_both_keys_elsewhere, python_with_swig_has_both_keys_elsewhere,
         python_with_ctypes_has_both_keys_elsewhere, sbcl_has_both_keys_elsewhere, the_example_serves_without_a_key,
         the_example_signs_nothing_but_handshakes])
