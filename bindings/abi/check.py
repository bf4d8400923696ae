"""Turns what was parsed into the description of the ABI, and says what breaks its rules."""

import re

import roles
import words

PARAMETER_TYPES = ("int32_t", "int64_t", "const void *", "void *", "int64_t *", "int32_t *")
CLOSING_TAGS = ("return", "errors", "thread", "blocks", "source", "since")
COMMON_ERRORS = ("E_HANDLE", "E_FORKED", "E_MEMORY", "E_INTERNAL", "E_SYSTEM")
BLOCKS = ("never", "files", "cpu", "timeout_ms")
SHORT_NAMES = {"template": "tmpl"}
# What the result of a function with an output says; pairs of numbers have no mode.
LENGTH_RESULTS = {"whole": ("length",), "stream": ("count", "length"), "fill": ("count", "length", "ok")}
LENGTH_RESULTS[None] = ("count",)
MOST_PARAMETERS = 8
NO_RECORD = -15
GETTERS = re.compile(r"([ntb]{1,3})(:|$)")


def describe(concepts, problems):
    """The whole ABI as plain data, ready for abi.json."""
    groups = check_groups(concepts, problems)
    functions = check_functions(concepts, groups, problems)
    expand_errors(functions, problems)
    return {
        "abi": abi_number(functions, problems),
        "concepts": [{"name": concept["name"], "comment": concept["comment"]} for concept in concepts],
        "groups": list(groups.values()),
        "functions": list(functions.values()),
    }


def check_groups(concepts, problems):
    groups, symbols = {}, {}
    for concept in concepts:
        for parsed in concept["groups"]:
            found = re.fullmatch(r"tlsshim_(\w+)_group", parsed["tag"])
            if not found:
                problems.add(parsed["at"], f"enum {parsed['tag']}: an enum is tagged tlsshim_<group>_group")
                continue
            name = found.group(1)
            if name in groups:
                problems.add(parsed["at"], f"enum {parsed['tag']} is there twice")
                continue
            groups[name] = check_group(name, parsed, symbols, problems)
    if "result" not in groups or "kind" not in groups:
        at = concepts[0]["at"] if concepts else ("include/tlsshim.h", 1)
        problems.add(at, "the groups result and kind are needed")
    return groups


def check_group(name, parsed, symbols, problems):
    group = {"name": name, "concept": parsed["concept"], "comment": parsed["comment"], "constants": []}
    group["at"] = "%s:%d" % parsed["at"]
    prefix = "TLSSHIM_" if name == "result" else f"TLSSHIM_{name.upper()}_"
    values = {}
    if not parsed["constants"]:
        problems.add(parsed["at"], f"enum {parsed['tag']} is empty")
    for constant in parsed["constants"]:
        symbol, value, at = constant["symbol"], constant["value"], constant["at"]
        if not re.fullmatch(prefix + r"[A-Z0-9][A-Z0-9_]*", symbol):
            problems.add(at, f"{symbol}: constants of this group are called {prefix}<NAME>")
        if symbol in symbols:
            problems.add(at, f"{symbol} is there twice")
        if value in values:
            problems.add(at, f"{symbol} and {values[value]} have the same value {value}")
        if not -(2**31) <= value < 2**31:
            problems.add(at, f"{symbol}: {value} does not fit 32 bits")
        if name != "result" and value <= 0:
            problems.add(at, f"{symbol}: a value is positive; 0 is never valid in a group")
        if name == "result" and not (value == 0 or -255 <= value < 0):
            problems.add(at, f"{symbol}: a result code lies in -255..0")
        if name == "result" and value and symbol.startswith("TLSSHIM_E_") != (value < NO_RECORD):
            problems.add(at, f"{symbol}: errors, called E_, lie below -15; flow codes do not")
        symbols[symbol] = values[value] = symbol
        entry = {"name": symbol[len("TLSSHIM_"):], "symbol": symbol, "value": value, "comment": constant["comment"]}
        if name != "result" and (getters := GETTERS.match(constant["comment"])):
            entry["getters"] = getters.group(1)
        group["constants"].append(entry)
    found = [entry["value"] for entry in group["constants"]]
    group["mask"] = len(found) > 1 and all(value > 0 and value & (value - 1) == 0 for value in found)
    return group


def check_functions(concepts, groups, problems):
    functions = {}
    enums = {parsed["tag"] for concept in concepts for parsed in concept["groups"]}
    for concept in concepts:
        for parsed in concept["functions"]:
            symbol = parsed["symbol"]
            if not re.fullmatch(r"tlsshim_[a-z][a-z0-9_]*", symbol):
                problems.add(parsed["at"], f"{symbol}: a function is called tlsshim_<lower case>")
                continue
            if symbol in enums:
                problems.add(parsed["at"], f"{symbol}: an enum has the same name, SWIG would drop the function")
            if parsed["name"] in functions:
                problems.add(parsed["at"], f"{symbol} is declared twice")
                continue
            functions[parsed["name"]] = check_function(parsed, groups, problems)
    return functions


