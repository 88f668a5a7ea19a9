from __future__ import annotations

import dataclasses
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import config

GOOD_KEY = "kX7-q2Vn0bLzR4tYw8Jm1PfHs5DcGuEa9oNi3"
GOOD_SALT = "Zt6yUq1LxWm8RvKc3BnHj5FgDs0PaOi2Ee7T4"
KEYS = ("q5b0cZ0u3m8s1n7y2k4w6x9a-_dEfGhIjKlMnOpQrSs=", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
PRODUCTION = {
    "INSUREFLOW_ENVIRONMENT": "production",
    "INSUREFLOW_DATABASE_URL": "postgresql://clerk:pw@db.example/insureflow",
    "INSUREFLOW_SECRET_KEY": GOOD_KEY,
    "INSUREFLOW_PASSWORD_SALT": GOOD_SALT,
    "INSUREFLOW_ENCRYPTION_KEYS": KEYS[0],
}


def problems_of(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(config.ConfigurationError) as caught:
        config.load(environ)
    return caught.value.problems


def test_development_needs_nothing_but_a_folder(tmp_path: Path) -> None:
    settings = config.load({"INSUREFLOW_INSTANCE": str(tmp_path / "instance")})
    assert isinstance(settings, config.DevelopmentConfig)
    assert settings.database_url == f"sqlite:///{tmp_path / 'instance' / 'insureflow.db'}"
    assert settings.sqlite_path == tmp_path / "instance" / "insureflow.db"
    assert settings.demo
    assert settings.scheduler_enabled


def test_development_makes_its_secrets_once_and_keeps_them_private(tmp_path: Path) -> None:
    environ = {"INSUREFLOW_INSTANCE": str(tmp_path)}
    first, second = config.load(environ), config.load(environ)
    assert first.secret_key == second.secret_key
    assert first.password_salt == second.password_salt
    assert first.secret_key != first.password_salt
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert first.encryption_keys == second.encryption_keys
    assert len(first.encryption_keys) == 1
    assert stat.S_IMODE((tmp_path / "encryption.json").stat().st_mode) == 0o600
    assert first.encryption_keys[0] not in repr(first)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["encryption.json", "secrets.json"]


def test_processes_starting_together_agree_on_the_secrets(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: config.load({"INSUREFLOW_INSTANCE": str(tmp_path)}).secret_key, range(16)))
    assert len(keys) == 1


def test_damaged_secrets_stop_the_start_with_advice(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(json.dumps({"secret_key": ""}))
    (problem,) = problems_of({"INSUREFLOW_INSTANCE": str(tmp_path)})
    assert "delete it" in problem


@pytest.mark.parametrize("content", ["{}", '{"encryption_key": "short"}', '{"encryption_key": ""}', "[]"])
def test_a_damaged_encryption_key_stops_the_start_with_advice(tmp_path: Path, content: str) -> None:
    (tmp_path / "encryption.json").write_text(content)
    (problem,) = problems_of({"INSUREFLOW_INSTANCE": str(tmp_path)})
    assert "encryption.json is damaged" in problem


def test_encryption_keys_are_a_list_with_the_newest_first(tmp_path: Path) -> None:
    environ = {**PRODUCTION, "INSUREFLOW_INSTANCE": str(tmp_path), "INSUREFLOW_ENCRYPTION_KEYS": f" {KEYS[1]} , {KEYS[0]},"}
    assert config.load(environ).encryption_keys == (KEYS[1], KEYS[0])


@pytest.mark.parametrize("wrong", ["short", f"{KEYS[0]},zzz", f"{KEYS[0]},{KEYS[0]}", "å" * 44])
def test_wrong_encryption_keys_are_refused_and_not_shown(wrong: str) -> None:
    (problem,) = problems_of({**PRODUCTION, "INSUREFLOW_ENCRYPTION_KEYS": wrong})
    assert problem.startswith("INSUREFLOW_ENCRYPTION_KEYS")
    assert wrong not in problem


def test_sandbox_insurers_answer_on_this_machine_alone(tmp_path: Path) -> None:
    settings = config.load({"INSUREFLOW_INSTANCE": str(tmp_path), "INSUREFLOW_SANDBOX_PORT": "8899"})
    assert settings.sandbox_url == "http://127.0.0.1:8899"
    assert settings.sandbox_path == tmp_path / "sandbox.db"


def test_workers_of_a_queue_need_a_server(tmp_path: Path) -> None:
    (problem,) = problems_of({"INSUREFLOW_QUEUE": "procrastinate", "INSUREFLOW_INSTANCE": str(tmp_path)})
    assert "needs PostgreSQL" in problem
    environ = {**PRODUCTION, "INSUREFLOW_QUEUE": "procrastinate", "INSUREFLOW_INSTANCE": str(tmp_path)}
    assert config.load(environ).queue == "procrastinate"


def test_testing_draws_new_secrets_each_time_and_writes_none(tmp_path: Path) -> None:
    environ = {"INSUREFLOW_ENVIRONMENT": "testing", "INSUREFLOW_INSTANCE": str(tmp_path)}
    assert config.load(environ).secret_key != config.load(environ).secret_key
    assert list(tmp_path.iterdir()) == []


def test_production_takes_given_secrets_and_sends_cookies_encrypted(tmp_path: Path) -> None:
    settings = config.load({**PRODUCTION, "INSUREFLOW_INSTANCE": str(tmp_path)})
    assert isinstance(settings, config.ProductionConfig)
    assert settings.secret_key == GOOD_KEY
    assert settings.log_format == "json"
    assert not settings.demo
    assert settings.flask()["SESSION_COOKIE_SECURE"] is True


def test_production_has_no_default_for_what_must_be_secret() -> None:
    problems = problems_of({"INSUREFLOW_ENVIRONMENT": "production"})
    assert [problem.split()[0] for problem in problems] == [
        "INSUREFLOW_DATABASE_URL",
        "INSUREFLOW_SECRET_KEY",
        "INSUREFLOW_PASSWORD_SALT",
        "INSUREFLOW_ENCRYPTION_KEYS",
    ]


@pytest.mark.parametrize(
    "weak",
    ["short", "a" * 64, "changeme-changeme-changeme-0123456789", "this-is-the-InsureFlow-secret-key-of-ours"],
)
def test_weak_and_example_secrets_are_refused_and_not_shown(weak: str) -> None:
    problems = problems_of({**PRODUCTION, "INSUREFLOW_SECRET_KEY": weak})
    assert len(problems) == 1
    assert problems[0].startswith("INSUREFLOW_SECRET_KEY")
    assert weak not in problems[0]


def test_key_and_salt_must_differ() -> None:
    (problem,) = problems_of({**PRODUCTION, "INSUREFLOW_PASSWORD_SALT": GOOD_KEY})
    assert "same as" in problem


def test_every_problem_is_listed_at_once() -> None:
    problems = problems_of(
        {
            "INSUREFLOW_ENVIRONMENT": "prodction",
            "INSUREFLOW_PROT": "80",
            "INSUREFLOW_PORT": "80000",
            "INSUREFLOW_HOST": "",
            "INSUREFLOW_LOG_LEVEL": "loud",
            "INSUREFLOW_DEFAULT_LOCALE": "xx",
            "INSUREFLOW_BUSINESS_TIME_ZONE": "Mars/Olympus",
            "INSUREFLOW_DATABASE_URL": "mysql://u:hidden@h/d",
            "INSUREFLOW_DEMO": "perhaps",
            "INSUREFLOW_MAX_UPLOAD_MIB": "-1",
        }
    )
    assert len(problems) == 9
    text = "\n".join(problems)
    assert "INSUREFLOW_PROT is not a setting" in text
    assert "hidden" not in text
    error = config.ConfigurationError(problems)
    assert str(error).startswith("9 settings are wrong:")


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("sqlite:///relative.db", "absolute"),
        ("postgresql://host", "name the database"),
        ("nonsense", "use sqlite"),
    ],
)
def test_database_addresses_are_checked(url: str, word: str) -> None:
    (problem,) = problems_of({"INSUREFLOW_DATABASE_URL": url})
    assert word in problem


