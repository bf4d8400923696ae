#!/usr/bin/python3
"""The form of the sources is what .clang-format and .editorconfig say."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import TOP, command, run

ROOMS = ("shim", "include", "tools", "tests", "examples", "bindings", "bench")
TEXTS = {".c", ".h", ".py", ".lua", ".lisp", ".asd", ".sh", ".md", ".mk", ".i", ".conf"}
MANY_LINES = 450
WIDTH = 120


def files(suffixes):
    return [path for room in ROOMS for path in sorted((TOP / room).rglob("*"))
            if path.suffix in suffixes and path.is_file()]


def c_sources_are_formatted():
    sources = files({".c", ".h"})
    assert len(sources) > 10, sources
    command("clang-format", "--dry-run", "-Werror", *sources)


def texts_have_no_stray_blanks():
    wrong = []
    for path in [*files(TEXTS), *TOP.glob("*.md"), TOP / "Makefile"]:
        text = path.read_text(encoding="utf-8")
        lines = text.split("\n")
        wrong += [f"{path.relative_to(TOP)}:{n}: blank at the end" for n, line in enumerate(lines, 1)
                  if line != line.rstrip()]
        if path.suffix in (".c", ".h", ".py", ".lua", ".lisp"):
            wrong += [f"{path.relative_to(TOP)}:{n}: tab" for n, line in enumerate(lines, 1) if "\t" in line]
            wrong += [f"{path.relative_to(TOP)}:{n}: over {WIDTH} columns" for n, line in enumerate(lines, 1)
                      if len(line) > WIDTH]
        if text and not text.endswith("\n") or text.endswith("\n\n"):
            wrong.append(f"{path.relative_to(TOP)}: ends without a line end or with an empty line")
    assert not wrong, "\n".join(wrong)


def long_files():
    for path in files({".c", ".h"}):
        lines = path.read_text().count("\n")
        if lines > MANY_LINES and path.parent.name != "tlsshim":
            print(f"note: {path.relative_to(TOP)} has {lines} lines: it may hold two concepts")


if __name__ == "__main__":
    long_files()
    run([c_sources_are_formatted, texts_have_no_stray_blanks])
