"""What the first visit costs: the built files that the page asks for at once, as they are sent."""

import re

import pytest

from linkflow.api.site import BUILT

MOST_BYTES = 260_000
ASKED = re.compile(r'(?:src|href)="(/?[^"]+\.(?:js|css))"')


def test_the_first_load_is_small() -> None:
    """Scripts and styles that the first page names are at most 260 kB compressed, whatever else there is."""
    page = BUILT / "index.html"
    if not page.is_file():
        pytest.skip("the editor is not built; `make ui` says why")
    files = [BUILT / path.lstrip("/.") for path in ASKED.findall(page.read_text())]
    sizes = {each.name: each.with_name(f"{each.name}.gz").stat().st_size for each in files}

    assert sizes
    assert sum(sizes.values()) <= MOST_BYTES, sizes
