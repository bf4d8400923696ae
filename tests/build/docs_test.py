#!/usr/bin/python3
"""What the documents quote from the sources is in the sources, linked files exist, and the README's programs run."""
import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import BUILD, SANITIZE, TOP, command, host_environment, run

DOCUMENTS = sorted([*TOP.glob("*.md"), *TOP.glob("docs/*.md")])


def quoted_sources_are_as_quoted():
    quotes = [(document.name, path, text) for document in DOCUMENTS for path, text in
              re.findall(r"^`([\w/.-]+)`:\n```\w+\n(.*?)^```$", document.read_text(), re.M | re.S)]
    assert quotes, "no quotation was found at all"
    stale = [f"{name}: {path}\n{text}" for name, path, text in quotes if text not in (TOP / path).read_text()]
    assert not stale, "\n".join(stale)


def linked_files_exist():
    broken = []
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text()):
            if "://" not in target and not (document.parent / target).exists():
                broken.append(f"{document.name}: {target}")
    assert not broken, broken


def program(language):
    """The one program of this language in the README."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", (TOP / "README.md").read_text(), re.M | re.S)
    assert len(found) == 1, f"{len(found)} programs in {language}"
    return found[0]


def says_hello(language, *words, suffix, greeting="hello me TLSv1.3"):
    says(program(language), *words, suffix=suffix, greeting=greeting)


def says(text, *words, suffix, greeting):
    env = host_environment(PYTHONPATH=f"{BUILD}/python", LUA_PATH=f"{BUILD}/lua/?.lua;{BUILD}/lua/?/init.lua;;",
                           LUA_CPATH=f"{BUILD}/lua/?.so;;", CL_SOURCE_REGISTRY=f"{BUILD}/lisp:",
                           ASDF_OUTPUT_TRANSLATIONS="(:output-translations "
                           f'(t ("{BUILD}/lisp-cache" :implementation)) :ignore-inherited-configuration)')
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / f"readme.{suffix}"
        file.write_text(text)
        said = command(*(word.replace("FILE", str(file)) for word in words), env=env, timeout=120)
    assert said.split() == greeting.split(), said


def the_programs_in_the_readme_run():
    says_hello("python", "/usr/bin/python3", "FILE", suffix="py")
    says_hello("lua", "lua5.4", "FILE", suffix="lua")
    flags = f"-I{TOP}/include -L{BUILD} -Wl,-rpath,{BUILD} {f'-fsanitize={SANITIZE}' if SANITIZE else ''}"
    build = f"{os.environ.get('CC', 'cc')} -Wall -Wextra -Werror {flags} -o FILE.out FILE -ltlsshim && FILE.out"
    says_hello("c", "sh", "-c", f"unset LD_PRELOAD; ASAN_OPTIONS=detect_leaks=0; export ASAN_OPTIONS; {build}",
               suffix="c", greeting="hello localhost")
    if not SANITIZE:
        says_hello("lua", "luajit", "FILE", suffix="lua")
        says_hello("lisp", "sbcl", "--script", "FILE", suffix="lisp")


def the_programs_on_the_page_of_bindings_run():
    """Those that are no quotations."""
    text = re.sub(r"^`[\w/.-]+`:\n```\w+\n.*?^```$", "", (TOP / "docs" / "bindings.md").read_text(), flags=re.M | re.S)
    for language, hosts in {"lua": ("lua5.4", "luajit"), "python": ("/usr/bin/python3",), "lisp": ("sbcl",)}.items():
        for host in hosts:
            if SANITIZE and host in ("luajit", "sbcl"):
                continue
            found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
            assert len(found) == 1, f"{len(found)} programs in {language}"
            says(found[0], *({"sbcl": ("sbcl", "--script")}.get(host, (host,))), "FILE", suffix=language,
                 greeting="two.test")


def the_program_of(page):
    text = (TOP / "docs" / page).read_text()
    whole = "import os\n" + "\n".join(re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)) + "\nos._exit(0)\n"
    command("/usr/bin/python3", "-c", whole, env=host_environment(PYTHONPATH=f"{BUILD}/python"), timeout=60)


def the_program_on_the_page_of_sessions_runs():
    the_program_of("sessions.md")


def the_program_on_the_page_of_contexts_runs():
    the_program_of("contexts.md")


def the_program_on_the_page_of_events_runs():
    the_program_of("events.md")


def the_program_and_the_commands_on_the_page_of_verification_run():
    the_program_of("verification.md")
    blocks = re.findall(r"^```sh\n(.*?)^```$", (TOP / "docs" / "verification.md").read_text(), re.M | re.S)
    assert len(blocks) == 1, f"{len(blocks)} blocks of commands"
    env = dict(os.environ, PATH=f"{BUILD}:{os.environ['PATH']}")
    with tempfile.TemporaryDirectory() as folder:
        said = command("sh", "-ec", blocks[0], env=env, cwd=folder)
    assert "Cert Status: good" in said, said


def the_calls_on_the_page_of_sessions_compile():
    calls = re.findall(r"^```c\n(.*?)^```$", (TOP / "docs" / "sessions.md").read_text(), re.M | re.S)
    assert len(calls) == 1, f"{len(calls)} blocks in C"
    frame = f"""#include <time.h>
        #include "tlsshim.h"
        void page(int64_t client, int64_t server, int64_t conn, int64_t next, const char *secret);
        void page(int64_t client, int64_t server, int64_t conn, int64_t next, const char *secret)
        {{ char keys[240], bytes[16384]; int32_t keys_len, len; int64_t session; {calls[0]} }}"""
    command(os.environ.get("CC", "cc"), "-Wall", "-Wextra", "-Werror", f"-I{TOP}/include", "-fsyntax-only", "-xc", "-",
            input=frame)


if __name__ == "__main__":
    run([quoted_sources_are_as_quoted, linked_files_exist, the_programs_in_the_readme_run,
         the_program_on_the_page_of_sessions_runs, the_program_on_the_page_of_contexts_runs,
         the_program_on_the_page_of_events_runs, the_programs_on_the_page_of_bindings_run,
         the_program_and_the_commands_on_the_page_of_verification_run,
         the_calls_on_the_page_of_sessions_compile])
