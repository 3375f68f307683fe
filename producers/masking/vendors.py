"""Secrets that are known by their form: keys and tokens with a vendor's prefix, JWTs, PEM blocks, webhooks."""

from __future__ import annotations

import re

from runledger.producers.masking.rules import Rule, group

SHORTEST = 15
"""No key below is shorter; a text without a word this long is not searched."""

_EDGE = "A-Za-z0-9_"

# (kind, literal prefix, what follows). The vendors' own documentation gives the forms; lengths are lower bounds, since
# vendors lengthen them. A prefix that is also an English word asks for a body without separators.
_PREFIXES: tuple[tuple[str, str, str], ...] = (
    ("api_key", "rl.", r"[0-9a-f]{32}\.[\w-]{40,}+"),  # our own (runledger.access.keys)
    ("api_key", "sk-ant-", r"[\w-]{16,}+"),  # Anthropic
    ("api_key", "sk-", r"(?:(?:proj|svcacct|admin|service|or-v1|lf)-[\w-]{16,}+|[A-Za-z0-9]{20,}+)"),  # OpenAI and kin
    ("api_key", "AIza", r"[\w-]{30,}+"),  # Google
    ("api_key", "gsk_", r"[A-Za-z0-9]{32,}+"),  # Groq
    ("api_key", "xai-", r"[A-Za-z0-9]{40,}+"),
    ("api_key", "pplx-", r"[A-Za-z0-9]{32,}+"),  # Perplexity
    ("api_key", "csk-", r"[A-Za-z0-9]{32,}+"),  # Cerebras
    ("api_key", "nvapi-", r"[\w-]{40,}+"),
    ("api_key", "tvly-", r"[A-Za-z0-9-]{20,}+"),  # Tavily
    ("api_key", "pcsk_", r"\w{40,}+"),  # Pinecone
    ("api_key", "e2b_", r"[a-f0-9]{32,}+"),
    ("api_key", "fc-", r"[a-f0-9]{32}(?![\w-])"),  # Firecrawl
    ("api_key", "r8_", r"[A-Za-z0-9]{32,}+"),  # Replicate
    ("api_key", "lsv2_", r"(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}"),  # LangSmith
    ("api_key", "SG.", r"[\w-]{16,64}+\.[\w-]{16,}+"),  # SendGrid
    ("api_key", "key-", r"[0-9a-f]{32}(?!\w)"),  # Mailgun
    ("api_key", "lin_", r"(?:api|oauth)_[A-Za-z0-9]{32,}+"),  # Linear
    ("api_key", "PMAK-", r"[a-f0-9]{24}-[a-f0-9]{34}"),  # Postman
    ("api_key", "NRAK-", r"[A-Z0-9]{27}"),  # New Relic
    ("api_key", "sk_", r"(?:(?:live|test|prod)_[A-Za-z0-9]{10,}+|[a-f0-9]{48}(?!\w))"),  # Stripe, ElevenLabs
    ("api_key", "rk_", r"(?:live|test|prod)_[A-Za-z0-9]{10,}+"),  # Stripe
    ("api_key", "SK", r"[0-9a-f]{32}(?!\w)"),  # Twilio
    ("api_key", "AKCp", r"[A-Za-z0-9]{40,}+"),  # Artifactory
    ("api_key", "sb_secret_", r"[\w-]{20,}+"),  # Supabase
    ("api_key", "sbp_", r"[a-f0-9]{40}"),  # Supabase
    ("api_key", "re_", r"[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}+"),  # Resend
    ("secret", "whsec_", r"[A-Za-z0-9+/=]{24,}+"),  # Stripe
    ("token", "hf_", r"[A-Za-z0-9]{30,}+"),  # Hugging Face
    ("token", "github_pat_", r"\w{22,}+"),
    ("token", "ghp_", r"[A-Za-z0-9]{30,}+"),  # GitHub, personal
    ("token", "gho_", r"[A-Za-z0-9]{30,}+"),  # OAuth
    ("token", "ghu_", r"[A-Za-z0-9]{30,}+"),  # app, for a user
    ("token", "ghs_", r"[A-Za-z0-9]{30,}+"),  # app, for a server
    ("token", "ghr_", r"[A-Za-z0-9]{30,}+"),  # refresh
    ("token", "gl", r"(?:pat|ptt|dt|rt|cbt|ft|soat|agent|oas|imt|ffct)-[\w-]{20,}+"),  # GitLab
    ("token", "xox", r"[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}+"),  # Slack
    ("token", "xapp-", r"[0-9]-[A-Za-z0-9-]{10,}+"),  # Slack, app level
    ("token", "npm_", r"[A-Za-z0-9]{36,}+"),
    ("token", "pypi-", r"Ag[\w-]{50,}+"),
    ("token", "rubygems_", r"[a-f0-9]{48}"),
    ("token", "dckr_", r"(?:pat|oat)_[\w-]{20,}+"),  # Docker
    ("token", "glsa_", r"[A-Za-z0-9]{32}_[a-fA-F0-9]{8}"),  # Grafana
    ("token", "hvs.", r"[\w-]{24,}+"),  # Vault, service
    ("token", "hvb.", r"[\w-]{24,}+"),  # Vault, batch
    ("token", "dp.", r"(?:pt|st|ct|sa|scim|audit)\.(?:[\w-]{2,35}\.)?[A-Za-z0-9]{40,}+"),  # Doppler
    ("token", "pul-", r"[a-f0-9]{40}"),  # Pulumi
    ("token", "pscale_", r"(?:tkn|pw|oauth)_[\w.-]{32,}+"),  # PlanetScale
    ("token", "dapi", r"[a-f0-9]{32}(?:-\d)?(?!\w)"),  # Databricks
    ("token", "ntn_", r"[A-Za-z0-9]{40,}+"),  # Notion
    ("token", "secret_", r"[A-Za-z0-9]{43}(?!\w)"),  # Notion, earlier
    ("token", "figd_", r"[\w-]{40,}+"),  # Figma
    ("token", "shp", r"(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),  # Shopify
    ("token", "sq0", r"(?:atp|csp)-[\w-]{22,}+"),  # Square
    ("token", "ATATT3", r"[\w=-]{40,}+"),  # Atlassian
    ("token", "sntry", r"[su]_[\w+/=-]{40,}+"),  # Sentry
    ("token", "do", r"[opr]_v1_[a-f0-9]{64}"),  # DigitalOcean
    ("cloud_key", "ya29.", r"[\w-]{20,}+"),  # Google OAuth access
    ("cloud_key", "1//0", r"[\w-]{20,}+"),  # Google OAuth refresh
    ("cloud_key", "GOCSPX-", r"[\w-]{20,}+"),  # Google OAuth client
    ("cloud_key", "AKIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),  # AWS, long-term
    ("cloud_key", "ASIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),  # AWS, temporary
    ("cloud_key", "ABIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),  # AWS, bearer
    ("cloud_key", "ABSK", r"[A-Za-z0-9+/=]{60,}+"),  # AWS Bedrock
    ("cloud_key", "LTAI", r"[A-Za-z0-9]{16,}+"),  # Alibaba Cloud
    ("private_key", "AGE-SECRET-KEY-1", r"[A-Z0-9]{50,}+"),
)


def _prefixed(kind: str, prefix: str, body: str) -> Rule:
    # The look-behind stands after the literal, so that the search for the literal stays a plain one.
    literal = re.escape(prefix)
    # What is glued to a key goes with it: it may be a second key, or the rest of one longer than we know.
    return Rule(kind, (prefix,), re.compile(rf"{literal}(?<![{_EDGE}]{literal}){body}[\w-]*+", re.ASCII))


_KEY_TYPE = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_PEM = re.compile(
    rf"-----BEGIN {_KEY_TYPE}"
    rf"(?:(?:[^-]|-(?!----))*+-----END {_KEY_TYPE}"  # whole,
    r"|(?:(?:\s|\\[nr])*+[A-Za-z0-9+/=]{16,}+)*+)"  # or what is left of one that was cut
)
_JWT = re.compile(r"eyJ(?<![\w-]eyJ)[\w-]{10,}+(?:\.[\w-]*+){2,4}+", re.ASCII)
_AZURE_CLIENT = re.compile(r"(?<![\w~.-])(?:[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34})(?![\w~-])", re.ASCII)
_MAILCHIMP = re.compile(r"[0-9a-f]{32}(?<!\w[0-9a-f]{32})-us\d{1,2}(?!\w)", re.ASCII)
_DISCORD = re.compile(r"(?<![\w.-])[MNO][\w-]{23,27}+\.[\w-]{6}\.[\w-]{27,}+", re.ASCII)
_TELEGRAM = re.compile(r"(?<=\d{8}):AA[\w-]{33}(?![\w-])", re.ASCII)
_WEBHOOK = re.compile(
    r"(?:hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/"
    r"|discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/"
    r"|webhook\.office\.com/webhookb2/)(?P<secret>[\w/@.-]{20,}+)",
    re.ASCII,
)

PRIVATE_KEYS = Rule("private_key", ("-----BEGIN ",), _PEM)
WEBHOOKS = Rule("webhook", ("hooks.slack", "/webhook"), _WEBHOOK, group("secret"))
KNOWN_FORMS: tuple[Rule, ...] = (
    Rule("jwt", ("eyJ",), _JWT),
    Rule("cloud_key", ("Q~",), _AZURE_CLIENT),
    Rule("token", (":AA",), _TELEGRAM),
    Rule("token", (".",), _DISCORD),
    Rule("api_key", ("-us",), _MAILCHIMP),
    *(_prefixed(*row) for row in _PREFIXES),
)
