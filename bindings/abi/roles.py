"""What a parameter's or a result's tag says, as data."""

import re

CONTENTS = ("bytes", "text", "path", "secret")
INPUT = re.compile(r"in (bytes|text|path|secret), (?:up to (\d+)|any length)")
OUTPUT = re.compile(r"out (bytes|text|secret), (whole|stream|fill)")
HANDLE = re.compile(r"handle (.+)")
CHOICE = re.compile(r"(one|any) of (\w+)(, or 0.*)?")
RESULTS = {"ok": "int32_t", "length": "int32_t", "count": None, "0/1": "int32_t", "number": None}
SCALARS = {"number": None, "duration ms": "int64_t", "seconds": "int64_t", "fd": "int64_t"}
ROLE_NAMES = {"duration ms": "duration"}


class Unclear(Exception):
    """The tag's text follows no form of the grammar."""


def split_note(text):
    head, _, note = text.partition(";")
    return head.strip(), note.strip()


def parameter_role(text):
    """The role of one tag: a dictionary whose `role` tells which of the other keys are there."""
    head, note = split_note(text)
    role = {"note": note} if note else {}
    if found := INPUT.fullmatch(head):
        limit = int(found.group(2)) if found.group(2) else None
        return {"role": "in", "content": found.group(1), "limit": limit} | role
    if found := OUTPUT.fullmatch(head):
        return {"role": "out", "content": found.group(1), "mode": found.group(2)} | role
    if found := HANDLE.fullmatch(head):
        return handle_role(found.group(1)) | role
    if found := CHOICE.fullmatch(head):
        if found.group(1) == "any" and found.group(3):
            raise Unclear("a mask may always be 0: 'any of GROUP' says enough")
        return {"role": found.group(1), "group": found.group(2), "zero": bool(found.group(3))} | role
    if head in SCALARS:
        if head == "number" and not note:
            raise Unclear("a number tells its range and meaning: 'number; ...'")
        return {"role": ROLE_NAMES.get(head, head)} | role
    if head == "output":
        return {"role": "output"} | role
    if head == "output pairs":
        return {"role": "pairs"} | role
    raise Unclear(f"'{head}' is no form of a parameter's tag")


def handle_role(text):
    kinds = text.split(" or ")
    zero = "0" in kinds
    kinds = [kind for kind in kinds if kind != "0"]
    if not kinds or not all(re.fullmatch(r"\w+", kind) for kind in kinds):
        raise Unclear(f"'handle {text}' names no kinds")
    return {"role": "handle", "kinds": kinds, "zero": zero}


def result_role(text):
    head, note = split_note(text)
    role = {"note": note} if note else {}
    if head in RESULTS:
        return {"kind": {"0/1": "truth"}.get(head, head)} | role
    if found := re.fullmatch(r"handle (\w+)", head):
        return {"kind": "handle", "handle": found.group(1)} | role
    if found := re.fullmatch(r"(one|any) of (\w+)", head):
        return {"kind": found.group(1), "group": found.group(2)} | role
    raise Unclear(f"'{head}' is no form of the return tag")


def types_of(role):
    """The C types that a role takes: one for a scalar, two for a pair; a set where several are right."""
    kind = role["role"]
    if kind == "in":
        return [{"const void *"}, {"int32_t"}]
    if kind == "out":
        return [{"void *"}, {"int32_t"}]
    if kind == "pairs":
        return [{"int64_t *"}, {"int32_t"}]
    if kind == "output":
        return [{"int64_t *", "int32_t *"}]
    if kind in ("one", "any"):
        return [{"int32_t"}]
    if kind == "number":
        return [{"int32_t", "int64_t"}]
    return [{"int64_t"}]


def second_suffix(role):
    """How the second parameter of a pair is called after the first."""
    return {"in": "_len", "out": "_cap", "pairs": "_cap"}.get(role["role"])


def result_types(role):
    kind = role["kind"]
    if kind == "handle":
        return {"int64_t"}
    if kind in ("count", "number"):
        return {"int32_t", "int64_t"}
    return {"int32_t"}
