"""Secrets from files: `LINKFLOW_SECRET_FILE=/run/secrets/secret` instead of `LINKFLOW_SECRET`.

Orchestrators hand secrets over as files; a variable of the environment can be read by too many.
"""

from collections.abc import Mapping
from pathlib import Path

from linkflow.apps.settings import SETTINGS, SettingInvalid

SUFFIX = "_FILE"
SIGNING_SECRET = "linkflow.secret"  # noqa: S105  the name of a file


def with_secret_files(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Put the contents of files in place of the variables that name them, for every setting that is secret.

    Args:
        environment: Variables of the process.

    Raises:
        SettingInvalid: A file cannot be read, or the setting is given twice.
    """
    found = dict(environment)
    for name in (name for name, each in SETTINGS.items() if each.metadata["secret"]):
        file = found.pop(name + SUFFIX, "")
        if not file:
            continue
        if found.get(name):
            raise SettingInvalid(f"{name} and {name}{SUFFIX} are both set; keep one of them.", setting=name)
        try:
            found[name] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingInvalid(
                f"{name}{SUFFIX}: {file} cannot be read: {error}. Let it name a file with the value.",
                setting=name,
            ) from None
    return found
