#!/usr/bin/python3
"""A host that unwinds out of whatever it is doing, as SBCL's with-timeout does, leaves no lock behind in the library.

SOAK=1 unwinds 6,000 times, else 300.
time limit: 600 s
"""
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import BUILD, SANITIZE, TOP, Skip, command, run

COUNT = 6_000 if os.environ.get("SOAK") else 300
STORM = TOP / "tests" / "thread" / "timeout_storm.lisp"


def a_storm_of_sbcl_timeouts_leaves_nothing_locked():
    if SANITIZE:
        raise Skip("SBCL's address space does not live with a sanitizer's")
    if not shutil.which("sbcl"):
        raise AssertionError("sbcl is not installed")
    cache = f'(:output-translations (t ("{BUILD}/lisp-cache" :implementation)) :ignore-inherited-configuration)'
    env = dict(os.environ, COUNT=str(COUNT), CL_SOURCE_REGISTRY=f"{BUILD}/lisp:", ASDF_OUTPUT_TRANSLATIONS=cache)
    env.pop("TLSSHIM_LIBRARY", None)
    command("sbcl", "--noinform", "--no-userinit", "--no-sysinit", "--disable-debugger", "--load", STORM, env=env,
            timeout=550)


if __name__ == "__main__":
    run([a_storm_of_sbcl_timeouts_leaves_nothing_locked])
