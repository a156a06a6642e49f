"""Look at what LinkFlow is made of besides its own code: hashes, licences, known weaknesses.

Usage: audit.py [--advisories URL]

- Every dependency is pinned with a hash: what is installed is what was looked at.
- No licence of a dependency that is needed at run time asks more of you than LinkFlow's own does.
- No pinned release has a known weakness, as https://osv.dev knows them. Where it cannot be reached, that is
  said, and nothing fails: an audit that needs the network must not stop whoever works without it.
"""

import argparse
import json
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ADVISORIES = "https://api.osv.dev"
WAIT_S = 10.0
BATCH = 500
"""Questions of one request; the service takes up to a thousand."""

ACCEPTED: dict[str, str] = {}
"""Weaknesses that do not concern LinkFlow, by id, each with the reason; this list only shrinks."""

COPYLEFT = re.compile(
    r"\b(A|L)?GPL|General Public License|SSPL|Server Side Public|BUSL|Business Source", re.IGNORECASE
)
"""Licences that need a decision in docs/decisions before a dependency with one is needed at run time."""

PINNED = re.compile(r"(?m)^([A-Za-z0-9][\w.\-]*)(?:\[[^\]]*\])?==([^\s;\\]+)((?:[^\n]*\\\n)*[^\n]*)")

Release = tuple[str, str, str]
"""Ecosystem, name, version."""


def python_releases(file: Path) -> Iterator[tuple[Release, bool]]:
    """Read a file of requirements: each release, and whether it has a hash."""
    for name, version, rest in PINNED.findall(file.read_text()):
        yield ("PyPI", name, version), "--hash=sha256:" in rest


def ui_releases(file: Path) -> Iterator[tuple[Release, bool, str]]:
    """Read the lock file of the editor: each release, whether it has a hash, its licence if it is shipped."""
    for place, found in json.loads(file.read_text())["packages"].items():
        if place and not found.get("link"):
            name = found.get("name") or place.rpartition("node_modules/")[2]
            licence = "" if found.get("dev") else str(found.get("license", ""))
            yield ("npm", name, found["version"]), bool(found.get("integrity")), licence


def licence_of(name: str) -> str:
    """Say under which licence an installed distribution stands; empty when it is not installed here."""
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    said = [*(found.get_all("License-Expression") or []), *(found.get_all("Classifier") or [])]
    short = [each[:80] for each in found.get_all("License") or []]  # some put the whole text there
    return " ".join([*short, *(each for each in said if not each.partition("::")[1] or "License" in each)])


def asked(url: str, questions: list[Release]) -> list[list[str]]:
    """Ask for the known weaknesses of releases: their ids, in the order of the questions."""
    body = [
        {"package": {"ecosystem": ecosystem, "name": name}, "version": version}
        for ecosystem, name, version in questions
    ]
    request = urllib.request.Request(  # noqa: S310  the address is ours, or one that a person gave
        f"{url}/v1/querybatch",
        json.dumps({"queries": body}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:  # noqa: S310  as above
        results = json.load(answer)["results"]
    return [[each["id"] for each in result.get("vulns") or []] for result in results]


def weak(url: str, releases: list[Release]) -> list[str]:
    """Say which releases have known weaknesses."""
    found = []
    for start in range(0, len(releases), BATCH):
        batch = releases[start : start + BATCH]
        for (_, name, version), ids in zip(batch, asked(url, batch), strict=True):
            found += [
                f"{name} {version} has a known weakness: https://osv.dev/{each}"
                for each in ids
                if each not in ACCEPTED
            ]
    return found


def main() -> None:
    """Look at everything; ends with 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--advisories", default=ADVISORIES, help="service that speaks the OSV API")
    parser.add_argument("--root", type=Path, default=ROOT, help="checkout to look at")
    given = parser.parse_args()
    wrong, releases = [], set()
    for name in ("run", "dev", "deploy", "ui"):
        for release, is_hashed in python_releases(given.root / "requirements" / f"{name}.txt"):
            releases.add(release)
            if not is_hashed:
                wrong.append(f"{release[1]} {release[2]} has no hash in requirements/{name}.txt; make lock")
            licence = licence_of(release[1]) if name == "run" else ""
            if COPYLEFT.search(licence):
                wrong.append(f"{release[1]} stands under {licence.strip()}: this needs a decision")
    for release, is_hashed, licence in ui_releases(given.root / "ui" / "package-lock.json"):
        releases.add(release)
        if not is_hashed:
            wrong.append(f"{release[1]} {release[2]} has no hash in ui/package-lock.json")
        if COPYLEFT.search(licence):
            wrong.append(f"{release[1]} stands under {licence}: this needs a decision")
    try:
        wrong += weak(given.advisories, sorted(releases))
    except (OSError, ValueError, KeyError) as error:
        print(f"known weaknesses not looked at: {given.advisories} does not answer ({error})")
    print(f"{len(releases)} pinned releases looked at")
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
