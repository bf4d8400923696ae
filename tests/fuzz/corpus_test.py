#!/usr/bin/python3
"""Every fuzz target over its seeds, which includes whatever a fuzzer has ever found."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import BUILD, TOP, run

PATIENCE = 100
HERE = TOP / "tests" / "fuzz"


def promise(target):
    def replayed():
        seeds = sorted(path for path in (HERE / "corpus" / target).iterdir())
        assert seeds, f"{target} has no seeds"
        done = subprocess.run([BUILD / "tests" / "fuzz" / f"replay_{target}", *seeds], capture_output=True, text=True,
                              errors="replace", timeout=PATIENCE, check=False)
        assert done.returncode == 0 and done.stdout == f"{len(seeds)} replayed\n", \
            f"status {done.returncode}: {done.stdout}{done.stderr[-4000:]}"

    replayed.__name__ = f"{target}_withstands_its_seeds"
    return replayed


if __name__ == "__main__":
    run([promise(path.name.removesuffix("_target.c")) for path in sorted(HERE.glob("*_target.c"))])
