"""One fingerprint for failures of one kind, whichever agent met them and wherever it ran."""

from __future__ import annotations

import re
from hashlib import sha256

VERSION = "v1"
"""Part of every fingerprint: a change of the rules below must change it, or old groups would silently split."""

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}"
_K8S = "[bcdfghjklmnpqrstvwxz2456789]"
"""The letters of which Kubernetes makes names, so that none is a word."""
_CLOCK = r"\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9})?"
_ZONE = r"(?:\s?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})\b)?"
_SPAN = (
    r"\d{1,15}(?:\.\d{1,9})?(?:(?:ns|us|µs|ms|[smhd])(?![a-z])"
    r"|\s?(?:ms|secs?|mins?|hrs?|(?:nano|micro|milli)?seconds?|minutes?|hours?|days?)\b)"
)

# In this order: what is longer and more telling goes first, so that no rule eats a part of another's match.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), placeholder)
    for pattern, placeholder in (
        (r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b", "<email>"),
        (r"(?i)(?<![0-9a-z])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![0-9a-z])", "<uuid>"),
        (rf"\b\d{{4}}[-/]\d{{2}}[-/]\d{{2}}(?:(?:T|\s){_CLOCK}{_ZONE}|T\d{{2}}:\d{{2}}{_ZONE})?", "<time>"),
        (rf"\b(?:{_DAY},?\s)?\d{{1,2}}[\s-]{_MONTH}[\s-]\d{{4}}(?:,?\s{_CLOCK}{_ZONE})?", "<time>"),
        (
            rf"\b(?:{_DAY},?\s)?{_MONTH}\s{{1,2}}\d{{1,2}}(?:,?\s\d{{4}})?(?:,?\s{_CLOCK}{_ZONE}(?:\s\d{{4}})?)?\b",
            "<time>",
        ),
        (rf"(?<![\d.:]){_CLOCK}{_ZONE}(?![\d:])", "<time>"),
        (r"(?i)\[(?=[0-9a-f]{0,4}:[0-9a-f]{0,4}:)[0-9a-f:]{2,45}(?:%\w{1,16})?\](?::\d{1,5})?", "<ip>"),
        (r"(?i)(?<![\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])", "<ip>"),
        (r"(?i)(?<![\w:])(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}(?:%\w{1,16})?(?![\w:])", "<ip>"),
        (r"(?<![\w:])::1(?::\d{1,5})?(?![\w:])", "<ip>"),
        (r"(?i)(?:(?<![\w:])::ffff:)?(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)(?::\d{1,5})?", "<ip>"),
        (r"(?i)\b0x[0-9a-f]+\b", "<hex>"),
        (rf"(?<=[a-z0-9])-(?=[a-z]{{0,9}}[0-9]){_K8S}{{6,10}}-{_K8S}{{5}}(?![a-z0-9])", "-<id>"),
        (r"(?<=/)tmp(?:[a-z0-9_]{8}|\.[a-zA-Z0-9]{6,12})(?!\w)", "tmp<id>"),
        (r"(?i)\b(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8,128}\b", "<hex>"),
        (rf"(?i)(?<![\w.-]){_SPAN}(?:\s?{_SPAN}){{0,5}}", "<duration>"),
        (r"\[\d{1,10}:<hex>\][^\n]{0,300}", "<gc>"),  # a line of V8's: memory and times at a collection
        (r"\b(Key \([^()\n]{1,200}\)=)\([^()\n]{0,500}\)", r"\1(<value>)"),  # Postgres
        (r"\b(Duplicate entry )'[^'\n]{0,500}'", r"\1'<value>'"),  # MySQL
        (r"\*{3,}[\w-]{0,8}", "***"),  # a secret that was masked, all but its end
        (
            r"(?i)\b(lines?|column|col|char|position|offset|pid|port|thread|process|goroutine|transaction|length|range"
            r"|limit|used|requested)([\s:=#\[-]{1,3})\d+",
            r"\1\2<n>",
        ),
        (r"(?i)\b(timeout|total|active|idle|waiting|size|count)=\d{1,15}(?:\.\d{1,9})?", r"\1=<n>"),
        (r"(?i)(worker|exec|executor|pool|task)-\d+(?![\w-])", r"\1-<n>"),
        (r"(\$\$Lambda\$)\d+", r"\1<n>"),
        (r"\b(messages|contents?|tools|items|choices|input|parts)\.\d+", r"\1.<n>"),
        (r"\b\d{1,15}(?:\.\d{1,9})?\s?(?:bytes|[kKMGT]i?B)\b", "<size>"),
        (r"(?<![\w.])\d{1,15}(?=\s(?:records?|rows|tokens)\b)", "<n>"),
        (r"\b(?=[\w-]{0,64}\d)(?:[a-z]{2,12}[_-])[a-zA-Z0-9]{12,64}\b", "<id>"),
        (r"\b\d{6,}\b", "<id>"),
    )
)
_PATH = re.compile(
    r"(?:[a-zA-Z][\w+.-]{0,20}://|[A-Za-z]:\\|\.{0,2}[/\\])[^\s\"'`<>(),;|]*(?:<[a-z]{1,8}>[^\s\"'`<>(),;|]*)*"
)
_PORT_OR_LINE = re.compile(r"(?<=[\w\])>]):(\d{1,7})(?::\d{1,7})?(?![\w.])")
_PORT_DIGITS = 4
"""A shorter number after a bare word is more likely a status."""
_WORD_BEFORE = re.compile(r"[\w.<>\])-]*$")
_CODE_WORDS = frozenset({"code", "status", "errno", "error", "sqlstate", "state", "exit", "http", "attempt"})
_DIGITS = re.compile(r"\d+")
_SPACE = re.compile(r"\s+")


def _hide_port_or_line(match: re.Match[str]) -> str:
    """Hide `:5432` after a host and `:10:15` after a file, but not the 404 of `status:404`."""
    start = match.start()
    word = _WORD_BEFORE.search(match.string[max(0, start - 64) : start])
    before = word.group().lower() if word is not None else ""
    names_place = "." in before or before.endswith(("localhost", ">", "]", ")"))
    if names_place or (len(match.group(1)) >= _PORT_DIGITS and before not in _CODE_WORDS):
        return ":<n>"
    return match.group()


def normalise(text: str) -> str:
    """Replace what differs between two failures of one kind.

    E-mail and network addresses, UUIDs, hexadecimal and long numbers, dates, times, durations, sizes, ports, line
    numbers, every number within a path, names that a system made up (of pods, threads, temporary files) and values a
    database quotes become placeholders, and any white space a single space. Other numbers stay: status 404 is not 500.
    """
    for pattern, placeholder in _RULES:
        text = pattern.sub(placeholder, text)
    text = _PORT_OR_LINE.sub(_hide_port_or_line, text)
    text = _PATH.sub(lambda path: _DIGITS.sub("<n>", path.group()), text)
    return _SPACE.sub(" ", text).strip()


def fingerprint(project_key: str, summary: str, error: str | None = None) -> str:
    """Hash the kind of a failure: its error where there is one, else its summary, without what differs by chance.

    The agent is not part of it, so that one agent learns from what another resolved.

    Args:
        project_key: the same error in another project is another kind.
        summary: short description.
        error: full message or stack trace; it names the error's type itself.
    """
    told = error if error is not None and not error.isspace() and error else summary
    return sha256(f"{VERSION}\n{project_key}\n{normalise(told)}".encode()).hexdigest()
