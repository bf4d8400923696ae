#!/usr/bin/python3
"""The flows are the same where OpenSSL seals all records: with a release whose offer the sealer does not understand.

time limit: 600 s
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import run, suites_again

if __name__ == "__main__":
    # flow/sealer asks who seals.
    run(suites_again(("flow",), "without_the_sealer", but=("flow/sealer_test",), TLSSHIM_TEST_NO_SEALER="1"))
