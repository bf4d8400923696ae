#!/usr/bin/python3
"""Reads include/tlsshim.h and its concept headers, checks them, and writes abi.json and everything made from it."""

import argparse
import importlib
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import check  # noqa: E402
import parse  # noqa: E402
from problems import Problems  # noqa: E402

EMITTERS = ("cdef", "swig", "ctypes", "luajit", "lisp", "markdown", "table")


def read_abi(include, problems):
    concepts = parse.read_headers(include, problems)
    return concepts, check.describe(concepts, problems)


def write(path, text):
    """Leaves a file that would not change alone, so that make does not rebuild what depends on it."""
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return
    except OSError:
        pass
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--include", default="include", help="the folder that holds tlsshim.h")
    parser.add_argument("--out", help="where abi.json, api.md and gen/ go; nothing is written without it")
    options = parser.parse_args()
    problems = Problems()
    concepts, abi = read_abi(options.include, problems)
    if problems:
        problems.report(sys.stderr)
        return 1
    if options.out:
        write(os.path.join(options.out, "abi.json"), json.dumps(abi, indent=1) + "\n")
        for name in EMITTERS:
            emitter = importlib.import_module("emit_" + name)
            for path, text in emitter.files(abi, concepts).items():
                write(os.path.join(options.out, path), text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
