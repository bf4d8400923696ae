#!/usr/bin/python3
"""Builds are incremental and right, and what is installed serves a stranger. Works on a copy of tier 0."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import BUILD, SANITIZE, TOP, Skip, command, run

ENVIRONMENT = {name: value for name, value in os.environ.items()
               if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BUILD", "TOP", "SANITIZE", "BACKEND", "CFLAGS")}
PROGRAM = """#include <stdio.h>
#include <tlsshim.h>
int main(void)
{
    char text[64];
    int32_t len = tlsshim_version(TLSSHIM_VERSION_SHIM, text, sizeof text);
    printf("%.*s\\n", (int)len, text);
    return 0;
}
"""


class Copy:
    """A small project: the Makefile, the scripts, the headers and shim/base."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for name in ("Makefile", "scripts", "include", "shim/base", "shim/exports.map"):
            source, target = TOP / name, self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)

    def make(self, *words):
        """Builds, and gives the sources that were compiled and the whole output."""
        said = command("make", "-j2", "library", *words, cwd=self.folder, env=ENVIRONMENT)
        return set(re.findall(r"^  cc   (\S+)$", said, re.M)), said

    def sources(self):
        return {str(path.relative_to(self.folder)) for path in self.folder.glob("shim/*/*.c")}

    def including(self, header):
        return {source for source in self.sources() if f'"{header}"' in (self.folder / source).read_text()}

    def touch(self, name):
        os.utime(self.folder / name)


COPY = None


def a_first_build_compiles_every_source():
    compiled, _ = COPY.make()
    assert compiled == COPY.sources(), compiled


def a_second_build_does_nothing():
    compiled, said = COPY.make()
    assert not compiled and "  so " not in said and "  ar " not in said, said


def a_touched_source_is_compiled_alone():
    COPY.touch("shim/base/bytes.c")
    compiled, said = COPY.make()
    assert compiled == {"shim/base/bytes.c"} and "  so " in said and "  ar " in said, said


def a_touched_header_compiles_what_includes_it():
    COPY.touch("shim/base/slots.h")
    wanted = COPY.including("slots.h")
    compiled, _ = COPY.make()
    assert wanted and wanted <= compiled < COPY.sources(), compiled


def a_touched_public_header_reaches_everything_that_includes_it():
    COPY.touch("include/tlsshim/base.h")
    compiled, _ = COPY.make()
    assert COPY.including("tlsshim.h") <= compiled, compiled


def other_flags_compile_everything_and_the_same_flags_nothing():
    assert COPY.make("CFLAGS=-O1 -g")[0] == COPY.sources()
    assert COPY.make("CFLAGS=-O1 -g")[0] == set()
    assert COPY.make()[0] == COPY.sources()


def a_source_comes_and_goes():
    extra = COPY.folder / "shim/base/extra.c"
    library = COPY.folder / "build/libtlsshim.so.1"
    extra.write_text('__attribute__((visibility("default"))) int tlsshim_extra(void);\n'
                     "int tlsshim_extra(void)\n{\n    return 1;\n}\n")
    COPY.make()
    assert "tlsshim_extra" in command("nm", "-D", library)
    extra.unlink()
    COPY.make()
    assert "tlsshim_extra" not in command("nm", "-D", library)


def a_warning_is_an_error():
    wrong = COPY.folder / "shim/base/wrong.c"
    wrong.write_text("int unused_parameter(int n);\nint unused_parameter(int n)\n{\n    return 0;\n}\n")
    done = subprocess.run(["make", "library"], cwd=COPY.folder, env=ENVIRONMENT, capture_output=True, text=True,
                          check=False)
    wrong.unlink()
    assert done.returncode != 0 and "unused-parameter" in done.stderr, done.stderr


def installed(stage, target):
    build = os.path.relpath(BUILD, TOP)  # as the tests were built: nothing is made anew below those that run
    command("make", "-s", target, f"BUILD={build}", "PREFIX=/opt/shim", f"DESTDIR={stage}", cwd=TOP, env=ENVIRONMENT)
    return {str(path.relative_to(stage)) for path in pathlib.Path(stage).rglob("*") if not path.is_dir()}


def what_is_installed_serves_a_stranger_and_goes_again():
    if SANITIZE:
        raise Skip("nobody installs a sanitized library")
    with tempfile.TemporaryDirectory() as stage:
        files = installed(stage, "install")
        wanted = {"lib/libtlsshim.so", "lib/libtlsshim.so.1", "lib/libtlsshim.a", "lib/pkgconfig/tlsshim.pc",
                  "include/tlsshim.h", "include/tlsshim/base.h", "share/tlsshim/abi.json",
                  "share/tlsshim/tlsshim.cdef.h", "bin/tlsshim"}
        assert {f"opt/shim/{name}" for name in wanted} <= files, files
        env = dict(ENVIRONMENT, PKG_CONFIG_PATH=f"{stage}/opt/shim/lib/pkgconfig", PKG_CONFIG_SYSROOT_DIR=stage,
                   LD_LIBRARY_PATH=f"{stage}/opt/shim/lib")
        source = pathlib.Path(stage) / "stranger.c"
        source.write_text(PROGRAM)
        wanted = re.search(r"^VERSION := (\S+)$", (TOP / "Makefile").read_text(), re.M).group(1)
        for link in (command("pkg-config", "--cflags", "--libs", "tlsshim", env=env).split(),
                     [f"-I{stage}/opt/shim/include", f"{stage}/opt/shim/lib/libtlsshim.a",
                      *command("pkg-config", "--variable=static_libs", "tlsshim", env=env).split()]):
            program = source.with_suffix("")
            command("cc", "-o", program, source, *link)
            assert command(program, env=env).strip() == wanted
            program.unlink()
        assert command("pkg-config", "--modversion", "tlsshim", env=env).strip() == wanted
        source.unlink()
        assert installed(stage, "uninstall") == set()


def every_target_is_in_the_help():
    said = command("make", "help", cwd=TOP, env=ENVIRONMENT)
    for target in ("make ", "demo", "check", "quick", "asan", "tsan", "certs", "bench", "install", "uninstall", "clean",
                   "soak", "format", "symbols"):
        assert re.search(rf"^make {target.strip().replace('make', '')}", said, re.M), target


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        COPY = Copy(scratch)
        run([a_first_build_compiles_every_source,
             a_second_build_does_nothing,
             a_touched_source_is_compiled_alone,
             a_touched_header_compiles_what_includes_it,
             a_touched_public_header_reaches_everything_that_includes_it,
             other_flags_compile_everything_and_the_same_flags_nothing,
             a_source_comes_and_goes,
             a_warning_is_an_error,
             what_is_installed_serves_a_stranger_and_goes_again,
             every_target_is_in_the_help])
