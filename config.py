"""The settings of an installation: this module alone reads the environment.

Every variable is called ``INSUREFLOW_…``. ``load`` reads them all, checks them all and, where anything is wrong, raises one
``ConfigurationError`` that lists every problem with what to do about it. Nothing else in the product looks at the environment.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import secrets
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import ClassVar, Literal
from urllib.parse import parse_qs, urlsplit

LogFormat = Literal["console", "json"]
QueueKind = Literal["embedded", "procrastinate"]

PREFIX = "INSUREFLOW_"
SUPPORTED_LOCALES = ("en", "sv")
MINIMUM_SECRET_LENGTH = 32

_ROOT = Path(__file__).resolve().parent
_MEBIBYTE = 1024 * 1024
_ENCRYPTION_KEY_BYTES = 32
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_EXAMPLE_SECRETS = (
    "changeme",
    "change-me",
    "change_me",
    "secret",
    "password",
    "insureflow",
    "example",
    "default",
    "0123456789",
    "development",
)
_READ_BY_OTHERS = frozenset({"INSUREFLOW_SHARED"})  # the tests look for the real files of the folder beside the repository there


class ConfigurationError(Exception):
    """The settings cannot be used; ``problems`` holds one plain sentence per fault, with what to do about it."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        count = len(self.problems)
        title = "1 setting is wrong:" if count == 1 else f"{count} settings are wrong:"
        return "\n".join([title, *(f"  - {problem}" for problem in self.problems)])


