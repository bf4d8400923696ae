#!/usr/bin/python3
"""Cancelling threads that are inside the library leaves no lock, no handle and no half-done call behind.

SOAK=1 cancels 20,000 threads, else 400.
time limit: 900 s
"""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import BUILD, command, run

COUNT = 20_000 if os.environ.get("SOAK") else 400


def a_storm_of_pthread_cancel_leaves_nothing_behind():
    command(BUILD / "tests" / "thread" / "busy_host", "cancel", "4", COUNT, timeout=800)


if __name__ == "__main__":
    run([a_storm_of_pthread_cancel_leaves_nothing_behind])
