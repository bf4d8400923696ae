"""What `make bench` measures: rows of a base and of ours, and what differs between the two.

A side is a name and a command line; {build} and {bench} are filled in. `speed` rows compare work in the same time (more
is better), `cost` rows time for the same work (less is better), `value` rows something that is no time.
"""
from dataclasses import dataclass, field

AES128 = "suite=TLS_AES_128_GCM_SHA256"
AES256 = "suite=TLS_AES_256_GCM_SHA384"


@dataclass(frozen=True)
class Side:
    name: str
    command: str
    work: float = 1  # units of work done for each unit asked for


@dataclass(frozen=True)
class Row:
    key: str
    what: str
    base: Side
    ours: Side = None
    kind: str = "speed"
    clock: str = "cpu"     # or wall: then it works in several threads, and gets all cores
    size: int = 0          # bytes a unit of work moves; 0 = count units
    start: int = 1         # the amount that calibration begins with
    amount: int = 0        # fixed, of value rows
    unit: str = "KB"       # of value rows
    goal: str = ""         # ">= 1.00" on the ratio, or on our own figure if it names a unit
    differs: str = "nothing but the library"
    quick: bool = True
    needs: tuple = field(default=())  # files or programs without which it cannot run


def plain(command, name="OpenSSL"):
    return Side(name, "{build}/bench/plain " + command)


def shim(command, name="tlsshim C", work=1.0):
    return Side(name, "{build}/bench/shim " + command, work)


def gnutls(command):
    return Side("GnuTLS", "{build}/bench/gnutls " + command)


def libtls(command):
    return Side("libtls", "{build}/bench/libtls " + command)


def luajit(command, name="LuaJIT"):
    return Side(name, "luajit {bench}/hosts/host.lua " + command)


def lua(command, name="Lua 5.4"):
    return Side(name, "lua5.4 {bench}/hosts/host.lua " + command)


def python(module, command, name=""):
    return Side(name or "Python " + module, "/usr/bin/python3 {bench}/hosts/host.py " + module + " " + command)


def sbcl(command, options="", name="SBCL"):
    settings = " ".join("BENCH_" + word.split("=")[0].upper() + "=" + word.split("=")[1] for word in options.split())
    return Side(name, f"env BENCH_COMMAND={command} {settings} sbcl --noinform --no-userinit --no-sysinit "
                "--disable-debugger --load {bench}/hosts/host.lisp")


LIMITS = [
    Row("limit-aes128", "AES-128-GCM, 16 KiB sealed and opened, no TLS", plain("cipher cipher=AES-128-GCM"),
        size=16384, start=1000, differs="what bulk cannot exceed"),
    Row("limit-aes256", "AES-256-GCM, the same", plain("cipher cipher=AES-256-GCM"), size=16384, start=1000,
        differs="what bulk cannot exceed"),
    Row("limit-sign", "ECDSA P-256, one signature", plain("curve what=sign"), kind="cost", start=1000,
        differs="one a full handshake, two with mTLS"),
    Row("limit-verify", "ECDSA P-256, one verification", plain("curve what=verify"), kind="cost", start=1000,
        differs="two a full handshake (chain, CertificateVerify), four with mTLS"),
    Row("limit-x25519", "X25519, one derivation", plain("curve what=derive"), kind="cost", start=1000,
        differs="two a handshake, resumed ones too, beside two key generations"),
]

