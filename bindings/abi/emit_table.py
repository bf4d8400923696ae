"""A C table of every function for tests that call them by description: tests/misuse/table.h has its types."""

ROLES = {"handle": "HANDLE", "one": "ONE", "any": "ANY", "number": "NUMBER", "duration": "DURATION"}
ROLES |= {"seconds": "SECONDS", "fd": "FD", "output": "OUTPUT"}
# What a healthy machine and process may give without listing it. E_INTERNAL is a defect; E_FORKED, E_STATE at exit and
# E_UNSUPPORTED from the backend cannot happen where the table is used.
UNLISTED = ("E_MEMORY", "E_SYSTEM")


def files(abi, concepts):
    groups = {group["name"]: group["constants"] for group in abi["groups"]}
    values = {name: [constant["value"] for constant in constants] for name, constants in groups.items()}
    codes = {constant["name"]: constant["value"] for constant in groups["result"]}
    arguments = [argument for function in abi["functions"] for argument in function["arguments"]]
    used = {argument["group"] for argument in arguments if "group" in argument}
    text = '/* Made by bindings/abi from the public headers. */\n#include "table.h"\n\n#include "tlsshim.h"\n'
    for name in values:
        if name in used:
            text += f"\nstatic const int32_t {name}_values[] = {{{', '.join(map(str, values[name]))}}};"
    text += "\n\nconst struct function functions[] = {\n"
    text += "".join(entry(function, values, codes) for function in abi["functions"])
    text += f"}};\n\nconst int function_count = {len(abi['functions'])};\n"
    text += "\nconst char *const kind_names[] = {\n"
    for constant in groups["kind"]:
        text += f'    [{constant["value"]}] = "{constant["name"].removeprefix("KIND_").lower()}",\n'
    return {"gen/misuse/table.c": text + "};\n"}


def truth(value):
    return "true" if value else "false"


def allowed_codes(function, codes):
    """The negative results that the function may give, bare."""
    returned = function["return"]
    names = function["errors"] + returned["flow"] + list(UNLISTED)
    if any(argument["role"] == "handle" for argument in function["arguments"]):
        names.append("E_HANDLE")
    return [codes[name] for name in dict.fromkeys(names)]


def entry(function, values, codes):
    returned = function["return"]
    text = f'    {{.name = "{function["name"]}",\n     .address = (void (*)(void)){function["symbol"]},\n'
    text += f"     .wide = {truth(returned['type'] == 'int64_t')},\n"
    text += f"     .gives_handle = {truth(returned['kind'] == 'handle')},\n"
    text += f"     .gives_code = {truth(returned.get('group') == 'result')},\n"
    text += f"     .costly = {truth('cpu' in function['blocks'])},\n"
    text += f"     .codes = {{{', '.join(map(str, allowed_codes(function, codes)))}}},\n"
    text += f"     .count = {len(function['params'])}"
    if not function["params"]:
        return text + "},\n"
    text += ",\n     .parameters = {\n"
    for argument in function["arguments"]:
        text += "".join(f"         {{{', '.join(fields)}}},\n" for fields in parameters(argument, values))
    return text + "     }},\n"


def parameters(argument, values):
    """The C parameters of one argument, as designated initialisers."""
    name, role = argument["name"], argument["role"]
    first, second = [f'.name = "{name}"'], None
    if role == "in":
        first += [".role = IN", ".type = POINTER", f".content = {argument['content'].upper()}"]
        first.append(f".limit = {argument['limit'] or -1}")
        second = [f'.name = "{name}_len"', ".role = LENGTH", ".type = INT32"]
    elif role in ("out", "pairs"):
        first += [f".role = {role.upper()}", ".type = POINTER"]
        first += [f".mode = {argument['mode'].upper()}"] if role == "out" else []
        second = [f'.name = "{name}_cap"', ".role = CAPACITY", ".type = INT32"]
    else:
        types = {"int32_t": "INT32", "int64_t": "INT64"}
        first += [f".role = {ROLES[role]}", f".type = {types.get(argument['type'], 'POINTER')}"]
    if role == "output":
        first.append(f".limit = {4 if argument['type'] == 'int32_t *' else 8}")
    if role == "handle":
        first.append(f".kinds = {kinds_mask(argument['kinds'])}")
    if role in ("one", "any"):
        group = argument["group"]
        first += [f".values = {group}_values", f".value_count = {len(values[group])}"]
    if "zero" in argument:
        first.append(f".zero = {truth(argument['zero'])}")
    return [first, second] if second else [first]


def kinds_mask(kinds):
    if kinds == ["any"]:
        return "ANY_KIND"
    return " | ".join(f"1u << TLSSHIM_KIND_{kind.upper()}" for kind in kinds)
