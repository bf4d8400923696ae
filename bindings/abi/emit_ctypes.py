"""The raw Python module `tlsshim.ctypes`, over the helpers of bindings/python/tlsshim/_foreign.py."""

HELPERS = """WORTH_SWITCHING bytes_in bytes_out data_c function int32_c int32_in int32_p int64_c int64_in int64_p
made_for number_out pairs_out pairs_room path_in room secret_in secret_out text_in text_out""".split()
C_TYPES = {"int32_t": "_int32_c", "int64_t": "_int64_c", "const void *": "_data_c", "void *": "_data_c"}
C_TYPES |= {"int32_t *": "_int32_p", "int64_t *": "_int64_p"}
INT_IN = {"int32_t": "_int32_in", "int64_t": "_int64_in"}
# Names of our own begin with an underscore: parameters never do.
HEAD = '''"""The raw layer through ctypes: the C names without prefix. Made by bindings/abi from the public headers."""

from ._foreign import (
%s)

_made_for(%d)
'''


def files(abi, concepts):
    text = HEAD % ("".join(f"    {name} as _{name},\n" for name in HELPERS), abi["abi"])
    for group in abi["groups"]:
        text += "\n" + "".join(f"{entry['name']} = {entry['value']}\n" for entry in group["constants"])
    text += "".join("\n\n" + definition(function) for function in abi["functions"])
    names = [entry["name"] for group in abi["groups"] for entry in group["constants"]]
    names += [function["name"] for function in abi["functions"]]
    text += "\n\n__all__ = [\n" + "".join(f'    "{name}",\n' for name in names) + "]\n"
    return {"gen/python/tlsshim/ctypes.py": text}


def definition(function):
    name = function["name"]
    types = "".join(f", {C_TYPES[param['type']]}" for param in function["params"])
    quick = function["blocks"] == ["never"]
    sizes = [f"len({argument['name']})" for argument in function["arguments"] if argument["role"] == "in"]
    result = C_TYPES[function["return"]["type"]]
    text = f'_c_{name} = _function("{function["symbol"]}", {quick}, {result}{types})\n'
    if quick and sizes:
        text += f'_l_{name} = _function("{function["symbol"]}", False, {result}{types})\n'
    text += "\n\n"
    inputs, before, passed, outputs, whole = [], [], [], [], None
    for argument in function["arguments"]:
        whole = argument if argument.get("mode") == "whole" else whole
        add_argument(argument, inputs, before, passed, outputs)
    text += f"def {name}({', '.join(inputs + ['/'] if inputs else [])}):\n"
    text += f'    """{docstring(function, inputs)}"""\n'
    text += "".join(f"    {line}\n" for line in before)
    call = f"_c_{name}({', '.join(passed)})"
    if quick and sizes:
        text += f"    _f = _c_{name} if {' + '.join(sizes)} < _WORTH_SWITCHING else _l_{name}\n"
        call = f"_f({', '.join(passed)})"
    if not outputs:
        return text + f"    return {call}\n"
    text += f"    _r = {call}\n"
    if whole:
        text += f"    while _r > len({whole['name']}):\n"
        text += f"        {whole['name']} = _room(_r)\n"
        text += f"        _r = {call}\n"
    return text + f"    return _r, {', '.join(outputs)}\n"


def add_argument(argument, inputs, before, passed, outputs):
    name, role = argument["name"], argument["role"]
    if role == "in":
        inputs.append(name)
        before.append(f"{name} = _{argument['content']}_in({name})")
        passed += [name, f"len({name})"]
    elif role == "out" and argument["mode"] == "whole":
        before.append(f"{name} = _room(0)")
        passed += [name, f"len({name})"]
        outputs.append(f"_{argument['content']}_out({name}, _r, _r)")
    elif role in ("out", "pairs"):
        inputs.append(f"{name}_cap")
        before.append(f"{name}_cap = _int32_in({name}_cap)")
        before.append(f"{name} = {'_pairs_room' if role == 'pairs' else '_room'}({name}_cap)")
        passed += [name, f"{name}_cap"]
        if role == "pairs":
            outputs.append(f"_pairs_out({name}, _r)")
        else:
            length = f"{name}_cap" if argument["mode"] == "fill" else "_r"
            outputs.append(f"_{argument['content']}_out({name}, _r, {length})")
    elif role == "output":
        before.append(f"{name} = {'_int32_c' if argument['type'] == 'int32_t *' else '_int64_c'}()")
        passed.append(name)
        outputs.append(f"_number_out({name}, _r)")
    else:
        inputs.append(name)
        before.append(f"{name} = {INT_IN[argument['type']]}({name})")
        passed.append(name)


def docstring(function, inputs):
    return function["summary"].replace("\\", "\\\\").replace('"', "'")
