#!/usr/bin/python3
"""One scenario on the raw layer of every host; all must print what expected.txt says (--accept renews it).
time limit: 240 s"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hosts import HERE, run_scenario  # noqa: E402

if __name__ == "__main__":
    sys.exit(run_scenario(HERE))
