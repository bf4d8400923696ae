#!/usr/bin/python3
"""Every raw layer refuses a library of another ABI and names both numbers. time limit: 240 s"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hosts import BUILD, ECL, PYTHON, SBCL, environment, skipped, start  # noqa: E402

LISP = '(handler-case (asdf:load-system "tlsshim/raw") (error (e) (format t "~A~%" e) (uiop:quit 1)))'
FORMS = ["--eval", "(require :asdf)", "--eval", LISP]
LOADERS = {
    "lua5.4": ["lua5.4", "-e", 'require "tlsshim.raw"'],
    "luajit": ["luajit", "-e", 'require "tlsshim.raw"'],
    "python swig": [PYTHON, "-c", "import tlsshim.swig"],
    "python ctypes": [PYTHON, "-c", "import tlsshim.ctypes"],
    "sbcl": [*SBCL, *FORMS, "--quit"],
    "ecl": [*ECL, *FORMS, "--eval", "(ext:quit)"],
}


def other_library(folder, found):
    """A library with every function, all of which do nothing, but for abi_version."""
    with open(os.path.join(BUILD, "abi.json"), encoding="utf-8") as file:
        functions = json.load(file)["functions"]
    source = os.path.join(folder, "other.c")
    with open(source, "w", encoding="utf-8") as file:
        for function in functions:
            value = found if function["name"] == "abi_version" else 0
            file.write(f"long {function['symbol']}(void);\nlong {function['symbol']}(void) {{ return {value}; }}\n")
    library = os.path.join(folder, "libtlsshim.so.1")
    subprocess.run(["cc", "-shared", "-fPIC", "-Wl,-soname,libtlsshim.so.1", "-o", library, source], check=True)
    return library


def main():
    passed, failed, left_out = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        library = other_library(folder, 77)
        cases = {"another ABI": (library, ("ABI 1,", "ABI 77")), "no library": (folder + "/none.so", ("none.so",))}
        for host in LOADERS:
            if skipped(host):
                left_out += 1
                continue
            for name, (path, wanted) in cases.items():
                ran = start(LOADERS[host], environment(TLSSHIM_LIBRARY=path))
                said = ran.stdout + ran.stderr
                if ran.returncode != 0 and all(words in said for words in wanted):
                    passed += 1
                else:
                    failed += 1
                    print(f"{host}, {name}: ended with {ran.returncode}, wanted {wanted} in:\n{said[-2000:]}")
    print(f"{passed} passed, {failed} failed, {left_out} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
