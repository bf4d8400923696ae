"""The raw LuaJIT module's data: the declarations, and a function for each, over bindings/lua/tlsshim/ffi.lua."""

INT_IN = {"int32_t": "_int32_in", "int64_t": "_int64_in"}
# Names of our own begin with an underscore: parameters never do.
HELPERS = """int32_in int64_in string_in room forget number_out string_out pairs_room pairs_out int32_room int64_room
tonumber""".split()


def files(abi, concepts):
    source = "\n".join(concept["source"].rstrip() for concept in concepts)
    quote = "=" * next(n for n in range(9) if "]" + "=" * n + "]" not in source)
    text = "-- Made by bindings/abi from the public headers.\n"
    text += f"return {{\nabi = {abi['abi']},\n\ndeclarations = [{quote}[\n{source}\n]{quote}],\n\nconstants = {{\n"
    for group in abi["groups"]:
        text += "".join(f"    {entry['name']} = {entry['value']},\n" for entry in group["constants"])
    text += "},\n\nfunctions = function(raw, C, helpers)\n"
    text += "".join(f"local _{name} = helpers.{name}\n" for name in HELPERS)
    text += "".join("\n" + definition(function) for function in abi["functions"])
    return {"gen/lua/tlsshim/ffi_calls.lua": text + "end,\n}\n"}


def definition(function):
    name = function["name"]
    inputs, before, passed, outputs, after, whole = [], [], [], [], [], None
    for argument in function["arguments"]:
        whole = argument if argument.get("mode") == "whole" else whole
        add_argument(argument, inputs, before, passed, outputs, after)
    text = f"-- {function['summary']}\nfunction raw.{name}({', '.join(inputs)})\n"
    text += "".join(f"    {line}\n" for line in before)
    call = f"C.{function['symbol']}({', '.join(passed)})"
    if function["return"]["type"] == "int64_t":
        call = f"_tonumber({call})"
    if not outputs:
        return text + f"    return {call}\nend\n"
    text += f"    local _r = {call}\n"
    if whole:
        data = whole["name"]
        text += f"    while _r > {data}_cap do\n"
        text += f"        {data}, {data}_cap = _room(_r)\n"
        text += f"        _r = {call}\n    end\n"
    if not after:
        return text + f"    return _r, {', '.join(outputs)}\nend\n"
    names = [f"_{place}" for place in range(len(outputs))]
    text += f"    local {', '.join(names)} = {', '.join(outputs)}\n"
    text += "".join(f"    {line}\n" for line in after)
    return text + f"    return _r, {', '.join(names)}\nend\n"


def add_argument(argument, inputs, before, passed, outputs, after):
    name, role = argument["name"], argument["role"]
    if role == "in":
        inputs.append(name)
        before.append(f'_string_in({name}, "{name}")')
        passed += [name, f"#{name}"]
    elif role == "out" and argument["mode"] == "whole":
        before.append(f"local {name}, {name}_cap = _room(0)")
        passed += [name, f"{name}_cap"]
        outputs.append(f"_string_out({name}, _r, _r)")
    elif role in ("out", "pairs"):
        inputs.append(f"{name}_cap")
        before.append(f'_int32_in({name}_cap, "{name}_cap")')
        before.append(f"local {name} = {'_pairs_room' if role == 'pairs' else '_room'}({name}_cap)")
        passed += [name, f"{name}_cap"]
        if role == "pairs":
            outputs.append(f"_pairs_out({name}, _r)")
        else:
            length = f"{name}_cap" if argument["mode"] == "fill" else "_r"
            outputs.append(f"_string_out({name}, _r, {length})")
    elif role == "output":
        before.append(f"local {name} = {'_int32_room' if argument['type'] == 'int32_t *' else '_int64_room'}")
        passed.append(name)
        outputs.append(f"_number_out({name}, _r)")
    else:
        inputs.append(name)
        before.append(f'{INT_IN[argument["type"]]}({name}, "{name}")')
        passed.append(name)
    if argument.get("content") == "secret" and role == "out":
        after.append(f"_forget({name}, {name}_cap)")
