#!/usr/bin/python3
"""The machine's openssl.cnf, however hostile, changes nothing in the library's contexts; the library takes nothing of
it away from the host, whichever of them starts OpenSSL; a file named for the library's own context touches nothing
else."""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import BUILD, LIBRARY, command, host_environment, run

HOST = BUILD / "tests" / "abi" / "config_host"

HEAD = "openssl_conf = start\n[start]\n"
SYSTEM = HEAD + "ssl_conf = ssl\n[ssl]\nsystem_default = all\n[all]\n"
FILES = {
    "only_tls_1_3_at_level_0": SYSTEM + """
MinProtocol = TLSv1.3
CipherString = ALL:@SECLEVEL=0
Ciphersuites = TLS_AES_128_CCM_SHA256
Groups = P-521
SignatureAlgorithms = rsa_pss_rsae_sha512
Options = -SessionTicket,ServerPreference,UnsafeLegacyRenegotiation
VerifyMode = Require
NumTickets = 7
""",
    "tls_1_0_at_level_0": SYSTEM + """
MinProtocol = TLSv1
MaxProtocol = TLSv1.1
CipherString = ALL:COMPLEMENTOFALL:@SECLEVEL=0
""",
    "a_level_that_forbids_all": SYSTEM + "CipherString = DEFAULT:@SECLEVEL=5\n",
    "padding_and_a_certificate_for_everybody": SYSTEM + """
Certificate = @FOLDER@/everybody.pem
PrivateKey = @FOLDER@/everybody.pem
ChainCAFile = @FOLDER@/everybody.pem
VerifyCAFile = @FOLDER@/everybody.pem
RequestCAFile = @FOLDER@/everybody.pem
RecordPadding = 512
NumTickets = 9
ClientSignatureAlgorithms = rsa_pss_rsae_sha512
""",
    "fips_without_a_module": HEAD + """
providers = providers
alg_section = algorithms
[providers]
fips = active
[active]
activate = 1
[algorithms]
default_properties = fips=yes
""",
    "the_null_provider_alone": HEAD + "providers = providers\n[providers]\nnull = active\n[active]\nactivate = 1\n",
}


def told(order, config):
    with tempfile.TemporaryDirectory() as folder:
        if "@FOLDER@" in config:
            command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=everybody", "-keyout", f"{folder}/key", "-out", f"{folder}/cert")
            both = pathlib.Path(folder, "key").read_text() + pathlib.Path(folder, "cert").read_text()
            pathlib.Path(folder, "everybody.pem").write_text(both)
        pathlib.Path(folder, "cnf").write_text(config.replace("@FOLDER@", folder))
        lines = command(HOST, order, env=dict(os.environ, OPENSSL_CONF=f"{folder}/cnf"), timeout=60).splitlines()
    return ([line for line in lines if line.startswith("host")], [line for line in lines if line.startswith("shim")])


def a_promise(name, config):
    def holds():
        _, untouched = told("shim", "")
        assert len(untouched) > 20, untouched
        alone, _ = told("alone", config)
        assert alone, "the host says nothing"
        for order in ("host-first", "shim-first"):
            hosts, shims = told(order, config)
            assert shims == untouched, f"{order}: our contexts differ:\n{differences(shims, untouched)}"
            assert hosts == alone, f"{order}: what the host gets differs:\n{differences(hosts, alone)}"
    holds.__name__ = f"a_machine_with_{name}_changes_neither_us_nor_what_the_host_gets"
    return holds


def differences(have, want):
    pairs = "\n".join(f"have {a}\nwant {b}" for a, b in zip(have, want) if a != b)
    return f"{pairs}\n{len(have)} and {len(want)} lines"


def the_files_do_reach_the_host():
    plain, _ = told("alone", "")
    for name, config in FILES.items():
        assert told("alone", config)[0] != plain, f"{name} is no hostile file at all"


OWN = """
import ctypes, sys
shim = ctypes.CDLL(sys.argv[1])
def text(result):
    buf = ctypes.create_string_buffer(600)
    shim.tlsshim_error_text.argtypes = [ctypes.c_int64, ctypes.c_void_p, ctypes.c_int32]
    length = shim.tlsshim_error_text(result, buf, 600)
    return buf.raw[:length].decode()
path = sys.argv[2].encode()
result = shim.tlsshim_library_config(path, len(path))
print(-((-result) & 255), text(result))
buf = ctypes.create_string_buffer(16)
print(shim.tlsshim_random(buf, 16))
crypto = ctypes.CDLL("libcrypto.so.3")
crypto.EVP_MD_fetch.restype = ctypes.c_void_p
print("host", bool(crypto.EVP_MD_fetch(None, b"SHA2-256", None)), bool(crypto.EVP_MD_fetch(None, b"MD4", None)))
"""


def own(config):
    with tempfile.NamedTemporaryFile("w", suffix=".cnf") as file:
        file.write(config)
        file.flush()
        return command("/usr/bin/python3", "-c", OWN, LIBRARY, file.name, env=host_environment()).splitlines()


def our_own_file_loads_providers_for_us_alone():
    result, random, host = own(HEAD + "providers = p\n[p]\ndefault = a\nlegacy = a\n[a]\nactivate = 1\n")
    assert result == "0 done" and random == "16" and host == "host True False", (result, random, host)


def our_own_file_is_refused_where_it_would_reach_the_host():
    for module in ("ssl_conf", "oid_section", "engines"):
        result, random, _ = own(HEAD + f"{module} = x\n[x]\n")
        assert result.startswith("-96 ") and f'"{module}"' in result, result
        assert random == "16", random  # a refused file leaves a library that works


def our_own_file_must_be_one_and_leave_something_to_work_with():
    cases = {"no section": "x = y\n", "broken": HEAD + "providers = p\n[p",
             "nothing": HEAD + "providers = p\n[p]\nnosuch = a\n[a]\nactivate = 1\n"}
    for name, config in cases.items():
        result = own(config)[0]
        assert result.startswith("-96 "), f"{name}: {result}"
    missing = command("/usr/bin/python3", "-c", OWN, LIBRARY, "/no/such/file", env=host_environment()).splitlines()[0]
    assert missing.startswith("-49 ") and "/no/such/file" in missing and "No such file" in missing, missing


if __name__ == "__main__":
    if not subprocess.run(["openssl", "version"], capture_output=True, check=False).stdout:
        sys.exit("openssl is needed")
    run([the_files_do_reach_the_host, *(a_promise(name, config) for name, config in FILES.items()),
         our_own_file_loads_providers_for_us_alone,
         our_own_file_is_refused_where_it_would_reach_the_host,
         our_own_file_must_be_one_and_leave_something_to_work_with])
