"""The prototypes for SWIG, each between the %apply and %clear lines that its tags ask for.

bindings/swig holds the typemaps and the C functions that these lines name.
"""

STRIP = '%rename("%(strip:[tlsshim_])s", %$isfunction) "";\n%rename("%(strip:[TLSSHIM_])s", %$isenumitem) "";\n'
LONG = "INT64_MAX"


def files(abi, concepts):
    text = "/* Made by bindings/abi from the public headers. */\n" + STRIP
    for group in abi["groups"]:
        text += f"\nenum tlsshim_{group['name']}_group {{\n"
        text += ",\n".join(f"    {entry['symbol']} = {entry['value']}" for entry in group["constants"])
        text += "\n};\n"
    text += "".join("\n" + prototype(function) for function in abi["functions"])
    known = f"#define MADE_FOR_ABI {abi['abi']}\n" + "".join(map(outputs, abi["functions"]))
    return {"gen/swig/calls.i": text, "gen/swig/abi.h": known}


def outputs(function):
    """How many values come beside the result."""
    count = sum(argument["role"] in ("out", "pairs", "output") for argument in function["arguments"])
    return f"#define OUTPUTS_{function['symbol'].removeprefix('tlsshim_')} {count}\n"


def prototype(function):
    applied = [(typemap(argument), pattern(argument)) for argument in function["arguments"]]
    applied = [(ours, theirs) for ours, theirs in applied if ours]
    text = f"%exception {function['symbol']} {{ {call(function)} }}\n"
    for ours, theirs in applied:
        text += f"%apply {ours} {{{theirs}}};\n"
    text += function["declaration"] + "\n"
    for _, theirs in applied:
        text += f"%clear {theirs};\n"
    return text + f"%exception {function['symbol']};\n"


def typemap(argument):
    role = argument["role"]
    if role == "in":
        name = argument["content"].upper()
        return f"(const void *{name}, int32_t {name}_LEN)"
    if role == "out":
        name = f"{argument['mode']}_{argument['content']}".upper()
        return f"(void *{name}, int32_t {name}_CAP)"
    if role == "pairs":
        return "(int64_t *PAIRS, int32_t PAIRS_CAP)"
    if role == "output":
        return f"{argument['type']}OUTPUT"
    return None


def pattern(argument):
    name, role = argument["name"], argument["role"]
    if role == "in":
        return f"(const void *{name}, int32_t {name}_len)"
    if role == "out":
        return f"(void *{name}, int32_t {name}_cap)"
    if role == "pairs":
        return f"(int64_t *{name}, int32_t {name}_cap)"
    return f"{argument['type']}{name}"


def call(function):
    """A whole output is asked for again with more room; a call that may take long lets the host's threads run."""
    action = "$action"
    whole = next((argument for argument in function["arguments"] if argument.get("mode") == "whole"), None)
    if whole:
        action = f"do {{ $action }} while (more_room(HOST, &arg{whole['at'] + 1}, &arg{whole['at'] + 2}, result));"
    if function["blocks"] != ["never"]:
        cost = LONG
    else:
        pairs = [argument for argument in function["arguments"] if argument["role"] == "in"]
        cost = " + ".join(f"(int64_t)arg{pair['at'] + 2}" for pair in pairs)
    return f"struct others others = others_run({cost}); {action} others_wait(others);" if cost else action
