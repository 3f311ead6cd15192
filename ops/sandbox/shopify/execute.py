"""A GraphQL request: parsed, validated and executed against the schema, with the errors Shopify's gateway gives."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    execute_sync,
    parse,
    validate,
)

from ops.sandbox.shopify.schema import build_sandbox_schema, read_attribute, type_of
from ops.sandbox.shopify.session import Session
from ops.sandbox.shopify.values import Payload

KEPT_DOCUMENTS = 512
# graphql-core's sentence, Shopify's code for it.
_VALIDATION_CODES = (
    (re.compile(r"Cannot query field '(?P<field>\w+)' on type '(?P<type>\w+)'"), "undefinedField"),
    (re.compile(r"Unknown argument"), "argumentNotAccepted"),
    (re.compile(r"Unknown directive '@idempotent'.*|Directive '@\w+' may not be used"), "directiveCannotBeApplied"),
    (re.compile(r"Unknown directive"), "undefinedDirective"),
    (re.compile(r"(Argument|Field) .* (is required, but it|of required type)"), "missingRequiredArguments"),
    (re.compile(r"Variable .* is not defined"), "variableNotDefined"),
    (re.compile(r"Variable .* is never used"), "variableNotUsed"),
    (re.compile(r"Variable .* of type"), "variableMismatch"),
    (re.compile(r"must have a selection of subfields|must not have a selection"), "selectionMismatch"),
)


@dataclass(slots=True, kw_only=True, frozen=True)
class Prepared:
    """A document that was parsed and validated, with its one operation to run; `errors` when it cannot run."""

    document: DocumentNode | None
    operation: OperationDefinitionNode | None
    errors: list[Payload] = field(default_factory=list)

    @property
    def fields(self) -> list[str]:
        """Names of the root fields."""
        nodes = self.operation.selection_set.selections if self.operation else ()
        return [node.name.value for node in nodes if isinstance(node, FieldNode)]

    @property
    def names(self) -> list[str]:
        """What a fault plan can call it: root fields and the operation's name."""
        named = self.operation.name.value if self.operation and self.operation.name else None
        return [*self.fields, *([named] if named else [])]


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """The schema, built at first use."""
    return build_sandbox_schema()


@lru_cache(maxsize=KEPT_DOCUMENTS)
def prepare(text: str, operation_name: str | None) -> Prepared:
    """Parses and validates; documents are remembered by their text."""
    try:
        document = parse(text)
    except GraphQLSyntaxError as error:
        return Prepared(document=None, operation=None, errors=[_error(error, "PARSE_ERROR")])
    if errors := validate(schema(), document):
        return Prepared(document=None, operation=None, errors=[_validation_error(error) for error in errors])
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    named = [node for node in operations if operation_name is None or (node.name and node.name.value == operation_name)]
    if len(named) != 1:
        text = f'No operation named "{operation_name}"' if operation_name else "An operation name is required"
        return Prepared(
            document=None, operation=None, errors=[{"message": text, "extensions": {"code": "BAD_REQUEST"}}]
        )
    return Prepared(document=document, operation=named[0])


def run(prepared: Prepared, variables: Mapping[str, object], operation_name: str | None, session: Session) -> Payload:
    """Executes; the answer has `data`, and `errors` when there are any."""
    if prepared.document is None:
        raise ValueError("a document that did not validate cannot run")
    result = execute_sync(
        schema(),
        prepared.document,
        variable_values=dict(variables),
        operation_name=operation_name,
        context_value=session,
        field_resolver=read_attribute,
        type_resolver=type_of,
        hide_suggestions=True,
    )
    answer: Payload = (
        {} if result.data is None and result.errors and not result.errors[0].path else {"data": result.data}
    )
    if result.errors:
        answer["errors"] = [_run_error(error, variables) for error in result.errors]
    return answer


def _run_error(error: GraphQLError, variables: Mapping[str, object]) -> Payload:
    if error.path is None and error.message.startswith("Variable '$"):
        return _variable_error(error, variables)
    code = (error.extensions or {}).get("code")
    if code is None and error.original_error is not None and not isinstance(error.original_error, GraphQLError):
        raise error.original_error  # a fault of the sandbox itself must not look like an answer of Shopify
    return _error(error, str(code or "INTERNAL_SERVER_ERROR"))


def _variable_error(error: GraphQLError, variables: Mapping[str, object]) -> Payload:
    found = re.match(r"Variable '\$(\w+)'(?: has invalid value)?(?: at '([^']*)')?:? ?(.*)", error.message, re.DOTALL)
    name, path, why = (found[1], found[2] or "", found[3]) if found else ("", "", error.message)
    steps = [step for step in re.split(r"[.\[\]]+", path) if step]
    return {
        "message": f"Variable ${name} was provided invalid value{' for ' + '.'.join(steps) if steps else ''} ({why})",
        "locations": _locations(error),
        "extensions": {
            "code": "INVALID_VARIABLE",
            "value": variables.get(name),
            "problems": [{"path": steps, "explanation": why}],
        },
    }


def _validation_error(error: GraphQLError) -> Payload:
    for pattern, code in _VALIDATION_CODES:
        if found := pattern.search(error.message):
            extensions: Payload = {"code": code}
            message = error.message
            if code == "undefinedField":
                message = f"Field '{found['field']}' doesn't exist on type '{found['type']}'"
                extensions |= {"typeName": found["type"], "fieldName": found["field"]}
            return {"message": message, "locations": _locations(error), "extensions": extensions}
    return _error(error, "invalid")


def _error(error: GraphQLError, code: str) -> Payload:
    answer: Payload = {"message": error.message, "locations": _locations(error)}
    if error.path:
        answer["path"] = list(error.path)
    return answer | {"extensions": {**(error.extensions or {}), "code": code}}


def _locations(error: GraphQLError) -> list[Payload]:
    return [{"line": place.line, "column": place.column} for place in error.locations or ()]
