#!/usr/bin/python3
"""The idiomatic layers: two scenarios in each language; all must print the same. time limit: 400 s"""
import difflib
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import hosts
from support.promise import BUILD, SANITIZE, Skip, TOP, run

HERE = TOP / "tests" / "bindings"
SBCL = ["sbcl", "--script"]
HOSTS = {
    "lua5.4": (["lua5.4"], "lua"),
    "luajit": (["luajit"], "lua"),
    "swig": (["/usr/bin/python3"], "py"),
    "ctypes": (["/usr/bin/python3"], "py"),
    "sbcl": (SBCL, "lisp"),
    "ecl": (["ecl", "--norc", "-q", "--shell"], "lisp"),
}
# What it is called, and the least number of lines that it prints.
SCENARIOS = {"layer": 70, "events": 70}


def lines_of(name, command):
    if SANITIZE and command[0] in hosts.ALONE:
        raise Skip("an interpreter with memory of its own does not live with a sanitizer's")
    env = hosts.environment()
    if name in ("swig", "ctypes"):
        env["TLSSHIM_RAW"] = name
    with tempfile.TemporaryFile() as file:  # for whoever sends a file: standard input
        file.write(b"abcdefghij" * 10000)
        file.seek(0, os.SEEK_END)
        ran = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, env=env,
                             timeout=280, stdin=file)
    lines = [line for line in ran.stdout.splitlines() if line and not line.startswith(";")]
    assert ran.returncode == 0, f"{name} ended with {ran.returncode}\n" + "\n".join(lines[-20:]) + ran.stderr[-3000:]
    return lines


def told(scenario, name):
    words, suffix = HOSTS[name]
    return lines_of(name, [*words, str(HERE / f"{scenario}.{suffix}")])


def expected_file(scenario):
    return HERE / f"{scenario}_expected.txt"


def says_what_all_say(scenario, name):
    def promise():
        expected = expected_file(scenario).read_text(encoding="utf-8").splitlines()
        assert len(expected) > SCENARIOS[scenario]
        lines = told(scenario, name)
        assert lines == expected, "\n".join(difflib.unified_diff(expected, lines, "expected", name, lineterm=""))
    promise.__name__ = f"{name.replace('.', '_')}_says_what_all_say_in_{scenario}"
    return promise


def timeouts_of_sbcl_reach_into_waits():
    lines = lines_of("sbcl", [*SBCL, str(HERE / "timeout.lisp")])
    cut = [f"{what} was cut short" for what in ("accept", "read", "write")]
    assert lines == [*cut, "still there", "0 open"], lines


def lisp_reads_and_writes_with_its_own_functions():
    told = ["into 2 2 #(0 0 97 98 0 99 100 0)", *(f'refused "{part} is no part of a vector of 8 octets"'
                                                 for part in ("-1..4", "5..4", "0..9")),
            "(UNSIGNED-BYTE 8) T T", "read 1 T 2 3 4", "closed T NIL", 'all 30000 0 9 7 29996 "tail"', "end :NOTHING 0",
            "end of file", "closed T"]
    told = [*told[:4], f"plain {told[4]}", *told[5:], *told[:4], f"tls {told[4]}", *told[5:]]
    for command in ([*SBCL, str(HERE / "gray.lisp")], ["ecl", "--norc", "-q", "--shell", str(HERE / "gray.lisp")]):
        lines = lines_of(command[0], command)
        assert lines == told, f"{command[0]}: {lines}"


def lua_closes_at_the_end_of_a_scope():
    chunk = """local tlsshim = require "tlsshim"
        collectgarbage "stop"
        pcall(function()
            local trust <close> = assert(tlsshim.trust())
            local key <close> = assert(tlsshim.key())
            assert(tlsshim.live() == 2)
            error "leave"
        end)
        print(tlsshim.live() .. " open")"""
    assert lines_of("lua5.4", ["lua5.4", "-e", chunk]) == ["0 open"]


TWO_THREADS = """
import threading, time, tlsshim
ca = tlsshim.ca("CN=Root")
trust = tlsshim.Trust(cert=ca.cert)
client = tlsshim.Context("client", trust=trust, events="verify")
server = tlsshim.Context("server", identity=ca.issue(names=["localhost"]))
asked, got = [], []

def verify(event):
    asked.append(event.kind)
    time.sleep(0.05)
    return True

with tlsshim.listen("127.0.0.1") as listener:
    one = tlsshim.connect("127.0.0.1", listener.port, client, timeout=0, verify_name="localhost")
    one.timeout, one.conn.handlers = 20, {"verify": verify}
    with one, listener.accept(server, 10) as other:
        reader = threading.Thread(target=lambda: got.append(one.read()))
        writer = threading.Thread(target=one.write, args=(b"up",))
        reader.start()
        writer.start()
        other.write(b"down")
        print(other.read(), (writer.join(), reader.join()) and got[0], len(asked))
"""


