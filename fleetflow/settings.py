"""Every setting, read once in each program's main from the environment (prefix FLEETFLOW_) or a .env file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from fleetflow.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Settings(BaseSettings):
    """All settings of all programs; frozen, handed down, never read at import."""

    model_config = SettingsConfigDict(
        env_prefix="FLEETFLOW_",
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    database_url: SecretStr | None = Field(
        None,
        description="Postgres, as postgresql://user:password@host:port/name."
        " Empty: FleetFlow runs its own embedded Postgres.",
    )
    ingest_database_url: SecretStr | None = Field(
        None,
        description="The same database for the API, as a user of its own, whom `migrate` makes."
        " Empty: as FLEETFLOW_DATABASE_URL.",
    )
    worker_database_url: SecretStr | None = Field(
        None, description="The same for the workers. Empty: as FLEETFLOW_DATABASE_URL."
    )
    dashboard_database_url: SecretStr | None = Field(
        None, description="The same for the dashboard. Empty: as FLEETFLOW_DATABASE_URL."
    )
    rabbitmq_url: SecretStr | None = Field(
        None,
        description="RabbitMQ, as amqp://user:password@host:port/vhost; of a cluster, the addresses of its nodes with"
        " commas between. Empty: workers are woken through Postgres.",
    )
    data_dir: Path = Field(Path(".data"), description="Where the embedded Postgres keeps its data.")

    api_host: str = Field("127.0.0.1", description="Address the ingest API listens on.")
    api_port: int = Field(8000, ge=1, le=65535, description="Port of the ingest API.")
    api_keyless: bool = Field(
        True,
        description="Whether an API that listens on this machine only takes requests without a key,"
        " as long as no key was ever made.",
    )
    api_key: SecretStr | None = Field(
        None, description="The key that `send`, uploads and the demo fleet call the API with."
    )
    api_address: str | None = Field(
        None,
        description="Address of the API for uploads from the dashboard. Empty: the host and port above.",
    )
    dashboard_host: str = Field("127.0.0.1", description="Address the dashboard listens on.")
    dashboard_port: int = Field(8501, ge=1, le=65535, description="Port of the dashboard.")
    session_idle_s: float = Field(
        1800.0, ge=60, description="A person who does nothing for this long has to sign in again, in seconds."
    )
    session_lifetime_s: float = Field(
        43_200.0, ge=60, description="How long a person stays signed in at most, in seconds."
    )
    oidc_issuer: str | None = Field(
        None, description="Address of an OpenID Connect provider for single sign-on. Empty: none."
    )
    oidc_client_id: str | None = Field(None, description="What FleetFlow is called at that provider.")
    oidc_client_secret: SecretStr | None = Field(
        None, description="FleetFlow's secret there. Empty: a public client, which PKCE protects."
    )
    oidc_scopes: str = Field("openid profile email", description="What FleetFlow asks the provider for.")
    oidc_name_claim: str = Field(
        "preferred_username", description="The claim of the ID token that becomes a new account's name."
    )
    oidc_roles_claim: str = Field(
        "roles", description="The claim of the ID token that holds the roles, such as realm_access.roles."
    )
    oidc_roles: str = Field(
        "",
        description="Which value of that claim is which role, such as fleet-admins=admin,dispatch=fleet_manager."
        " Empty: the roles' own names.",
    )
    oidc_label: str = Field("Single sign-on", description="What the button on the sign-in page says.")
    trusted_proxies: str = Field(
        "127.0.0.1",
        description="Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto the dashboard"
        " believes, separated by commas.",
    )
    upload_files_per_hour: int = Field(100, ge=1, description="Most files that one person may upload in an hour.")
    quarantine_days: float = Field(
        30.0,
        ge=0,
        description="How long the dashboard keeps uploaded files as they came, in days. 0: not at all.",
    )
    keep_samples_days: int | None = Field(
        None,
        ge=1,
        description="After so many days workers remove a trip's samples; events and scores stay."
        " Empty: samples are kept.",
    )
    pseudonyms: bool = Field(
        False, description="Whether the dashboard shows drivers by a part of their id instead of by name."
    )
    workers: int = Field(1, ge=1, le=64, description="Worker processes that `make run` starts.")
    demo: bool = Field(True, description="Whether `make run` sends a simulated demo fleet into an empty database.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe log lines that are written."
    )

    max_body_bytes: int = Field(10_000_000, ge=1_000, description="Largest request body as sent, in bytes.")
    max_unpacked_bytes: int = Field(40_000_000, ge=1_000, description="Largest request body after gzip, in bytes.")
    max_points: int = Field(200_000, ge=1, description="Most points in a trip.")
    max_duration_s: float = Field(86_400.0, gt=0, description="Longest trip, in seconds.")
    max_g: float = Field(20.0, gt=0, description="Largest magnitude of an acceleration, in g.")
    max_speed_kmh: float = Field(400.0, gt=0, description="Largest speed, in km/h.")
    max_future_s: float = Field(600.0, ge=0, description="How far in the future a timestamp may lie, in seconds.")
    body_timeout_s: float = Field(
        15.0, gt=0, description="How long a client may take to send a request's body, in seconds."
    )
    body_memory_bytes: int = Field(
        48_000_000,
        ge=1_000,
        description="Memory for all request bodies being read and decoded at once, in bytes;"
        " further ones wait their turn.",
    )
    requests_at_once: int = Field(
        1_000,
        ge=1,
        description="How many posts each API process works on at once; further ones are answered 503"
        " instead of making all of them late.",
    )
    storage_timeout_s: float = Field(
        4.0, gt=0, description="How long a request waits for Postgres before it is answered 503, in seconds."
    )

    key_requests_per_minute: int = Field(
        120_000,
        ge=1,
        description="How many requests a minute an API key may send to each API process, unless it has a limit"
        " of its own; further ones are answered 429.",
    )
    max_waiting_trips: int = Field(
        50_000, ge=1, description="When so many trips wait for a worker, further ones are answered 503."
    )
    max_waiting_s: float = Field(
        86_400.0,
        gt=0,
        description="When the oldest trip has waited so long, further ones are refused, in seconds.",
    )

    queue_timeout_s: float = Field(5.0, gt=0, description="How long one exchange with the queue may take, in seconds.")
    queue_length: int = Field(
        200, ge=1, description="Most messages that wait in RabbitMQ; trips beyond are found by the sweep."
    )

    batch_trips: int = Field(96, ge=1, le=1000, description="Most trips a worker takes at once.")
    batch_points: int = Field(400_000, ge=1, description="Most points a worker takes at once (one trip always fits).")
    lease_s: float = Field(30.0, gt=0, description="How long a claimed trip belongs to its worker, in seconds.")
    sweep_s: float = Field(
        5.0, gt=0, description="How often a worker looks for trips that nobody announced, in seconds."
    )
    max_attempts: int = Field(5, ge=1, description="How often a trip may die with its worker before it is FAILED.")
    batch_time_limit_s: float = Field(
        60.0, gt=0, description="A worker that needs longer for one batch ends itself, in seconds."
    )

    worker_metrics_host: str = Field("127.0.0.1", description="Address on which a worker tells Prometheus its figures.")
    worker_metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port on which a worker tells Prometheus its figures; the second worker of `make run` takes the"
        " next one. 0: none.",
    )

    @property
    def key(self) -> str | None:
        """The API key in plain text."""
        return self.api_key.get_secret_value() if self.api_key else None

    def with_database(self, url: str) -> Self:
        """The same settings with another database."""
        return self.with_databases({"database_url": url})

    def with_databases(self, urls: Mapping[str, str]) -> Self:
        """The same settings with other URLs of the database, by the name of the setting."""
        return self.model_copy(update={name: SecretStr(url) for name, url in urls.items()})

    def for_program(self, name: str) -> Self:
        """The settings with the database as `ingest`, `worker` or `dashboard` reaches it, and nobody else's."""
        own = getattr(self, f"{name}_database_url") or self.database_url
        others = dict.fromkeys(("ingest_database_url", "worker_database_url", "dashboard_database_url"))
        return self.model_copy(update={**others, "database_url": own})

    def with_key(self, key: str) -> Self:
        """The same settings with another API key to call with."""
        return self.model_copy(update={"api_key": SecretStr(key)})

    @property
    def reachable_api(self) -> str:
        """The API's address for a program on this machine, or the one that was set."""
        return self.api_address or local_url(self.api_host, self.api_port)

    def as_environment(self) -> dict[str, str]:
        """The environment variables that give a child program exactly these settings, secrets included."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        plain = {
            name: each.get_secret_value() if isinstance(each, SecretStr) else each for name, each in values.items()
        }
        return {f"FLEETFLOW_{name.upper()}": str(each) for name, each in plain.items() if each is not None}


def local_url(host: str, port: int) -> str:
    """How this machine reaches a server that listens on `host`."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{f'[{local}]' if ':' in local else local}:{port}"


def read_settings() -> Settings:
    """The settings of this process. Raises ConfigurationError that names each variable and what is wrong with it."""
    try:
        return Settings()
    except ValidationError as error:
        faults = [f"FLEETFLOW_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in error.errors()]
        raise ConfigurationError("; ".join(faults)) from None
