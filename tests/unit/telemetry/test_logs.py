"""Logs carry the ids they belong to, and never a secret nor a second line."""

import json
import logging
from collections.abc import Iterator
from contextvars import copy_context

import pytest
import structlog

from linkflow import telemetry

SECRET = "sk-live-5f2c0e9a"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Give the next test the logging it expects."""
    before = structlog.get_config()
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    structlog.configure(**before)
    logging.getLogger().handlers, logging.getLogger().level = handlers, level


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_says_what_its_task_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    """Every line after `about` carries the ids, and what a line says itself wins."""
    telemetry.set_up("info", as_json=True)

    def task() -> None:
        telemetry.about(request_id="r1", execution_id="e1")
        telemetry.logger("part").warning("something happened")
        telemetry.logger("part").info("another one", execution_id="e2")

    copy_context().run(task)  # as a task of its own: no other test is about e1

    first, second = lines(capsys)
    assert ("r1", "e1", "warning", "part") == tuple(
        first[name] for name in ("request_id", "execution_id", "level", "part")
    )
    assert ("r1", "e2") == (second["request_id"], second["execution_id"])


def test_secrets_are_concealed_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """What stands under a secret's name is not written, at any depth."""
    telemetry.set_up("info", as_json=True)

    telemetry.logger("part").info(
        "asked", password="x", headers={"Authorization": "Bearer abc", "accept": "*/*"}, card_pin="1234"
    )

    (line,) = lines(capsys)
    assert ("***", {"Authorization": "***", "accept": "*/*"}, "***") == (
        line["password"],
        line["headers"],
        line["card_pin"],
    )


@pytest.mark.parametrize("as_json", [True, False])
def test_opened_values_are_concealed_wherever_they_are(
    capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    """A value of an opened credential is not written: in the event, in a fact, in the trace of an error."""
    telemetry.set_up("info", as_json=as_json)
    telemetry.conceal({"api_key": SECRET, "pem": "-----BEGIN KEY-----\nMIIEvAIBADANBgkqhkiG9w0\n-----END"})
    log = telemetry.logger("part")

    said = f"calling with {SECRET}"
    log.info(said, url=f"https://x/?key={SECRET}", more=[{"in": SECRET}])
    try:
        raise ValueError(f"refused: {SECRET} and 'MIIEvAIBADANBgkqhkiG9w0'")
    except ValueError:
        log.exception("it failed")
    logging.getLogger("library").error("tried %s", SECRET)

    written = capsys.readouterr().out
    assert SECRET not in written
    assert "MIIEvAIBADANBgkqhkiG9w0" not in written
    assert written.count("***") >= 5
    assert "refused" in written
    assert "library" in written


def test_short_values_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """A short value that is not under a secret's name, such as a host or a user, does not riddle the log."""
    telemetry.set_up("info", as_json=True)
    telemetry.conceal({"user": "ada", "password": "abcd9"})

    telemetry.logger("part").info("ada came with abcd9")

    assert "ada came with ***" == lines(capsys)[0]["event"]


def test_nobody_forges_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A line break or an escape code in a value neither ends a line nor colours it."""
    for as_json in (True, False):
        telemetry.set_up("info", as_json=as_json)
        forged = "x\n2026-01-01 [info] owner signed in \x1b[31mred\u2028"
        telemetry.logger("part").info("named", name=forged)
        logging.getLogger("library").error(forged)
        try:
            raise ValueError(forged)
        except ValueError:
            telemetry.logger("part").exception("failed")

        written = capsys.readouterr().out
        assert not [line for line in written.splitlines() if line.startswith("2026-01-01 [info] owner")]
        assert "\x1b[31mred" not in written
        assert "\u2028" not in written


def test_levels_leave_lines_out(capsys: pytest.CaptureFixture[str]) -> None:
    """What is below the level is not written, and libraries speak from warning on."""
    telemetry.set_up("warning", as_json=True)

    telemetry.logger("part").info("quiet")
    logging.getLogger("library").info("quiet")
    logging.getLogger("library").warning("loud")

    assert ["loud"] == [line["event"] for line in lines(capsys)]
