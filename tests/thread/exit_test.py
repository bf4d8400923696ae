#!/usr/bin/python3
"""A process may exit while its threads are busy in the library: no crash, no hang, no word.

SOAK=1 exits 200 times in each way, else 5 times.
time limit: 900 s
"""
import itertools
import os
import pathlib
import random
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import BUILD, run

HOST = BUILD / "tests" / "thread" / "busy_host"
TIMES = 200 if os.environ.get("SOAK") else 5


def a_promise(who, how):
    def ends_well():
        chance = random.Random(f"{who} {how}")
        for turn in range(TIMES):
            delay = chance.randrange(60_000)
            done = subprocess.run([HOST, "exit", "4", str(delay), who, how], capture_output=True, text=True, timeout=60,
                                  check=False)
            assert done.returncode == 0 and not done.stdout and not done.stderr, \
                f"exit {turn}, after {delay} us: status {done.returncode}\n{done.stdout}{done.stderr}"
    ends_well.__name__ = f"exit_by_{how}_amid_busy_threads_when_the_{who}_started_the_backend"
    return ends_well


if __name__ == "__main__":
    run([a_promise(who, how) for who, how in itertools.product(("shim", "host"), ("return", "exit", "thread"))])
