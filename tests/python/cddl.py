# SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
"""As much of CDDL (RFC 8610) as lib/codec/messages.cddl uses: read it, and check
values against it. Anything else in the file is an error, never ignored."""

import re

TOKEN = re.compile(r"""\s+|(?P<comment>;[^\n]*)
    |(?P<tag>\#6\.\d+)|(?P<control>\.[a-z]+\b)|(?P<number>-?\d+)
    |(?P<name>[a-z_][a-z0-9_]*(?:-[a-z0-9_]+)*)|(?P<punct>\.\.|=>|[=/{}()\[\],:?*])""", re.X)

UNSIGNED_MAX = 2**64 - 1


class Range:
    """Whole numbers from low to high."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def matches(self, _schema, value):
        return isinstance(value, int) and not isinstance(value, bool) and \
            self.low <= value <= self.high


class Prelude:
    """tstr, bstr and any."""

    def __init__(self, types):
        self.types = types

    def matches(self, _schema, value):
        return self.types is None or isinstance(value, self.types)


class Size:
    """bstr .size N, bstr .size (LOW..HIGH)"""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def matches(self, _schema, value):
        return isinstance(value, bytes) and self.low <= len(value) <= self.high


class Choice:
    def __init__(self, types):
        self.types = types

    def matches(self, schema, value):
        return any(each.matches(schema, value) for each in self.types)


class Name:
    def __init__(self, name):
        self.name = name

    def matches(self, schema, value):
        return schema.rules[self.name].matches(schema, value)


class Array:
    """[* type]"""

    def __init__(self, type_):
        self.type = type_

    def matches(self, schema, value):
        return isinstance(value, list) and all(self.type.matches(schema, v) for v in value)


class Opaque:
    """The frame's own type: the test takes frames apart by itself."""

    def matches(self, _schema, _value):
        raise TypeError("a frame is no message")


class Member:
    def __init__(self, key, type_, optional, comment):
        self.key, self.type, self.optional = key, type_, optional
        self.name = comment.split(":")[0].strip() if comment else None


class Group:
    """Members of a map, in order; a str stands for a group of that name."""

    def __init__(self, members):
        self.members = members  # Member, str, or (key type, value type) of a wildcard

    def flat(self, schema):
        for member in self.members:
            if isinstance(member, str):
                yield from schema.rules[member].flat(schema)
            else:
                yield member

    def matches(self, schema, value):
        if not isinstance(value, dict):
            return False
        left = dict(value)
        for member in self.flat(schema):
            if isinstance(member, Member):
                if member.key not in left:
                    if not member.optional:
                        return False
                elif not member.type.matches(schema, left.pop(member.key)):
                    return False  # "key:" cuts: no wildcard takes it instead
            else:
                key_type, value_type = member
                for key in list(left):
                    if key_type.matches(schema, key) and value_type.matches(schema, left[key]):
                        del left[key]
        return not left


PRELUDE = {"tstr": Prelude(str), "bstr": Prelude(bytes), "any": Prelude(None),
           "uint": Range(0, UNSIGNED_MAX)}


class Schema:
    def __init__(self, text):
        self.rules = dict(PRELUDE)
        self.tokens = []
        line_comment = {}
        at = 0
        while at < len(text):
            match = TOKEN.match(text, at)
            if not match:
                raise SyntaxError("CDDL: cannot read %r" % text[at:at + 30])
            line = text.count("\n", 0, at)
            if match.lastgroup == "comment":
                line_comment[line] = match.group()[1:].strip()
            elif match.lastgroup:
                self.tokens.append((match.lastgroup, match.group(), line))
            at = match.end()
        self.line_comment = line_comment
        self.at = 0
        while self.at < len(self.tokens):
            name = self.take("name")
            self.take("punct", "=")
            if name in self.rules:
                raise SyntaxError("CDDL: %s comes twice" % name)
            self.rules[name] = self.rule()
        for name in self.names_used(self.rules.values()):
            if name not in self.rules:
                raise SyntaxError("CDDL: %s is not defined" % name)

    def names_used(self, nodes):
        for node in nodes:
            if isinstance(node, str):
                yield node
            elif isinstance(node, Name):
                yield node.name
            elif isinstance(node, Member):
                yield from self.names_used([node.type])
            elif isinstance(node, tuple):
                yield from self.names_used(node)
            elif isinstance(node, Choice):
                yield from self.names_used(node.types)
            elif isinstance(node, Array):
                yield from self.names_used([node.type])
            elif isinstance(node, Group):
                yield from self.names_used(node.members)

    def peek(self, text):
        return self.at < len(self.tokens) and self.tokens[self.at][1] == text

    def take(self, kind, text=None):
        found = self.tokens[self.at] if self.at < len(self.tokens) else ("end", "", 0)
        if found[0] != kind or (text and found[1] != text):
            raise SyntaxError("CDDL: line %d: %r, expected %s" %
                              (found[2] + 1, found[1], text or kind))
        self.at += 1
        return found[1]

    def rule(self):
        return self.group("(", ")") if self.peek("(") else self.type()

    def type(self):
        types = [self.type1()]
        while self.peek("/"):
            self.take("punct")
            types.append(self.type1())
        return types[0] if len(types) == 1 else Choice(types)

    def type1(self):
        kind, text, line = self.tokens[self.at]
        if text == "{":
            return self.group("{", "}")
        if text == "[":
            self.take("punct")
            self.take("punct", "*")
            array = Array(self.type())
            self.take("punct", "]")
            return array
        if kind == "tag":
            return self.frame()
        if kind == "number":
            low = high = int(self.take("number"))
            if self.peek(".."):
                self.take("punct")
                high = int(self.take("number"))
            return Range(low, high)
        if kind == "name":
            name = self.take("name")
            if self.peek(".size"):
                self.take("control")
                if name != "bstr":
                    raise SyntaxError("CDDL: line %d: .size of %s" % (line + 1, name))
                return self.size()
            return Name(name)
        raise SyntaxError("CDDL: line %d: %r is no type" % (line + 1, text))

    def size(self):
        if not self.peek("("):
            low = high = int(self.take("number"))
        else:
            self.take("punct", "(")
            low = int(self.take("number"))
            self.take("punct", "..")
            high = int(self.take("number"))
            self.take("punct", ")")
        return Size(low, high)

    def frame(self):
        """#6.55799([seq: uint32, crc: uint32, payload: bstr .cbor message]), word by word."""
        want = ["#6.55799", "(", "[", "seq", ":", "uint32", ",", "crc", ":", "uint32", ",",
                "payload", ":", "bstr", ".cbor", "message", ",", "]", ")"]
        for text in want:
            self.take(self.tokens[self.at][0], text)
        return Opaque()

    def group(self, start, end):
        self.take("punct", start)
        members = []
        while not self.peek(end):
            members.append(self.member())
            if not self.peek(end):
                self.take("punct", ",")
        self.take("punct", end)
        return Group(members)

    def member(self):
        kind, text, line = self.tokens[self.at]
        if text == "*":
            self.take("punct")
            key_type = self.type()
            self.take("punct", "=>")
            return (key_type, self.type())
        if kind == "name":
            return self.take("name")
        optional = text == "?"
        if optional:
            self.take("punct")
        key = int(self.take("number"))
        self.take("punct", ":")
        return Member(key, self.type(), optional, self.line_comment.get(line))

    def resolve(self, node):
        while isinstance(node, Name):
            node = self.rules[node.name]
        return node

    def matches(self, rule, value):
        return self.rules[rule].matches(self, value)