def check_function(parsed, groups, problems):
    at, symbol = parsed["at"], parsed["symbol"]

    def wrong(text, where=at):
        problems.add(where, f"{symbol}: {text}")

    function = {key: parsed[key] for key in ("name", "symbol", "concept", "summary", "text", "declaration", "params")}
    function |= {"at": "%s:%d" % at, "arguments": [], "return": {"type": parsed["type"]}}
    function |= {"errors": [], "tagged_errors": []}
    if parsed["type"] not in ("int32_t", "int64_t"):
        wrong(f"returns {parsed['type']}; it must be int32_t or int64_t")
    if len(parsed["params"]) > MOST_PARAMETERS:
        wrong(f"has {len(parsed['params'])} parameters; at most {MOST_PARAMETERS} are allowed")
    if reason := words.refused(parsed["name"], function=True):
        wrong(f"{parsed['name']} is {reason}")
    check_parameter_names(parsed["params"], wrong)
    if not parsed["summary"].endswith((".", "?", ":")):
        wrong("the comment begins with a sentence")

    tags = list(parsed["tags"])
    arguments = read_arguments(parsed["params"], tags, groups, wrong)
    function["arguments"] = arguments
    read_closing(function, tags, groups, wrong)
    check_first_handle(arguments, wrong)
    check_outputs(function, wrong)
    return function


def check_parameter_names(params, wrong):
    seen = set()
    for param in params:
        if param["type"] not in PARAMETER_TYPES:
            wrong(f"parameter {param['name']} has the type {param['type']}; allowed are {', '.join(PARAMETER_TYPES)}")
        if reason := words.refused(param["name"]):
            wrong(f"parameter {param['name']} is {reason}")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", param["name"]):
            wrong(f"parameter {param['name']} is not in lower case")
        if param["name"] in seen:
            wrong(f"parameter {param['name']} is there twice")
        seen.add(param["name"])


def read_arguments(params, tags, groups, wrong):
    """The parameters as the host sees them: a pair is one argument. Uses up the tags that it reads."""
    arguments, here = [], 0
    while here < len(params):
        name = params[here]["name"]
        tag = tags[0] if tags and tags[0]["name"] not in CLOSING_TAGS else None
        if tag is None or tag["name"] != name:
            told = f"; '{tag['name']}' comes here" if tag else ""
            wrong(f"parameter {name} has no tag in its place (C order){told}")
            break
        tags.pop(0)
        try:
            role = roles.parameter_role(tag["text"])
        except roles.Unclear as unclear:
            wrong(f"tag {name}: {unclear}", tag["at"])
            break
        wanted, suffix = roles.types_of(role), roles.second_suffix(role)
        given = params[here:here + len(wanted)]
        for place, (types, param) in enumerate(zip(wanted, given)):
            if place == 1 and param["name"] != name + suffix:
                wrong(f"the second of the pair {name} is called {name}{suffix}, not {param['name']}", tag["at"])
            if param["type"] not in types:
                wanted_types = " or ".join(sorted(types))
                wrong(f"{param['name']} has the type {param['type']}, its tag wants {wanted_types}", tag["at"])
        if len(given) < len(wanted):
            wrong(f"{name} is a pair, but {name}{suffix} is missing", tag["at"])
        check_references(name, role, groups, wrong, tag["at"])
        arguments.append({"name": name, "at": here, "type": params[here]["type"]} | role)
        here += len(wanted)
    return arguments


def check_references(name, role, groups, wrong, at):
    if "group" in role and role["group"] not in groups:
        wrong(f"tag {name}: there is no group {role['group']}", at)
    elif role.get("role") == "any" and not groups[role["group"]]["mask"]:
        wrong(f"tag {name}: {role['group']} is no mask, its values are not single bits", at)
    kinds = role.get("kinds", [role["handle"]] if "handle" in role else [])
    known = kind_names(groups) | {"any", "same"}
    for kind in kinds:
        if kind not in known:
            wrong(f"tag {name}: there is no kind {kind}", at)


def kind_names(groups):
    if "kind" not in groups:
        return set()
    return {constant["name"].removeprefix("KIND_").lower() for constant in groups["kind"]["constants"]}


