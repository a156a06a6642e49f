"""Secrets that are given as files."""

from pathlib import Path

import pytest

from linkflow.apps.secret_files import with_secret_files
from linkflow.apps.settings import SettingInvalid, load


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    """A secret setting with _FILE is the content of the file, without the line's end."""
    file = tmp_path / "url"
    file.write_text("postgresql://linkflow:word@db/linkflow\n")

    found = load(with_secret_files({"LINKFLOW_DATABASE_URL_FILE": str(file)}), lambda text: None)

    assert "postgresql://linkflow:word@db/linkflow" == found.database_url


def test_other_settings_have_no_files(tmp_path: Path) -> None:
    """A setting that is no secret cannot be given as a file; the name is a stranger."""
    warnings: list[str] = []

    load(with_secret_files({"LINKFLOW_PORT_FILE": "/etc/port"}), warnings.append)

    assert 1 == len(warnings)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A missing file, and a setting given both ways, are named in words."""
    missing = {"LINKFLOW_SECRET_FILE": str(tmp_path / "none")}
    twice = {**missing, "LINKFLOW_SECRET": "0123456789abcdef"}

    with pytest.raises(SettingInvalid, match="LINKFLOW_SECRET_FILE"):
        with_secret_files(missing)
    with pytest.raises(SettingInvalid, match="both"):
        with_secret_files(twice)
