#!/usr/bin/python3
"""Every raw layer has every function of the headers, and every constant with its value. time limit: 240 s"""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hosts import BUILD, ECL, PYTHON, SBCL, environment, skipped, start  # noqa: E402

LUA = """
local raw = require "tlsshim.raw"
for line in io.lines(os.getenv "NAMES") do
    local name, value = line:match "^(%S+) ?(%S*)$"
    local found = raw[name]
    if value == "" and type(found) ~= "function" or value ~= "" and found ~= tonumber(value) then print(name) end
end
"""
PYTHON_CODE = """
import importlib, os, sys
raw = importlib.import_module(sys.argv[1])
for line in open(os.environ["NAMES"]):
    name, _, value = line.strip().partition(" ")
    found = getattr(raw, name, None)
    if not (callable(found) if not value else found == int(value)):
        print(name)
"""
LISP = """
(with-open-file (names (uiop:getenv "NAMES"))
  (loop for line = (read-line names nil)
        while line
        do (let* ((blank (position #\\Space line))
                  (bare (string-upcase (substitute #\\- #\\_ (subseq line 0 blank))))
                  (name (if blank (concatenate 'string "+" bare "+") bare)))
             (multiple-value-bind (symbol how) (find-symbol name "TLSSHIM.RAW")
               (unless (and (eq how :external)
                            (if blank
                                (eql (symbol-value symbol) (parse-integer line :start (1+ blank)))
                                (fboundp symbol)))
                 (format t "~A~%" name))))))
"""
FORMS = ["--eval", "(require :asdf)", "--eval", '(asdf:load-system "tlsshim/raw")', "--eval", LISP]
PROGRAMS = {
    "lua5.4": ["lua5.4", "-e", LUA],
    "luajit": ["luajit", "-e", LUA],
    "python swig": [PYTHON, "-c", PYTHON_CODE, "tlsshim.swig"],
    "python ctypes": [PYTHON, "-c", PYTHON_CODE, "tlsshim.ctypes"],
    "sbcl": [*SBCL, *FORMS, "--quit"],
    "ecl": [*ECL, *FORMS, "--eval", "(ext:quit)"],
}


def names(extra=()):
    with open(os.path.join(BUILD, "abi.json"), encoding="utf-8") as file:
        abi = json.load(file)
    found = [function["name"] for function in abi["functions"]]
    found += [f"{constant['name']} {constant['value']}" for group in abi["groups"] for constant in group["constants"]]
    return [*found, *extra]


def missing(program, wanted):
    """What a host says is not there, or has another value."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(wanted) + "\n")
        file.flush()
        ran = start(program, environment(NAMES=file.name))
    lines = [line for line in ran.stdout.splitlines() if line and not line.startswith(";")]
    return lines if ran.returncode == 0 else [f"ended with {ran.returncode}: {ran.stderr[-2000:]}"]


def main():
    passed, failed, left_out = 0, 0, 0
    for host, program in PROGRAMS.items():
        if skipped(host):
            left_out += 1
            continue
        # The last three are never there: silence must not pass.
        found = missing(program, names(extra=["no_such_function", "NO_SUCH_CONSTANT 1", "E_NAME 1"]))
        if [line.strip("+").replace("-", "_").lower() for line in found] == [
                "no_such_function", "no_such_constant", "e_name"]:
            passed += 1
        else:
            failed += 1
            print(f"{host}: {found}")
    print(f"{passed} passed, {failed} failed, {left_out} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
