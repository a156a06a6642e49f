"""The life of an import: a file of n8n is chosen, and what became of each workflow is told."""

import json
from pathlib import Path

from playwright.async_api import expect

from linkflow.testing.browser import Window

FITS = """dialog => {
    const { left, right } = dialog.getBoundingClientRect();
    return left >= 0 && right <= innerWidth && innerWidth === 360;
}"""
GIVEN = Path(__file__).parents[1] / "unit" / "domain" / "workflow" / "n8n"


async def test_a_file_is_imported_and_its_losses_are_told(ui: Window, tmp_path: Path) -> None:
    """Each workflow of a file is listed with a way to it, and with every note; what is no JSON is said."""
    both = [json.loads((GIVEN / f"{name}.json").read_text()) for name in ("orders", "digest")]
    (tmp_path / "export.json").write_text(json.dumps(both))
    (tmp_path / "odd.json").write_text("no JSON")
    await ui.open("/workflows")
    chooser = ui.page.get_by_test_id("import-file")
    await chooser.set_input_files(tmp_path / "odd.json")
    await expect(ui.page.get_by_text("odd.json holds no JSON.")).to_be_visible()
    await chooser.set_input_files(tmp_path / "export.json")
    dialog = ui.page.get_by_role("dialog", name="Imported")
    await expect(dialog.get_by_text("Nothing was changed or left out.")).to_have_count(1)
    await expect(dialog.get_by_text("'Shape it' is JavaScript, which does not run here.")).to_be_visible()
    await ui.page.set_viewport_size({"width": 360, "height": 740})
    await ui.page.wait_for_function(FITS, arg=await dialog.element_handle())
    await dialog.get_by_role("link", name="Orders of the shop").click()
    await expect(ui.card("over_100")).to_be_visible()
