#!/usr/bin/python3
"""One scenario on the raw layer of every host; all must print what expected.txt says. time limit: 240 s"""
import difflib
import os
import subprocess
import sys

TOP = os.environ.get("TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD") or os.path.join(TOP, "build")
HERE = os.path.join(TOP, "tests", "bindings")
LISP = os.path.join(HERE, "host.lisp")
SCENARIO = os.path.join(HERE, "scenario.txt")

# An interpreter with an address space or a collector of its own does not live with a sanitizer's.
ALONE = ("sbcl", "ecl", "luajit")
HOSTS = {
    "lua5.4": ["lua5.4", f"{HERE}/host.lua", SCENARIO],
    "luajit": ["luajit", f"{HERE}/host.lua", SCENARIO],
    "python swig": ["/usr/bin/python3", f"{HERE}/host.py", "tlsshim.swig", SCENARIO],
    "python ctypes": ["/usr/bin/python3", f"{HERE}/host.py", "tlsshim.ctypes", SCENARIO],
    "sbcl": ["sbcl", "--noinform", "--no-userinit", "--no-sysinit", "--disable-debugger", "--load", LISP],
    "ecl": ["ecl", "--norc", "-q", "--shell", LISP],
}


def environment():
    env = dict(os.environ, SCENARIO=SCENARIO, PYTHONPATH=f"{BUILD}/python", CL_SOURCE_REGISTRY=f"{BUILD}/lisp:")
    env["LUA_PATH"] = f"{BUILD}/lua/?.lua;{BUILD}/lua/?/init.lua;;"
    env["LUA_CPATH"] = f"{BUILD}/lua/?.so;;"
    # Compiled Lisp goes below the build, not into somebody's home.
    cache = f'(t ("{BUILD}/lisp-cache" :implementation))'
    env["ASDF_OUTPUT_TRANSLATIONS"] = f"(:output-translations {cache} :ignore-inherited-configuration)"
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    env.pop("TLSSHIM_LIBRARY", None)
    if os.environ.get("SANITIZE"):
        env["LD_PRELOAD"] = os.environ.get("SANITIZE_PRELOAD", "")
    return env


def run(host):
    ran = subprocess.run(HOSTS[host], capture_output=True, text=True, env=environment(), timeout=200, errors="replace")
    # What an implementation says while it loads is not the scenario's.
    lines = [line for line in ran.stdout.splitlines() if line and not line.startswith(";")]
    return lines, ran.returncode, ran.stderr


def main():
    with open(os.path.join(HERE, "expected.txt"), encoding="utf-8") as file:
        expected = file.read().splitlines()
    passed, failed, skipped = 0, 0, 0
    for host in HOSTS:
        if os.environ.get("SANITIZE") and host in ALONE:
            skipped += 1
            continue
        lines, status, complaints = run(host)
        if "--accept" in sys.argv and status == 0 and not passed:
            with open(os.path.join(HERE, "expected.txt"), "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
            expected = lines
        if lines == expected and status == 0:
            passed += 1
            continue
        failed += 1
        print(f"{host}: ended with {status}")
        print("\n".join(difflib.unified_diff(expected, lines, "expected.txt", host, lineterm="")))
        print(complaints[-3000:])
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
