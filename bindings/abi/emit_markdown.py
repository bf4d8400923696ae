"""The API reference, one section a concept: api.md."""

import textwrap

MEANINGS = {
    "duration": "a duration in milliseconds on a monotonic clock",
    "seconds": "seconds",
    "fd": "a file descriptor",
    "output": "output: a number",
    "pairs": "output: pairs of numbers, as many as fit the capacity",
    "number": "a number",
}


def files(abi, concepts):
    text = f"# tlsshim: the functions (ABI {abi['abi']})\n\nMade from the headers under `include/tlsshim/`.\n\n"
    text += "".join(f"- [{concept['name']}](#{concept['name']})\n" for concept in abi["concepts"])
    text += f"- [Index](#index)\n\nCommon to all and not listed under errors: {COMMON}.\n"
    for concept in abi["concepts"]:
        text += f"\n## {concept['name']}\n\n{wrap(concept['comment'])}"
        text += "".join(group_section(group) for group in abi["groups"] if group["concept"] == concept["name"])
        for function in abi["functions"]:
            if function["concept"] == concept["name"]:
                text += function_section(function)
    text += "\n## Index\n\n"
    for function in sorted(abi["functions"], key=lambda each: each["name"]):
        text += f"- [`{function['symbol']}`](#{function['symbol']}) {function['summary']}\n"
    return {"api.md": text}


COMMON = (
    "`E_HANDLE`, `E_FORKED`, `E_MEMORY`, `E_INTERNAL`, `E_SYSTEM`, `E_STATE` once the process is exiting, "
    "`E_UNSUPPORTED` where the backend cannot be used"
)


def wrap(text):
    return "".join(textwrap.fill(paragraph, 118) + "\n\n" for paragraph in text.split("\n\n") if paragraph)


def group_section(group):
    text = f"\n### Group {group['name']}{' (mask)' if group['mask'] else ''}\n\n{wrap(group['comment'])}"
    text += "| Constant | Value | |\n|---|---|---|\n"
    for constant in group["constants"]:
        value = f"0x{constant['value']:04X}" if constant["value"] > 255 and not group["mask"] else constant["value"]
        text += f"| `{constant['symbol']}` | {value} | {constant['comment'].replace('|', chr(92) + '|')} |\n"
    return text


def function_section(function):
    text = f"\n### {function['symbol']}\n\n```c\n{function['declaration']}\n```\n\n{wrap(function['summary'])}"
    text += wrap(function["text"])
    text += "".join(f"- **{argument['name']}**: {meaning(argument)}\n" for argument in function["arguments"])
    text += f"- **returns** {result(function['return'])}\n"
    codes = ", ".join(f"`{code}`" for code in function["errors"]) or "none of its own"
    text += f"- **errors**: {codes}\n- **threads**: {function['thread']}\n"
    text += f"- **blocks**: {', '.join(function['blocks'])}\n"
    if function["source"] != "-":
        text += f"- **source**: {function['source']}\n"
    return text + f"- **since** ABI {function['since']}\n"


def meaning(argument):
    role = argument["role"]
    if role == "in":
        limit = f"up to {argument['limit']:,} bytes" if argument["limit"] else "any length"
        text = f"input, {argument['content']}, {limit}"
    elif role == "out":
        text = f"output, {argument['content']}, {argument['mode']}"
    elif role == "handle":
        text = "handle: " + " or ".join(argument["kinds"] + (["0"] if argument["zero"] else []))
    elif role in ("one", "any"):
        text = f"{role} of group {argument['group']}" + (", or 0" if argument["zero"] else "")
    else:
        text = MEANINGS[role]
    return text + (f"; {argument['note']}" if argument.get("note") else "")


def result(returned):
    kind = returned["kind"]
    text = {"handle": f"a new handle: {returned.get('handle')}", "truth": "1 or 0"}.get(kind, kind)
    if "group" in returned:
        text = f"{kind} of group {returned['group']}"
    return text + (f"; {returned['note']}" if returned.get("note") else "")
