"""Write the Python side of proto/ again: message classes and their types, in adapters/grpc/_gen.

`--check` only says which files are out of step. Clients and servers read the services from the descriptors,
so no code is generated for them.
"""

import re
import sys
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "proto"
GENERATED = ROOT / "src" / "linkflow" / "adapters" / "grpc" / "_gen"
PACKAGE = "linkflow.adapters.grpc._gen"
IMPORT = re.compile(r"^from linkflow\.engine\.v1 import ", re.MULTILINE)
BARE = re.compile(r"\b_Mapping(?=\])")
"""A Mapping that does not say of what, where a message may be given as a dict."""


def generated() -> Mapping[str, str]:
    """Compile every proto: the text of each file by its name."""
    protos = sorted(str(path) for path in PROTOS.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as place:
        known = files("grpc_tools") / "_proto"
        done = protoc.main(
            ["protoc", f"-I{PROTOS}", f"-I{known}", f"--python_out={place}", f"--pyi_out={place}", *protos]
        )
        if done:
            raise SystemExit(f"protoc failed with {done}; it says above what is wrong in proto/.")
        texts = {
            path.name: BARE.sub(
                "_Mapping[str, object]", IMPORT.sub(f"from {PACKAGE} import ", path.read_text())
            )
            for path in sorted(Path(place).rglob("*.py*"))
        }
    return {"__init__.py": '"""Generated from proto/ by scripts/protos.py; never edited."""\n', **texts}


def main() -> None:
    """Write the files that are out of step, and remove those that no proto makes any more."""
    texts = generated()
    GENERATED.mkdir(parents=True, exist_ok=True)
    there = {path.name: path.read_text() for path in GENERATED.glob("*.py*")}
    stale = [name for name in {**there, **texts} if there.get(name) != texts.get(name)]
    if "--check" in sys.argv and stale:
        raise SystemExit(f"out of step, run `make protos`: {', '.join(sorted(stale))}")
    for name in sorted(stale):
        if name in texts:
            (GENERATED / name).write_text(texts[name])
        else:
            (GENERATED / name).unlink()
        print(f"{GENERATED.relative_to(ROOT)}/{name}")


if __name__ == "__main__":
    main()
