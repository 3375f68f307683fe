"""Whether a broker can be reached, and if not, why: the client library only says that none answered in time."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import KafkaError

from runledger.doctor.broker_facts import Refusal
from runledger.schemas.kafka_security import KafkaSettings, tls_context

_CONNECT_SECONDS = 3.0
_ALERT_SECONDS = 1.0
_MOST_AT_ONCE = 16
_SAYS_WHY = {KafkaError._SSL, KafkaError._AUTHENTICATION}
_SILENT = {KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN}


class Complaints:
    """Given to a client as its `error_cb`, keeps what connections were refused for."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, str]] = []

    def __call__(self, error: KafkaError) -> None:
        """Take an error of a connection."""
        if error.code() in _SAYS_WHY:
            self.heard.append((error.code(), error.str()))

    def latest(self, *codes: int) -> str:
        """The latest of these errors in the library's words; empty where there is none."""
        return next((words for code, words in reversed(self.heard) if code in codes), "")


def connect_all(addresses: Iterable[str]) -> dict[str, str]:
    """Try to connect to each address, all at once; return {address: why it cannot be reached, empty where it can}."""
    wanted = list(dict.fromkeys(addresses))
    with ThreadPoolExecutor(_MOST_AT_ONCE) as pool:
        return dict(zip(wanted, pool.map(_connect, wanted), strict=True))


def _connect(address: str) -> str:
    host, _, port = address.strip().rpartition(":")
    try:
        number = int(port)
    except ValueError:
        return "it is no host:port"
    try:
        with socket.create_connection((host.strip("[]"), number), timeout=_CONNECT_SECONDS):
            return ""
    except socket.gaierror:
        return f"no host is called {host}"
    except ConnectionRefusedError:
        return "nobody listens there"
    except TimeoutError:
        return "nobody answers there; a firewall may be between"
    except (OSError, OverflowError, UnicodeError) as error:
        return (getattr(error, "strerror", None) or type(error).__name__).lower()


def refusal_of_addresses(troubles: dict[str, str]) -> Refusal:
    """Say why none of the bootstrap addresses can be reached."""
    words = "; ".join(f"{address}: {trouble}" for address, trouble in troubles.items())
    first = next(iter(troubles.values()), "")
    if "host:port" in first:
        return Refusal(f"RUNLEDGER_KAFKA cannot be used: {words}", "write it as host:port, several divided by commas")
    if "no host" in first:
        return Refusal(f"no broker at {words}", "set RUNLEDGER_KAFKA to a host that exists, or mend its name service")
    return Refusal(
        f"no broker at {words}",
        "start the broker, or set RUNLEDGER_KAFKA to one that runs",
    )


def shake_hands(settings: KafkaSettings) -> str:
    """Begin TLS with the first address by Python's own library, which says more; empty where nothing is wrong."""
    host, _, port = settings.kafka.split(",")[0].strip().rpartition(":")
    try:
        with (
            socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS) as plain,
            tls_context(settings).wrap_socket(plain, server_hostname=host.strip("[]")) as inside,
        ):
            inside.settimeout(_ALERT_SECONDS)
            # In TLS 1.3 a server judges our certificate after the handshake; a broker says nothing else unasked.
            inside.recv(1)
    except TimeoutError:
        return ""
    except ssl.SSLCertVerificationError as error:
        return error.verify_message or str(error)
    except ssl.SSLError as error:
        return (error.reason or str(error)).replace("_", " ").lower()
    except (OSError, ValueError):
        return ""
    return ""


def refusal_of_broker(settings: KafkaSettings, complaints: Complaints, error: KafkaError) -> Refusal:
    """Say why a server that listens does not take us as a client."""
    if words := complaints.latest(KafkaError._AUTHENTICATION):
        return _authentication(settings, words)
    words = complaints.latest(KafkaError._SSL)
    if settings.kafka_tls and (words or error.code() in _SILENT):
        words = shake_hands(settings) or words
    if words:
        return _tls(settings, words)
    if error.code() in _SILENT:
        return Refusal(
            f"the server at {settings.kafka} takes connections and hangs up, or says nothing: it is no broker, or its "
            "listener does not speak "
            f"{settings.kafka_security_protocol}{', which is TLS' if settings.kafka_tls else ''}",
            "set RUNLEDGER_KAFKA_SECURITY_PROTOCOL to what this listener speaks (docs/security.md), or "
            "RUNLEDGER_KAFKA to "
            "the listener you mean; the broker's log says more",
        )
    return Refusal(f"the broker at {settings.kafka} refuses: {error.str()}", "see the broker's log")


