"""Reads the public headers: comments, enum groups and prototypes, and nothing else."""

import os
import re

SPACE = re.compile(r"[ \t\n]+")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
ENUM = re.compile(r"enum[ \n]+(\w+)\s*\{(.*?)\}\s*;", re.S)
CONSTANT = re.compile(r"\s*(\w+)\s*=\s*(-?\w+)\s*(,|$|(?=/\*))")
PROTOTYPE = re.compile(r"([A-Za-z_][\w \t\n*]*?[ \n*])(\w+)\s*\(([^()]*)\)\s*;", re.S)
PARAMETER = re.compile(r"(.*?[ *])(\w+)", re.S)
INCLUDE = re.compile(r'^#include "tlsshim/(\w+)\.h"$', re.M)
TAG = re.compile(r"(\w+) +(\S.*)")
PREFIX = "tlsshim_"

WRONG = (
    (re.compile(r"#"), "a line of the preprocessor: the header may hold only comments, enums and prototypes"),
    (re.compile(r"typedef\b"), "a typedef: only int32_t, int64_t and pointers cross this ABI"),
    (re.compile(r"(struct|union)\b"), "a struct or union: only integers and buffers cross this ABI"),
    (re.compile(r"(static|inline|extern)\b"), "a storage class: only plain prototypes belong here"),
    (re.compile(r"//"), "a // comment: LuaJIT, cffi and SWIG are promised /* */ only"),
)


class Source:
    """One header's text and where each of its lines begins."""

    def __init__(self, name, text):
        self.name = name
        self.text = text

    def at(self, offset):
        return (self.name, self.text.count("\n", 0, offset) + 1)


def read_headers(include, problems):
    """The concepts, in the umbrella's order: a list of dictionaries with name, comment, groups and functions."""
    with open(os.path.join(include, "tlsshim.h"), encoding="utf-8") as file:
        umbrella = file.read()
    names = INCLUDE.findall(umbrella)
    at = (os.path.join(include, "tlsshim.h"), 1)
    if not names:
        problems.add(at, "the umbrella includes no concept")
    folder = os.path.join(include, "tlsshim")
    for entry in sorted(os.listdir(folder)):
        if entry.endswith(".h") and entry[:-2] not in names:
            problems.add((os.path.join(folder, entry), 1), "tlsshim.h does not include this header")
    concepts = []
    for name in names:
        path = os.path.join(folder, name + ".h")
        if not os.path.exists(path):
            problems.add(at, f"includes tlsshim/{name}.h, which is not there")
            continue
        if name in [concept["name"] for concept in concepts]:
            problems.add(at, f"includes tlsshim/{name}.h twice")
            continue
        with open(path, encoding="utf-8") as file:
            concepts.append(read_header(name, Source(path, file.read()), problems))
    return concepts


def read_header(name, source, problems):
    concept = {"name": name, "comment": "", "groups": [], "functions": [], "source": source.text, "at": source.at(0)}
    text, here, comment = source.text, 0, None
    while here < len(text):
        if space := SPACE.match(text, here):
            if space.group().count("\n") > 1:
                comment = free_comment(concept, comment)
            here = space.end()
        elif found := COMMENT.match(text, here):
            comment = free_comment(concept, comment)
            comment, here = found, found.end()
        elif found := ENUM.match(text, here):
            read_group(concept, found, comment, source, problems)
            comment, here = None, found.end()
        elif (wrong := said_wrong(text, here)) is None and (found := PROTOTYPE.match(text, here)):
            read_function(concept, found, comment, source, problems)
            comment, here = None, found.end()
        else:
            problems.add(source.at(here), wrong or "cannot be read as a comment, an enum or a prototype")
            here = text.find("\n", here)
            here = len(text) if here < 0 else here
    free_comment(concept, comment)
    return concept


def said_wrong(text, here):
    for pattern, sentence in WRONG:
        if pattern.match(text, here):
            return sentence
    return None


def free_comment(concept, comment):
    """The first comment that belongs to no declaration is the header's own."""
    if comment and not concept["comment"]:
        concept["comment"] = prose(comment_lines(comment.group()))
    return None