BULK = [
    Row("bulk-16k", "bulk 16 KiB, same cipher", plain(f"bulk {AES128}", "OpenSSL BIO pair"), shim(f"bulk {AES128}"),
        size=16384, start=1000, goal=">= 1.00", differs="both AES-128-GCM"),
    Row("bulk-16k-membio", "bulk 16 KiB against memory BIOs", plain(f"bulk {AES128} bio=memory", "OpenSSL memory BIO"),
        shim(f"bulk {AES128}"), size=16384, start=1000, quick=False, differs="both AES-128-GCM"),
    Row("bulk-16k-tuned", "bulk 16 KiB against tuned OpenSSL", plain(f"bulk {AES128} style=tuned", "OpenSSL tuned"),
        shim(f"bulk {AES128}"), size=16384, start=1000, quick=False,
        differs="both AES-128-GCM; base with read-ahead of 64 KiB"),
    Row("bulk-16k-shipped", "bulk 16 KiB, as shipped", plain("bulk", "OpenSSL BIO pair"), shim("bulk release=1"),
        size=16384, start=1000, goal=">= 1.12", differs="OpenSSL's first choice is AES-256-GCM, ours AES-128-GCM; "
        "ours with IDLE_SMALL, the default"),
    Row("bulk-16k-joined", "bulk 16 KiB, ends joined", plain(f"bulk bio=joined {AES128}", "OpenSSL joined"),
        shim(f"bulk {AES128}"), size=16384, start=1000, quick=False,
        differs="both AES-128-GCM; the base's ends share one BIO pair: its ciphertext never comes out to be sent"),
    Row("bulk-64-joined", "writes of 64 bytes, ends joined",
        plain(f"bulk size=64 bio=joined {AES128}", "OpenSSL joined"),
        shim(f"bulk size=64 {AES128}"), size=64, start=3000,
        quick=False, differs="the same"),
    Row("bulk-1k", "writes of 1 KiB, one record a call", plain(f"bulk size=1024 {AES128}", "OpenSSL BIO pair"),
        shim(f"bulk size=1024 {AES128}"), size=1024, start=3000, goal=">= 1.00", differs="both AES-128-GCM"),
    Row("bulk-64", "writes of 64 bytes, one record a call", plain(f"bulk size=64 {AES128}", "OpenSSL BIO pair"),
        shim(f"bulk size=64 {AES128}"), size=64, start=3000, goal=">= 1.00", differs="both AES-128-GCM"),
    Row("bulk-16k-update", "bulk 16 KiB after a key update", plain(f"bulk {AES128}", "OpenSSL BIO pair"),
        shim(f"bulk update=1 {AES128}"), size=16384, start=1000, quick=False, differs="ours under its second key"),
    Row("bulk-64-update", "writes of 64 bytes after a key update",
        plain(f"bulk size=64 {AES128}", "OpenSSL BIO pair"), shim(f"bulk size=64 update=1 {AES128}"), size=64,
        start=3000, quick=False, differs="ours under its second key"),
    Row("gather-1k", "writes of 1 KiB, gathered", plain(f"bulk size=1024 {AES128}", "OpenSSL, one record a call"),
        shim(f"gather size=1024 {AES128}"), size=1024, start=3000, goal=">= 3.0",
        differs="32 KiB of writes, then one drain and one opening"),
    Row("gather-64", "writes of 64 bytes, gathered", plain(f"bulk size=64 {AES128}", "OpenSSL, one record a call"),
        shim(f"gather size=64 {AES128}"), size=64, start=3000, goal=">= 20",
        differs="32 KiB of writes, then one drain and one opening"),
    Row("gather-1k-own", "writes of 1 KiB, gathered or not",
        shim(f"bulk size=1024 {AES128}", "tlsshim C, one record a call"), shim(f"gather size=1024 {AES128}"),
        size=1024, start=3000, goal=">= 3.0", differs="the same"),
    Row("gather-64-own", "writes of 64 bytes, gathered or not",
        shim(f"bulk size=64 {AES128}", "tlsshim C, one record a call"), shim(f"gather size=64 {AES128}"),
        size=64, start=3000, goal=">= 20", differs="the same"),
    Row("echo-1k", "1 KiB and its answer", plain(f"echo size=1024 {AES128}"), shim(f"echo size=1024 {AES128}"),
        size=2048, start=1000, differs="both AES-128-GCM", quick=False),
    Row("two-cores", "bulk 16 KiB, two threads against one", shim(f"threads threads=1 {AES128}", "one thread"),
        shim(f"threads threads=2 {AES128}", "two threads", 2.0), clock="wall", size=16384, start=1000, goal=">= 1.90",
        differs="a connection a thread, by the clock: needs two idle cores"),
    Row("lock-wait", "a 64-byte write beside a busy reader, median", shim("lock"), kind="value", clock="wall",
        amount=20000, unit="us", differs="one connection, two threads, its own sealing included: needs two idle cores"),
    Row("lock-wait-p99", "the same, 99 of 100 do not take longer", shim("lock percent=99"), kind="value",
        clock="wall", amount=20000, unit="us", goal="< 100 us", differs="the same"),
    Row("two-cores-plain", "the same of OpenSSL", plain(f"threads threads=1 {AES128}", "one thread"),
        Side("two threads", "{build}/bench/plain " + f"threads threads=2 {AES128}", 2.0), clock="wall", size=16384,
        start=1000, quick=False, differs="what the machine gives at all at the moment"),
]

