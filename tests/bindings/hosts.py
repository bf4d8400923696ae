"""The hosts that the raw layers are tested in, and a scenario run by each of them."""
import difflib
import os
import subprocess
import sys

TOP = os.environ.get("TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD") or os.path.join(TOP, "build")
HERE = os.path.join(TOP, "tests", "bindings")
SBCL = ["sbcl", "--noinform", "--no-userinit", "--no-sysinit", "--disable-debugger"]
ECL = ["ecl", "--norc", "-q"]
PYTHON = "/usr/bin/python3"

# An interpreter with an address space or a collector of its own does not live with a sanitizer's.
ALONE = ("sbcl", "ecl", "luajit")


def programs(scenario):
    lisp = f"{HERE}/host.lisp"
    return {
        "lua5.4": ["lua5.4", f"{HERE}/host.lua", scenario],
        "luajit": ["luajit", f"{HERE}/host.lua", scenario],
        "python swig": [PYTHON, f"{HERE}/host.py", "tlsshim.swig", scenario],
        "python ctypes": [PYTHON, f"{HERE}/host.py", "tlsshim.ctypes", scenario],
        "sbcl": [*SBCL, "--load", lisp],
        "ecl": [*ECL, "--shell", lisp],
    }


def skipped(host):
    return bool(os.environ.get("SANITIZE")) and host in ALONE


def environment(layers=BUILD, **more):
    """Where each language finds the layers that are laid out below a folder."""
    env = dict(os.environ, PYTHONPATH=f"{layers}/python", CL_SOURCE_REGISTRY=f"{layers}/lisp:", **more)
    env["LUA_PATH"] = f"{layers}/lua/?.lua;{layers}/lua/?/init.lua;;"
    env["LUA_CPATH"] = f"{layers}/lua/?.so;;"
    # Compiled Lisp goes below the build, not into somebody's home.
    cache = f'(t ("{BUILD}/lisp-cache" :implementation))'
    env["ASDF_OUTPUT_TRANSLATIONS"] = f"(:output-translations {cache} :ignore-inherited-configuration)"
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    if "TLSSHIM_LIBRARY" not in more:
        env.pop("TLSSHIM_LIBRARY", None)
    if os.environ.get("SANITIZE"):
        env["LD_PRELOAD"] = os.environ.get("SANITIZE_PRELOAD", "")
    return env


def start(program, env):
    return subprocess.run(program, capture_output=True, text=True, env=env, timeout=200, errors="replace")


def run_scenario(folder, layers=BUILD):
    """Runs folder/scenario.txt in each host; all must print folder/expected.txt. The value for exit."""
    scenario, wanted = os.path.join(folder, "scenario.txt"), os.path.join(folder, "expected.txt")
    expected = []
    if os.path.exists(wanted):
        with open(wanted, encoding="utf-8") as file:
            expected = file.read().splitlines()
    passed, failed, left_out = 0, 0, 0
    for host, program in programs(scenario).items():
        if skipped(host):
            left_out += 1
            continue
        ran = start(program, environment(layers, SCENARIO=scenario))
        # What an implementation says while it loads is not the scenario's.
        lines = [line for line in ran.stdout.splitlines() if line and not line.startswith(";")]
        if "--accept" in sys.argv and ran.returncode == 0 and not passed:
            with open(wanted, "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
            expected = lines
        if lines and lines == expected and ran.returncode == 0:
            passed += 1
            continue
        failed += 1
        print(f"{host}: ended with {ran.returncode}")
        print("\n".join(difflib.unified_diff(expected, lines, "expected.txt", host, lineterm="")))
        print(ran.stderr[-3000:])
    print(f"{passed} passed, {failed} failed, {left_out} skipped")
    return 1 if failed else 0
