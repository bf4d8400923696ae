"""The raw Lisp package: constants and a call for each function, over bindings/lisp/foreign.lisp."""

import json

TYPES = {"int32_t": ":int32", "int64_t": ":int64", "int32_t *": ":int32", "int64_t *": ":int64"}


def files(abi, concepts):
    functions = [lisp_name(function["name"]) for function in abi["functions"]]
    entries = [entry for group in abi["groups"] for entry in group["constants"]]
    constants = [(f"+{lisp_name(entry['name'].lower())}+", entry["value"]) for entry in entries]
    text = ";;; Made by bindings/abi from the public headers.\n\n"
    text += "(cl:defpackage #:tlsshim.raw\n  (:use)\n  (:export"
    text += "".join(f"\n   #:{name}" for name in functions + [name for name, _ in constants]) + "))\n\n"
    text += f"(cl:in-package #:tlsshim.raw)\n\n(tlsshim.foreign:made-for {abi['abi']})\n\n"
    text += "".join(f"(cl:defconstant {name} {value})\n" for name, value in constants)
    text += "".join("\n" + definition(function) for function in abi["functions"])
    return {"gen/lisp/raw.lisp": text}


def lisp_name(name):
    return name.replace("_", "-")


def definition(function):
    text = f"(tlsshim.foreign:define-call {lisp_name(function['name'])} (\"{function['symbol']}\" "
    text += f"{TYPES[function['return']['type']]})\n"
    text += f"    ({' '.join(argument_form(argument) for argument in function['arguments'])})\n"
    return text + f"  {json.dumps(function['summary'], ensure_ascii=False)})\n"


def argument_form(argument):
    name, role = lisp_name(argument["name"]), argument["role"]
    if role == "in":
        return f"({name} :in :{argument['content']})"
    if role == "out":
        return f"({name} :{argument['mode']} :{argument['content']})"
    if role in ("pairs", "output"):
        return f"({name} :{role} {TYPES[argument['type']]})"
    return f"({name} :value {TYPES[argument['type']]})"
