"""E-mail addresses and card numbers."""

from __future__ import annotations

import re

from runledger.producers.masking.rules import Rule, Span

_AT = r"(?:@|%40)"
_RUN = re.compile(rf"(?<![\w.%+-])[\w.+-]++(?:%(?!40)[\w.+-]*+)*+{_AT}[\w.%+@-]++")
"""Everything around an @ that could belong to an address, so that what is left of it never makes another."""
_ADDRESS = re.compile(
    rf"([\w.+-]{{1,64}}){_AT}(?:[\w-]{{1,63}}\.){{1,8}}(?P<top>[^\W\d_]{{2,24}}|xn--[\w-]{{1,59}})(?![\w-])"
)
_NO_PERSON = frozenset({"git", "hg", "svn"})
"""Accounts of remotes such as git@host:path."""
_NO_DOMAIN = re.compile(
    r"png|jpe?g|gif|svg|webp|ico|avif|css|[mc]?js|[jt]sx|json|xml|html|txt|csv|log|pdf|t?gz|zip|tar|jar|whl|toml|ya?ml"
    r"|lock|map|service|socket|timer|target|mount|slice|scope|conf",
    re.IGNORECASE,
)
"""Ends of file names (icon@2x.png) and of systemd units (getty@tty1.service), none of them a top-level domain."""


def _address_in(match: re.Match[str]) -> Span | None:
    start, end = match.span()
    if match.string.endswith("://", 0, start):  # the user of a URL
        return None
    run = match.group()
    for found in _ADDRESS.finditer(run):
        if found.group(1).lower() not in _NO_PERSON and not _NO_DOMAIN.fullmatch(found.group("top")):
            return start, end - (len(run) - len(run.rstrip(".-%+")))
    return None


def _luhn(digits: str) -> bool:
    total = sum(map(int, digits[-1::-2]))
    return (total + sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])) % 10 == 0


_CARD = re.compile(
    r"[2-6](?<![\w.]\d)(?<!\d-\d)(?<![0-9a-fA-F]{4}-\d)"
    r"(?:\d{12,18}+|\d{3}(?P<gap>[ -])(?:\d{4}(?P=gap)\d{4}(?P=gap)\d{1,7}+|\d{6}(?P=gap)\d{4,5}+))"
    r"(?!\w|[.-]\d)",
    re.ASCII,
)
_ISSUER = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"
    r"|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}"
    r"|(?:6011|64[4-9]\d|65\d{2}|352[89]|35[3-8]\d)\d{12}"
    r"|3(?:0[0-5]|[689]\d)\d{11}"
    r"|62\d{14,17}"
)
"""Visa; Mastercard; American Express; Discover and JCB; Diners; UnionPay: by number ranges and lengths."""


def is_card_number(digits: str) -> bool:
    """Tell whether digits are in an issuer's range, of its length, and pass the Luhn check (ISO/IEC 7812-1)."""
    return _ISSUER.fullmatch(digits) is not None and _luhn(digits)


def _card_in(match: re.Match[str]) -> Span | None:
    return match.span() if is_card_number(match.group().replace(" ", "").replace("-", "")) else None


EMAILS = Rule("email", ("@", "%40"), _RUN, _address_in)
CARDS = Rule("card", (), _CARD, _card_in)
