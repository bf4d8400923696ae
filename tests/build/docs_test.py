#!/usr/bin/python3
"""What the documents quote from the sources is in the sources, and the files that they link to exist."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import TOP, run

DOCUMENTS = sorted([*TOP.glob("*.md"), *TOP.glob("docs/*.md")])


def quoted_sources_are_as_quoted():
    quotes = [(document.name, path, text) for document in DOCUMENTS for path, text in
              re.findall(r"^`([\w/.-]+)`:\n```\w+\n(.*?)^```$", document.read_text(), re.M | re.S)]
    assert quotes, "no quotation was found at all"
    stale = [f"{name}: {path}\n{text}" for name, path, text in quotes if text not in (TOP / path).read_text()]
    assert not stale, "\n".join(stale)


def linked_files_exist():
    broken = []
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text()):
            if "://" not in target and not (document.parent / target).exists():
                broken.append(f"{document.name}: {target}")
    assert not broken, broken


if __name__ == "__main__":
    run([quoted_sources_are_as_quoted, linked_files_exist])
