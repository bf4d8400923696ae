#!/usr/bin/python3
"""Resumes over and over from each language: nothing leaks, memory stays flat, the cache bounded. time limit: 1500 s"""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import BUILD, SANITIZE, TOP, Skip, host_environment, run

HERE = TOP / "tests" / "bindings"
TIMES = 100_000 if os.environ.get("SOAK") else 300
GROWN_KB = 4096  # a leak of 100 bytes a connection would be 10 MB in the long run


def loop(*words, **more):
    env = host_environment(COUNT=str(TIMES), PYTHONPATH=f"{BUILD}/python", PYTHONDONTWRITEBYTECODE="1",
                           LUA_PATH=f"{BUILD}/lua/?.lua;{BUILD}/lua/?/init.lua;;", LUA_CPATH=f"{BUILD}/lua/?.so;;",
                           CL_SOURCE_REGISTRY=f"{BUILD}/lisp:", ASDF_OUTPUT_TRANSLATIONS="(:output-translations "
                           f'(t ("{BUILD}/lisp-cache" :implementation)) :ignore-inherited-configuration)', **more)
    ran = subprocess.run([str(word) for word in words], capture_output=True, text=True, env=env, timeout=1400,
                         check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    line = ran.stdout.strip().splitlines()[-1]
    print(f"{' '.join(map(str, words[:1]))} {more.get('TLSSHIM_RAW', '')}: {line}")
    facts = {name: int(number) for name, number in (word.split("=") for word in line.split())}
    assert facts["resumed"] == TIMES + TIMES // 10, line
    assert facts["leaked"] <= 0, line  # less where the collector closed what came before
    assert facts["cached"] <= 64, line
    if not SANITIZE:
        assert facts["grown_kb"] < GROWN_KB, line


def alone(name):
    if SANITIZE:
        raise Skip(f"{name} does not live with a sanitizer")


def lua_resumes_every_time():
    loop("lua5.4", HERE / "resume.lua", TIMES)


def luajit_resumes_every_time():
    alone("LuaJIT")
    loop("luajit", HERE / "resume.lua", TIMES)


def python_with_swig_resumes_every_time():
    loop("/usr/bin/python3", HERE / "resume.py", TIMES, TLSSHIM_RAW="swig")


def python_with_ctypes_resumes_every_time():
    loop("/usr/bin/python3", HERE / "resume.py", TIMES, TLSSHIM_RAW="ctypes")


def sbcl_resumes_every_time():
    alone("SBCL")
    loop("sbcl", "--script", HERE / "resume.lisp")


if __name__ == "__main__":
    run([lua_resumes_every_time, luajit_resumes_every_time, python_with_swig_resumes_every_time,
         python_with_ctypes_resumes_every_time, sbcl_resumes_every_time])
