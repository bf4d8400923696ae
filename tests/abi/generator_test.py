#!/usr/bin/python3
"""Each rule that bindings/abi keeps has a header here that breaks it and must be refused, at the right line."""

import os
import re
import subprocess
import sys
import tempfile

TOP = os.environ.get("TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "bindings", "abi"))

import generate  # noqa: E402
from problems import Problems  # noqa: E402

UMBRELLA = '#ifndef H\n#define H\n#include <stdint.h>\n#include "tlsshim/base.h"\n#include "tlsshim/conn.h"\n#endif\n'

BASE = """/* The ground. */

enum tlsshim_result_group {
    TLSSHIM_OK = 0,
    TLSSHIM_WANT_FEED = -1, /* give more */
    TLSSHIM_NONE = -8,
    TLSSHIM_E_HANDLE = -16,
    TLSSHIM_E_ARGUMENT = -17,
    TLSSHIM_E_STATE = -18
};

enum tlsshim_kind_group {
    TLSSHIM_KIND_CONN = 7,
    TLSSHIM_KIND_TEMPLATE = 8
};

/* Tells the number of this ABI.
 *
 * return  number; 1
 * errors  -
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_abi_version(void);
"""

CONN = """/* The engine. */

enum tlsshim_state_group {
    TLSSHIM_STATE_DONE = 1,
    TLSSHIM_STATE_READABLE = 2
};

/* Goes on.
 *
 * conn    handle conn
 * return  ok; WANT_FEED
 * errors  E_STATE
 * thread  any
 * blocks  cpu
 * source  -
 * since   1
 */
int32_t tlsshim_conn_step(int64_t conn);

/* Takes decrypted bytes.
 *
 * More about it.
 *
 * conn    handle conn
 * data    in bytes, up to 100
 * plain   out bytes, stream; capacity 1..,
 *         and never less
 * state   any of state
 * taken   output
 * return  count; 0 = the end; WANT_FEED
 * errors  E_ARGUMENT +conn_step
 * thread  any
 * blocks  never
 * source  SSL_read_ex(3)
 * since   1
 */
int32_t tlsshim_conn_open(int64_t conn, const void *data, int32_t data_len, void *plain, int32_t plain_cap,
                          int32_t state, int32_t *taken);
"""

OPEN = "int32_t tlsshim_conn_open(int64_t conn, const void *data, int32_t data_len, void *plain, int32_t plain_cap,\n"
REST = "                          int32_t state, int32_t *taken);\n"
FACTS = " * thread  any\n * blocks  never\n * source  -\n * since   1\n */\n"


def addition(declaration, tags="", closing=" * return  ok\n * errors  -\n" + FACTS):
    return f"\n/* Does it.\n *\n{tags}{closing}{declaration}\n"


NINE = ", ".join(f"int32_t n{i}" for i in range(9))
NINE_TAGS = "".join(f" * n{i}      number; any\n" for i in range(9))

# name of the promise, header, what is replaced, by what, a part of the complaint
BROKEN = [
    ("a_function_without_tags_is_refused", "conn", "", "\nint32_t tlsshim_conn_stop(int64_t conn);\n", "no comment"),
    ("a_comment_apart_from_its_prototype_is_not_its_comment", "conn", " */\n" + OPEN, " */\n\n" + OPEN, "no comment"),
    ("a_comment_of_prose_alone_is_refused", "conn",
     "", "\n/* Stops. */\nint32_t tlsshim_conn_stop(void);\n", "no tags"),
    ("an_unknown_tag_is_refused", "conn", " * source  SSL_read_ex(3)", " * origin  here", "origin"),
    ("tags_out_of_order_are_refused", "conn",
     " * blocks  cpu\n * source  -", " * source  -\n * blocks  cpu", "in this order"),
    ("a_missing_tag_is_refused", "conn", " * errors  E_STATE\n", "", "missing: errors"),
    ("a_tag_told_twice_is_refused", "conn",
     " * since   1\n */\nint32_t tlsshim_conn_step", " * since   1\n * since   1\n */\nint32_t tlsshim_conn_step",
     "once each"),
    ("a_parameter_without_a_tag_is_refused", "conn", " * state   any of state\n", "", "state has no tag"),
    ("parameters_out_of_order_are_refused", "conn",
     " * state   any of state\n * taken   output\n", " * taken   output\n * state   any of state\n",
     "no tag in its place"),
    ("a_line_of_no_grammar_is_refused", "conn", "", "\nhello world\n", "cannot be read"),
    ("a_preprocessor_line_is_refused", "conn", "", "\n#define X 1\n", "preprocessor"),
    ("a_macro_call_is_refused", "conn", OPEN, "API " + OPEN, "API int32_t"),
    ("a_typedef_is_refused", "conn", "", "\ntypedef int handle;\n", "typedef"),
    ("a_struct_is_refused", "conn", "", "\nstruct x { int a; };\n", "struct"),
    ("a_line_comment_is_refused", "conn", "", "\n// hello\n", "// comment"),
    ("a_tag_of_no_grammar_is_refused", "conn", " * taken   output", " * taken   receives it", "no form"),
    ("a_long_parameter_is_refused", "conn",
     "", addition("int32_t tlsshim_x(long n);", " * n       number; any\n"), "has the type long"),
    ("a_size_t_result_is_refused", "conn", "", addition("size_t tlsshim_x(void);"), "returns size_t"),
    ("a_char_pointer_is_refused", "conn", OPEN, OPEN.replace("const void *data", "const char *data"), "const char *"),
    ("a_function_pointer_is_refused", "conn", "", addition("int32_t tlsshim_x(void (*f)(void));"), "cannot be read"),
    ("variable_arguments_are_refused", "conn",
     "", addition("int32_t tlsshim_x(int32_t n, ...);", " * n       number; any\n"), "cannot read the parameter '...'"),
    ("nine_parameters_are_refused", "conn", "", addition(f"int32_t tlsshim_x({NINE});", NINE_TAGS), "at most 8"),
    ("a_wrongly_named_length_is_refused", "conn", OPEN, OPEN.replace("data_len", "length"), "called data_len"),
    ("a_wrongly_named_capacity_is_refused", "conn", OPEN, OPEN.replace("plain_cap", "plain_len"), "called plain_cap"),
    ("a_pair_without_its_length_is_refused", "conn",
     "", addition("int32_t tlsshim_x(const void *data);", " * data    in text, up to 9\n"), "data_len is missing"),
    ("a_cpp_keyword_is_refused", "conn",
     "", addition("int32_t tlsshim_x(int32_t new);", " * new     number; any\n"), "keyword of C"),
    ("a_python_keyword_is_refused", "conn",
     "", addition("int32_t tlsshim_x(int32_t from);", " * from    number; any\n"), "Python"),
    ("a_lua_keyword_is_refused", "conn",
     "", addition("int32_t tlsshim_x(int32_t end);", " * end     number; any\n"), "Lua"),
    ("a_lisp_constant_is_refused", "conn",
     "", addition("int32_t tlsshim_x(int32_t t);", " * t       number; any\n"), "Lisp"),
    ("a_name_of_swigs_own_is_refused", "conn",
     "", addition("int32_t tlsshim_x(int32_t argc);", " * argc    number; any\n"), "SWIG"),
    ("a_function_named_like_a_keyword_is_refused", "conn", "", addition("int32_t tlsshim_repeat(void);"), "Lua"),
    ("a_first_handle_of_another_name_is_refused", "conn", "int64_t conn);", "int64_t c);", "no tag"),
    ("a_first_handle_not_called_by_its_kind_is_refused", "conn",
     "", addition("int32_t tlsshim_x(int64_t link);", " * link    handle conn\n"), "by its kind: conn"),
    ("a_template_is_called_tmpl", "conn",
     "", addition("int32_t tlsshim_x(int64_t draft);", " * draft   handle template\n"), "by its kind: tmpl"),
    ("an_enum_named_like_a_function_is_refused", "conn",
     "", addition("int32_t tlsshim_state_group(void);"), "same name"),
    ("an_enum_without_group_in_its_tag_is_refused", "conn", "tlsshim_state_group", "tlsshim_state", "<group>_group"),
    ("an_included_function_that_is_not_there_is_refused", "conn", "+conn_step", "+conn_stop", "no function conn_stop"),
    ("an_unknown_error_code_is_refused", "conn", "E_STATE", "E_STATUS", "no code E_STATUS"),
    ("a_flow_code_among_the_errors_is_refused", "conn", "E_ARGUMENT +", "WANT_FEED +", "no error"),
    ("an_unknown_flow_code_is_refused", "conn", "ok; WANT_FEED", "ok; WANT_FOOD", "no code WANT_FOOD"),
    ("an_unknown_group_is_refused", "conn", "any of state", "any of mood", "no group mood"),
    ("a_group_that_is_no_mask_is_refused_as_one", "conn", "any of state", "any of kind", "no mask"),
    ("an_unknown_kind_is_refused", "conn", "handle conn\n * data", "handle link\n * data", "no kind link"),
    ("a_tag_that_does_not_fit_the_type_is_refused", "conn", "int32_t *taken", "int32_t taken", "its tag wants"),
    ("a_result_that_does_not_fit_its_tag_is_refused", "conn", "ok; WANT_FEED", "handle conn", "returns int32_t"),
    ("an_output_without_a_length_for_result_is_refused", "conn", "count; 0 = the end", "ok", "must be count"),
    ("a_number_without_a_meaning_is_refused", "conn", "any of state", "number", "range and meaning"),
    ("an_input_without_a_limit_is_refused", "conn", "in bytes, up to 100", "in bytes", "no form"),
    ("an_unknown_way_to_block_is_refused", "conn", "blocks  cpu", "blocks  always", "blocks: says"),
    ("blocking_for_a_timeout_that_is_not_there_is_refused", "conn",
     "blocks  cpu", "blocks  timeout_ms", "no parameter timeout_ms"),
    ("a_constant_of_another_prefix_is_refused", "conn", "TLSSHIM_STATE_DONE", "TLSSHIM_DONE", "TLSSHIM_STATE_<NAME>"),
    ("a_constant_told_twice_is_refused", "conn", "STATE_READABLE", "STATE_DONE", "twice"),
    ("two_constants_of_one_value_are_refused", "conn", "READABLE = 2", "READABLE = 1", "same value"),
    ("a_zero_in_a_group_is_refused", "conn", "DONE = 1", "DONE = 0", "never valid"),
    ("a_computed_constant_is_refused", "conn", "DONE = 1", "DONE = 1 << 0", "an enum line is"),
    ("an_error_among_the_flow_codes_is_refused", "base", "NONE = -8", "E_NONE = -8", "called E_"),
    ("a_function_declared_twice_is_refused", "conn", "", addition("int32_t tlsshim_abi_version(void);"), "twice"),
    ("a_function_without_prefix_is_refused", "conn", "", addition("int32_t ssl_read(void);"), "tlsshim_<lower case>"),
    ("an_abi_without_its_number_is_refused", "base", "number; 1", "number; of the ABI", "ABI's number"),
]


def run(headers, umbrella=UMBRELLA):
    """What the generator finds wrong with these headers, and the description it makes of them."""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "tlsshim"))
        with open(os.path.join(folder, "tlsshim.h"), "w", encoding="utf-8") as file:
            file.write(umbrella)
        for name, text in headers.items():
            with open(os.path.join(folder, "tlsshim", name + ".h"), "w", encoding="utf-8") as file:
                file.write(text)
        problems = Problems()
        concepts, abi = generate.read_abi(folder, problems)
        return problems.found, abi, concepts