SOCKETS = [
    Row("sockets-16k", "messages of 16 KiB over a socketpair", plain(f"sockets size=16384 {AES128}"),
        shim(f"sockets size=16384 {AES128}"), size=16384, start=300, goal=">= 1.00",
        differs="32 KiB written, then read, one thread; both AES-128-GCM"),
    Row("sockets-1k", "messages of 1 KiB over a socketpair", plain(f"sockets size=1024 {AES128}"),
        shim(f"sockets size=1024 {AES128}"), size=1024, start=1000, goal=">= 1.30", differs="the same"),
    Row("sockets-64", "messages of 64 bytes over a socketpair", plain(f"sockets size=64 {AES128}"),
        shim(f"sockets size=64 {AES128}"), size=64, start=1000, goal=">= 1.80", differs="the same"),
    Row("sockets-1k-tuned", "messages of 1 KiB against tuned OpenSSL",
        plain(f"sockets size=1024 {AES128} style=tuned", "OpenSSL tuned"), shim(f"sockets size=1024 {AES128}"),
        size=1024, start=1000, differs="the same; base with read-ahead of 64 KiB", quick=False),
    Row("sockets-16k-libtls", "messages of 16 KiB against libtls", libtls("sockets size=16384"),
        shim(f"sockets size=16384 {AES256}"), size=16384, start=300, quick=False,
        differs="both AES-256-GCM, which libtls cannot choose in TLS 1.3; base is libretls, over the same OpenSSL"),
    Row("sockets-64-libtls", "messages of 64 bytes against libtls", libtls("sockets size=64"),
        shim(f"sockets size=64 {AES256}"), size=64, start=1000, quick=False, differs="the same"),
    Row("sockets-1k-cork", "messages of 1 KiB, corked", plain(f"sockets size=1024 {AES128}"),
        shim(f"sockets size=1024 cork=1 {AES128}"), size=1024, start=1000,
        differs="ours gathers each 32 KiB between cork and flush", quick=False),
    Row("sockets-64-cork", "messages of 64 bytes, corked", plain(f"sockets size=64 {AES128}"),
        shim(f"sockets size=64 cork=1 {AES128}"), size=64, start=1000,
        differs="ours gathers each 32 KiB between cork and flush", quick=False),
]

ONE_BYTE = "a byte each way; as many tickets"


def handshakes(key, what, arguments, goal_same, goal_warm):
    """Three figures, never mixed: the same work; as shipped but with nothing remembered; as shipped."""
    return [
        Row(key, what + ", same work", plain(f"handshake {arguments}"), shim(f"handshake {arguments} cache=0 {AES256}"),
            kind="cost", start=30, goal=goal_same,
            differs=f"{ONE_BYTE}; both AES-256-GCM, no verification cache, stateless tickets"),
        Row(key + "-cold", what + ", as shipped, cold", plain(f"handshake {arguments}"),
            shim(f"handshake {arguments} cache=0 release=1"), kind="cost", start=30, quick=False,
            differs=f"{ONE_BYTE}; ours AES-128-GCM and IDLE_SMALL, base AES-256-GCM"),
        Row(key + "-warm", what + ", as shipped, warm", plain(f"handshake {arguments}"),
            shim(f"handshake {arguments} release=1"), kind="cost", start=30, goal=goal_warm, quick=False,
            differs=f"{ONE_BYTE}; ours as cold, and remembers verified chains"),
    ]


