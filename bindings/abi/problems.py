"""What is wrong with the headers, gathered so that one run tells all of it."""


class Problems:
    def __init__(self):
        self.found = []

    def add(self, at, text):
        self.found.append((at[0], at[1], text))

    def report(self, stream):
        for file, line, text in sorted(set(self.found), key=lambda p: (p[0], p[1])):
            print(f"{file}:{line}: {text}", file=stream)

    def __bool__(self):
        return bool(self.found)
