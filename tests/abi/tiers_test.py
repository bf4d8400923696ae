#!/usr/bin/python3
"""Arrows in the house only point down: judged by the #include "..." lines and by what the objects call."""
import functools
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import BUILD, TOP, command, run

# A room may use these rooms' insides, beside its own and what the public headers declare.
MAY_USE = {
    "base": set(),
    "pki": {"base"},
    "tls": {"base", "pki"},
    "net": {"base"},
    "h2": {"base"},
    "mock": {"base"},
    "tools": set(),
}
# And which rooms' public functions a room may call.
MAY_CALL = {
    "base": set(),
    "pki": {"base"},
    "tls": {"base", "pki"},
    "net": {"base", "pki", "tls"},
    "h2": {"base"},
    "mock": {"base"},
    "tools": {"base", "pki", "tls", "net", "h2", "mock"},
}
# The one exception: a stream hands its descriptor to the engine's transport.
EXCEPTIONS = {("net/stream", "tls/transport")}
# Rooms in which the backend is out of reach: what they need of it, the ABI has.
NO_BACKEND = {"net", "mock", "tools"}
# Global state of the backend is touched by these alone (origin only asks where its functions come from).
BACKEND_ROOM = ("base/backend", "base/config", "base/origin")
GLOBAL_STATE = re.compile(r"^(OSSL_LIB_CTX_(set0_default|new|free|load_config)|OPENSSL_(init|atexit|cleanup)|"
                          r"ERR_(clear_error|set_mark|pop_to_mark|put_error|new|set_error)|CONF_modules_)")


def excepted(user, used):
    return any(user.startswith(a) and used.startswith(b) for a, b in EXCEPTIONS)


def wrong_include(user, included):
    """Why a file (such as "net/stream.c", "tools/cert.c") may not include a line's target, or None.

    `included` is ("<" or '"', name), the name of an inside header resolved to "tls/conn.h"."""
    room = user.split("/")[0]
    kind, name = included
    if kind == "<":
        return "the backend is out of reach here" if name.startswith("openssl/") and room in NO_BACKEND else None
    if name == "tlsshim.h":
        return None
    target = name.split("/")[0]
    if target == room or target in MAY_USE[room] or excepted(user, name):
        return None
    return f"{room} may not see the inside of {target}"


def wrong_call(user, symbol, used):
    """Why an object may not call a symbol that another object defines, or None."""
    room, target = user.split("/")[0], used.split("/")[0]
    if room == target or target in MAY_USE[room] or excepted(user, used):
        return None
    if symbol.startswith("tlsshim_") and target in MAY_CALL[room]:
        return None
    return f"{room} may not call {symbol} of {target}"


def sources():
    """Pairs of a file and its name with the room first."""
    for path in sorted([*TOP.glob("shim/*/*.[ch]"), *TOP.glob("tools/*.[ch]")]):
        yield path, in_house(path)


def in_house(path):
    """The name of a file with its room first; what the build makes of the public headers belongs to base."""
    if path.is_relative_to(BUILD):
        return f"base/{path.name}"
    return str(path.relative_to(TOP)).removeprefix("shim/")


def includes(path):
    for kind, name in re.findall(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', path.read_text(), re.M):
        if kind == '"' and name != "tlsshim.h":
            for base in (path.parent, TOP / "shim", BUILD / "gen"):
                if (base / name).exists():
                    name = in_house((base / name).resolve())
                    break
            else:
                raise AssertionError(f"{path}: no such file: {name}")
        yield kind, name


def objects():
    folder = BUILD / "obj"
    for path, name in sources():
        if path.suffix == ".c":
            yield name, (folder / path.relative_to(TOP)).with_suffix(".o")


@functools.cache
def names(path):
    """The global names that an object defines, and those that it wants from elsewhere."""
    lines = [line.split() for line in command("nm", "-P", "-g", path).splitlines()]
    return [line[0] for line in lines if line[1] not in "Uwv"], [line[0] for line in lines if line[1] in "Uwv"]


def every_include_points_down():
    wrong = [f"{name}: {kind}{target}: {reason}" for path, name in sources() for kind, target in includes(path)
             if (reason := wrong_include(name, (kind, target)))]
    assert not wrong, "\n".join(wrong)


def every_call_points_down():
    home = {symbol: name for name, path in objects() for symbol in names(path)[0]}
    assert "tlsshim_abi_version" in home
    wrong = [f"{name}: {reason}" for name, path in objects() for symbol in names(path)[1]
             if symbol in home and (reason := wrong_call(name, symbol, home[symbol]))]
    assert not wrong, "\n".join(wrong)


def only_the_backend_room_touches_its_global_state():
    wrong = [f"{name}: {symbol}" for name, path in objects() if not name.startswith(BACKEND_ROOM)
             for symbol in names(path)[1] if GLOBAL_STATE.match(symbol)]
    assert not wrong, "\n".join(wrong)


def every_internal_header_names_its_guard_after_its_place():
    wrong = []
    for path, name in sources():
        guard = ("SHIM_" if path.parent.name != "tools" else "") + re.sub(r"\W", "_", name).upper()
        if path.suffix == ".h" and f"#ifndef {guard}\n#define {guard}\n" not in path.read_text():
            wrong.append(f"{name}: wanted {guard}")
    assert not wrong, "\n".join(wrong)


def upward_and_sideways_arrows_are_noticed():
    for user, included in (("base/error.c", ('"', "pki/key.h")), ("pki/cert.c", ('"', "tls/conn.h")),
                           ("net/listener.c", ('"', "tls/transport.h")), ("net/stream.c", ('"', "tls/conn.h")),
                           ("tools/cert.c", ('"', "base/bytes.h")), ("h2/h2.c", ('"', "tls/conn.h")),
                           ("net/stream.c", ("<", "openssl/ssl.h"))):
        assert wrong_include(user, included), (user, included)
    for user, symbol, used in (("base/handle.c", "key_drop", "pki/key.c"),
                               ("net/stream.c", "engine_read", "tls/conn.c"),
                               ("tls/conn.c", "tlsshim_stream_fd", "net/stream.c"),
                               ("tools/main.c", "key_ref", "pki/key.c"),
                               ("mock/mock.c", "tlsshim_conn_read", "tls/conn.c")):
        assert wrong_call(user, symbol, used), (user, symbol, used)


def downward_arrows_are_let_through():
    for user, included in (("tls/conn.c", ('"', "pki/key.h")), ("net/stream.c", ('"', "tls/transport.h")),
                           ("tools/cert.c", ('"', "tools/options.h")), ("tls/conn.c", ("<", "openssl/ssl.h"))):
        assert not wrong_include(user, included), (user, included)
    assert not wrong_call("net/stream.c", "tlsshim_conn_read", "tls/conn.c")
    assert not wrong_call("tls/verify.c", "judge", "pki/judge.c")


if __name__ == "__main__":
    run([every_include_points_down,
         every_call_points_down,
         only_the_backend_room_touches_its_global_state,
         every_internal_header_names_its_guard_after_its_place,
         upward_and_sideways_arrows_are_noticed,
         downward_arrows_are_let_through])