HANDSHAKES = [
    *handshakes("full", "full TLS 1.3", "", "<= 0.92", "<= 0.80"),
    *handshakes("mtls", "mTLS, TLS 1.3", "mutual=1", "<= 0.62", "<= 0.45"),
    Row("resumed", "resumed TLS 1.3", plain("handshake resume=1"), shim(f"handshake resume=1 {AES256}"), kind="cost",
        start=30, goal="<= 1.00", differs=f"{ONE_BYTE}; both AES-256-GCM, stateless tickets"),
    Row("resumed-mtls", "resumed mTLS, TLS 1.3", plain("handshake resume=1 mutual=1"),
        shim(f"handshake resume=1 mutual=1 {AES256}"), kind="cost", start=30, goal="<= 0.55",
        differs=f"{ONE_BYTE}; both AES-256-GCM, stateless tickets"),
    Row("resumed-12", "resumed TLS 1.2", plain("handshake resume=1 version=12"),
        shim("handshake resume=1 version=12 tls12=ECDHE-ECDSA-AES256-GCM-SHA384"), kind="cost", start=30,
        goal="<= 1.10", differs=f"{ONE_BYTE}; both AES-256-GCM"),
    Row("two-cores-full", "full TLS 1.3, two threads against one", shim("handshake_threads threads=1", "one thread"),
        shim("handshake_threads threads=2", "two threads"), kind="cost", clock="wall", start=30,
        differs="as many in each thread, contexts in common, as shipped; 1.00 = no loss; needs two idle cores"),
    Row("two-cores-full-plain", "the same of OpenSSL", plain("handshake_threads threads=1", "one thread"),
        plain("handshake_threads threads=2", "two threads"), kind="cost", clock="wall", start=30,
        differs="as many in each thread, contexts in common; what scaling there is to be had"),
    Row("mtls-tuned", "mTLS against tuned OpenSSL", plain("handshake mutual=1 style=tuned", "OpenSSL tuned"),
        shim(f"handshake mutual=1 cache=0 {AES256}"), kind="cost", start=30, quick=False,
        differs=f"{ONE_BYTE}; base with SSL_MODE_NO_AUTO_CHAIN"),
    Row("full-gnutls", "full TLS 1.3 against GnuTLS", gnutls("handshake priority=NORMAL:-CIPHER-ALL:+AES-256-GCM"),
        shim(f"handshake cache=0 {AES256}"), kind="cost", start=30, quick=False,
        differs="a byte each way; tickets as shipped"),
    Row("open", "two ends made and closed, no step", plain("open"), shim("open"), kind="cost", start=300,
        differs="SSL_new and a BIO pair against two conn_new"),
]

PKI = [
    Row("key-p256", "key generation, P-256", plain("key"), shim("key"), kind="cost", start=300),
    Row("key-ed25519", "key generation, Ed25519", plain("key algorithm=ED25519"), shim("key algorithm=ED25519"),
        kind="cost", start=300, quick=False),
    Row("self-signed", "self-signed certificate, P-256", plain("self_signed"), shim("self_signed"), kind="cost",
        start=100, differs="the same fields and extensions; the key is made before"),
    Row("parse", "parse a certificate (PEM, P-256)", plain("parse"), shim("parse"), kind="cost", start=300),
    Row("bundle", "load the system's bundle from its file", plain("bundle"), shim("bundle"), kind="cost", start=1),
    Row("system-context", "client context with the system's trust, after the first", plain("system_context"),
        shim("system_context"), kind="cost", start=1, goal="< 500 us",
        differs="OpenSSL parses the bundle again for each context, ours shares it"),
]

MEMORY = [
    Row("memory-small", "KB an idle pair, IDLE_SMALL",
        plain("memory release=1 bio=memory", "OpenSSL, memory BIOs, RELEASE_BUFFERS"),
        shim("memory release=1"), kind="value", amount=5000, goal="<= 35 KB", differs="5,000 pairs in memory"),
    Row("memory-fast", "KB an idle pair, BUSY_FAST", plain("memory bio=memory", "OpenSSL, memory BIOs"), shim("memory"),
        kind="value", amount=5000, differs="5,000 pairs in memory", quick=False),
]

CALLS = [
    Row("pin", "a handle pinned and unpinned (tlsshim_kind)", shim("pin"), kind="cost", start=100000),
    Row("visit", "a visit to the backend (tlsshim_random, a byte)", shim("visit"), kind="cost", start=30000),
]

RAW = "the raw layer: a string or vector of the language's own for each output"
KEPT = "the C functions through the language's own FFI, on buffers that are kept"