def test_a_replica_is_a_server() -> None:
    (problem,) = problems_of({"INSUREFLOW_READ_DATABASE_URL": "sqlite:////tmp/x.db"})
    assert "PostgreSQL only" in problem


def test_foreign_variables_are_ignored_and_given_ones_are_read(tmp_path: Path) -> None:
    settings = config.load(
        {
            "PATH": "/bin",
            "FLASK_DEBUG": "1",
            "INSUREFLOW_INSTANCE": str(tmp_path),
            "INSUREFLOW_SHARED": "anywhere",
            "INSUREFLOW_PORT": " 9001 ",
            "INSUREFLOW_LOG_LEVEL": "debug",
            "INSUREFLOW_SCHEDULER_ENABLED": "no",
            "INSUREFLOW_MAX_UPLOAD_MIB": "7",
            "INSUREFLOW_SESSION_HOURS": "2",
            "INSUREFLOW_BUSINESS_TIME_ZONE": "Europe/Stockholm",
        }
    )
    assert settings.port == 9001
    assert settings.log_level == "DEBUG"
    assert not settings.scheduler_enabled
    assert settings.max_upload_bytes == 7 * 1024 * 1024
    assert settings.session_lifetime.total_seconds() == 7200
    assert settings.business_time_zone == "Europe/Stockholm"
    assert settings.flask()["DEBUG"] is False