def _authentication(settings: KafkaSettings, words: str) -> Refusal:
    if "mechanism" in words and ("nsupported" in words or "handshake failed" in words):
        return Refusal(
            f"the broker does not take SASL {settings.kafka_sasl_mechanism}: {_short(words)}",
            "set RUNLEDGER_KAFKA_SASL_MECHANISM to one that it takes",
        )
    if not settings.kafka_sasl:
        return Refusal(
            f"the broker wants a name and a password: {_short(words)}",
            "set RUNLEDGER_KAFKA_SECURITY_PROTOCOL to sasl_ssl, and the variables for SASL (docs/security.md)",
        )
    return Refusal(
        f"the broker refuses the user {settings.kafka_username} (SASL): {_short(words)}",
        "set RUNLEDGER_KAFKA_USERNAME and RUNLEDGER_KAFKA_PASSWORD to a user of this broker and mechanism",
    )


def _tls(settings: KafkaSettings, words: str) -> Refusal:
    if not settings.kafka_tls:
        return Refusal(
            f"the server at {settings.kafka} speaks TLS, and RUNLEDGER_KAFKA_SECURITY_PROTOCOL is "
            f"{settings.kafka_security_protocol}",
            "set RUNLEDGER_KAFKA_SECURITY_PROTOCOL to ssl or sasl_ssl",
        )
    causes = (
        (
            ("wrong version number", "PLAINTEXT", "unexpected message", "packet length too long"),
            "this listener speaks no TLS",
            "set RUNLEDGER_KAFKA to the broker's TLS listener (or RUNLEDGER_KAFKA_SECURITY_PROTOCOL, where plain "
            "text is "
            "what you want)",
        ),
        (
            ("hostname", "IP address mismatch", "not valid for"),
            "the broker's certificate is for another host",
            "set RUNLEDGER_KAFKA to a name for which the certificate was made, or have one made for this name",
        ),
        (("expired",), "a certificate has expired", "have the certificate renewed, and start its process again"),
        (
            ("certificate required", "handshake failure", "bad certificate", "unknown ca", "certificate unknown"),
            "the broker does not take our certificate",
            "set RUNLEDGER_KAFKA_CERTIFICATE and RUNLEDGER_KAFKA_KEY to a certificate whose authority the broker "
            "trusts",
        ),
        (
            ("certificate verify failed", "could not be verified", "unable to get", "self-signed", "self signed"),
            "we do not trust who signed the broker's certificate",
            "set RUNLEDGER_KAFKA_CA to the PEM file of the authority that signed it",
        ),
    )
    for marks, what, remedy in causes:
        if any(mark.lower() in words.lower() for mark in marks):
            return Refusal(f"TLS: {what} ({_short(words)})", remedy)
    if "disconnected" in words.lower() or "closed" in words.lower() or "EOF" in words:
        return Refusal(
            f"TLS: the server hangs up during the handshake ({_short(words)})",
            "set RUNLEDGER_KAFKA to the broker's TLS listener; if it wants a client's certificate, set "
            "RUNLEDGER_KAFKA_CERTIFICATE and RUNLEDGER_KAFKA_KEY",
        )
    return Refusal(
        f"TLS: {_short(words)}", "compare the variables RUNLEDGER_KAFKA_… with the listener (docs/security.md)"
    )


def _short(words: str) -> str:
    """The library's words without its prefix of thread and address, and without what it adds about the time."""
    _, _, rest = words.rpartition("/bootstrap: ")
    return (rest or words).split(" (after ")[0].split(" (in state")[0].strip()[:200]