def broken(header, old, new, complaint):
    headers = {"base": BASE, "conn": CONN}
    assert not old or headers[header].count(old) >= 1, "the case does not apply to the header"
    headers[header] = headers[header].replace(old, new, 1) if old else headers[header] + new
    found, _, _ = run(headers)
    assert any(complaint in text for _, _, text in found), f"wanted '{complaint}', got {found}"
    # (what nobody finds is told at the umbrella or at the header's first line)
    lines = headers[header].split("\n")
    for file, line, text in found:
        assert file.endswith(header + ".h"), f"told of another file: {file}"
        assert 1 <= line <= len(lines), f"line {line} of {len(lines)}: {text}"


def the_sound_headers_pass():
    found, _, _ = run({"base": BASE, "conn": CONN})
    assert not found, found


def a_complaint_names_the_line():
    bad = CONN.replace(" * taken   output", " * taken   receives it")
    found, _, _ = run({"base": BASE, "conn": bad})
    line = bad[: bad.index("receives it")].count("\n") + 1
    assert found[0][1] == line, (found, line)


def all_complaints_come_at_once():
    bad = CONN.replace("any of state", "any of mood").replace("E_STATE", "E_STATUS")
    found, _, _ = run({"base": BASE, "conn": bad})
    assert len(found) >= 2, found