@dataclass(frozen=True, kw_only=True)
class Config:
    """All settings, checked. ``load`` is the way to get one; tests may build one with ``dataclasses.replace``."""

    environment: ClassVar[str] = ""
    debug: ClassVar[bool] = False
    testing: ClassVar[bool] = False

    instance_path: Path
    database_url: str
    secret_key: str
    password_salt: str
    read_database_url: str | None = None
    direct_database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    url_scheme: str = "http"
    trusted_proxies: int = 0
    web_threads: int = 8
    max_upload_bytes: int = 50 * _MEBIBYTE
    log_level: str = "INFO"
    log_format: LogFormat = "console"
    default_locale: str = "en"
    supported_locales: tuple[str, ...] = SUPPORTED_LOCALES
    business_time_zone: str = "UTC"
    scheduler_enabled: bool = True
    demo: bool = False
    session_lifetime: timedelta = timedelta(hours=12)
    encryption_keys: tuple[str, ...] = field(default=(), repr=False)
    sandbox_port: int = 8801
    queue: QueueKind = "embedded"
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    public_url: str | None = None
    private_webhooks: bool = False

    @property
    def uses_sqlite(self) -> bool:
        """Whether the data is kept in an embedded SQLite file."""
        return self.database_url.startswith("sqlite:")

    @property
    def sqlite_path(self) -> Path | None:
        """The file of an embedded database; None for a database server or one that lives in memory."""
        if not self.uses_sqlite:
            return None
        name = self.database_url.partition(":///")[2].partition("?")[0]
        return None if name in ("", ":memory:") else Path(name)

    @property
    def sandbox_url(self) -> str:
        """Where the sandbox insurers of this machine answer."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def sandbox_path(self) -> Path:
        """The file in which the sandbox insurers keep what they know."""
        return self.instance_path / "sandbox.db"

    @property
    def secure_cookies(self) -> bool:
        """Whether browsers may send the session over an encrypted connection only."""
        return self.url_scheme == "https"

    def flask(self) -> dict[str, object]:
        """The settings under the names that Flask and its extensions look for."""
        engine_options: dict[str, object] = {}
        if not self.uses_sqlite:
            engine_options = {"pool_pre_ping": True}
            if self.direct_database_url is not None:  # a pooler stands in between, and prepared statements do not survive it
                engine_options["connect_args"] = {"prepare_threshold": None}
        return {
            "DEBUG": self.debug,
            "TESTING": self.testing,
            "SECRET_KEY": self.secret_key,
            "SECURITY_PASSWORD_SALT": self.password_salt,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "SQLALCHEMY_ENGINE_OPTIONS": engine_options,
            "MAX_CONTENT_LENGTH": self.max_upload_bytes,
            "MAX_FORM_MEMORY_SIZE": 2 * _MEBIBYTE,
            "PREFERRED_URL_SCHEME": self.url_scheme,
            "SESSION_COOKIE_NAME": "insureflow",
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_SECURE": self.secure_cookies,
            "PERMANENT_SESSION_LIFETIME": self.session_lifetime,
            "BABEL_DEFAULT_LOCALE": self.default_locale,
            "BABEL_DEFAULT_TIMEZONE": self.business_time_zone,
            "INSUREFLOW": self,
        }


@dataclass(frozen=True, kw_only=True)
class DevelopmentConfig(Config):
    """One person at one machine: an embedded database, secrets made on first start, the demo allowed."""

    environment: ClassVar[str] = "development"

    demo: bool = True


@dataclass(frozen=True, kw_only=True)
class TestingConfig(Config):
    """The test runs: new secrets each time, quiet logs."""

    __test__: ClassVar[bool] = False
    environment: ClassVar[str] = "testing"
    testing: ClassVar[bool] = True

    log_level: str = "WARNING"
    scheduler_enabled: bool = False

    def flask(self) -> dict[str, object]:
        """The settings for Flask, with the cheapest real password hash: tests log in a thousand times."""
        return {**super().flask(), "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {"argon2__rounds": 1, "argon2__memory_cost": 64}}


@dataclass(frozen=True, kw_only=True)
class ProductionConfig(Config):
    """A real installation: every secret is given from outside, cookies travel encrypted, logs are JSON lines."""

    environment: ClassVar[str] = "production"

    url_scheme: str = "https"
    log_format: LogFormat = "json"


_CLASSES: Mapping[str, type[Config]] = {kind.environment: kind for kind in (DevelopmentConfig, TestingConfig, ProductionConfig)}


def _text(value: str) -> str:
    return value


def _path(value: str) -> Path:
    return Path(value).expanduser().resolve()


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        for word in allowed:
            if value.casefold() == word.casefold():
                return word
        msg = f"use one of {', '.join(allowed)}"
        raise ValueError(msg)

    return parse


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            msg = f"use a whole number from {least} to {most}"
            raise ValueError(msg)
        return int(value)

    return parse


def _mebibytes(value: str) -> int:
    return _whole_number(1, 2048)(value) * _MEBIBYTE


def _hours(value: str) -> timedelta:
    return timedelta(hours=_whole_number(1, 24 * 30)(value))


def _switch(value: str) -> bool:
    answer = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}.get(value.casefold())
    if answer is None:
        msg = "use yes or no"
        raise ValueError(msg)
    return answer


def _time_zone(value: str) -> str:
    if value not in zoneinfo.available_timezones():
        msg = "use a name of the IANA time zone database, such as Europe/Stockholm"
        raise ValueError(msg)
    return value


def _database_url(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in {"sqlite", "postgresql", "postgresql+psycopg"}:
        msg = "use sqlite:///<absolute path> or postgresql://user:password@host/name"
        raise ValueError(msg)
    if scheme == "sqlite" and not rest.startswith("//") and rest != "/:memory:":
        msg = "name the SQLite file by its absolute path: four slashes, as in sqlite:////var/lib/insureflow/insureflow.db"
        raise ValueError(msg)
    if scheme != "sqlite" and not urlsplit(value).path.strip("/"):
        msg = "name the database at the end of the address, as in postgresql://user:password@host/insureflow"
        raise ValueError(msg)
    return value


def _server_url(value: str) -> str:
    url = _database_url(value)
    if url.startswith("sqlite:"):
        msg = "this setting is for PostgreSQL only: remove it, or use postgresql://user:password@host/name"
        raise ValueError(msg)
    return url


def _secret(value: str) -> str:
    lowered = value.casefold()
    if len(value) < MINIMUM_SECRET_LENGTH or len(set(value)) < 10:
        msg = f'use at least {MINIMUM_SECRET_LENGTH} random characters, as made by: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        raise ValueError(msg)
    if any(word in lowered for word in _EXAMPLE_SECRETS):
        msg = 'this is an example value: make an own one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        raise ValueError(msg)
    return value


def _smtp_url(value: str) -> str:
    url = urlsplit(value)
    try:
        port = url.port
    except ValueError:
        port = 0
    if url.scheme not in {"smtp", "smtps", "starttls"} or not url.hostname or port == 0 or url.path.strip("/"):
        msg = "use smtp://host:port, starttls://user:password@host:port or smtps://user:password@host:port, with ?ca=/file for a private authority"
        raise ValueError(msg)
    if bool(url.username) != bool(url.password):
        msg = "give both a user and a password, or neither"
        raise ValueError(msg)
    if url.username and url.scheme == "smtp" and url.hostname not in {"localhost", "127.0.0.1", "::1"}:
        msg = "a password must not travel unencrypted: use starttls:// or smtps://"
        raise ValueError(msg)
    options = parse_qs(url.query, keep_blank_values=True)
    if set(options) - {"ca"} or (options.get("ca") and not Path(options["ca"][0]).is_file()):
        msg = "the only option is ?ca=/file, which names a file of certificates that this user may read"
        raise ValueError(msg)
    return value


def _public_url(value: str) -> str:
    url = urlsplit(value)
    if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment or url.username:
        msg = "use the address under which people reach the product, such as https://insureflow.company.example"
        raise ValueError(msg)
    return value.rstrip("/")


def _mail_from(value: str) -> str:
    name, address = parseaddr(value)
    local, _at, domain = address.rpartition("@")
    if not local or "." not in domain or not address.isascii() or any(ord(character) < 32 for character in value) or " " in address:
        msg = "use receivables@company.example or Company <receivables@company.example>"
        raise ValueError(msg)
    plain = name.replace('"', "").replace("\\", "")
    return f'"{plain}" <{address}>' if plain else address


def _encryption_keys(value: str) -> tuple[str, ...]:
    keys = tuple(part.strip() for part in value.split(",") if part.strip())
    for key in keys:
        try:
            is_key = len(base64.urlsafe_b64decode(key.encode("ascii"))) == _ENCRYPTION_KEY_BYTES
        except (binascii.Error, UnicodeEncodeError):
            is_key = False
        if not is_key:
            msg = (
                "use one or more keys with commas between them, the newest first, each as made by: "
                'python3 -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
            )
            raise ValueError(msg)
    if len(set(keys)) != len(keys):
        msg = "name each key once"
        raise ValueError(msg)
    return keys


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable of the environment: the field it fills, how it is read, what it is for, whether its value must not be shown."""

    field: str
    read: Callable[[str], object]
    meaning: str
    is_secret: bool = False

    @property
    def variable(self) -> str:
        """The variable's full name."""
        return PREFIX + self.field.upper()


