"""Secrets in what is sent to a server: URLs, headers, and the flags of command lines."""

from __future__ import annotations

import re

from runledger.producers.masking.assignments import looks_random
from runledger.producers.masking.markers import says_nothing
from runledger.producers.masking.rules import Rule, Span, group

_FLAGS = re.IGNORECASE | re.ASCII
_SHORT_WORD = 16

_URL = re.compile(r"://[^\s/?#:@\"'<>]{0,256}+:(?P<secret>[^\s/?#\"'<>]{1,512})@")
_SIGNATURE = re.compile(
    r"[?&;](?:sig|signature|x-amz-signature|x-goog-signature|x-amz-security-token)=(?P<secret>[\w%+/=.-]{16,}+)", _FLAGS
)
_HEADER = re.compile(
    r"authorization\\{0,3}[\"']?[ \t]{0,4}(?:=>|[:=])[ \t]{0,4}\\{0,3}[\"']?"
    r"(?:(?P<parts>digest|aws4-hmac-sha256)[ \t]{1,4}(?P<all>[^\r\n}]++)"
    r"|(?P<scheme>bearer|basic|token|apikey|api-key|negotiate|dpop|key|bot)[ \t]{1,4}(?P<after>[^\s\"'\\,;]++)"
    r"|(?P<plain>[^\s\"'\\,;]++))",
    _FLAGS,
)
_BEARER = re.compile(r"bearer[ \t]{1,4}(?P<secret>[\w.~+/=-]{8,}+)", _FLAGS)
_COOKIE = re.compile(
    r"cookie\\{0,3}[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,3}[\"']?"
    r"(?P<secret>[^\s=;,:\[\"'\\]{1,128}+=[^\r\n\"'\\]++)",
    _FLAGS,
)
_FLAG = re.compile(
    r"--(?:[a-z]{1,20}+-){0,3}(?:password|passwd|passphrase|token|secret|(?:api|access|secret)-?key)"
    r"[ \t]{1,4}[\"']?(?P<secret>[^\s\"'-][^\s\"']*+)",
    _FLAGS,
)
_CURL_USER = re.compile(r"(?<!\S)(?:-u|--user)[ \t=]{1,4}[\"']?[^\s:\"']{1,128}+:(?P<secret>[^\s\"']++)")


def _told(match: re.Match[str]) -> Span | None:
    return None if says_nothing(match.group("secret")) else match.span("secret")


def _random(match: re.Match[str]) -> Span | None:
    return match.span("secret") if looks_random(match.group("secret")) else None


def _flag_value(match: re.Match[str]) -> Span | None:
    secret = match.group("secret")
    return None if says_nothing(secret) or secret.startswith(("$", "[", "|", "&")) else match.span("secret")


def _user_password(match: re.Match[str]) -> Span | None:
    secret = match.group("secret")
    return None if says_nothing(secret) or secret.isdigit() else match.span("secret")  # `docker run -u 1000:1000`


def _header_value(match: re.Match[str]) -> Span | None:
    name = str(match.lastgroup)
    value = match.group(name)
    if says_nothing(value):
        return None
    is_word = value.isalpha() and value.islower() and len(value) < _SHORT_WORD  # "authorization: basic auth failed"
    if is_word or (name == "plain" and not looks_random(value)):
        return None
    return match.span(name)


URL_PASSWORDS = Rule("password", ("://",), _URL, _told)
HEADERS: tuple[Rule, ...] = (
    Rule("authorization", ("authorization",), _HEADER, _header_value, folded=True),
    Rule("token", ("bearer",), _BEARER, _random, folded=True),
    Rule("cookie", ("cookie",), _COOKIE, group("secret"), folded=True),
)
PARAMETERS: tuple[Rule, ...] = (
    Rule("secret", ("=",), _SIGNATURE, group("secret")),
    Rule("secret", ("--",), _FLAG, _flag_value),
    Rule("password", ("curl",), _CURL_USER, _user_password),
)
