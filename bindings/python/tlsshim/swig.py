"""The raw layer through SWIG: the C names without prefix."""

from . import _find

_library = _find.preload()

from ._swig import *  # noqa: E402, F401, F403
