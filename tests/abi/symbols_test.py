#!/usr/bin/python3
"""What the library exports, imports and promises to the linker. `make symbols` rewrites the lists, on purpose."""
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import header
from support.promise import BACKEND, BUILD, LIBRARY, SANITIZE, TOP, Skip, command, host_environment, run, same_lines

SYMBOLS = TOP / "tests" / "abi" / "symbols.txt"
CONSTANTS = TOP / "tests" / "abi" / "constants.txt"
BASELINE = TOP / "tests" / "abi" / "libtlsshim.abi"
ABIDIFF = ["abidiff", "--exported-interfaces-only", "--no-added-syms", "--headers-dir2", TOP / "include"]

# What a guest in somebody else's process has no use for: ends, signals, output, prompts, state of the whole process,
# functions with hidden state, select with its limit of descriptors.
FORBIDDEN = """
atexit __cxa_atexit on_exit at_quick_exit exit _exit _Exit quick_exit abort
signal sigaction sigset bsd_signal siginterrupt raise kill sigprocmask
printf puts putchar perror stdout stderr stdin __printf_chk vprintf tcsetattr getpass
setlocale setenv putenv unsetenv chdir umask fork vfork system popen daemon setrlimit
localtime gmtime ctime asctime strtok strerror gethostbyname rand srand random srandom select
""".split()


def dynamic(*options):
    """The names of the library's dynamic symbols, versions cut off."""
    lines = command("nm", "-D", "-P", *options, LIBRARY).splitlines()
    return [line.split()[0].split("@")[0] for line in lines]


def constants_text(constants):
    return "".join(f"{name} {value}\n" for name, value in sorted(constants.items()))


def exported_symbols_are_exactly_the_listed():
    same_lines(dynamic("--defined-only"), SYMBOLS.read_text().split(), "exported symbols")


def every_exported_symbol_is_declared_and_the_other_way_round():
    _, functions = header.parse(header.concatenation())
    same_lines(dynamic("--defined-only"), functions, "exported symbols against the headers")


def the_static_library_has_no_other_global_name():
    if SANITIZE:
        raise Skip("sanitizers need their own names in it")
    lines = command("nm", "-g", "-P", "--defined-only", BUILD / "libtlsshim.a").splitlines()
    names = [line.split()[0] for line in lines if not line.endswith(":")]
    same_lines(names, SYMBOLS.read_text().split(), "global names of libtlsshim.a")


def nothing_that_a_guest_has_no_use_for_is_imported():
    if SANITIZE:
        raise Skip("sanitizers bring their own imports")
    if BACKEND == "static":
        raise Skip("an OpenSSL that is linked in brings its own imports")
    bad = sorted(set(dynamic("--undefined-only")) & set(FORBIDDEN))
    assert not bad, f"imported: {bad}"


def the_list_of_forbidden_names_is_looked_for_among_real_imports():
    imports = dynamic("--undefined-only")
    assert "malloc" in imports and "memcpy" in imports, f"nm gave {imports[:10]}"


def the_library_is_never_unloaded_and_bound_at_once():
    said = command("readelf", "-dlW", LIBRARY)
    for wanted in ("Library soname: [libtlsshim.so.1]", "NODELETE", "BIND_NOW", "GNU_RELRO"):
        assert wanted in said, f"{wanted} is missing"
    stack = [line for line in said.splitlines() if "GNU_STACK" in line]
    assert stack and "RWE" not in stack[0], f"executable stack: {stack}"


def constants_are_exactly_the_listed():
    constants, _ = header.parse(header.concatenation())
    listed = dict(line.split() for line in CONSTANTS.read_text().splitlines())
    same_lines(constants_text(constants).splitlines(), CONSTANTS.read_text().splitlines(), "constants")
    assert len(listed) == len(constants)


def every_constant_is_found_by_its_name():
    constants, _ = header.parse(header.concatenation())
    ask = """
import ctypes, sys
shim = ctypes.CDLL(sys.argv[1])
for line in sys.stdin:
    value = ctypes.c_int64(-999)
    name = line.split()[0].encode()
    result = shim.tlsshim_constant(name, len(name), ctypes.byref(value))
    print(name.decode(), value.value if result == 0 else f"result {result}")
"""
    given = command("/usr/bin/python3", "-c", ask, LIBRARY, input=constants_text(constants), env=host_environment())
    same_lines(given.splitlines(), constants_text(constants).splitlines(), "tlsshim_constant")


def nothing_of_the_binary_interface_was_changed_or_removed():
    if SANITIZE:
        raise Skip("judged on the plain build")
    command(*ABIDIFF, BASELINE, LIBRARY)


def a_change_or_removal_would_be_noticed():
    if SANITIZE:
        raise Skip("judged on the plain build")
    text = BASELINE.read_text()
    symbol = re.search(r"    <elf-symbol name='tlsshim_kind'.*\n", text).group()
    kind = re.search(r"<function-decl name='tlsshim_kind'.*?<parameter type-id='(\w+)'.*?</function-decl>", text, re.S)
    changed = re.sub(r"<return type-id='\w+'/>", f"<return type-id='{kind.group(1)}'/>", kind.group())
    for past in (text.replace(symbol, symbol + symbol.replace("tlsshim_kind", "tlsshim_gone")),
                 text.replace(kind.group(), changed)):
        assert past != text
        with tempfile.NamedTemporaryFile("w", suffix=".abi") as file:
            file.write(past)
            file.flush()
            said = subprocess.run([*ABIDIFF, file.name, LIBRARY], capture_output=True, check=False)
        assert said.returncode & 4, said


def rewrite():
    """Accepts what is there now, and says aloud what earlier users lose."""
    constants, _ = header.parse(header.concatenation())
    for path, text in ((SYMBOLS, "".join(f"{name}\n" for name in sorted(dynamic("--defined-only")))),
                       (CONSTANTS, constants_text(constants))):
        before = path.read_text().splitlines() if path.exists() else []
        for line in sorted(set(before) - set(text.splitlines())):
            print(f"{path.name}: REMOVED OR CHANGED, users break: {line}")
        path.write_text(text)
    command("abidw", "--exported-interfaces-only", "--drop-private-types", "--headers-dir", TOP / "include",
            "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--no-elf-needed", "--type-id-style", "hash",
            "--out-file", BASELINE, LIBRARY)
    print(f"{SYMBOLS.name}, {CONSTANTS.name} and {BASELINE.name} are written: look at their diff before committing")


if __name__ == "__main__":
    if sys.argv[1:] == ["--rewrite"]:
        rewrite()
    else:
        run([exported_symbols_are_exactly_the_listed,
             every_exported_symbol_is_declared_and_the_other_way_round,
             the_static_library_has_no_other_global_name,
             nothing_that_a_guest_has_no_use_for_is_imported,
             the_list_of_forbidden_names_is_looked_for_among_real_imports,
             the_library_is_never_unloaded_and_bound_at_once,
             constants_are_exactly_the_listed,
             every_constant_is_found_by_its_name,
             nothing_of_the_binary_interface_was_changed_or_removed,
         a_change_or_removal_would_be_noticed])