def test_an_unusable_folder_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (problem,) = problems_of({"INSUREFLOW_INSTANCE": str(tmp_path / "file" / "instance")})
    assert problem.startswith("INSUREFLOW_INSTANCE")


def test_a_pooler_in_between_switches_prepared_statements_off(tmp_path: Path) -> None:
    environ = {**PRODUCTION, "INSUREFLOW_INSTANCE": str(tmp_path)}
    assert config.load(environ).flask()["SQLALCHEMY_ENGINE_OPTIONS"] == {"pool_pre_ping": True}
    pooled = config.load({**environ, "INSUREFLOW_DIRECT_DATABASE_URL": "postgresql://clerk:pw@db.example/insureflow"})
    assert pooled.flask()["SQLALCHEMY_ENGINE_OPTIONS"] == {"pool_pre_ping": True, "connect_args": {"prepare_threshold": None}}


def test_every_setting_fills_a_field_and_says_what_it_is_for() -> None:
    names = {field.name for field in dataclasses.fields(config.Config)}
    assert {setting.field for setting in config.SETTINGS} == names - {"supported_locales"}
    assert all(setting.meaning for setting in config.SETTINGS)


def test_the_mail_server_and_the_sender_belong_together(tmp_path: Path) -> None:
    base = {"INSUREFLOW_INSTANCE": str(tmp_path)}
    sender = {"INSUREFLOW_MAIL_FROM": '"Nordic Pumps, AR" <ar@seller.example>'}
    good = config.load({**base, **sender, "INSUREFLOW_SMTP_URL": "starttls://user:p%40ss@mail.example:587"})
    assert good.mail_from == '"Nordic Pumps, AR" <ar@seller.example>'
    assert "p%40ss" not in repr(good)
    for url in (
        "http://x",
        "smtp://",
        "smtp://x:0",
        "smtp://user:pass@mail.example",
        "smtps://user@x",
        "smtps://x?ca=/none",
        "smtp://x?y=1",
    ):
        with pytest.raises(config.ConfigurationError, match="INSUREFLOW_SMTP_URL"):
            config.load({**base, **sender, "INSUREFLOW_SMTP_URL": url})
    for address in ("nobody", "a@b", "a@b.example\r\nBcc: x@y.example", "å@b.example"):
        with pytest.raises(config.ConfigurationError, match="INSUREFLOW_MAIL_FROM"):
            config.load({**base, "INSUREFLOW_SMTP_URL": "smtp://x", "INSUREFLOW_MAIL_FROM": address})
    for half, missing in ((sender, "INSUREFLOW_SMTP_URL"), ({"INSUREFLOW_SMTP_URL": "smtp://localhost:2525"}, "INSUREFLOW_MAIL_FROM")):
        with pytest.raises(config.ConfigurationError, match=f"{missing} is missing"):
            config.load({**base, **half})
