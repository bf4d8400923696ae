#!/usr/bin/python3
"""The public headers are data: every reader of C declarations takes them as they stand."""
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import header
from support.promise import TOP, command, run

CC = os.environ.get("CC", "cc")
CXX = os.environ.get("CXX", "c++")
STRICT = ["-Wall", "-Wextra", "-Wundef", "-Wshadow", "-pedantic-errors", "-Werror", "-fsyntax-only", "-I",
          TOP / "include"]


def the_umbrella_includes_every_concept_once():
    included = [path.name for path in header.concept_headers()]
    assert sorted(included) == sorted(path.name for path in header.CONCEPTS.glob("*.h")), included


def tlsshim_h_is_strict_c11():
    command(CC, "-std=c11", *STRICT, "-x", "c", "-", input='#include "tlsshim.h"\n#include "tlsshim.h"\nint unused;\n')


def tlsshim_h_is_strict_cxx17_with_c_names():
    source = """#include "tlsshim.h"
extern "C" { using version_type = int32_t (*)(void); }
version_type version = tlsshim_abi_version;
"""
    command(CXX, "-std=c++17", *STRICT, "-x", "c++", "-", input=source)


def concept_headers_hold_only_comments_enums_and_prototypes():
    for path in header.concept_headers():
        text = path.read_text()
        hashes = [line for line in text.splitlines() if line.lstrip().startswith("#")]
        assert not hashes, f"{path.name}: {hashes}"
        try:
            header.parse(text)
        except ValueError as error:
            raise AssertionError(f"{path.name}: {error}") from error


def the_reader_refuses_everything_else():
    for bad in ("#define TLSSHIM_X 1\n", "typedef int tlsshim_t;", "int32_t tlsshim_f(size_t n);",
                "int32_t tlsshim_f(char *text);", "int32_t tlsshim_f(int32_t n, ...);", "long tlsshim_f(void);",
                "int32_t tlsshim_f(int32_t);", "enum tlsshim_x_group { TLSSHIM_X_A };",
                "enum tlsshim_x { TLSSHIM_X_A = 1 };", "struct tlsshim_s { int32_t n; };",
                "int32_t other_f(void);", "int32_t tlsshim_f(void) __attribute__((const));",
                "int32_t tlsshim_f(int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int32_t f, int32_t g,"
                " int32_t h, int32_t i);"):
        try:
            header.parse(bad)
        except ValueError:
            continue
        raise AssertionError(f"taken without complaint: {bad}")


def in_file(text, suffix, judge):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"declarations{suffix}"
        path.write_text(text)
        return judge(path, pathlib.Path(folder))


def luajit_reads_the_concatenation():
    script = 'local f = assert(io.open(arg[1])); require("ffi").cdef(f:read("*a")); ' \
             'print(tonumber(require("ffi").C.TLSSHIM_E_NAME))'

    def judge(path, folder):
        lua = folder / "read.lua"
        lua.write_text(script)
        return command("luajit", lua, path)
    assert in_file(header.concatenation(), ".h", judge).strip() == "-133"


def cffi_reads_the_concatenation():
    import cffi
    reader = cffi.FFI()
    reader.cdef(header.concatenation())
    assert reader.typeof("enum tlsshim_result_group").relements["TLSSHIM_E_NAME"] == -133


def pycparser_reads_it_after_stdint():
    import pycparser
    text = command(CC, "-E", "-P", "-x", "c", "-", input=header.concatenation())
    tree = pycparser.CParser().parse("typedef int int32_t; typedef long int64_t;\n" + text)
    assert len(tree.ext) == 2 + text.count("enum tlsshim_") + text.count(");"), len(tree.ext)


def swig_reads_the_concatenation():
    def judge(path, folder):
        interface = folder / "probe.i"
        interface.write_text(f'%module probe\n%include <stdint.i>\n%include "{path}"\n')
        command("swig", "-lua", "-Wall", "-Werror", "-o", folder / "probe.c", interface)
        wrapper = (folder / "probe.c").read_text()
        _, functions = header.parse(header.concatenation())
        missing = [name for name in functions if f'"{name}"' not in wrapper]
        assert not missing, f"not wrapped: {missing}"
    in_file(header.concatenation(), ".h", judge)


if __name__ == "__main__":
    run([the_umbrella_includes_every_concept_once,
         tlsshim_h_is_strict_c11,
         tlsshim_h_is_strict_cxx17_with_c_names,
         concept_headers_hold_only_comments_enums_and_prototypes,
         the_reader_refuses_everything_else,
         luajit_reads_the_concatenation,
         cffi_reads_the_concatenation,
         pycparser_reads_it_after_stdint,
         swig_reads_the_concatenation])
