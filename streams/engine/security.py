"""Kafka security settings are given once, in librdkafka's words; aiokafka, which Faust reads with, wants its own."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from streams.engine.ports import Stopped

_KNOWN = {
    "security.protocol",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.username",
    "sasl.password",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.key.password",
    "ssl.endpoint.identification.algorithm",
}


def aiokafka_security(settings: Mapping[str, str]) -> dict[str, Any]:
    """Arguments for an aiokafka client. Raises Stopped (configuration) for a setting that this client could not honour."""
    unknown = sorted(set(settings) - _KNOWN)
    if unknown:
        raise Stopped(f"kafka security setting {unknown[0]} is not supported by the worker; supported: {', '.join(sorted(_KNOWN))}", code=2)
    protocol = settings.get("security.protocol", "plaintext").upper()
    arguments: dict[str, Any] = {"security_protocol": protocol}
    if protocol in ("SSL", "SASL_SSL"):
        try:
            context = ssl.create_default_context(cafile=settings.get("ssl.ca.location"))
            if "ssl.certificate.location" in settings:
                context.load_cert_chain(settings["ssl.certificate.location"], settings.get("ssl.key.location"), settings.get("ssl.key.password"))
        except (OSError, ssl.SSLError) as error:
            raise Stopped(f"kafka security: cannot load a certificate or key: {error.strerror or type(error).__name__}", code=2) from None
        context.check_hostname = settings.get("ssl.endpoint.identification.algorithm", "https") != "none"
        arguments["ssl_context"] = context
    if protocol.startswith("SASL"):
        arguments["sasl_mechanism"] = settings.get("sasl.mechanism", settings.get("sasl.mechanisms", "PLAIN"))
        arguments["sasl_plain_username"] = settings.get("sasl.username")
        arguments["sasl_plain_password"] = settings.get("sasl.password")
    return arguments
