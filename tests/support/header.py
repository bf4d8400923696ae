"""Reads the public headers: their order, their constants and the names of their functions."""
import re

from support.promise import TOP

UMBRELLA = TOP / "include" / "tlsshim.h"
CONCEPTS = TOP / "include" / "tlsshim"

_COMMENT = re.compile(r"/\*.*?\*/", re.S)
_ENUM = re.compile(r"\s*enum tlsshim_([a-z0-9_]+)_group \{(.*?)\};", re.S)
_ITEM = re.compile(r"\s*(TLSSHIM_[A-Z0-9_]+) = (-?(?:0x[0-9a-fA-F]+|[0-9]+))\s*")
_PROTOTYPE = re.compile(r"\s*(int32_t|int64_t) (tlsshim_[a-z0-9_]+)\((.*?)\);", re.S)
_PARAMETER = re.compile(r"(?:int32_t |int64_t |const void \*|void \*|int64_t \*|int32_t \*)[a-z][a-z0-9_]*$")
_MOST_PARAMETERS = 8


def concept_headers():
    """The concept headers in the order in which the umbrella includes them."""
    names = re.findall(r'^#include "tlsshim/([a-z0-9]+\.h)"$', UMBRELLA.read_text(), re.M)
    return [CONCEPTS / name for name in names]


def concatenation():
    return "".join(header.read_text() for header in concept_headers())


def parse(text):
    """Gives ({constant: value}, [function]); ValueError on anything but comments, enums and prototypes."""
    constants, functions = {}, []
    rest = _COMMENT.sub(" ", text).rstrip()
    while rest:
        enum, prototype = _ENUM.match(rest), _PROTOTYPE.match(rest)
        if enum:
            for item in enum.group(2).strip().rstrip(",").split(","):
                parts = _ITEM.fullmatch(item)
                if not parts:
                    raise ValueError(f"not a constant with its value: {item.strip()!r}")
                constants[parts.group(1)] = int(parts.group(2), 0)
        elif prototype:
            parameters = [p.strip() for p in prototype.group(3).split(",")]
            if parameters != ["void"] and not all(map(_PARAMETER.match, parameters)):
                raise ValueError(f"{prototype.group(2)}: a parameter that is none of the four types: {parameters}")
            if len(parameters) > _MOST_PARAMETERS:
                raise ValueError(f"{prototype.group(2)}: more than {_MOST_PARAMETERS} parameters")
            functions.append(prototype.group(2))
        else:
            raise ValueError(f"neither comment, enum nor prototype: {rest.strip()[:80]!r}")
        rest = rest[(enum or prototype).end():]
    return constants, functions
