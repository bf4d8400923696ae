"""Where libtlsshim.so.1 is: what TLSSHIM_LIBRARY names, else beside this package, else where the loader looks."""

import ctypes
import os

NAME = "libtlsshim.so.1"


def path():
    named = os.environ.get("TLSSHIM_LIBRARY")
    if named:
        return named
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), NAME)
    return beside if os.path.exists(beside) else NAME


def preload():
    """Loads the library that the compiled module then finds loaded already, by its soname."""
    return ctypes.CDLL(path())
