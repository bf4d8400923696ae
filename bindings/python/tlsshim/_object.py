"""What all rooms of the package share: the raw layer, errors, objects that own a handle."""

from __future__ import annotations

import importlib
import math
import os
from datetime import datetime, timezone
from typing import Any, Callable, Generic, Iterable, Optional, TypeVar

T = TypeVar("T")
Self = TypeVar("Self", bound="Handle")


def _choose() -> Any:
    """The raw layer that TLSSHIM_RAW names ("swig" or "ctypes"), else the compiled one if it is there."""
    named = os.environ.get("TLSSHIM_RAW")
    if named not in (None, "", "swig", "ctypes"):
        raise ImportError(f'TLSSHIM_RAW is "swig" or "ctypes", not "{named}"')
    if named:
        return importlib.import_module(f"tlsshim.{named}")
    try:
        return importlib.import_module("tlsshim.swig")
    except ImportError:
        return importlib.import_module("tlsshim.ctypes")


raw = _choose()


class Error(Exception):
    """What went wrong: code ("E_NAME"), the full sentence as text, and the parts of it."""

    def __init__(self, result: int):
        self.result = result
        self.code: str = raw.error_name(result)[1] or "?"
        self.text: str = raw.error_text(result)[1] or "?"
        super().__init__(self.text)

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> Any:
        return Exception, (f"{self.code}: {self.text}",)

    def number(self, field: str) -> Optional[int]:
        """A number of the error's record: "depth", "alert", "errno", "verify_code", "side"..."""
        return raw.error_number(self.result, constant("ERROR", field))[1]

    def part(self, field: str) -> Optional[str]:
        """A text of the error's record: "subject", "issuer", "names", "wanted_name", "reason"..."""
        return raw.error_part(self.result, constant("ERROR", field))[1]


class Want(Error, BlockingIOError):
    """Not yet: code says what is wanted first. `taken` is how much input open or seal used, `written` a write."""

    taken = 0
    written = 0


class Timeout(Error, TimeoutError):
    """The time ran out; nothing is lost, the call may be repeated. `written` is how much a write took."""

    written = 0


class TransportError(Error, ConnectionError):
    """No connection, or it broke."""


class SystemFailure(Error, OSError):
    """A system call failed; errno says how."""


class PeerError(Error):
    """The peer's certificate is not accepted, or it broke the protocol, or refused us."""


_KINDS: dict[int, type[Error]] = {raw.TIMEOUT: Timeout, raw.E_DEADLINE: Timeout, raw.E_SYSTEM: SystemFailure}
_KINDS.update({flow: Want for flow in (raw.WANT_FEED, raw.WANT_DRAIN, raw.WANT_EVENT, raw.WANT_READ, raw.WANT_WRITE)})
_KINDS.update({bare: TransportError for bare in (raw.E_RESOLVE, raw.E_CONNECT, raw.E_RESET, raw.E_TRUNCATED,
                                                 raw.E_CLOSED)})
_KINDS.update({bare: PeerError for bare in range(raw.E_NEGOTIATION, raw.E_PROTOCOL + 1)})


def failure(result: int) -> Error:
    bare = -(-result & 255)
    error = _KINDS.get(bare, Error)(result)
    if isinstance(error, SystemFailure):
        error.errno = error.number("errno")
    return error


def checked(result: int) -> int:
    if result < 0:
        raise failure(result)
    return result


def value(answer: tuple[int, T]) -> Optional[T]:
    """The output of a call that may answer that there is none."""
    if answer[0] < 0 and answer[0] != raw.NONE:
        raise failure(answer[0])
    return answer[1]


def data(answer: tuple[int, T]) -> T:
    if answer[0] < 0:
        raise failure(answer[0])
    return answer[1]


def constant(group: str, name: str) -> int:
    found = getattr(raw, f"{group}_{name.upper().replace('-', '_').replace('.', '_')}", None)
    if found is None:
        raise ValueError(f'unknown {group.lower()} "{name}"')
    return found


def listed(values: Any) -> list:
    """One or many as a list."""
    if values is None:
        return []
    return [values] if isinstance(values, (str, bytes, os.PathLike, Handle)) else list(values)


def mask(group: str, names: Any) -> int:
    return sum(constant(group, name) for name in listed(names))


def milliseconds(seconds: float) -> int:
    return math.ceil(min(seconds * 1000, 2**53))


def wire(protocols: Iterable[str]) -> bytes:
    """A list of protocols as ALPN carries it."""
    text = ",".join(protocols)
    return data(raw.alpn_encode(text)) if text else b""


def date(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def seconds_of(moment: datetime) -> int:
    return int(moment.timestamp())


class Handle:
    """An object of the library. Closed by close, by `with`, or with its last reference."""

    _handle = 0

    def __init__(self, handle: int):
        self._handle = checked(handle)

    @classmethod
    def _of(cls: type[Self], handle: int) -> Self:
        made = cls.__new__(cls)
        Handle.__init__(made, handle)
        return made

    @classmethod
    def _of_any(cls: type[Self], handle: int) -> Optional[Self]:
        return None if handle == raw.NONE else cls._of(handle)

    def close(self) -> None:
        """Closes it, at once and without a word to a peer; a second time does nothing."""
        handle, self._handle = self._handle, 0
        if handle:
            raw.close(handle)

    @property
    def closed(self) -> bool:
        return self._handle == 0

    @property
    def memory(self) -> int:
        return checked(raw.memory(self._handle))

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self, close: Callable[[int], int] = raw.close) -> None:
        if self._handle:
            handle, self._handle = self._handle, 0
            close(handle)


class Field(Generic[T]):
    """An attribute that asks the library; None where there is no such value."""

    def __init__(self, call: Callable[[int, int], tuple[int, Any]], field: int, turn: Callable[[Any], T]):
        self._call, self._field, self._turn = call, field, turn

    def __get__(self, owner: Any, _: Any = None) -> Optional[T]:
        if owner is None:
            return self  # type: ignore[return-value]
        found = value(self._call(owner._handle, self._field))
        return None if found is None else self._turn(found)
