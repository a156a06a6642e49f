"""The few pages that links in letters open where no editor is needed: plain, without scripts."""

import html

from starlette.responses import HTMLResponse, Response

_PAGE = """<!doctype html><html lang="{lang}"><meta charset="utf-8"><meta name="robots" content="noindex">
<meta name="viewport" content="width=device-width"><title>LinkFlow</title>
<style>:root{{color-scheme:light dark}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem}}
label{{display:block;margin:1rem 0}}
input{{font:inherit;display:block;width:100%;padding:.4rem;box-sizing:border-box}}
button{{font:inherit;padding:.5rem 1rem}}</style>
<h1>{title}</h1>{body}</html>"""
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action {forms}; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "cache-control": "no-store",
}


def page(
    title: str,
    body: str,
    *,
    status: int = 200,
    forms: str = "'self'",
    headers: dict[str, str] | None = None,
    lang: str = "en",
) -> Response:
    """Show a page; `body` is HTML that is safe already, `title` is not.

    Args:
        title: Text.
        body: HTML.
        status: Of the answer.
        forms: Where its forms may lead, as Content-Security-Policy says it.
        headers: More headers.
        lang: Language of its words.
    """
    found = {name: value.format(forms=forms) for name, value in _HEADERS.items()} | (headers or {})
    return HTMLResponse(_PAGE.format(title=html.escape(title), body=body, lang=lang), status, found)


def paragraph(text: str) -> str:
    """Say a text as HTML."""
    return f"<p>{html.escape(text)}</p>"


def field(label: str, name: str, kind: str = "text", value: str = "", *, complete: str = "") -> str:
    """Say an input of a form as HTML."""
    if kind == "hidden":
        return f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
    return (
        f'<label>{html.escape(label)}<input required name="{html.escape(name)}" type="{kind}" '
        f'value="{html.escape(value)}" autocomplete="{complete or "off"}"></label>'
    )


def form(fields: str, button: str, *, action: str = "") -> str:
    """Say a form as HTML."""
    target = f' action="{html.escape(action)}"' if action else ""
    return f'<form method="post"{target}>{fields}<button>{html.escape(button)}</button></form>'