def read_closing(function, tags, groups, wrong):
    """return, errors, thread, blocks, source, since: all, once, in this order."""
    names = [tag["name"] for tag in tags]
    for name in names:
        if name not in CLOSING_TAGS:
            wrong(f"tag {name} is neither a parameter in its place nor one of {', '.join(CLOSING_TAGS)}")
    missing = [name for name in CLOSING_TAGS if name not in names]
    if missing:
        wrong(f"tags are missing: {', '.join(missing)}")
    known = [name for name in names if name in CLOSING_TAGS]
    if not missing and known != list(CLOSING_TAGS):
        wrong(f"the last tags are, once each and in this order: {', '.join(CLOSING_TAGS)}")
    told = {tag["name"]: tag for tag in tags}
    if "return" in told:
        read_return(function, told["return"], groups, wrong)
    if "errors" in told:
        function["tagged_errors"] = told["errors"]["text"].split()
    read_facts(function, {name: told[name]["text"] for name in told if name in CLOSING_TAGS}, wrong)
    codes = {constant["name"] for constant in groups.get("result", {"constants": []})["constants"]}
    for word in function["tagged_errors"]:
        if word not in codes and not re.fullmatch(r"\+\w+", word) and function["tagged_errors"] != ["-"]:
            wrong(f"errors: there is no code {word}", told["errors"]["at"])
        elif word in codes and not word.startswith("E_"):
            wrong(f"errors: {word} is no error; flow codes belong into the return tag", told["errors"]["at"])


def read_return(function, tag, groups, wrong):
    try:
        role = roles.result_role(tag["text"])
    except roles.Unclear as unclear:
        wrong(f"tag return: {unclear}", tag["at"])
        return
    check_references("return", role, groups, wrong, tag["at"])
    types = roles.result_types(role)
    if function["return"]["type"] not in types:
        wrong(f"returns {function['return']['type']}, its tag wants {' or '.join(sorted(types))}", tag["at"])
    flow = []
    codes = {constant["name"]: constant["value"] for constant in groups.get("result", {"constants": []})["constants"]}
    for word in re.findall(r"\b(?:E|WANT)_[A-Z_]+\b|\bTIMEOUT\b|\bWOKEN\b|\bNONE\b", role.get("note", "")):
        if word not in codes:
            wrong(f"tag return: there is no code {word}", tag["at"])
        elif codes[word] >= NO_RECORD and word not in flow:
            flow.append(word)
    function["return"] |= role | {"flow": flow}


def read_facts(function, told, wrong):
    function["thread"], function["source"] = told.get("thread", ""), told.get("source", "")
    if "thread" in told and not told["thread"].startswith("any"):
        wrong("thread: begins with 'any'")
    function["blocks"] = roles.split_note(told.get("blocks", "never"))[0].split()
    unknown = [word for word in function["blocks"] if word not in BLOCKS]
    if unknown or ("never" in function["blocks"] and len(function["blocks"]) > 1):
        wrong(f"blocks: says never, or which of files, cpu, timeout_ms; not '{told['blocks']}'")
    if "timeout_ms" in function["blocks"] and "timeout_ms" not in [param["name"] for param in function["params"]]:
        wrong("blocks: there is no parameter timeout_ms")
    if not re.fullmatch(r"[1-9]\d*", told.get("since", "1")):
        wrong("since: an ABI number")
    else:
        function["since"] = int(told.get("since", "1"))


def check_first_handle(arguments, wrong):
    handle = next((argument for argument in arguments if argument["role"] == "handle"), None)
    if handle is None or len(handle["kinds"]) > 1:
        return
    kind = handle["kinds"][0]
    wanted = "handle" if kind == "any" else SHORT_NAMES.get(kind, kind)
    if handle["name"] != wanted and not handle["name"].endswith("_" + wanted):
        wrong(f"the first handle is called by its kind: {wanted}, not {handle['name']}")


def check_outputs(function, wrong):
    outs = [argument for argument in function["arguments"] if argument["role"] in ("out", "pairs")]
    kind = function["return"].get("kind")
    if len(outs) > 1:
        wrong("has two outputs of bytes, but one result to tell their length")
    for out in outs:
        allowed = LENGTH_RESULTS[out.get("mode")]
        if kind and kind not in allowed:
            wrong(f"out {out['name']}: the result must be {' or '.join(allowed)}, not {kind}")


def expand_errors(functions, problems):
    """Resolves +name; the result is sorted from the smallest number outwards, as told in the header."""
    done = {}

    def expand(function, trail):
        name = function["name"]
        if name in done:
            return done[name]
        found = []
        for word in function["tagged_errors"]:
            if not word.startswith("+"):
                found += [word] if word != "-" else []
            elif word[1:] not in functions:
                text = f"{function['symbol']}: errors: there is no function {word[1:]} to include"
                problems.add(place(function), text)
            elif word[1:] in trail:
                continue
            else:
                found += expand(functions[word[1:]], trail | {name})
        found = list(dict.fromkeys(found))
        if not trail - {name}:
            done[name] = found
        return found

    for function in functions.values():
        function["errors"] = expand(function, {function["name"]})


def place(function):
    file, _, line = function["at"].rpartition(":")
    return (file, int(line))


def abi_number(functions, problems):
    """The number that abi_version promises in its return tag."""
    found = functions.get("abi_version")
    note = found["return"].get("note", "") if found else ""
    if not note.isdigit():
        at = place(found) if found else ("include/tlsshim.h", 1)
        problems.add(at, "abi_version must say the ABI's number: 'return  number; 1'")
        return 0
    return int(note)
