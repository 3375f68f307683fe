"""Hold pages and names against each other: what is named and is not there, and what is there and named nowhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from reference.mentions import Kind, Mention, mentions, shown_words
from reference.names import Names

_PARTS = re.compile(r"_(?:bucket|sum|count)$")
_VERSION = re.compile(r"\.v\d+$")
_SUBCOMMAND = re.compile(r"[a-z][a-z-]*")
_OPTION = re.compile(r"--[a-z][a-z-]*")


def made_up(pages: Mapping[str, str], names: Names) -> Iterator[str]:
    """Say what pages name that is not there.

    Args:
        pages: {path: text}.
        names: what there is.
    """
    for path, text in pages.items():
        shown = shown_words(text)
        for mention in mentions(text):
            is_own = mention.kind == "word" and mention.name in shown
            if not is_own and (wrong := _wrong(mention, names)) is not None:
                yield f"{path}:{mention.line}: {wrong}"


def undocumented(pages: Mapping[str, str], names: Names) -> Iterator[str]:
    """Say what is there and stands on none of the pages."""
    found = [mention for text in pages.values() for mention in mentions(text)]
    text = "\n".join(pages.values())
    code = {word for span in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"[\w-]+", span)}
    yield from (f"setting {name}" for name in sorted(names.settings - set(re.findall(r"\w+", text))))
    yield from (f"metric {name}" for name in sorted(names.metrics - code))
    yield from (f"topic {name}" for name in sorted(names.topics - code))
    yield from (f"table {name}" for name in sorted(names.tables.keys() - code))
    yield from (f"make {name}" for name in sorted(names.targets - {it.name for it in found if it.kind == "target"}))
    shown = [it.name.split() for it in found if it.kind == "command"]
    options = {it.name for it in found if it.kind == "option"} | {word for words in shown for word in words}
    for path, own in names.commands.items():
        words = path.split()
        if not any(one[: len(words)] == words for one in shown):
            yield f"command runledger {path}"
        yield from (f"option {option} of runledger {path}" for option in sorted(own - options - {"--help"}))


def _wrong(mention: Mention, names: Names) -> str | None:
    """Say what is wrong with a mention; None where all of it is there."""
    if mention.kind == "command":
        return _wrong_command(mention.name.split(), names.commands)
    what = "name" if mention.kind in {"underscored", "dotted", "word"} else mention.kind
    return None if _KNOWS[mention.kind](mention.name, names) else f"there is no {what} {mention.name}"


def _knows_setting(name: str, names: Names) -> bool:
    every = names.settings | names.tools
    return name in every or (name.endswith("_") and any(it.startswith(name) for it in every))


def _knows_dotted(name: str, names: Names) -> bool:
    """Whether it is there; what ends with a dash is the beginning of many, and a module holds others."""
    whole = _without_version(name.rstrip("."))
    if whole.endswith("-"):
        return whole in names.dotted
    return any(it == whole or it.startswith(f"{whole}.") for it in map(_without_version, names.dotted))


def _without_version(name: str) -> str:
    return _VERSION.sub("", name)


def _knows_column(name: str, names: Names) -> bool:
    table, _, column = name.partition(".")
    return table not in names.tables or column in names.tables[table] or name in names.words


_KNOWS: Mapping[Kind, Callable[[str, Names], bool]] = {
    "setting": _knows_setting,
    "underscored": lambda name, names: name in names.words or _PARTS.sub("", name) in names.metrics,
    "dotted": _knows_dotted,
    "topic": lambda name, names: name.removeprefix("runledger.") in names.topics,
    "table": lambda name, names: name in names.tables,
    "column": _knows_column,
    "option": lambda name, names: name in names.words or any(name in options for options in names.commands.values()),
    "target": lambda name, names: name in names.targets,
    "word": lambda name, names: name in names.words,
}


def _wrong_command(words: list[str], commands: Mapping[str, Iterable[str]]) -> str | None:
    """Follow a command's words into its groups; say which word, or which option, is not there."""
    path = ""
    for word in words:
        below = f"{path} {word}".strip()
        if below in commands:
            path = below
        elif _is_group(path, commands) and _SUBCOMMAND.fullmatch(word):
            return f"there is no command runledger {below}"
        else:
            break
    for word in words:
        if (option := _OPTION.match(word)) and option[0] not in commands[path]:
            return f"runledger {path} has no option {option[0]}"
    return None


def _is_group(path: str, commands: Mapping[str, Iterable[str]]) -> bool:
    return any(other.startswith(f"{path} ".lstrip()) and other != path for other in commands)