SETTINGS: tuple[Setting, ...] = (
    Setting("instance_path", _path, "folder for the embedded database and everything the installation keeps in files"),
    Setting("database_url", _database_url, "the database: sqlite:////absolute/file or postgresql://…", is_secret=True),
    Setting("read_database_url", _server_url, "a PostgreSQL replica for reports and dashboards", is_secret=True),
    Setting(
        "direct_database_url", _server_url, "the PostgreSQL server itself, when database_url leads to a connection pooler", is_secret=True
    ),
    Setting("secret_key", _secret, "signs sessions and links", is_secret=True),
    Setting("password_salt", _secret, "is mixed into every password before it is hashed", is_secret=True),
    Setting("host", _text, "address the web server listens on"),
    Setting("port", _whole_number(1, 65535), "port the web server listens on"),
    Setting("url_scheme", _choice("http", "https"), "how people reach the product from outside"),
    Setting("trusted_proxies", _whole_number(0, 5), "how many proxies in front are trusted to name the caller"),
    Setting("web_threads", _whole_number(1, 64), "requests answered at the same time by one web process"),
    Setting("max_upload_bytes", _mebibytes, "largest file that may be uploaded, in MiB"),
    Setting("log_level", _choice(*_LOG_LEVELS), "how much is logged"),
    Setting("log_format", _choice("console", "json"), "log lines for people or for machines"),
    Setting("default_locale", _choice(*SUPPORTED_LOCALES), "language where a reader has not chosen one"),
    Setting("business_time_zone", _time_zone, "where a business day begins and ends"),
    Setting("scheduler_enabled", _switch, "whether this installation runs recurring work"),
    Setting("demo", _switch, "whether the demo organisation may be loaded"),
    Setting("session_lifetime", _hours, "how long a log-in lasts, in hours"),
    Setting(
        "encryption_keys",
        _encryption_keys,
        "encrypt the credentials of connections to insurers: the first key encrypts, every key decrypts",
        is_secret=True,
    ),
    Setting("sandbox_port", _whole_number(1, 65535), "port on which the sandbox insurers answer, on this machine alone"),
    Setting(
        "queue", _choice("embedded", "procrastinate"), "who does the work of connections: the scheduler itself, or workers of procrastinate"
    ),
    Setting(
        "smtp_url",
        _smtp_url,
        "the mail server: smtp://host:port, starttls://user:password@host:port or smtps://…; without it mail is kept and waits",
        is_secret=True,
    ),
    Setting("public_url", _public_url, "the address under which people reach the product; links in e-mails begin with it"),
    Setting("mail_from", _mail_from, "who mail comes from, as in Company <receivables@company.example>"),
    Setting("private_webhooks", _switch, "whether events may be sent to addresses inside our own network"),
)

