"""A setting that cannot be used ends a service with one clear line, and repeats no secret."""

import os
from pathlib import Path

import pytest

from handrail.configured import EXIT_USAGE, read, read_settings
from handrail.settings import Settings

GOOD = {"HANDRAIL_DATABASE_URL": "postgresql://intake:s3cret@127.0.0.1:5432/intake"}
SASL = {"HANDRAIL_KAFKA_SECURITY": "SASL_PLAINTEXT", "HANDRAIL_KAFKA_USERNAME": "handrail"}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("HANDRAIL_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({}, ["intake: HANDRAIL_DATABASE_URL: it is missing"]),
        (
            {"HANDRAIL_DATABASE_URL": "s3cret"},
            [
                "intake: HANDRAIL_DATABASE_URL: Input should be a valid URL, relative URL without a base"
            ],
        ),
        (
            GOOD | {"HANDRAIL_HTTP_PORT": "0", "HANDRAIL_LOG_LEVEL": "loud"},
            [
                "intake: HANDRAIL_HTTP_PORT: Input should be greater than or equal to 1",
                "intake: HANDRAIL_LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'",
            ],
        ),
        (
            GOOD | {"HANDRAIL_KAFKA_BOOTSTRAP": "kafka"},
            ["intake: HANDRAIL_KAFKA_BOOTSTRAP: Not a value this field can have."],
        ),
        (
            GOOD | SASL,
            [
                (
                    "intake: HANDRAIL_KAFKA_SECURITY asks for HANDRAIL_KAFKA_USERNAME and "
                    "HANDRAIL_KAFKA_PASSWORD (or …_FILE)."
                )
            ],
        ),
        (
            GOOD | {"HANDRAIL_KAFKA_CA_FILE": "/no/such.pem"},
            ["intake: the Kafka certificate or key /no/such.pem is not there."],
        ),
        (
            {"HANDRAIL_DATABASE_URL_FILE": "/no/such"},
            [
                (
                    "intake: HANDRAIL_DATABASE_URL_FILE: /no/such cannot be read "
                    "(No such file or directory)."
                )
            ],
        ),
        (
            GOOD | {"HANDRAIL_DATABASE_URL_FILE": "/no/such"},
            [
                "intake: HANDRAIL_DATABASE_URL and HANDRAIL_DATABASE_URL_FILE are both set; keep one."
            ],
        ),
        (
            GOOD | {"HANDRAIL_OTLP_ENDPOINT": "collector"},
            [
                (
                    "intake: HANDRAIL_OTLP_ENDPOINT: String should match pattern "
                    r"'^https?://[^\s/]+'"
                )
            ],
        ),
    ],
)
def test_each_mistake_is_one_line_that_says_what_to_mend(
    settings: dict[str, str],
    lines: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as ended:
        read_settings("intake")

    assert ended.value.code == EXIT_USAGE
    said = capsys.readouterr().err
    assert said.splitlines() == lines
    assert "s3cret" not in said


def test_a_secret_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "url"
    file.write_text(GOOD["HANDRAIL_DATABASE_URL"] + "\n")
    password = tmp_path / "password"
    password.write_text("pass word\n")
    for name, value in (SASL | {"HANDRAIL_DATABASE_URL_FILE": str(file)}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HANDRAIL_KAFKA_PASSWORD_FILE", str(password))

    settings = read(Settings, "intake")

    assert settings.dsn() == GOOD["HANDRAIL_DATABASE_URL"]
    assert settings.kafka_access()["sasl_plain_password"] == "pass word"
    assert "s3cret" not in repr(settings)
