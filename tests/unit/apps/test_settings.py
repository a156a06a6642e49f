"""Reading the settings."""

from pathlib import Path

import pytest

from linkflow.apps.settings import SETTINGS, SettingInvalid, Settings, load, reference


def quiet(text: str) -> None:
    raise AssertionError(f"nothing should be said, but: {text}")


def test_nothing_set_means_the_defaults(tmp_path: Path) -> None:
    """With no variable but the folder, every setting has its documented default."""
    assert Settings(home=tmp_path) == load({"LINKFLOW_HOME": str(tmp_path), "PATH": "/bin"}, quiet)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A value of the file counts unless a variable says otherwise."""
    (tmp_path / "linkflow.toml").write_text(
        'port = 9000\nhost = "0.0.0.0"\noutbound_allow = ["10.0.0.0/8", "db"]\n'
    )

    settings = load({"LINKFLOW_HOME": str(tmp_path), "LINKFLOW_PORT": "9001"}, quiet)

    assert (9001, "0.0.0.0", ("10.0.0.0/8", "db")) == (settings.port, settings.host, settings.outbound_allow)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LINKFLOW_PORT", "http", "'http' is not a port"),
        ("LINKFLOW_PORT", "65536", "not a port"),
        ("LINKFLOW_PORT", "²", "not a port"),
        ("LINKFLOW_DATABASE_URL", "mysql://x", "postgresql://user:password@host/database"),
        ("LINKFLOW_QUEUE", "kafka", "say embedded, redis or rabbitmq"),
        ("LINKFLOW_REDIS_URL", "http://x", "redis://user:password@host:6379/0"),
        ("LINKFLOW_RABBITMQ_URL", "redis://x", "amqp://user:password@host:5672/vhost"),
        ("LINKFLOW_WORKER_SLOTS", "0", "not a number from 1"),
        ("LINKFLOW_SECRET", "short", "openssl rand"),
        ("LINKFLOW_OWNER_EMAIL", "me", "no e-mail address"),
        ("LINKFLOW_OWNER_PASSWORD", "1234567", "shorter than 8"),
        ("LINKFLOW_OUTBOUND_ALLOW", "10.0.0.1/8", "'10.0.0.1/8', which is no network"),
        ("LINKFLOW_OUTBOUND_ALLOW", "a b", "'a b', which is no host"),
        ("LINKFLOW_PUBLIC_URL", "example.com", "no web address"),
        ("LINKFLOW_LOG_LEVEL", "loud", "say debug, info, warning or error"),
    ],
)
def test_a_wrong_value_says_what_where_and_how(tmp_path: Path, name: str, value: str, words: str) -> None:
    """A value that cannot be used is an error with the setting, the place it came from and the remedy."""
    with pytest.raises(SettingInvalid) as refused:
        load({"LINKFLOW_HOME": str(tmp_path), name: value}, quiet)

    said = str(refused.value)
    assert (True, True, True) == (said.startswith(name), words in said, f"the variable {name}" in said)


@pytest.mark.parametrize("name", [name for name, each in SETTINGS.items() if each.metadata["secret"]])
def test_secrets_are_never_repeated(tmp_path: Path, name: str) -> None:
    """A secret is shown neither in an error about it nor in the representation of the settings."""
    settings = Settings(home=tmp_path, secret="s3cret-s3cret", owner_password="s3cret", database_url="s3cret")
    try:
        load({"LINKFLOW_HOME": str(tmp_path), name: "s3cret"}, quiet)
    except SettingInvalid as refused:
        said = str(refused)
    else:
        said = "accepted"

    assert ("s3cret" in said, "s3cret" in repr(settings)) == (False, False)


def test_an_unknown_name_is_a_warning_with_the_nearest(tmp_path: Path) -> None:
    """A misspelt variable or line of the file is named, with what was probably meant."""
    file = tmp_path / "linkflow.toml"
    file.write_text("hots = 'x'\n")
    said: list[str] = []

    load({"LINKFLOW_HOME": str(tmp_path), "LINKFLOW_PROT": "1", "LINKFLOW_REQUIRE_ALL": "1"}, said.append)

    assert [
        "There is no setting LINKFLOW_PROT (the variable LINKFLOW_PROT); did you mean LINKFLOW_PORT?",
        f"There is no setting LINKFLOW_HOTS (hots in {file}); did you mean LINKFLOW_HOST?",
    ] == said


@pytest.mark.parametrize(
    "text", ["port = ", 'home = "/elsewhere"', "port = true", "port = [1]", "port = {a = 1}"]
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str) -> None:
    """A file that cannot be read, or that says what a file cannot say, is an error that names the file."""
    (tmp_path / "linkflow.toml").write_text(text)

    with pytest.raises(SettingInvalid, match=r"linkflow\.toml"):
        load({"LINKFLOW_HOME": str(tmp_path)}, quiet)


def test_addresses_are_normalised(tmp_path: Path) -> None:
    """E-mail addresses are trimmed and lower-cased (B2), and web addresses lose the slash at their end."""
    settings = load(
        {
            "LINKFLOW_HOME": str(tmp_path),
            "LINKFLOW_OWNER_EMAIL": " Ada@Example.COM ",
            "LINKFLOW_PUBLIC_URL": "https://flows.example.com/",
            "LINKFLOW_OUTBOUND_ALLOW": "LOCALHOST:8080, *.internal ,[::1]:80,,fd00::/8",
        },
        quiet,
    )

    assert ("ada@example.com", "https://flows.example.com") == (settings.owner_email, settings.public_url)
    assert ("localhost:8080", "*.internal", "[::1]:80", "fd00::/8") == settings.outbound_allow


def test_every_setting_is_described() -> None:
    """The reference has one row for each setting, and each says what the setting is for."""
    rows = reference()

    assert list(SETTINGS) == [row[0] for row in rows]
    assert [] == [row for row in rows if not row[3].endswith(".")]