TWO_LISP_THREADS = """
(let* ((ca (tlsshim:ca "CN=Root"))
       (client (tlsshim:make-context :client :trust (tlsshim:make-trust :cert (tlsshim:identity-cert ca))
                                             :events :verify))
       (server (tlsshim:make-context :server :identity (tlsshim:issue ca :names '("localhost"))))
       (asked 0))
  (tlsshim:with-handles ((listener (tlsshim:make-listener "127.0.0.1"))
                         (one (tlsshim:connect "127.0.0.1" (tlsshim:listener-port listener) :context client :timeout 0
                                               :verify-name "localhost"))
                         (other (tlsshim:listener-accept listener :context server :timeout 10)))
    (setf (tlsshim:timeout one) 20
          (tlsshim:conn-handlers (tlsshim:stream-conn one))
          (list :verify (lambda (event) (declare (ignore event)) (incf asked) (sleep 0.05) t)))
    (let ((reader (sb-thread:make-thread (lambda () (tlsshim:stream-read one))))
          (writer (sb-thread:make-thread (lambda () (tlsshim:stream-write one "up")))))
      (tlsshim:stream-write other "down")
      (format t "~D ~D ~D ~D~%" (length (tlsshim:stream-read other)) (length (sb-thread:join-thread reader))
              (sb-thread:join-thread writer) asked))))
"""


def threads_of_lisp_answer_an_event_once():
    words = [*hosts.SBCL, "--eval", "(require :asdf)", "--eval", '(asdf:load-system "tlsshim")', "--eval",
             TWO_LISP_THREADS, "--quit"]
    assert lines_of("sbcl", words) == ["2 4 2 1"]


def handlers_of_lua_may_yield():
    chunk = """local tlsshim = require "tlsshim"
        local ca = assert(tlsshim.ca "CN=Root")
        local client = assert(tlsshim.context { role = "client", trust = tlsshim.trust { cert = ca:cert() } })
        local server = assert(tlsshim.context { role = "server", events = "hello" }):conn()
        client = client:conn "www.test"
        client:handshake()
        server:feed(client:drain())
        local task = coroutine.wrap(function()
            return server:handshake { hello = function(event) return coroutine.yield(event.server_name) end }
        end)
        local name = task()
        print(name, server:event().kind)
        print(select(2, task(ca:issue { names = name })).code)"""
    for name in ("lua5.4", "luajit"):
        if not (SANITIZE and name in hosts.ALONE):
            assert lines_of(name, [name, "-e", chunk]) == ["www.test\thello", "WANT_DRAIN"], name


def threads_of_python_answer_an_event_once():
    assert lines_of("python", ["/usr/bin/python3", "-c", TWO_THREADS]) == ["b'up' b'down' 1"]


def python_falls_back_to_ctypes_and_refuses_another_name():
    env = hosts.environment()
    ask = ["/usr/bin/python3", "-c", "import tlsshim; print(tlsshim.raw.__name__)"]
    hide = ["/usr/bin/python3", "-c", "import sys; sys.modules['tlsshim._swig'] = None; import tlsshim; "
            "print(tlsshim.raw.__name__)"]
    for words, raw, said in ((ask, "", "tlsshim.swig"), (hide, "", "tlsshim.ctypes"),
                             (ask, "ctypes", "tlsshim.ctypes"), (ask, "cffi", "ImportError")):
        ran = subprocess.run(words, capture_output=True, text=True, check=False, env=dict(env, TLSSHIM_RAW=raw))
        assert said in ran.stdout + ran.stderr, ran.stdout + ran.stderr


if __name__ == "__main__":
    if "--accept" in sys.argv:
        for accepted in SCENARIOS:
            expected_file(accepted).write_text("\n".join(told(accepted, "lua5.4")) + "\n", encoding="utf-8")
    run([*(says_what_all_say(scenario, name) for scenario in SCENARIOS for name in HOSTS),
         timeouts_of_sbcl_reach_into_waits, lisp_reads_and_writes_with_its_own_functions,
         lua_closes_at_the_end_of_a_scope, handlers_of_lua_may_yield,
         threads_of_python_answer_an_event_once, threads_of_lisp_answer_an_event_once,
         python_falls_back_to_ctypes_and_refuses_another_name])
