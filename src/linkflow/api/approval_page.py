"""The page behind an approval's link: plain HTML in three languages, without scripts.

A form of JSON Schema becomes inputs as far as properties are texts, numbers, booleans and choices; whatever
else a schema asks is filled in as JSON.
"""

import html
import json
from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from linkflow.api.pages import page, paragraph
from linkflow.domain.errors import Invalid
from linkflow.domain.execution.approvals import Approval
from linkflow.domain.notification import moment
from linkflow.domain.values import Json, decode_json

LONGEST_PAYLOAD = 20_000


class Words(msgspec.Struct, frozen=True):
    """What the page says, in one language."""

    lang: str
    asked_of: str
    due: str
    data: str
    comment: str
    approve: str
    reject: str
    was: Mapping[str, str]
    by: str
    thanks: str
    unknown: str
    unknown_more: str
    gone: str
    yes: str
    wrong: str


EN = Words(
    lang="en",
    asked_of="Asked of",
    due="Until",
    data="What it is about",
    comment="Comment (optional)",
    approve="Approve",
    reject="Reject",
    was={
        "approved": "Approved",
        "rejected": "Rejected",
        "timed_out": "Nobody decided in time",
        "cancelled": "No longer asked",
    },
    by="by",
    thanks="The workflow goes on. You may close this page.",
    unknown="This link opens nothing",
    unknown_more="It is wrong, or it has expired. Ask whoever runs the workflow, or sign in to LinkFlow.",
    gone="This was decided already, or others are asked by now.",
    yes="Yes",
    wrong="Please mend this",
)
FR = Words(
    lang="fr",
    asked_of="Demandé à",
    due="Jusqu'au",
    data="De quoi il s'agit",
    comment="Commentaire (facultatif)",
    approve="Approuver",
    reject="Refuser",
    was={
        "approved": "Approuvé",
        "rejected": "Refusé",
        "timed_out": "Personne n'a décidé à temps",
        "cancelled": "La question ne se pose plus",
    },
    by="par",
    thanks="Le flux de travail continue. Vous pouvez fermer cette page.",
    unknown="Ce lien n'ouvre rien",
    unknown_more="Il est erroné ou a expiré. Adressez-vous au responsable, ou connectez-vous à LinkFlow.",
    gone="La décision est déjà prise, ou d'autres sont consultés à présent.",
    yes="Oui",
    wrong="À corriger",
)
SW = Words(
    lang="sw",
    asked_of="Anaulizwa",
    due="Hadi",
    data="Inahusu nini",
    comment="Maoni (si lazima)",
    approve="Idhinisha",
    reject="Kataa",
    was={
        "approved": "Imeidhinishwa",
        "rejected": "Imekataliwa",
        "timed_out": "Hakuna aliyeamua kwa wakati",
        "cancelled": "Haiulizwi tena",
    },
    by="na",
    thanks="Mtiririko wa kazi unaendelea. Unaweza kufunga ukurasa huu.",
    unknown="Kiungo hiki hakifungui chochote",
    unknown_more="Si sahihi, au muda wake umekwisha. Muulize msimamizi, au ingia kwenye LinkFlow.",
    gone="Uamuzi umeshafanyika, au wengine ndio wanaoulizwa sasa.",
    yes="Ndiyo",
    wrong="Tafadhali rekebisha",
)
LANGUAGES: Mapping[str, Words] = {"en": EN, "fr": FR, "sw": SW}


def words_of(accepted: str) -> Words:
    """Choose the words by `Accept-Language`: the first language that there is, else English."""
    weighed: list[tuple[float, int, str]] = []
    for at, part in enumerate(accepted[:500].split(",")):
        name, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1.0), at, name.strip().lower().partition("-")[0]))
        except ValueError:
            continue
    return next((LANGUAGES[name] for _, _, name in sorted(weighed) if name in LANGUAGES), EN)


def unknown(words: Words) -> Response:
    """Say that a link opens nothing."""
    return page(words.unknown, paragraph(words.unknown_more), status=404, lang=words.lang)


def gone(words: Words) -> Response:
    """Say that there is nothing left to decide by this link."""
    return page(words.gone, "", status=409, lang=words.lang)


def over(words: Words, title: str, approval: Approval) -> Response:
    """Say how an approval was decided."""
    said = words.was.get(approval.status, approval.status)
    if approval.decided_by and approval.status in ("approved", "rejected"):
        said = f"{said} {words.by} {approval.decided_by}"
    comment = paragraph(f"“{approval.comment}”") if approval.comment else ""
    body = f"<p><strong>{html.escape(said)}</strong></p>{comment}{paragraph(words.thanks)}"
    return page(title, body, lang=words.lang)


