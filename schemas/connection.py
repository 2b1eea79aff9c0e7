"""Where Kafka is and how to reach it: the settings that every client of ours shares."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from schemas.topics import Registry, load_registry

#: Largest record that a client of ours may send or receive, in bytes: that of the largest topic and its protocol overhead.
MESSAGE_MAX_BYTES: Final = 18 * 2**20

_SECURITY: Final = ("security.protocol", "sasl.", "ssl.", "enable.sasl.oauthbearer.", "enable.ssl.", "https.ca.")


class KafkaSettings(BaseModel):
    """The ``kafka`` section: broker addresses, the namespace of the topics, and security settings passed through to librdkafka.

    Only security settings pass: what makes delivery safe (acknowledgements, idempotence, isolation) is not for the environment
    to switch off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    bootstrap_servers: Annotated[str, Field(pattern=r"^[^\s,]+:[0-9]{1,5}(,[^\s,]+:[0-9]{1,5})*$")] = Field(
        "127.0.0.1:9092", description="host:port of one or more brokers, separated by commas"
    )
    namespace: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,100}$")] = Field("crm", description="what stands before the dot in every topic name")
    partitions: int = Field(4, ge=1, le=10_000, description="partitions of every topic; fixed once there is data, since a customer must stay in one partition")
    replication: int = Field(1, ge=1, le=9, description="copies of every partition; 3 in production, which sets min.insync.replicas to 2")
    transactions: Literal["auto", "on", "off"] = Field(
        "auto", description="one Kafka transaction per frame; auto: on unless the broker has none (the embedded one)"
    )
    security: dict[str, SecretStr] = Field(
        default_factory=dict, description="librdkafka's security settings, such as security.protocol, sasl.mechanism, sasl.username, ssl.ca.location"
    )

    @field_validator("security")
    @classmethod
    def _security_only(cls, security: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name in security:
            if not name.startswith(_SECURITY):
                raise ValueError(f"{name} is no security setting of librdkafka; only security.protocol, sasl.*, ssl.* and enable.ssl.* pass through")
        return security

    def client_config(self) -> dict[str, str | int]:
        """What any confluent-kafka client starts from. Holds secrets in the clear: never log it."""
        secrets = {name: secret.get_secret_value() for name, secret in self.security.items()}
        return {"bootstrap.servers": self.bootstrap_servers, "message.max.bytes": MESSAGE_MAX_BYTES, **secrets}

    def registry(self) -> Registry:
        """The topics of this installation."""
        return load_registry(self.namespace, self.partitions, self.replication)
