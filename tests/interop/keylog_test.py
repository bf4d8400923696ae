#!/usr/bin/python3
"""Key logs against others': openssl writes the same one, and Wireshark reads ours."""
import pathlib
import select
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.interop import PATIENCE, OursServing, Program, crt, folder, holds, ours_connects, with_program
from support.promise import run

VERSIONS = ("1.2", "1.3")
SENT = "ahovcjqxelszgnubipwdkry"  # how what peer_host sends begins


class Listening(threading.Thread):
    """Stands between one client and a server, and keeps what passes as (from the client?, bytes)."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.server = port
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        self.heard = []
        self.start()

    def run(self):
        client, _ = self.door.accept()
        server = socket.create_connection(("127.0.0.1", self.server))
        other = {client: server, server: client}
        while other:
            for end in select.select(list(other), [], [], PATIENCE)[0]:
                data = end.recv(65536)
                if data:
                    self.heard.append((end is client, data))
                    (server if end is client else client).sendall(data)
                else:
                    (server if end is client else client).shutdown(socket.SHUT_WR)
                    del other[end]
        for end in (client, server, self.door):
            end.close()

    def capture(self, path):
        """What passed as a capture file: IPv4 and TCP headers made up, no link layer (LINKTYPE_RAW)."""
        self.join(PATIENCE)
        at = {True: 1, False: 1}
        with open(path, "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 101))
            for number, (up, data) in enumerate(self.heard):
                for start in range(0, len(data), 16000):
                    part = data[start:start + 16000]
                    ends = (b"\x0a\0\0\1", b"\x0a\0\0\2") if up else (b"\x0a\0\0\2", b"\x0a\0\0\1")
                    ports = (40000, 443) if up else (443, 40000)
                    tcp = struct.pack(">HHIIBBHHH", *ports, at[up], at[not up], 5 << 4, 0x18, 65535, 0, 0)
                    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(part), number, 0, 64, 6, 0, *ends)
                    out.write(struct.pack("<IIII", number, 0, 40 + len(part), 40 + len(part)) + ip + tcp + part)
                    at[up] += len(part)


def secrets(path):
    """The lines by (label, client random)."""
    return {tuple(line.split()[:2]): line.split()[2] for line in path.read_text().splitlines()
            if line and not line.startswith("#")}


def fresh(name):
    path = folder() / name
    path.unlink(missing_ok=True)
    return path


def s_client_with_its_log(port, log):
    with Program("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", crt("root"), "-keylogfile",
                 log) as client:
        client.say(b"hello\n")
        client.expect(rb"hello\n$")
        client.hang_up()
        client.process.wait(PATIENCE)


def our_server_logs_the_secrets_that_s_client_logs():
    for version in VERSIONS:
        ours, theirs = fresh("ours.keys"), fresh("theirs.keys")
        with OursServing(tls=version, keylog=ours) as server:
            s_client_with_its_log(server.port, theirs)
            holds(server.facts(), bytes=6)
        assert secrets(ours) == secrets(theirs), (secrets(ours), secrets(theirs))
        assert len(secrets(ours)) == (1 if version == "1.2" else 5), secrets(ours)


def read_by_wireshark(capture, log):
    """The plaintext of both directions, as tshark follows the stream."""
    command = ["tshark", "-r", capture, "-o", f"tls.keylog_file:{log}", "-d", "tcp.port==443,tls", "-q",
               "-z", "follow,tls,ascii,0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def wireshark_reads_our_connections_with_our_log_and_not_without():
    for version in VERSIONS:
        ours, capture = fresh("ours.keys"), folder() / f"capture-{version}"
        with OursServing(tls=version) as server:
            between = Listening(server.port)
            holds(ours_connects(between.port, tls=version, bytes=40, keylog=ours), bytes=40, end="OK")
            between.capture(capture)
        assert read_by_wireshark(capture, ours).count(SENT) == 2, read_by_wireshark(capture, ours)
        assert SENT not in read_by_wireshark(capture, fresh("nothing.keys"))


if __name__ == "__main__":
    run([*with_program("openssl", [our_server_logs_the_secrets_that_s_client_logs]),
         *with_program("tshark", [wireshark_reads_our_connections_with_our_log_and_not_without])])
