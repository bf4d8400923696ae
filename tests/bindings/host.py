"""Runs the scenario on a raw layer of Python: host.py MODULE SCENARIO"""
import importlib
import re
import sys

raw = importlib.import_module(sys.argv[1])
names = {}


def word(token):
    if token.startswith('"'):
        return token[1:-1]
    if token.startswith("$"):
        return names[token[1:]]
    if token.startswith("hex:"):
        return bytes.fromhex(token[4:])
    if token[0].isupper():
        return getattr(raw, token)
    return float(token) if "." in token else int(token)


def sort(value):
    if value is None:
        return "nothing"
    if isinstance(value, (str, bytes)):
        return "bytes" if value else "no bytes"
    return "handle" if value >= 2**32 else "positive" if value > 0 else "zero" if value == 0 else "negative"


def measure(value):
    return f"{len(value)} bytes" if isinstance(value, (str, bytes)) else sort(value)


def show(value):
    if value is None:
        return "nothing"
    if isinstance(value, int):
        return "handle" if value >= 2**32 else str(value)
    if isinstance(value, list):
        return " ".join(map(str, value))
    octets = value if isinstance(value, bytes) else value.encode()
    if re.search(rb"[^ -~]", octets):
        return octets.hex()
    return '"' + octets.decode() + '"'


def show_result(value):
    if value >= 0:
        return show(value)
    return show(raw.error_name(value)[1]) + " " + show(raw.error_text(value)[1])


def pump(one, other):
    moved = True
    while moved:
        moved = False
        for source, sink in ((one, other), (other, one)):
            raw.conn_handshake(source)
            count, data = raw.conn_drain(source, 700)
            while count > 0:
                moved = True
                while data:
                    taken = raw.conn_feed(sink, data)
                    if taken < 0:
                        return taken
                    raw.conn_handshake(sink)
                    data = data[taken:]
                count, data = raw.conn_drain(source, 700)
    return 0


def main():
    with open(sys.argv[2], encoding="utf-8") as scenario:
        lines = [line.rstrip("\n") for line in scenario]
    for line in lines:
        if not line or line.startswith("#"):
            continue
        mark = line[0] if line[0] in "~=!" else ""
        tokens = re.findall(r'"[^"]*"|\S+', line[2:] if mark else line)
        kept = tokens[tokens.index(">") + 1:] if ">" in tokens else []
        tokens = tokens[:tokens.index(">")] if ">" in tokens else tokens
        call = pump if tokens[0] == "pump" else getattr(raw, tokens[0])
        try:
            results = call(*map(word, tokens[1:]))
        except (TypeError, OverflowError):
            if mark != "!":
                raise
            shown = ["refused"]
            results = ()
        else:
            results = results if isinstance(results, tuple) else (results,)
            shown = [(show if i else show_result)(value) for i, value in enumerate(results)]
            if mark:
                way = {"~": sort, "=": measure, "!": lambda value: "not refused"}[mark]
                shown = [way(value) for value in results]
        names.update(zip(kept, results))
        print(line.split(" >")[0])
        print("  " + ", ".join(shown))


main()
