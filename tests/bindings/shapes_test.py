#!/usr/bin/python3
"""Every shape that a function may have works in every raw layer, those that no function has today too: generates the
layers from the public headers and shapes/shapes.h, and runs shapes/scenario.txt on them. time limit: 300 s"""
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import hosts  # noqa: E402

TOP, BUILD = pathlib.Path(hosts.TOP), pathlib.Path(hosts.BUILD)
SHAPES = pathlib.Path(hosts.HERE) / "shapes"
NAME = "libtlsshim.so.1"


def command(*words):
    return subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def headers(folder):
    """The public headers with one more at the end."""
    include = folder / "include"
    shutil.copytree(TOP / "include", include)
    shutil.copy(SHAPES / "shapes.h", include / "tlsshim")
    umbrella = (include / "tlsshim.h").read_text()
    end = umbrella.index("\n", umbrella.rindex('#include "tlsshim/')) + 1
    (include / "tlsshim.h").write_text(umbrella[:end] + '#include "tlsshim/shapes.h"\n' + umbrella[end:])
    return include


def library(folder, include):
    static = os.environ.get("BACKEND") == "static"
    backend = ["-l:libssl.a", "-l:libcrypto.a"] if static else ["-lssl", "-lcrypto"]
    command("cc", "-shared", "-fPIC", f"-I{include}", f"-Wl,-soname,{NAME}", "-Wl,-z,nodelete", "-o", folder / NAME,
            SHAPES / "shapes.c", "-Wl,--whole-archive", BUILD / "libinternal.a", "-Wl,--no-whole-archive", *backend,
            "-lidn2", "-lpthread", "-ldl")


def layers(folder, include):
    """The raw layers, laid out as the Makefile does."""
    command(sys.executable, TOP / "bindings/abi/generate.py", "--include", include, "--out", folder)
    for language, place in (("lua", "lua/tlsshim"), ("python", "python/tlsshim"), ("lisp", "lisp")):
        shutil.copytree(TOP / "bindings" / language, folder / language)
        shutil.copytree(folder / "gen" / language, folder / language, dirs_exist_ok=True)
        os.symlink(folder / NAME, folder / place / NAME)
    # The package itself wants what the idiomatic layers need; a folder without it is a package all the same.
    (folder / "python/tlsshim/__init__.py").unlink(missing_ok=True)
    module(folder, include, "lua", "/usr/include/lua5.4", "lua/tlsshim/swig.so")
    python = command(sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('include'))")
    module(folder, include, "python", python, "python/tlsshim/_swig.so")


def module(folder, include, language, language_include, name):
    source, made = folder / f"{language}.c", folder / "gen/swig"
    interface = TOP / "bindings/swig"
    command("swig", f"-{language}", f"-I{interface}", f"-I{made}", "-outdir", folder, "-o", source,
            interface / "tlsshim.i")
    if language == "python":
        command(sys.executable, interface / "fastcall.py", source)
    command("cc", "-Wall", "-Werror", "-fPIC", "-shared", f"-I{include}", f"-I{made}", f"-I{language_include}", "-o",
            folder / name, source, folder / NAME)


def main():
    if os.environ.get("SANITIZE"):
        print("0 passed, 0 failed, 6 skipped")
        return 0
    folder = BUILD / "shapes"
    shutil.rmtree(folder, ignore_errors=True)
    include = headers(folder)
    library(folder, include)
    layers(folder, include)
    return hosts.run_scenario(str(SHAPES), str(folder))


if __name__ == "__main__":
    sys.exit(main())