def comment_lines(comment):
    """The comment's lines without its decoration; a line keeps its indentation after ` * `."""
    lines = comment[2:-2].split("\n")
    bare = [lines[0].strip()]
    for line in lines[1:]:
        line = line.rstrip()
        stripped = line.lstrip()
        if stripped.startswith("*"):
            stripped = stripped[1:]
            bare.append(stripped[1:] if stripped.startswith(" ") else stripped)
        else:
            bare.append(stripped)
    while bare and not bare[-1].strip():
        bare.pop()
    return bare


def prose(lines):
    paragraphs = "\n".join(lines).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).strip()


def read_group(concept, found, comment, source, problems):
    group = {"tag": found.group(1), "constants": [], "at": source.at(found.start()), "concept": concept["name"]}
    group["comment"] = prose(comment_lines(comment.group())) if comment else ""
    body, here = found.group(2), 0
    while here < len(body):
        if space := SPACE.match(body, here):
            here = space.end()
        elif note := COMMENT.match(body, here):
            at = source.at(found.start(2) + here)
            if group["constants"] and group["constants"][-1]["at"] == at:
                group["constants"][-1]["comment"] = prose(comment_lines(note.group()))
            here = note.end()
        elif constant := CONSTANT.match(body, here):
            at = source.at(found.start(2) + constant.start(1))
            group["constants"].append(read_constant(constant, at, problems))
            here = constant.end()
        else:
            problems.add(source.at(found.start(2) + here), "an enum line is NAME = number, /* comment */")
            here = body.find("\n", here)
            here = len(body) if here < 0 else here
    concept["groups"].append(group)


def read_constant(constant, at, problems):
    try:
        value = int(constant.group(2), 0)
    except ValueError:
        problems.add(at, f"{constant.group(1)}: the value {constant.group(2)} is not a plain number")
        value = 0
    return {"symbol": constant.group(1), "value": value, "comment": "", "at": at}


def read_function(concept, found, comment, source, problems):
    symbol = found.group(2)
    function = {"symbol": symbol, "name": symbol[len(PREFIX):], "concept": concept["name"]}
    function["at"] = source.at(found.start())
    function["type"] = " ".join(found.group(1).split())
    function["declaration"] = " ".join(found.group().split())
    function["params"] = []
    for piece in found.group(3).split(","):
        piece = " ".join(piece.split())
        if piece == "void" and "," not in found.group(3):
            continue
        parameter = PARAMETER.fullmatch(piece)
        if not parameter:
            problems.add(function["at"], f"{symbol}: cannot read the parameter '{piece}'")
            continue
        kind = " ".join(parameter.group(1).replace("*", " * ").split())
        function["params"].append({"name": parameter.group(2), "type": kind})
    read_doc(function, comment, source, problems)
    concept["functions"].append(function)


def read_doc(function, comment, source, problems):
    """Splits the comment before a prototype into summary, text and tags; the tags are its last paragraph."""
    function["summary"], function["text"], function["tags"] = "", "", []
    if not comment:
        problems.add(function["at"], f"{function['symbol']}: no comment with tags directly before it")
        return
    lines = comment_lines(comment.group())
    if "" not in lines:
        problems.add(function["at"], f"{function['symbol']}: the comment has no tags after an empty line")
        return
    last = len(lines) - 1 - lines[::-1].index("")
    words = prose(lines[:last]).split("\n\n")
    function["summary"], function["text"] = words[0], "\n\n".join(words[1:])
    first = source.at(comment.start())[1]
    for number, line in enumerate(lines[last + 1:], first + last + 1):
        if line.startswith("  ") and function["tags"]:
            function["tags"][-1]["text"] += " " + line.strip()
        elif tag := TAG.fullmatch(line):
            function["tags"].append({"name": tag.group(1), "text": tag.group(2), "at": (source.name, number)})
        else:
            problems.add((source.name, number), f"{function['symbol']}: not a tag: '{line}'")
