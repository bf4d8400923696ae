#!/usr/bin/python3
"""examples/sessions with a real Redis: client processes that share sessions, servers that share a secret."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.interop import PATIENCE, Program, crt, folder, key, with_program
from support.promise import BUILD, TOP, host_environment, run

EXAMPLE = TOP / "examples" / "sessions"
ENVIRONMENT = host_environment(PYTHONPATH=str(BUILD / "python"))


def identity(name):
    """The same certificate under the names that the example expects."""
    shutil.copy(crt(name), folder() / f"{name}.pem")
    return folder() / name


class Redis(Program):
    def __init__(self, place):
        self.address = f"unix://{place}/redis.sock"
        super().__init__("redis-server", "--port", "0", "--unixsocket", f"{place}/redis.sock", "--dir", place, "--save",
                         "")
        self.expect(rb"eady to accept connections")


class Server(Program):
    def __init__(self, secret):
        super().__init__("/usr/bin/python3", EXAMPLE / "server.py", crt("root"), identity("server"), secret,
                         env=ENVIRONMENT)
        self.port = int(self.expect(rb"port=(\d+)\n").group(1))

    def said(self):
        return self.expect(rb"(.*)\n").group(1).decode()


def visits(redis, *servers):
    """One client process; 0 or 1 for each visit."""
    done = subprocess.run(["/usr/bin/python3", EXAMPLE / "client.py", redis.address, crt("root"), identity("client"),
                           *(str(server.port) for server in servers)],
                          capture_output=True, text=True, timeout=PATIENCE, check=False, env=ENVIRONMENT)
    assert done.returncode == 0, done.stdout + done.stderr
    resumed = re.findall(r"^said='hello world' resumed=(\d)$", done.stdout, re.M)
    assert len(resumed) == len(servers), done.stdout
    for server, each in zip(servers, resumed):
        assert (told := server.said()) == f"peer=client.test verified=1 resumed={each}", told
    return [int(each) for each in resumed]


def secret(place, name):
    path = pathlib.Path(place) / name
    path.write_bytes(os.urandom(32))
    return path


def clients_resume_against_whichever_server_of_the_fleet_they_reach():
    with tempfile.TemporaryDirectory() as place:
        shared = secret(place, "shared")
        with Redis(place) as redis, Server(shared) as one, Server(shared) as two:
            assert (first := visits(redis, one, two, one)) == [0, 1, 1], first
            assert (later := visits(redis, two, one)) == [1, 1], later
            with Server(secret(place, "other")) as stranger:
                assert (strange := visits(redis, stranger, one)) == [0, 0], strange  # its ticket is the newest
            with Server(shared) as three:
                assert (new := visits(redis, three)) == [1], new


def what_is_kept_is_bounded_and_ends_with_the_sessions():
    with tempfile.TemporaryDirectory() as place:
        with Redis(place) as redis, Server(secret(place, "shared")) as server:
            visits(redis, *[server] * 12)
            for command, low, high in (("LLEN", 1, 8), ("TTL", 1, 7200)):
                answer = int(subprocess.run(["redis-cli", "-s", redis.address.removeprefix("unix://"), command,
                                             "tls-sessions:localhost"], capture_output=True, check=True).stdout)
                assert low <= answer <= high, f"{command}: {answer}"


if __name__ == "__main__":
    run(with_program("redis-server", [clients_resume_against_whichever_server_of_the_fleet_they_reach,
                                      what_is_kept_is_bounded_and_ends_with_the_sessions]))
