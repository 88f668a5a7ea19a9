"""The application, put together in small steps."""

from __future__ import annotations

import logging

import structlog
from flask import Flask, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from flask_migrate import Migrate
from flask_security import Security, SQLAlchemyUserDatastore
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

import config
from insureflow import api, cli, web
from insureflow.api.access import is_api
from insureflow.i18n import catalogues
from insureflow.models import organisations
from insureflow.models.database import db
from insureflow.web import access, context, errors, headers, health, keys
from insureflow.web import filters as template_filters


def create_app(settings: config.Config | None = None) -> Flask:
    """The application with these settings, or with those of the environment. Errors: ``config.ConfigurationError``."""
    settings = settings or config.load()
    app = Flask("insureflow", instance_path=str(settings.instance_path.resolve()), static_folder="static", template_folder="templates")
    app.config.from_mapping(settings.flask())
    app.extensions["insureflow"] = settings
    for step in (
        _setup_logging,
        _setup_proxies,
        _setup_database,
        _setup_languages,
        _setup_accounts,
        _setup_forms,
        _setup_pages,
        _setup_api,
        _setup_errors,
        _setup_commands,
        _setup_static_files,
    ):
        step(app, settings)
    access.require_declared_permissions(app)
    return app


def _setup_logging(app: Flask, settings: config.Config) -> None:
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if settings.log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            headers.redact_secrets,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=settings.log_level, format="%(levelname)s %(name)s %(message)s")
    app.logger.setLevel(settings.log_level)
    logging.getLogger("pikepdf").setLevel(logging.WARNING)  # it would say at every start that it has started
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # its lines hold whole addresses; exchanges are logged apart, without secrets


def _setup_proxies(app: Flask, settings: config.Config) -> None:
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # Flask's documented way


def _setup_database(app: Flask, settings: config.Config) -> None:
    if settings.sqlite_path is not None:
        settings.sqlite_path.parent.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    Migrate(app, db, directory=str(cli.MIGRATIONS), render_as_batch=True, compare_type=True)


def _setup_languages(app: Flask, settings: config.Config) -> None:
    Babel(
        app,
        default_translation_directories=str(catalogues.DIRECTORY),
        locale_selector=context.choose_locale,
        timezone_selector=context.choose_time_zone,
    )
    app.config["SUPPORTED_LOCALES"] = settings.supported_locales


def _setup_accounts(app: Flask, settings: config.Config) -> None:
    app.config.update(
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 (the name of an algorithm, not a password)
        SECURITY_PASSWORD_LENGTH_MIN=12,
        SECURITY_REGISTERABLE=False,
        SECURITY_RECOVERABLE=False,
        SECURITY_CHANGEABLE=True,
        SECURITY_SEND_PASSWORD_CHANGE_EMAIL=False,
        SECURITY_LOGIN_URL="/login",
        SECURITY_LOGOUT_URL="/logout",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_CHANGE_URL="/account/password",
        SECURITY_POST_LOGIN_VIEW="/",
        SECURITY_POST_LOGOUT_VIEW="/login",
        SECURITY_POST_CHANGE_VIEW="/",
        SECURITY_LOGIN_USER_TEMPLATE="accounts/login.html",
        SECURITY_VERIFY_TEMPLATE="accounts/verify.html",
        SECURITY_CHANGE_PASSWORD_TEMPLATE="accounts/change_password.html",  # noqa: S106 (the name of a template)
        SECURITY_RETURN_GENERIC_RESPONSES=True,
        SECURITY_CSRF_IGNORE_UNAUTH_ENDPOINTS=False,
        SECURITY_FLASH_MESSAGES=True,
        SECURITY_I18N_DIRNAME=["builtin", str(catalogues.DIRECTORY)],
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False, "test_environment": settings.environment != "production"},
    )
    Security(app, SQLAlchemyUserDatastore(db, organisations.User, organisations.Role))


def _setup_forms(app: Flask, settings: config.Config) -> None:
    del settings
    CSRFProtect(app)


def _setup_pages(app: Flask, settings: config.Config) -> None:
    keys.register(app)
    template_filters.register(app)
    headers.register(app, secure=settings.secure_cookies)
    access.register(app)
    context.register(app)
    health.register(app)
    web.register(app)


def _setup_api(app: Flask, settings: config.Config) -> None:
    del settings
    api.register(app)


def _setup_errors(app: Flask, settings: config.Config) -> None:
    del settings

    def answer(error: Exception) -> ResponseReturnValue:
        return api.answer(error) if is_api(request.path) else errors.answer(error)

    app.register_error_handler(Exception, answer)


def _setup_commands(app: Flask, settings: config.Config) -> None:
    del settings
    cli.register(app)


def _setup_static_files(app: Flask, settings: config.Config) -> None:
    static = WhiteNoise(app.wsgi_app, max_age=3600 if settings.environment == "production" else 0)
    static.add_files(str(app.static_folder), prefix="static/")
    app.wsgi_app = static  # type: ignore[method-assign]  # Flask's documented way


def main() -> None:
    """Run a command of ``insureflow``."""
    cli.main(create_app)