_NEEDED_IN_PRODUCTION = frozenset({"database_url", "secret_key", "password_salt", "encryption_keys"})

# Variables whose unit is part of their name, or which are shorter than the field they fill.
_VARIABLES: Mapping[str, str] = {
    "instance_path": "INSUREFLOW_INSTANCE",
    "max_upload_bytes": "INSUREFLOW_MAX_UPLOAD_MIB",
    "session_lifetime": "INSUREFLOW_SESSION_HOURS",
}


def variable_of(setting: Setting) -> str:
    """The name of the environment variable that fills a setting."""
    return _VARIABLES.get(setting.field, setting.variable)


def load(environ: Mapping[str, str] | None = None) -> Config:
    """The checked settings of this process; every fault at once as a ``ConfigurationError``.

    A development instance makes its secrets on first start and keeps them in ``secrets.json`` of the instance folder,
    readable by its owner alone.
    """
    given = {name: value.strip() for name, value in (os.environ if environ is None else environ).items() if name.startswith(PREFIX)}
    problems = _unknown_names(given)
    environment = given.get("INSUREFLOW_ENVIRONMENT", "development").casefold()
    kind = _CLASSES.get(environment)
    if kind is None:
        problems.append(f"INSUREFLOW_ENVIRONMENT is {given['INSUREFLOW_ENVIRONMENT']!r}: use one of {', '.join(_CLASSES)}")
    values = _read(given, problems)
    if kind is ProductionConfig:
        problems += [
            f"{variable_of(setting)} is missing: production has no default for it ({setting.meaning})"
            for setting in SETTINGS
            if setting.field in _NEEDED_IN_PRODUCTION and not given.get(variable_of(setting))
        ]
        if values.get("secret_key") is not None and values.get("secret_key") == values.get("password_salt"):
            problems.append("INSUREFLOW_PASSWORD_SALT is the same as INSUREFLOW_SECRET_KEY: give each an own value")
    if bool(values.get("smtp_url")) != bool(values.get("mail_from")) and not problems:
        missing = "INSUREFLOW_MAIL_FROM" if values.get("smtp_url") else "INSUREFLOW_SMTP_URL"
        problems.append(f"{missing} is missing: the mail server and the sender belong together, so set both or neither")
    if values.get("queue") == "procrastinate" and not str(values.get("database_url", "")).startswith("postgresql"):
        problems.append("INSUREFLOW_QUEUE is 'procrastinate', which needs PostgreSQL: set INSUREFLOW_DATABASE_URL to one, or use embedded")
    if kind is None or problems:
        raise ConfigurationError(tuple(problems))
    return _complete(kind, values)


