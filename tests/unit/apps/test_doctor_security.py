"""What `linkflow doctor --security` finds."""

from pathlib import Path
from typing import Any

import pytest

from linkflow.apps.doctor_security import examine_security
from linkflow.apps.settings import Settings


def found(home: Path, **settings: Any) -> dict[str, str]:
    """Say the state of each look."""
    return {each.look: each.state for each in examine_security(Settings(home=home, **settings))}


def test_a_first_start_is_safe(tmp_path: Path) -> None:
    """Whoever changes nothing has nothing to close."""
    assert {"ok"} == set(found(tmp_path).values())


@pytest.mark.parametrize(
    ("settings", "look", "state"),
    [
        ({"host": "0.0.0.0"}, "public address", "error"),
        ({"host": "0.0.0.0", "public_url": "https://x.example"}, "public address", "ok"),
        ({"secret": "short"}, "signing secret", "error"),
        ({"owner_password": "correct horse"}, "owner's password", "warning"),
        ({"outbound_allow": ("0.0.0.0/0",)}, "calls inside", "error"),
        ({"outbound_allow": ("10.0.0.7",)}, "calls inside", "warning"),
        ({"database_url": "postgresql://db.example/x"}, "way to the database", "warning"),
        ({"database_url": "postgresql://db.example/x?sslmode=verify-full"}, "way to the database", "ok"),
        ({"smtp_url": "smtp://u:p@mail.example"}, "mail", "warning"),
        ({"insecure": True}, "between processes", "error"),
        ({"log_level": "debug"}, "log", "warning"),
    ],
)
def test_what_could_be_misused_is_said(
    tmp_path: Path, settings: dict[str, Any], look: str, state: str
) -> None:
    """Each gap is found under its name, and closing it is too."""
    assert state == found(tmp_path, **settings)[look]


def test_keys_that_others_may_read_are_found(tmp_path: Path) -> None:
    """A key file that the group may read is an error, and how to mend it is said."""
    (tmp_path / "keys").mkdir(mode=0o700)
    key = tmp_path / "keys" / "sealing.key"
    key.write_text("x")
    key.chmod(0o640)
    (finding,) = [each for each in examine_security(Settings(home=tmp_path)) if each.look == "files"]

    assert ("error", True) == (finding.state, "chmod" in finding.mend)