def a_header_that_the_umbrella_forgot_is_refused():
    found, _, _ = run({"base": BASE, "conn": CONN, "peer": "/* Questions. */\n"})
    assert any("does not include" in text for _, _, text in found), found


def a_header_that_is_not_there_is_refused():
    found, _, _ = run({"base": BASE})
    assert any("is not there" in text for _, _, text in found), found


def a_pair_is_one_argument():
    _, abi, _ = run({"base": BASE, "conn": CONN})
    function = abi["functions"][2]
    assert [argument["name"] for argument in function["arguments"]] == ["conn", "data", "plain", "state", "taken"]
    assert len(function["params"]) == 7


def included_errors_are_expanded():
    _, abi, _ = run({"base": BASE, "conn": CONN})
    assert abi["functions"][2]["errors"] == ["E_ARGUMENT", "E_STATE"]


def errors_that_include_each_other_end():
    loop = CONN.replace("errors  E_STATE", "errors  E_STATE +conn_open")
    found, abi, _ = run({"base": BASE, "conn": loop})
    assert not found and abi["functions"][1]["errors"] == ["E_STATE", "E_ARGUMENT"], abi["functions"][1]
    assert sorted(abi["functions"][2]["errors"]) == ["E_ARGUMENT", "E_STATE"], abi["functions"][2]