def question(
    words: Words, title: str, approval: Approval, decider: str, problem: str, given: Mapping[str, str]
) -> Response:
    """Ask: what it is about, the form, and two buttons.

    Args:
        words: Of the language.
        title: Of the question.
        approval: What is asked.
        decider: Whom the link was sent to.
        problem: What was wrong with what was sent; empty for nothing.
        given: What was filled in before.
    """
    asked = approval.asked if isinstance(approval.asked, dict) else {}
    parts = [f'<p role="alert"><strong>{html.escape(problem)}</strong></p>' if problem else ""]
    if asked.get("description"):
        parts.append(paragraph(str(asked["description"])))
    parts.append(paragraph(f"{words.asked_of}: {decider}. {words.due}: {moment(approval.due_at)}"))
    if asked.get("payload") is not None:
        text = json.dumps(asked["payload"], indent=2, ensure_ascii=False)[:LONGEST_PAYLOAD]
        parts.append(
            f"<details open><summary>{html.escape(words.data)}</summary>"
            f'<pre style="overflow:auto">{html.escape(text)}</pre></details>'
        )
    fields = "".join(_field(words, *each, given) for each in _fields(approval))
    comment = (
        f'<label>{html.escape(words.comment)}<input name="comment" maxlength="2000" '
        f'value="{html.escape(given.get("comment", ""))}"></label>'
    )
    buttons = (
        f'<button name="decision" value="approved">{html.escape(words.approve)}</button> '
        f'<button name="decision" value="rejected" formnovalidate>{html.escape(words.reject)}</button>'
    )
    parts.append(f'<form method="post">{fields}{comment}<p>{buttons}</p></form>')
    return page(title, "".join(parts), status=400 if problem else 200, lang=words.lang)


def problem_of(words: Words, approval: Approval, error: Invalid) -> str:
    """Say what is wrong with what was sent: by the names that the form shows, where it is about the form."""
    named = {f"$.{name}": str(schema.get("title") or name) for name, schema, _ in _fields(approval)}
    errors = error.details.get("errors")
    if not errors:
        return f"{words.wrong}: {error}"
    found = [f"{named.get(each['path'], each['path'])}: {each['message']}" for each in errors]
    return f"{words.wrong}: {'; '.join(found)}"


def answer_of(approval: Approval, given: Mapping[str, str]) -> Json:
    """Read the answer out of a form's fields; what is empty and not asked for is left out.

    What is no number where one is asked stays a text, so that the schema says what is wrong.
    """
    fields = _fields(approval)
    if not fields or given.get("decision") != "approved":
        return None
    found: dict[str, Json] = {}
    for name, schema, is_required in fields:
        text = given.get(f"answer.{name}", "")
        if schema.get("type") == "boolean":
            found[name] = bool(text)
        elif text or (is_required and schema.get("type") == "string" and "enum" not in schema):
            found[name] = _value(text, schema)
    return found


def _fields(approval: Approval) -> list[tuple[str, Mapping[str, Json], bool]]:
    """List the properties of the form: name, schema, whether it must be there."""
    asked = approval.asked if isinstance(approval.asked, dict) else {}
    form = asked.get("form")
    properties = form.get("properties") if isinstance(form, dict) else None
    if not isinstance(form, dict) or not isinstance(properties, dict):
        return []
    required = form.get("required")
    needed = required if isinstance(required, list) else []
    return [
        (name, schema if isinstance(schema, dict) else {}, name in needed)
        for name, schema in properties.items()
    ]


def _value(text: str, schema: Mapping[str, Json]) -> Json:
    """Read a value of the kind that its schema says."""
    if "enum" in schema and isinstance(schema["enum"], list):
        return next((each for each in schema["enum"] if _shown(each) == text), text)
    kind = schema.get("type", "string")
    if kind == "string":
        return text
    try:
        return decode_json(text.encode())
    except ValueError:
        return text


def _shown(value: Json) -> str:
    """Say a value as a field shows it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _field(
    words: Words, name: str, schema: Mapping[str, Json], is_required: bool, given: Mapping[str, str]
) -> str:
    """Say a property as an input."""
    field = html.escape(f"answer.{name}")
    label = html.escape(str(schema.get("title") or name))
    more = schema.get("description")
    if more:
        label += f" <small>{html.escape(str(more))}</small>"
    before = given.get(f"answer.{name}", _shown(schema["default"]) if "default" in schema else "")
    value, required = html.escape(before), " required" if is_required else ""
    choices = schema.get("enum")
    if isinstance(choices, list):
        options = "".join(
            f"<option{' selected' if _shown(each) == before else ''}>{html.escape(_shown(each))}</option>"
            for each in choices
        )
        empty = "<option></option>"  # nobody chooses by not looking
        return f'<label>{label}<br><select name="{field}"{required}>{empty}{options}</select></label>'
    match schema.get("type", "string"):
        case "boolean":
            checked = " checked" if before not in ("", "false") else ""
            return (
                f'<label>{label} <input type="checkbox" style="display:inline;width:auto" '
                f'name="{field}" value="true"{checked}> {html.escape(words.yes)}</label>'
            )
        case "integer" | "number" as kind:
            step = "1" if kind == "integer" else "any"
            return (
                f'<label>{label}<input type="number" step="{step}" name="{field}" value="{value}"'
                f"{required}></label>"
            )
        case "string":
            return f'<label>{label}<input name="{field}" value="{value}"{required}></label>'
        case _:
            return (
                f'<label>{label} <small>JSON</small><br><textarea name="{field}" rows="4" '
                f'style="width:100%;font:inherit"{required}>{value}</textarea></label>'
            )
