"""Doctor: it finds what is wrong, and says how to mend it."""

import datetime as dt
import json
import resource
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from linkflow.apps import doctor, doctor_outside
from linkflow.apps.findings import Finding
from linkflow.apps.settings import Settings

NOBODY = "127.0.0.1:1"


def of(findings: Sequence[Finding], look: str) -> Finding:
    return next(each for each in findings if each.look == look)


def certificate(folder: Path, days: int) -> tuple[Path, Path]:
    """Make a certificate that ends in some days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=100))
        .not_valid_after(now + dt.timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / f"{days}.pem", folder / f"{days}.key"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    key_file.chmod(0o600)
    return cert_file, key_file


def test_a_new_installation_is_well(tmp_path: Path) -> None:
    """Before the first start nothing is wrong, and each thing was looked at once."""
    findings = doctor.examine(Settings(home=tmp_path / "new"))

    assert [] == [each for each in findings if each.state == "error"]
    assert {"python", "home", "disk", "limits", "keys", "database", "redis", "rabbitmq", "certificates"} <= {
        each.look for each in findings
    }


def test_whatever_is_wrong_says_how_to_mend_it(tmp_path: Path) -> None:
    """Servers that do not answer, keys that others may read, half a certificate: each with what to do."""
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "sealing.key").write_text("00")
    (keys / "sealing.key").chmod(0o644)
    findings = doctor.examine(
        Settings(
            home=tmp_path,
            database_url=f"postgresql://nobody@{NOBODY}/none",
            redis_url=f"redis://{NOBODY}/0",
            rabbitmq_url=f"amqp://guest:guest@{NOBODY}/",
            tls_cert=tmp_path / "missing.pem",
        )
    )
    wrong = [each for each in findings if each.state == "error"]

    assert {"database", "redis", "rabbitmq", "keys", "certificates"} == {each.look for each in wrong}
    assert all(each.mend for each in wrong)


def test_a_queue_without_its_broker_is_an_error(tmp_path: Path) -> None:
    """A queue that was chosen and whose broker was not named cannot work."""
    assert "error" == doctor_outside.redis(Settings(home=tmp_path, queue="redis"))[0].state
    assert "error" == doctor_outside.rabbitmq(Settings(home=tmp_path, queue="rabbitmq"))[0].state


@pytest.mark.parametrize(("days", "state"), [(100, "ok"), (5, "warning"), (-1, "error")])
def test_a_certificate_that_ends(tmp_path: Path, days: int, state: str) -> None:
    """A certificate is looked at before it ends, not after."""
    cert, key = certificate(tmp_path, days)

    (found,) = doctor_outside.certificates(Settings(home=tmp_path, tls_cert=cert, tls_key=key))

    assert (state, state != "ok") == (found.state, bool(found.mend))


def test_a_key_of_another_certificate(tmp_path: Path) -> None:
    """A key that does not belong to its certificate, or that others may read, is an error."""
    cert, key = certificate(tmp_path, 50)
    _, other = certificate(tmp_path, 51)
    mixed = Settings(home=tmp_path, tls_cert=cert, tls_key=other)
    key.chmod(0o644)
    loose = Settings(home=tmp_path, tls_cert=cert, tls_key=key)

    assert "error" == doctor_outside.certificates(mixed)[0].state
    assert f"chmod 600 {key}" == doctor_outside.certificates(loose)[0].mend


def test_few_open_files_are_a_warning(tmp_path: Path) -> None:
    """A limit of open files that is too low for many connections is told with the number to set."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        found = of(doctor.examine(Settings(home=tmp_path / "new")), "limits")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert ("warning", True) == (found.state, "ulimit" in found.mend)


def test_a_database_is_examined(database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is up to date is fine; one whose clock differs is told of."""
    found = Settings(home=tmp_path, database_url=database_dsn)
    (fine,) = doctor_outside.databases(found)
    monkeypatch.setattr(doctor_outside, "SKEW_S", -1.0)
    skewed = of(doctor_outside.databases(found), "clock")

    assert ("ok", True) == (fine.state, "schema" in fine.seen)
    assert ("warning", True) == (skewed.state, "NTP" in skewed.mend)


def test_json_and_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Programs get every finding as JSON, and 1 when something must be mended."""
    monkeypatch.setattr(doctor, "settings", lambda: Settings(home=tmp_path / "new"))
    fine = doctor.report(as_json=True)
    shown = json.loads(capsys.readouterr().out)
    broken = replace(Settings(home=tmp_path / "new"), queue="redis")
    monkeypatch.setattr(doctor, "settings", lambda: broken)
    wrong = doctor.report(as_json=False)

    assert (0, {"look", "state", "seen", "mend"}, 1) == (fine, set(shown[0]), wrong)
    assert "LINKFLOW_REDIS_URL" in capsys.readouterr().out