def a_continued_tag_is_one_text():
    _, abi, _ = run({"base": BASE, "conn": CONN})
    assert abi["functions"][2]["arguments"][2]["note"] == "capacity 1.., and never less"


def flow_codes_are_read_from_the_return_tag():
    _, abi, _ = run({"base": BASE, "conn": CONN})
    assert abi["functions"][2]["return"]["flow"] == ["WANT_FEED"]


def the_program_prints_file_and_line_and_fails():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "tlsshim"))
        for name, text in (("tlsshim.h", UMBRELLA), ("tlsshim/base.h", BASE), ("tlsshim/conn.h", CONN + "\n#if 0\n")):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        program = [sys.executable, os.path.join(TOP, "bindings/abi/generate.py"), "--include", folder]
        ran = subprocess.run(program + ["--out", folder + "/out"], capture_output=True, text=True)
        assert ran.returncode == 1 and not os.path.exists(folder + "/out"), ran
        assert re.search(r"conn\.h:\d+: ", ran.stderr), ran.stderr


def the_real_headers_pass():
    problems = Problems()
    generate.read_abi(os.path.join(TOP, "include"), problems)
    assert not problems, problems.found


PROMISES = [
    the_sound_headers_pass,
    a_complaint_names_the_line,
    all_complaints_come_at_once,
    a_header_that_the_umbrella_forgot_is_refused,
    a_header_that_is_not_there_is_refused,
    a_pair_is_one_argument,
    included_errors_are_expanded,
    errors_that_include_each_other_end,
    a_continued_tag_is_one_text,
    flow_codes_are_read_from_the_return_tag,
    the_program_prints_file_and_line_and_fails,
    the_real_headers_pass,
]


def main():
    cases = [(promise.__name__, promise, ()) for promise in PROMISES]
    cases += [(name, broken, rest) for name, *rest in BROKEN]
    failed = 0
    for name, promise, arguments in cases:
        try:
            promise(*arguments)
        except Exception as error:  # a test that breaks is a test that failed
            failed += 1
            print(f"{name}: {type(error).__name__}: {error}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
