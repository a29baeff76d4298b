r"""patterns: a regular expression as an author writes it -> the same in the common dialect, or the
reason why not

The language promises matching in linear time and the same answer everywhere, so it takes what
regular expressions have in common: characters, `.`, classes, groups, `|`, `* + ?` and `{m,n}`.
Look-around and back-references are refused (no linear time), anchors and flags too (`matches` means
the whole text). `\d`, `\w` and `\s` mean ASCII and are spelled out in the result.
"""

from dataclasses import dataclass

_ESCAPED_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": r" \t\n\r\f\v"}
_CONTROLS = {"t": r"\t", "n": r"\n", "r": r"\r", "f": r"\f", "v": r"\v"}
_SPECIAL = set("\\.+*?()|[]{}^$#&-~/")
_MOST_REPEATS = 1_000
_MOST_WEIGHT = 20_000  # of a pattern with its repetitions written out
_MOST_GROUPS = 50  # within each other


class PatternError(ValueError):
    """The text says why the pattern is refused; `offset` is where in the pattern."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.offset = offset


def common_pattern(pattern: str) -> str:
    """The pattern in the common dialect.

    Raises `PatternError` for what that dialect does not have.
    """
    reader = _Reader(pattern)
    text, _ = reader.alternatives(0)
    if reader.at < len(pattern):
        raise PatternError("this `)` closes no group", reader.at)
    return text


def _quoted(character: str) -> str:
    return "\\" + character if character in _SPECIAL else character


@dataclass
class _Reader:
    """Reads by recursive descent; each part returns its text and its weight (size with repetitions
    written out).
    """

    pattern: str
    at: int = 0

    def peek(self) -> str:
        return self.pattern[self.at] if self.at < len(self.pattern) else ""

    def take(self) -> str:
        character = self.peek()
        self.at += 1
        return character

    def alternatives(self, depth: int) -> tuple[str, int]:
        if depth > _MOST_GROUPS:
            raise PatternError(f"groups may stand {_MOST_GROUPS} deep at most", self.at)
        parts, weight = [], 0
        while True:
            text, size = self.sequence(depth)
            parts.append(text)
            weight += size
            if self.peek() != "|":
                return "|".join(parts), weight
            self.take()

    def sequence(self, depth: int) -> tuple[str, int]:
        texts, weight = [], 0
        while self.peek() not in ("", "|", ")"):
            start = self.at
            text, size = self.repeated(depth)
            texts.append(text)
            weight += size
            if weight > _MOST_WEIGHT:
                raise PatternError("with its repetitions written out it is too long", start)
        return "".join(texts), weight

    def repeated(self, depth: int) -> tuple[str, int]:
        text, weight = self.atom(depth)
        mark = self.peek()
        if mark == "" or mark not in "*+?{":
            return text, weight
        if mark == "{":
            suffix, most = self.bounds()
        else:
            suffix, most = self.take(), 1
        if self.peek() != "" and self.peek() in "*+?{":
            raise PatternError("a repetition cannot follow a repetition", self.at)
        return text + suffix, max(weight, 1) * max(most, 1)

    def bounds(self) -> tuple[str, int]:
        start = self.at
        end = self.pattern.find("}", start)
        numbers = self.pattern[start + 1 : end].split(",") if end > 0 else []
        ok = numbers and len(numbers) <= 2 and numbers[0].isascii() and numbers[0].isdigit()
        if ok and len(numbers) == 2 and numbers[1] != "":
            ok = numbers[1].isascii() and numbers[1].isdigit()
        if not ok:
            raise PatternError("write a repetition as `{3}`, `{2,}` or `{2,5}`", start)
        if any(len(number) > 4 for number in numbers):
            raise PatternError(f"a repetition goes up to {_MOST_REPEATS}", start)
        values = [int(number) for number in numbers if number]
        if max(values) > _MOST_REPEATS:
            raise PatternError(f"a repetition goes up to {_MOST_REPEATS}", start)
        if len(values) == 2 and values[0] > values[1]:
            raise PatternError("the first number of a repetition is not above the second", start)
        self.at = end + 1
        return "{" + ",".join(str(int(n)) if n else "" for n in numbers) + "}", max(values)

    def atom(self, depth: int) -> tuple[str, int]:
        start = self.at
        character = self.take()
        if character == "(":
            return self.group(start, depth)
        if character == "[":
            return self.character_class(start), 1
        if character == ".":
            return r"[^\n]", 1
        if character == "\\":
            return self.escape(start), 1
        if character in "*+?{":
            raise PatternError(f"`{character}` repeats nothing here", start)
        if character in "^$":
            raise PatternError(
                "`matches` already means the whole text, so `^` and `$` are not needed", start
            )
        return _quoted(character), 1

    def group(self, start: int, depth: int) -> tuple[str, int]:
        if self.peek() == "?":
            if self.pattern[self.at : self.at + 2] != "?:":
                raise PatternError(
                    "a group is `(…)` or `(?:…)`: no look-around, names or flags", start
                )
            self.at += 2
        text, weight = self.alternatives(depth + 1)
        if self.take() != ")":
            raise PatternError("this group is not closed", start)
        return f"(?:{text})", weight

    def escape(self, start: int) -> str:
        character = self.take()
        if character == "":
            raise PatternError("a `\\` stands at the end", start)
        if character.lower() in _ESCAPED_CLASSES:
            members = _ESCAPED_CLASSES[character.lower()]
            return f"[{members}]" if character.islower() else f"[^{members}]"
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character.isalnum():
            raise PatternError(f"`\\{character}` means nothing here", start)
        return _quoted(character)

    def character_class(self, start: int) -> str:
        negated = self.peek() == "^"
        if negated:
            self.take()
        members: list[str] = []
        while self.peek() != "]":
            here = self.at
            low, is_class = self.class_member(start)
            following = self.pattern[self.at + 1 : self.at + 2]
            if self.peek() == "-" and following not in ("]", ""):
                self.take()
                high, high_is_class = self.class_member(start)
                if is_class or high_is_class or len(low) != 1 or len(high) != 1 or low > high:
                    raise PatternError(
                        "a range in a class goes from a character to a later one", here
                    )
                members.append(f"{_quoted(low)}-{_quoted(high)}")
            else:
                members.append(low if is_class else _quoted(low))
        self.take()
        if not members:
            raise PatternError("this class is empty", start)
        return f"[{'^' if negated else ''}{''.join(members)}]"

    def class_member(self, start: int) -> tuple[str, bool]:
        """One member, and whether it is already spelled for a class."""
        character = self.take()
        if character == "":
            raise PatternError("this class is not closed", start)
        if character == "[":
            raise PatternError("write `\\[` for a bracket inside a class", self.at - 1)
        if character != "\\":
            return character, False
        escaped = self.take()
        if escaped in _ESCAPED_CLASSES:
            return _ESCAPED_CLASSES[escaped], True
        if escaped in _CONTROLS:
            return _CONTROLS[escaped], True
        if escaped == "" or escaped.isalnum():
            raise PatternError(f"`\\{escaped}` means nothing in a class", self.at - 1)
        return escaped, False
