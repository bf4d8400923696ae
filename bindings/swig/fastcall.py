#!/usr/bin/python3
"""Makes what SWIG wrote for Python take its arguments where the interpreter has them (METH_FASTCALL): fastcall.py FILE

SWIG asks for a tuple of them (METH_VARARGS), which each call makes and throws away.
"""
import pathlib
import re
import sys

UNPACK = re.compile(r'SWIG_Python_UnpackTuple\(args, "(\w+)", (\d+), \2, swig_obj\)')
WRAPPER = re.compile(r"(SWIGINTERN PyObject \*_wrap_(\w+)\(PyObject \*self, )PyObject \*args\) \{\n"
                     r"((?:.+\n|\n(?!\n))*?\}\n)")
ENTRY = re.compile(r'\{ "(\w+)", (_wrap_\1), METH_VARARGS,')


def wrapper(found, names):
    body, count = UNPACK.subn(r'arguments_are(count, "\1", \2)', found[3])
    if not count:
        return found[0]
    names.add(found[2])
    body = re.sub(r"  PyObject \*swig_obj\[\d+\] ;\n", "", body)
    return f"{found[1]}PyObject *const *swig_obj, Py_ssize_t count) {{\n{body}"


def rewritten(text):
    names, wanted = set(), {name for name, _ in UNPACK.findall(text)}
    text = WRAPPER.sub(lambda found: wrapper(found, names), text)
    text, entries = ENTRY.subn(r'{ "\1", (PyCFunction)(void (*)(void))\2, METH_FASTCALL,', text)
    if not wanted or names != wanted or entries != len(names):
        sys.exit(f"this SWIG writes another kind of wrapper: {len(wanted)}, {len(names)} and {entries} found")
    return text


if __name__ == "__main__":
    file = pathlib.Path(sys.argv[1])
    file.write_text(rewritten(file.read_text(encoding="utf-8")), encoding="utf-8")
