"""For script tests: runs promises (functions whose names say what holds) and prints the closing line of counts."""
import os
import pathlib
import re
import subprocess
import sys
import traceback

TOP = pathlib.Path(os.environ.get("TOP") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("BUILD") or TOP / "build").resolve()
SANITIZE = os.environ.get("SANITIZE", "")
BACKEND = os.environ.get("BACKEND", "shared")
LIBRARY = BUILD / "libtlsshim.so.1"


class Skip(Exception):
    """Raised by a promise that cannot be judged here; the text says why."""


def command(*words, **options):
    """Runs a command and gives its output; one that fails breaks the promise, with all that it said."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{' '.join(map(str, words))}: status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def host_environment(**more):
    """The environment for an interpreter that loads the library, sanitized or not."""
    env = dict(os.environ, **more)
    if SANITIZE:
        env["LD_PRELOAD"] = env["SANITIZE_PRELOAD"]
    return env


def same_lines(have, want, what):
    """Two sets of lines must be equal; says what is missing and what is too much."""
    missing = sorted(set(want) - set(have))
    extra = sorted(set(have) - set(want))
    assert not missing and not extra, f"{what}: missing {missing or 'nothing'}, too much {extra or 'nothing'}"


COUNTS = re.compile(r"^(\d+) passed, (\d+) failed", re.M)
SUITE_SECONDS = 240


def suites_again(folders, how, but=(), **environment):
    """A promise for each C suite of these folders: that it passes in another environment as well."""
    def promise_of(program):
        def passes():
            done = subprocess.run([program], capture_output=True, text=True, timeout=SUITE_SECONDS, cwd=TOP,
                                  env=dict(os.environ, **environment), check=False)
            counts = COUNTS.findall(done.stdout)
            assert done.returncode == 0 and counts and int(counts[-1][0]) > 0, \
                f"status {done.returncode}\n{done.stdout}{done.stderr}"
        passes.__name__ = f"{program.parent.name}_{program.name}_passes_{how}"
        return passes
    return [promise_of(BUILD / "tests" / source.parent.name / source.stem)
            for source in sorted((TOP / "tests").glob("*/*_test.c"))
            if source.parent.name in folders and f"{source.parent.name}/{source.stem}" not in but]


def run(promises):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for promise in promises:
        name = promise.__name__
        try:
            promise()
            counts["passed"] += 1
        except Skip as reason:
            counts["skipped"] += 1
            print(f"skipped {name}: {reason}")
        except AssertionError as broken:
            counts["failed"] += 1
            print(f"BROKEN {name}: {broken}")
        except Exception:  # a defect of the test itself is a failure too, and the others still run
            counts["failed"] += 1
            print(f"BROKEN {name}:\n{traceback.format_exc()}")
    print(f"{counts['passed']} passed, {counts['failed']} failed"
          + (f", {counts['skipped']} skipped" if counts["skipped"] else ""))
    sys.exit(1 if counts["failed"] else 0)
