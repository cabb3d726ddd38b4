"""Settings, read once from the environment (PERMITS_…) by whoever builds the service."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from permits.domain.establishment import Source
from permits.domain.siret import Siret

ROOT = Path(__file__).resolve().parents[1]
_POSTGRESQL = re.compile(r"(postgres|postgresql)(\+psycopg)?://\S+")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

Calls = Annotated[int, Field(ge=1, le=100_000)]


class Misconfigured(Exception):
    """The service can't start with these settings; says in French which one, and what to give."""


class Settings(BaseSettings):
    """Everything that differs between two installations. Secrets never print."""

    model_config = SettingsConfigDict(env_prefix="PERMITS_", extra="ignore")

    database_url: SecretStr | None = None
    var: Path = ROOT / "var"
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str | None = None
    rulebook: Path = ROOT / "rulebooks" / "exemple"

    sirene_sources: Annotated[tuple[Source, ...], NoDecode] = (Source.API_ENTREPRISE, Source.RECHERCHE_ENTREPRISES)
    api_entreprise_url: str = "https://entreprise.api.gouv.fr"
    api_entreprise_token: SecretStr | None = None
    api_entreprise_recipient: Siret | None = None
    # For a token without the right to protected data.
    api_entreprise_only_diffusible: bool = False
    # What each source allows; several services on one token or address share it.
    api_entreprise_calls_a_minute: Calls = 250
    insee_url: str = "https://api.insee.fr/api-sirene/3.11"
    insee_key: SecretStr | None = None
    insee_calls_a_minute: Calls = 30
    recherche_entreprises_url: str = "https://recherche-entreprises.api.gouv.fr"
    recherche_entreprises_calls_a_second: Calls = 7
    geocoder_url: str = "https://data.geopf.fr/geocodage"
    contact: str = "voirie@exemple-ville.example"

    seal_pkcs12: Path | None = None
    seal_passphrase: SecretStr | None = None
    # A key in a hardware module instead: the maker's library, the labels of the token and of the key, the user PIN.
    seal_pkcs11_module: Path | None = None
    seal_pkcs11_token: str | None = None
    seal_pkcs11_key: str | None = None
    seal_pkcs11_pin: SecretStr | None = None
    # Or kept by a trust service, which is asked by the API of the Cloud Signature Consortium.
    seal_csc_url: str | None = None
    seal_csc_credential: str | None = None
    seal_csc_token: SecretStr | None = None
    seal_csc_pin: SecretStr | None = None
    # Who stamps the time of seals (RFC 3161), the whole Authorization header it asks for, and the roots (PEM files)
    # to which the seal's chain and its own must lead.
    tsa_url: str | None = None
    tsa_authorization: SecretStr | None = None
    seal_trust: Annotated[tuple[Path, ...], NoDecode] = ()
    # What signs the QR codes: a PEM file, P-256, without passphrase.
    code_key: Path | None = None
    # The last checkpoint this book is held to, a file or a directory of them, and the keys that sign and verify it.
    checkpoint: Path | None = None
    checkpoint_key: Path | None = None
    checkpoint_public_key: Path | None = None
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    # Counters for Prometheus, on this machine's loopback only.
    metrics_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    documents_in_hand: Annotated[int, Field(ge=1, le=1000)] = 24
    # Tests run PostgreSQL without fsync; a service that promises anything never does.
    allow_unsafe_database: bool = False
    # For tests only: where and how the service is to fail, see permits.failpoint.
    failpoint: str | None = None

    @field_validator("sirene_sources", "seal_trust", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("sirene_sources")
    @classmethod
    def _are_different_sources(cls, value: tuple[Source, ...]) -> tuple[Source, ...]:
        if not value or len(set(value)) < len(value):
            raise ValueError("donnez une source au moins, et chacune une fois")
        return value

    @field_validator("api_entreprise_url", "insee_url", "recherche_entreprises_url", "geocoder_url", "tsa_url")
    @classmethod
    def _is_an_http_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            AnyHttpUrl(value)
        except ValidationError:
            raise ValueError("une adresse http(s)://… est attendue") from None
        return value

    @field_validator("database_url")
    @classmethod
    def _is_a_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _POSTGRESQL.fullmatch(value.get_secret_value()):
            raise ValueError("une adresse postgresql://… est attendue, sans guillemets ni espaces")
        return value

    @field_validator("tsa_authorization")
    @classmethod
    def _is_not_sent_in_the_clear(cls, value: SecretStr | None, others: ValidationInfo) -> SecretStr | None:
        address = urlsplit(others.data.get("tsa_url") or "")
        if value is not None and address.scheme == "http" and address.hostname not in _LOOPBACK:
            raise ValueError("il ne part qu’en https : PERMITS_TSA_URL=https://… est attendu")
        return value

    @property
    def has_seal(self) -> bool:
        """True when a key of some kind is given."""
        return any((self.seal_pkcs12, self.seal_pkcs11_module, self.seal_csc_url))

    @property
    def base_url(self) -> str:
        """The address people reach the service at, without a final slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")
