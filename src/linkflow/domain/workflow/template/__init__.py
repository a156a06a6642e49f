r"""The expression language: `{{ trigger.body.name | upper }}` inside any config, and bare in conditions.

```text
text ──lexer──► tokens ──parser──► shape ──compiler──► closures ──render(scope, budget)──► JSON
                                             │
                              functions/ (tables), operators, paths, roots
```

- Nothing of the host language is reachable: values are JSON, access is by key, functions are the tables'.
- A rendering is pure: `now()` and chance come from the scope, so a replay repeats every byte.
- Whatever could grow takes from a budget before it grows; the parser bounds length and depth.
- Secrets are never values: see `sealed`.
"""

from linkflow.domain.workflow.template.errors import (
    ExpressionError,
    ExpressionSyntax,
    FunctionFailed,
    OverBudget,
    Unresolved,
    WrongType,
)
from linkflow.domain.workflow.template.meter import Budget, Scope, weigh
from linkflow.domain.workflow.template.rendering import (
    Template,
    compile_expression,
    compile_template,
    node_of,
    references,
)
from linkflow.domain.workflow.template.sealed import Credential, SealedText, credentials_of, unseal

__all__ = [
    "Budget",
    "Credential",
    "ExpressionError",
    "ExpressionSyntax",
    "FunctionFailed",
    "OverBudget",
    "Scope",
    "SealedText",
    "Template",
    "Unresolved",
    "WrongType",
    "compile_expression",
    "compile_template",
    "credentials_of",
    "node_of",
    "references",
    "unseal",
    "weigh",
]
