#!/usr/bin/python3
"""The demo in short: each host serves another one, and what must be refused is. time limit: 240 s"""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import hosts
from support.promise import SANITIZE, Skip, TOP, run

# An interpreter with an address space or a collector of its own does not live with a sanitizer's.
HOSTS = "c,lua,swig,ctypes" if os.environ.get("SANITIZE") else "c,luajit,lua,swig,ctypes,sbcl"
DEMO = str(TOP / "scripts" / "demo")


def demo(*words):
    return subprocess.run([DEMO, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=220, env=dict(os.environ, PYTHONUNBUFFERED="1"))


def each_host_serves_another_and_the_refusals_refuse():
    ran = demo("--ring", "--hosts", HOSTS)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    pairs = len(HOSTS.split(","))
    assert f"all {pairs} pairs talked" in ran.stdout and "3 of 3 refused" in ran.stdout, ran.stdout
    for code in ("E_VERIFY", "E_NAME", "E_NO_CERTIFICATE"):
        assert code in ran.stdout.replace("-", "_"), f"{code} is not in\n{ran.stdout}"
    assert "\033[" not in ran.stdout, "colours where there is no terminal"


def a_demo_without_certificates_fails_and_says_why():
    ran = demo("--ring", "--hosts", "c,swig", "--certs", "/nonexistent")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "cannot be opened" in ran.stdout, ran.stdout


def coroutines_share_one_thread():
    if SANITIZE:
        raise Skip("LuaJIT does not live with a sanitizer")
    ran = subprocess.run(["luajit", str(TOP / "examples" / "coroutines.lua"), "30"], capture_output=True, text=True,
                         env=hosts.environment(), check=False, timeout=60)
    told = re.fullmatch(r"30 clients, (\d+) of them at once, 30 echoes\n", ran.stdout)
    assert ran.returncode == 0 and told and int(told[1]) > 1, ran.stdout + ran.stderr


if __name__ == "__main__":
    run([each_host_serves_another_and_the_refusals_refuse, a_demo_without_certificates_fails_and_says_why,
         coroutines_share_one_thread])