HOSTS = [
    Row("luajit", "LuaJIT against C, bulk 16 KiB", shim(f"bulk {AES128}"), luajit(f"buffers {AES128}"), size=16384,
        start=1000, goal=">= 0.97", differs=KEPT),
    Row("luajit-raw", "LuaJIT against C, bulk 16 KiB, raw layer", shim(f"bulk {AES128}"), luajit(f"bulk {AES128}"),
        size=16384, start=1000, quick=False, differs=RAW),
    Row("sbcl", "SBCL against C, bulk 16 KiB", shim(f"bulk {AES128}"), sbcl("buffers", AES128), size=16384, start=1000,
        goal=">= 0.97", differs=KEPT),
    Row("sbcl-raw", "SBCL against C, bulk 16 KiB, raw layer", shim(f"bulk {AES128}"), sbcl("bulk", AES128), size=16384,
        start=1000, quick=False, differs=RAW),
    Row("lua-raw", "Lua 5.4 (SWIG) against C, bulk 16 KiB", shim(f"bulk {AES128}"), lua(f"bulk {AES128}"), size=16384,
        start=1000, quick=False, differs=RAW),
    Row("python-raw", "Python (SWIG) against C, bulk 16 KiB", shim(f"bulk {AES128}"), python("swig", f"bulk {AES128}"),
        size=16384, start=1000, quick=False, differs=RAW),
    Row("python-16k", "Python (SWIG) against CPython's ssl, 16 KiB in memory", python("ssl", "bulk", "CPython ssl"),
        python("swig", "bulk"), size=16384, start=1000, goal=">= 1.20",
        differs="both AES-256-GCM; base with MemoryBIO"),
    Row("python-64", "Python (SWIG) against CPython's ssl, 64 bytes in memory",
        python("ssl", "bulk size=64", "CPython ssl"), python("swig", "bulk size=64"), size=64, start=1000,
        goal=">= 1.60", differs="both AES-256-GCM; base with MemoryBIO"),
    Row("ctypes-16k", "Python (ctypes) against CPython's ssl, 16 KiB in memory", python("ssl", "bulk", "CPython ssl"),
        python("ctypes", "bulk"), size=16384, start=1000, quick=False, differs="both AES-256-GCM; base with MemoryBIO"),
    Row("python-sockets-16k", "Python (SWIG) against CPython's ssl, 16 KiB over a socketpair",
        python("ssl", "sockets", "CPython ssl"), python("swig", "sockets"), size=16384, start=300, goal=">= 1.20",
        quick=False, differs="both AES-256-GCM; 32 KiB written, then read, one thread"),
    Row("python-sockets-64", "Python (SWIG) against CPython's ssl, 64 bytes over a socketpair",
        python("ssl", "sockets size=64", "CPython ssl"), python("swig", "sockets size=64"), size=64, start=1000,
        goal=">= 1.60", quick=False, differs="both AES-256-GCM; 32 messages written, then read, one thread"),
    Row("python-resumed", "Python (SWIG) against C, resumed TLS 1.3", shim(f"handshake resume=1 {AES256}"),
        python("swig", "resumed"), kind="cost", start=30, goal="<= 1.15",
        differs=f"{ONE_BYTE}; both AES-256-GCM; Python's client resumes by its cache"),
    Row("python-resumed-ssl", "Python (SWIG) against CPython's ssl, resumed TLS 1.3",
        python("ssl", "resumed", "CPython ssl"), python("swig", "resumed"), kind="cost", start=30, goal="<= 0.60",
        differs=f"{ONE_BYTE}; both AES-256-GCM; base with MemoryBIO and its session attribute"),
    Row("lua-luasec", "Lua 5.4 (SWIG) against LuaSec, 16 KiB over TCP", lua("luasec", "LuaSec"), lua("sockets"),
        size=16384, start=300, goal=">= 1.20", differs="both AES-256-GCM; 32 KiB written, then read, one thread"),
    Row("lua-luaossl", "Lua 5.4 (SWIG) against luaossl, 16 KiB over TCP", lua("luaossl", "luaossl"), lua("sockets"),
        size=16384, start=300, quick=False, differs="both AES-256-GCM; luaossl moves no bytes itself: base is cqueues "
        "with it, in one coroutine"),
    Row("lisp-clssl", "SBCL against cl+ssl, 16 KiB over a socketpair", sbcl("clssl", name="cl+ssl"),
        sbcl("sockets"), size=16384, start=100, goal=">= 3.0",
        differs="both AES-256-GCM; 32 KiB written, then read into a vector that is kept, one thread; cl+ssl without "
        "verification"),
    Row("gnutls-bulk", "bulk 16 KiB against GnuTLS",
        gnutls("bulk priority=NORMAL:-CIPHER-ALL:+AES-128-GCM"), shim(f"bulk {AES128}"), size=16384, start=1000,
        differs="both AES-128-GCM; base with push and pull functions over memory", quick=False),
]

ROWS = LIMITS + BULK + SOCKETS + HANDSHAKES + PKI + MEMORY + CALLS + HOSTS