def _unknown_names(given: Mapping[str, str]) -> list[str]:
    known = {"INSUREFLOW_ENVIRONMENT", *(variable_of(setting) for setting in SETTINGS), *_READ_BY_OTHERS}
    return [
        f"{name} is not a setting: correct its spelling or remove it (the settings are {', '.join(sorted(known - _READ_BY_OTHERS))})"
        for name in sorted(set(given) - known)
    ]


def _read(given: Mapping[str, str], problems: list[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for setting in SETTINGS:
        variable = variable_of(setting)
        raw = given.get(variable)
        if not raw:
            continue
        try:
            values[setting.field] = setting.read(raw)
        except ValueError as error:
            shown = "has a value that cannot be used" if setting.is_secret else f"is {raw!r}"
            problems.append(f"{variable} {shown}: {error}")
    return values


def _complete(kind: type[Config], values: dict[str, object]) -> Config:
    """The settings with what is not given filled in: the instance folder, the embedded database, the secrets."""
    instance = values.setdefault("instance_path", _default_instance())
    if not isinstance(instance, Path):  # pragma: no cover -- only a wrong table of settings could do this
        raise TypeError(instance)
    try:
        instance.mkdir(parents=True, exist_ok=True)
        made = _kept_secrets(instance) if kind is DevelopmentConfig else _new_secrets()
    except (OSError, ValueError) as error:
        problem = f"INSUREFLOW_INSTANCE: the folder {instance} cannot be used ({error}): name a folder this user may write to"
        raise ConfigurationError((problem,)) from error
    values.setdefault("database_url", f"sqlite:///{instance / 'insureflow.db'}")
    if kind is not ProductionConfig:
        values = {**made, **values}
    names = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in names})  # type: ignore[arg-type]  # each reader gives its field's type


def _default_instance() -> Path:
    """``instance`` beside this file in a checkout, in the working folder for an installed package."""
    return (_ROOT if (_ROOT / "pyproject.toml").is_file() else Path.cwd()) / "instance"


def _new_secrets() -> dict[str, object]:
    return {
        "secret_key": secrets.token_urlsafe(48),
        "password_salt": secrets.token_urlsafe(48),
        "encryption_keys": (_new_encryption_key(),),
    }


def _new_encryption_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(_ENCRYPTION_KEY_BYTES)).decode("ascii")


def _kept_secrets(instance: Path) -> dict[str, object]:
    """The secrets of a development instance: made once, then read. Two processes starting together agree on them.

    An instance that was made before credentials were encrypted gets its key in a file of its own.
    """
    kept = _kept_in(instance / "secrets.json", lambda: {name: text for name, text in _new_secrets().items() if isinstance(text, str)})
    if not all(kept.get(name) for name in ("secret_key", "password_salt")):
        msg = "secrets.json is damaged: delete it, and everybody logs in anew"
        raise ValueError(msg)
    encryption = _kept_in(instance / "encryption.json", lambda: {"encryption_key": _new_encryption_key()})
    try:
        keys = _encryption_keys(encryption.get("encryption_key", ""))
    except ValueError:
        keys = ()
    if not keys:
        msg = "encryption.json is damaged: put it back from a copy, or delete it and give the credentials of every connection anew"
        raise ValueError(msg)
    return {"secret_key": kept["secret_key"], "password_salt": kept["password_salt"], "encryption_keys": keys}


def _kept_in(path: Path, make: Callable[[], Mapping[str, object]]) -> dict[str, str]:
    """The texts in a file of secrets; made where it does not exist. Of two processes the quicker one's count."""
    if not path.exists():
        draft = path.with_name(f"{path.stem}.{secrets.token_hex(8)}.json")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(make(), stream)
        with contextlib.suppress(FileExistsError):  # somebody was quicker, and theirs counts
            os.link(draft, path)
        draft.unlink()
    kept = json.loads(path.read_text(encoding="utf-8"))
    return {name: text for name, text in kept.items() if isinstance(text, str)} if isinstance(kept, dict) else {}
