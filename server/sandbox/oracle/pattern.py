"""AWS's patterns, as Python can match them.

They are written for Java, whose classes of letters (`\\p{L}`) Python's `re` does not have: each is spelled out here
as ranges of characters.
"""

import functools
import re
import sys
import unicodedata


@functools.cache
def _ranges():
    """For each Unicode category's first letter, its characters as the inside of a regular expression's class."""
    found = {}
    for code in range(sys.maxunicode + 1):
        runs = found.setdefault(unicodedata.category(chr(code))[0], [])
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return {
        category: "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in runs)
        for category, runs in found.items()
    }


@functools.cache
def compiled(pattern):
    """A pattern as it stands in a model."""
    pieces, inside, at = [], False, 0
    while at < len(pattern):
        named = re.match(r"\\p\{([LMNPSZ])\}", pattern[at:])
        if named:
            ranges = _ranges()[named.group(1)]
            pieces.append(ranges if inside else f"[{ranges}]")
            at += named.end()
            continue
        if pattern[at] == "\\":
            pieces.append(pattern[at : at + 2])
            at += 2
            continue
        if pattern[at] == "[":
            # Java reads a bracket inside a class as a class; in AWS's models there is none, only literal ones.
            pieces.append("\\[" if inside else "[")
            inside = True
        elif pattern[at] == "]":
            inside = False
            pieces.append("]")
        else:
            pieces.append(pattern[at])
        at += 1
    return re.compile("".join(pieces))


def holds(pattern, text):
    """Whether a text is what a pattern asks for: wholly, unless the pattern has anchors of its own."""
    anchored = pattern.startswith("^") or pattern.endswith("$")
    expression = compiled(pattern)
    return bool(expression.search(text) if anchored else expression.fullmatch(text))
