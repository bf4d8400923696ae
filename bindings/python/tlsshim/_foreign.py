"""What the generated functions of tlsshim.ctypes are made of: types, checks of arguments, rooms for outputs."""

import ctypes
import operator
import os

from . import _find

int32_c, int64_c, data_c = ctypes.c_int32, ctypes.c_int64, ctypes.c_void_p
int32_p, int64_p = ctypes.POINTER(int32_c), ctypes.POINTER(int64_c)

INT32_MAX = 2**31 - 1
ROOM = 1 << 16
# A call that never waits lets others run only from so many bytes of input: a thread that gives the interpreter's lock
# away beside a busy one gets it back after 5 ms, while 32 KiB are sealed or opened in 10 us.
WORTH_SWITCHING = 1 << 15
MOST_ROOMS = 8
E_HANDLE, NONE = -16, -8

_path = _find.path()
# Through the first the interpreter's lock is released for the call, through the second it is kept.
_released, _kept = ctypes.CDLL(_path), ctypes.PyDLL(_path)
_room_type = ctypes.c_char * ROOM
_rooms = []


def made_for(number):
    """Refuses a library of another ABI than the one that the generated functions were made for."""
    found = function("tlsshim_abi_version", True, int32_c)()
    if found != number:
        raise ImportError(f"tlsshim.ctypes was made for ABI {number}, the library found ({_path}) has ABI {found}")


def function(symbol, quick, result, *arguments):
    found = getattr(_kept if quick else _released, symbol)
    found.restype, found.argtypes = result, arguments
    return found


def int32_in(value):
    if type(value) is not int:
        value = operator.index(value)
    if -(2**31) <= value < 2**31:
        return value
    raise OverflowError("integer out of range")


def int64_in(value):
    if type(value) is not int:
        value = operator.index(value)
    if -(2**63) <= value < 2**63:
        return value
    raise OverflowError("integer out of range")


def bytes_in(data):
    if type(data) is not bytes:
        view = memoryview(data)
        if not view.c_contiguous:
            raise BufferError("the buffer is not contiguous")
        if view.readonly or not view.nbytes:
            data = bytes(view)
        else:
            data = (ctypes.c_char * view.nbytes).from_buffer(view)
    if len(data) > INT32_MAX:
        raise OverflowError("longer than 2147483647 bytes")
    return data


def text_in(data):
    return bytes_in(data.encode() if isinstance(data, str) else data)


secret_in = text_in


def path_in(data):
    return bytes_in(os.fsencode(data))


def room(cap):
    """A room of at least the capacity; small ones are used again, by one call at a time."""
    if cap > ROOM:
        return (ctypes.c_char * cap)()
    try:
        return _rooms.pop()
    except IndexError:
        return _room_type()


def _leave(data):
    if len(data) == ROOM and len(_rooms) < MOST_ROOMS:
        _rooms.append(data)


def bytes_out(data, result, length):
    found = None if result < 0 else data[:length]
    _leave(data)
    return found


def secret_out(data, result, length):
    found = None if result < 0 else data[:length]
    ctypes.memset(data, 0, len(data) if result < 0 else length)
    _leave(data)
    return found


def text_out(data, result, length):
    found = None if result < 0 else data[:length].decode("utf-8", "surrogateescape")
    _leave(data)
    return found


def pairs_room(cap):
    return (int64_c * (2 * max(cap, 1)))()


def pairs_out(data, result):
    return None if result < 0 else data[: 2 * result]


def number_out(number, result):
    return None if result <= E_HANDLE or result == NONE else number.value
