r"""Regular expressions that give positions and groups in linear time, within the budget.

A pattern becomes a program whose threads move over the text side by side, so that no pattern can make a
text cost more than its length times the program's (Thompson 1968; Pike's form with groups). Known are
literals, `.`, classes, `\d \w \s \b` and their opposites, groups, `|`, `* + ? {m,n}` also lazy, `^ $` and a
leading `(?i)`.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NoReturn

from linkflow.domain.workflow.template.errors import FunctionFailed
from linkflow.domain.workflow.template.meter import Meter

_LONGEST = 500
_MOST_INSTRUCTIONS = 2_000
_MOST_REPEATS = 200
_DEEPEST = 30

Test = Callable[[str], bool]
Instruction = tuple[str, Any, Any]
Program = list[Instruction]

_CLASSES: dict[str, Test] = {
    "d": lambda c: "0" <= c <= "9",
    "w": lambda c: c.isalnum() or c == "_",
    "s": str.isspace,
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}


def search(pattern: str, text: str, start: int, meter: Meter) -> list[int] | None:
    """Find the first match at or after a position.

    Returns:
        Start and end of the match and of each group, -1 where a group took no part; None without a match.

    Raises:
        FunctionFailed: The pattern is not one of the kind above.
        OverBudget: The budget ends first.
    """
    program, slots, is_folded = compiled(pattern)
    found: list[int] | None = None
    threads: list[tuple[int, tuple[int, ...]]] = []
    subject = text.lower() if is_folded and len(text.lower()) == len(text) else text
    for at in range(start, len(text) + 1):
        if found is None:
            threads = _spread(program, [*threads, (0, (-1,) * slots)], at, subject)
        if not threads and found is not None:
            break
        meter.step(1 + len(threads))
        moved: list[tuple[int, tuple[int, ...]]] = []
        for pc, marks in threads:
            kind, test, _ = program[pc]
            if kind == "match":
                found = list(marks)
                break  # threads after this one are of lower rank
            if at < len(text) and test(subject[at]):
                moved.append((pc + 1, marks))
        threads = moved if found is None else _spread(program, moved, at + 1, subject)
    return found


def _spread(
    program: Program, threads: list[tuple[int, tuple[int, ...]]], at: int, text: str
) -> list[tuple[int, tuple[int, ...]]]:
    """Follow every instruction that reads nothing; the first thread to reach an instruction keeps it."""
    seen: set[int] = set()
    ready: list[tuple[int, tuple[int, ...]]] = []
    pending = list(reversed(threads))
    while pending:
        pc, marks = pending.pop()
        if pc in seen:
            continue
        seen.add(pc)
        kind, a, b = program[pc]
        if kind == "split":
            pending.append((b, marks))
            pending.append((a, marks))
        elif kind == "jump":
            pending.append((a, marks))
        elif kind == "mark":
            pending.append((pc + 1, (*marks[:a], at, *marks[a + 1 :])))
        elif kind == "assert":
            if a(text, at):
                pending.append((pc + 1, marks))
        else:
            ready.append((pc, marks))
    return ready


@lru_cache(maxsize=256)
def compiled(pattern: str) -> tuple[Program, int, bool]:
    """Compile a pattern: the program, twice the number of groups and one, and whether case counts not."""
    if len(pattern) > _LONGEST:
        raise FunctionFailed(f"A pattern has at most {_LONGEST} characters.")
    is_folded = pattern.startswith("(?i)")
    compiler = _Compiler(pattern.removeprefix("(?i)"), is_folded=is_folded)
    body = compiler.alternatives(0)
    if compiler.at < len(compiler.source):
        compiler.fail("a ) has no (")
    program: Program = _placed([("mark", 0, None), *body, ("mark", 1, None), ("match", None, None)])
    return program, 2 * compiler.groups + 2, is_folded


def _placed(program: Program) -> Program:
    """Turn jumps by a distance into jumps to a place."""
    made: Program = []
    for at, (kind, a, b) in enumerate(program):
        if kind == "split":
            made.append((kind, at + a, at + b))
        else:
            made.append((kind, at + a, b) if kind == "jump" else (kind, a, b))
    return made


class _Compiler:
    """Pattern to instructions whose jumps are distances, so that pieces can be repeated and joined."""

    def __init__(self, source: str, *, is_folded: bool) -> None:
        self.source = source
        self.at = 0
        self.groups = 0
        self._is_folded = is_folded

    def fail(self, why: str) -> NoReturn:
        raise FunctionFailed(f"The pattern cannot be used: {why} (position {self.at}).")

    def _peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def _accept(self, text: str) -> bool:
        if self.source.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def alternatives(self, depth: int) -> Program:
        if depth > _DEEPEST:
            self.fail("it nests too deep")
        first = self._sequence(depth)
        if not self._accept("|"):
            return first
        other = self.alternatives(depth + 1)
        return [("split", 1, len(first) + 2), *first, ("jump", len(other) + 1, None), *other]

    def _sequence(self, depth: int) -> Program:
        made: Program = []
        while self._peek() not in ("", "|", ")"):
            made += self._repeated(self._one(depth))
            if len(made) > _MOST_INSTRUCTIONS:
                self.fail("it is too large")
        return made

    def _repeated(self, body: Program) -> Program:
        if self._accept("*"):
            least, most = 0, None
        elif self._accept("+"):
            least, most = 1, None
        elif self._accept("?"):
            least, most = 0, 1
        elif self._peek() == "{" and self._count() is not None:
            least, most = self._count() or (0, None)
            self.at = self.source.index("}", self.at) + 1
        else:
            return body
        is_lazy = self._accept("?")
        if self._peek() in ("*", "+", "?") and self._peek():
            self.fail("a repetition is repeated")
        if len(body) * max(least, most or 0, 1) > _MOST_INSTRUCTIONS:
            self.fail("it is too large")
        made = body * least
        if most is None:
            return made + _either([*body, ("jump", -len(body) - 1, None)], is_lazy=is_lazy)
        optional: Program = []
        for _ in range(most - least):
            optional = _either(body + optional, is_lazy=is_lazy)
        return made + optional

    def _count(self) -> tuple[int, int | None] | None:
        """Read `{m}`, `{m,}`, `{m,n}` without moving; None when it is plain text."""
        inner, closing, _ = self.source[self.at + 1 : self.at + 12].partition("}")
        low, comma, high = inner.partition(",")
        if not closing or not low.isdecimal() or (high and not high.isdecimal()):
            return None
        least = int(low)
        most = (int(high) if high else None) if comma else least
        if max(least, most or 0) > _MOST_REPEATS or (most is not None and most < least):
            self.fail(f"a repetition is at most {_MOST_REPEATS}, and the second number not below the first")
        return least, most

    def _one(self, depth: int) -> Program:
        if self._accept("("):
            return self._group(depth)
        if self._accept("["):
            return [("test", self._class(), None)]
        if self._accept("."):
            return [("test", lambda c: c != "\n", None)]
        if self._accept("^"):
            return [("assert", lambda _, at: at == 0, None)]
        if self._accept("$"):
            return [("assert", lambda text, at: at == len(text), None)]
        if self._accept("\\"):
            return self._escape()
        character = self._peek()
        if character in ("*", "+", "?"):
            self.fail("there is nothing to repeat")
        self.at += 1
        return [("test", self._same(character), None)]

    def _group(self, depth: int) -> Program:
        is_kept = not self._accept("?:")
        if is_kept and self._peek() == "?":
            self.fail("groups are ( ) and (?: ) only")
        if is_kept:
            self.groups += 1
        number = self.groups
        body = self.alternatives(depth + 1)
        if not self._accept(")"):
            self.fail("a ) is missing")
        return [("mark", 2 * number, None), *body, ("mark", 2 * number + 1, None)] if is_kept else body

    def _escape(self) -> Program:
        letter = self._peek()
        self.at += 1
        if letter in ("b", "B"):
            return [
                ("assert", _at_word_edge if letter == "b" else lambda t, at: not _at_word_edge(t, at), None)
            ]
        return [("test", self._escaped(letter), None)]

    def _escaped(self, letter: str) -> Test:
        if letter.lower() in _CLASSES:
            test = _CLASSES[letter.lower()]
            return test if letter.islower() else lambda c: not test(c)
        if not letter or (letter.isalnum() and letter not in _ESCAPES):
            self.fail(f"\\{letter} is not known")
        return self._same(_ESCAPES.get(letter, letter))

    def _same(self, character: str) -> Test:
        wanted = character.lower() if self._is_folded else character
        return lambda c: c == wanted

    def _class(self) -> Test:
        is_negated = self._accept("^")
        tests = [self._member()]  # a ] that comes first is itself
        while not self._accept("]"):
            tests.append(self._member())
        if is_negated:
            return lambda c: not any(test(c) for test in tests)
        return lambda c: any(test(c) for test in tests)

    def _member(self) -> Test:
        low = self._peek() or self.fail("a ] is missing")
        self.at += 1
        if low == "\\":
            letter = self._peek()
            self.at += 1
            return self._escaped(letter)
        if self._peek() == "-" and self.source[self.at + 1 : self.at + 2] not in ("", "]"):
            high = self.source[self.at + 1]
            self.at += 2
            if high == "\\" or high < low:
                self.fail("a range must go up between two characters")
            if self._is_folded:
                return lambda c: low <= c <= high or low <= c.upper() <= high
            return lambda c: low <= c <= high
        return self._same(low)


def _either(body: Program, *, is_lazy: bool) -> Program:
    """Try a piece or pass it by; the lazy form passes it by first."""
    after = len(body) + 1
    return [("split", after, 1) if is_lazy else ("split", 1, after), *body]


def _at_word_edge(text: str, at: int) -> bool:
    word = _CLASSES["w"]
    before = at > 0 and word(text[at - 1])
    after = at < len(text) and word(text[at])
    return before != after
