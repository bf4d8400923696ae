"""For interop tests: our end is the program peer_host, the other one somebody else's. Loopback only."""
import atexit
import functools
import os
import pathlib
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time

from support.promise import BUILD, Skip

PEER = BUILD / "tests" / "interop" / "peer_host"
PATIENCE = 30


def with_program(program, promises):
    """The promises, each skipped where the other end's program is not installed."""
    def guarded(promise):
        @functools.wraps(promise)
        def judged():
            if not shutil.which(program):
                raise Skip(f"{program} is not installed")
            promise()
        return judged

    return [guarded(promise) for promise in promises]


@functools.cache
def folder():
    """Certificates of all kinds, made by tlsshim; see peer_host.c."""
    made = tempfile.mkdtemp(prefix="tlsshim-interop-")
    atexit.register(shutil.rmtree, made)
    subprocess.run([PEER, "certs", made], check=True, timeout=PATIENCE)
    return pathlib.Path(made)


def crt(name):
    return folder() / f"{name}.crt"


def key(name):
    return folder() / f"{name}.key"


def identity(name):
    return {"cert": crt(name), "key": key(name)}


def words(settings):
    return [f"{name}={value}" for name, value in settings.items()]


def facts_of(line):
    """A line of peer_host as a dictionary; an error is "error" (its name) and "text" (its sentence)."""
    good, _, bad = line.partition("error=")
    facts = dict(re.findall(r"(\w+)=(\S*)", good))
    if bad:
        facts["error"], _, facts["text"] = bad.partition(" ")
    return facts


def ours_connects_often(port, host="localhost", **settings):
    """As many connections as "count" says, out of one process; gives the facts of each."""
    done = subprocess.run([PEER, "connect", host, str(port), *words({"ca": crt("root"), **settings})],
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout, f"peer_host says nothing, status {done.returncode}: {done.stderr}"
    return [facts_of(line) for line in done.stdout.splitlines()]


def ours_connects(port, host="localhost", **settings):
    return ours_connects_often(port, host, **settings)[0]


class Program:
    """A running peer; leaving the block ends it."""

    grace = 0

    def __init__(self, *command, **options):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
        self.output = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(self.grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def expect(self, pattern):
        """Reads until the pattern has come; gives the match."""
        until = time.monotonic() + PATIENCE
        while True:
            found = re.search(pattern, self.output)
            if found:
                self.output = self.output[found.end():]
                return found
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))
            more = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            assert more, f"{self.process.args[0]} did not say {pattern}: {self.output.decode('utf-8', 'replace')}"
            self.output += more

    def say(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def hang_up(self):
        self.process.stdin.close()


class OursServing(Program):
    """Our server on a port of its own."""

    grace = 1
    host = PEER

    def __init__(self, **settings):
        settings = {"ca": crt("root"), **identity("server"), **settings}
        super().__init__(self.host, "serve", settings.pop("host", "127.0.0.1"), *words(settings))
        self.port = int(self.expect(rb"port (\d+)\n").group(1))

    def order(self, line):
        """To a server with ordered=1; see peer_host.c."""
        self.say(f"{line}\n".encode())

    def facts(self):
        return facts_of(self.expect(rb"(.*)\n").group(1).decode())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def holds(facts, **wanted):
    """Each fact must be as wanted."""
    for name, value in wanted.items():
        assert facts.get(name) == str(value), f"{name} is {facts.get(name)}, not {value}: {facts}"
