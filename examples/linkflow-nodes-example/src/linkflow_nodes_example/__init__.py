"""Two nodes for LinkFlow: a phone number in international form, and the title of a web page."""

import html
import re
from typing import Annotated

from msgspec import Meta

from linkflow.domain.errors import ActivityError, Invalid
from linkflow.domain.node import Completion, NodeClass, NodeSpec
from linkflow.nodes.sdk import node
from linkflow.ports.nodes import NodeContext
from linkflow.ports.outbound import HttpRequest

__all__ = ["PageTitle", "e164"]


@node("example.e164", title="Phone number", node_class=NodeClass.PURE, example={"number": "0712 345 678"})
def e164(
    number: Annotated[str, Meta(description="As people write it.")],
    country: Annotated[
        str, Meta(description="Calling code of numbers without one.", pattern="^[0-9]{1,3}$")
    ] = "254",
) -> str:
    """Write a phone number in international form.

    `0712 345 678` becomes `+254712345678`; what is no number is an error of the node.
    """
    digits = re.sub(r"[\s().-]", "", number)
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    elif not digits.startswith("+"):
        digits = f"+{country}{digits.removeprefix('0')}"
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", digits):
        raise Invalid(f"{number[:30]!r} is not a phone number.", code="example.not_a_number")
    return digits


class PageTitle:
    """Read the title of a web page."""

    spec = NodeSpec(
        type="example.page_title",
        title="Page title",
        summary="Read the title of a web page.",
        node_class=NodeClass.IDEMPOTENT,
        timeout_s=20.0,
        parameters={
            "type": "object",
            "properties": {"url": {"type": "string", "description": "Address of the page."}},
            "required": ["url"],
        },
        output={"title": "Example Domain"},
        example={"url": "https://example.com"},
    )

    async def run(self, context: NodeContext) -> Completion:
        """Fetch the page and look for its title."""
        response = await context.http.send(
            HttpRequest(
                method="GET", url=str(context.config["url"]), timeout_s=context.timeout_s, max_bytes=2_000_000
            )
        )
        found = re.search(rb"<title[^>]*>(.*?)</title>", response.body, re.IGNORECASE | re.DOTALL)
        if response.status >= 400 or found is None:
            raise ActivityError("The page has no title.", code="example.no_title", status=response.status)
        title = html.unescape(found[1].decode(errors="replace")).strip()
        context.log(f"found {title!r}")
        return Completion(output={"title": title})
