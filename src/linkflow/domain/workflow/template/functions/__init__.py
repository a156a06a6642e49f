"""The functions of the expression language, by family, as explicit tables."""

from linkflow.domain.workflow.template.functions.chance import CHANCE
from linkflow.domain.workflow.template.functions.dates import DATES
from linkflow.domain.workflow.template.functions.encoding import ENCODING
from linkflow.domain.workflow.template.functions.hashes import HASHES
from linkflow.domain.workflow.template.functions.lists import LISTS
from linkflow.domain.workflow.template.functions.numbers import NUMBERS
from linkflow.domain.workflow.template.functions.objects import OBJECTS
from linkflow.domain.workflow.template.functions.patterns import PATTERNS
from linkflow.domain.workflow.template.functions.strings import STRINGS
from linkflow.domain.workflow.template.functions.table import Function

FAMILIES = (STRINGS, PATTERNS, NUMBERS, LISTS, OBJECTS, DATES, ENCODING, HASHES, CHANCE)

FUNCTIONS: dict[str, Function] = {name: function for family in FAMILIES for name, function in family.items()}
"""Every function by its name."""

SPELLINGS: dict[str, Function] = {
    spelling: function for function in FUNCTIONS.values() for spelling in (function.name, *function.aliases)
}
"""Every function by each of its spellings."""
