"""The terms of a policy as text that people write: YAML in which every value stays exactly what was typed."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any

import yaml

from insureflow.domain.errors import InvalidValue

#: Longer than any policy; a text beyond it is not one.
LONGEST_TEXT = 40_000

#: So deep lists and maps lie in one another at most; the deepest parameter of a policy needs a quarter of it.
DEEPEST = 20


class _Forbidden(Exception):
    """Something that terms never have: what it is, where, and what there is to say."""

    def __init__(self, code: str, event: yaml.Event, **parameters: int) -> None:
        super().__init__(code)
        self.code, self.line, self.parameters = code, event.start_mark.line + 1 if event.start_mark else 1, parameters


class _ExactLoader(yaml.SafeLoader):
    """Reads numbers with a point as text, ``no`` as Norway and dates as text; names must be unique, nesting has an end."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next value. Errors: ``_Forbidden`` for one that is used in two places, or too deep in others."""
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call] # the library's stubs leave it untyped
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Forbidden("terms_with_aliases", event)
        if self._depth > DEEPEST:
            raise _Forbidden("terms_too_deep", event, maximum=DEEPEST)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A map whose names stand once each."""
        names: set[Hashable] = set()
        for key, _value in node.value:
            name = self.construct_object(key, deep=True)
            if not isinstance(name, Hashable):
                raise yaml.constructor.ConstructorError(None, None, "a name must be a single value", key.start_mark)
            if name in names:
                raise yaml.constructor.ConstructorError(None, None, f"“{name}” stands twice", key.start_mark)
            names.add(name)
        return super().construct_mapping(node, deep)


_ExactLoader.yaml_implicit_resolvers = {}
_ExactLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_ExactLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^(?:0|-?[1-9][0-9]{0,30})$"), list("-0123456789"))
_ExactLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])


class _PlainDumper(yaml.SafeDumper):
    """Writes maps in the order given and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        """Every value is written out."""
        del data
        return True


def _load(text: str, path: str) -> Any:
    try:
        return yaml.load(text, Loader=_ExactLoader)  # noqa: S506 (a SafeLoader that reads less than its parent)
    except _Forbidden as found:
        raise InvalidValue(found.code, path, line=found.line, **found.parameters) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "?"
        raise InvalidValue("terms_not_readable", path, line=mark.line + 1 if mark else 1, problem=problem) from None
    except yaml.YAMLError as error:
        raise InvalidValue("terms_not_readable", path, line=1, problem=str(error).splitlines()[0]) from None


def read_terms_text(text: str, *, path: str = "terms") -> dict[str, object]:
    """The terms that a text holds, as plain data, not yet checked.

    Errors: ``InvalidValue`` ``terms_not_readable`` with the line, ``terms_with_aliases``, ``terms_too_deep``, ``terms_not_a_map``,
    ``terms_too_long``.
    """
    if len(text) > LONGEST_TEXT:
        raise InvalidValue("terms_too_long", path, maximum=LONGEST_TEXT)
    data = _load(text, path)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InvalidValue("terms_not_a_map", path)
    return data


def write_terms_text(data: Mapping[str, object]) -> str:
    """Terms as text; ``read_terms_text`` reads it back to the same terms."""
    return yaml.dump(_plain(data), Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=110)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def read_override(assignment: str) -> tuple[str, object]:
    """The parameter and the value of ``path=value``; the value is read like one in the text of terms.

    Errors: ``InvalidValue`` ``override_unreadable``.
    """
    name, equals, written = assignment.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z_]+(\.[A-Za-z_]+)*", name.strip()):
        raise InvalidValue("override_unreadable", "set", assignment)
    return name.strip(), _load(written, name.strip())
