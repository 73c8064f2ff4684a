"""One entry of `policies` to a policy: its shape, its parameters, its expressions, its cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.manifests.words import nearest, plain
from reconciler.model.diagnostic import Diagnostic, PathTuple
from reconciler.policy.engine import BadExpression, Compiled, NotEvaluated, Type, compiled
from reconciler.policy.entry import Entry
from reconciler.policy.given import BadGiven, read_given
from reconciler.policy.library import LIBRARY, Ready
from reconciler.policy.params import TYPES, Sort, read_params
from reconciler.policy.policy import Case, Message, Policy, used_in
from reconciler.policy.variables import Phase, known_in

_OWN = ("match", "assert", "message")
_EARLY, _LATE = known_in(Phase.MANIFEST), known_in(Phase.CHANGE)
_OPEN, _CLOSE = "{{", "}}"


def compiled_policy(entry: Entry) -> tuple[Policy | None, list[Diagnostic]]:
    """Give the policy of an entry, or None and everything that is wrong with it; raises EngineMissing."""
    return _Compiler(entry).policy()


class _Compiler:
    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.stated = entry.stated
        self.problems: list[Diagnostic] = []
        self.ready: Ready | None = None

    def policy(self) -> tuple[Policy | None, list[Diagnostic]]:
        if not (self._of_library() if "use" in self.stated else self._of_project()):
            return None, self.problems
        params, types = self._params()
        match, asserts, message = self._expressions(types)
        cases = tuple(self._cases())
        if self.problems or asserts is None or message is None:
            return None, self.problems
        texts = [text for text in (match and match.text, asserts.text) if text]
        parts = [part.text for part in message.parts if isinstance(part, Compiled)]
        used = used_in([*texts, *parts], {**_LATE, **types})
        severity = self.stated.get("severity") or ("error" if self.ready is None or self.ready.blocks else "warn")
        overridable = self.stated.get("overridable")
        policy = Policy(
            name=self.stated.get("name") or self.stated.get("use", ""),
            asserts=asserts,
            message=message,
            match=match,
            blocks=severity == "error",
            overridable=True if overridable is None else overridable,
            phase=self.phase,
            timely="now" in used and not self._compiles_without_now(texts, types),
            used=used,
            params=params,
            cases=cases,
            where=self.entry.document.locate(self.entry.path),
            use=self.ready.name if self.ready else "",
        )
        return policy, self._tried(policy)

    # --- shape -----------------------------------------------------------------------------------------------

    def _of_library(self) -> bool:
        name = self.stated["use"]
        self.ready = LIBRARY.get(name)
        if self.ready is None:
            meant = nearest(name, LIBRARY)
            hint = f"did you mean {meant}?" if meant else f"there are {', '.join(LIBRARY)}"
            self._say(("use",), f'there is no ready policy "{plain(name)}"', hint)
        for key in _OWN:
            if self.stated.get(key) is not None:
                self._say((key,), f"does not go with use: the ready policy has its own {key}")
        return not self.problems

    def _of_project(self) -> bool:
        if self.stated.get("params") is not None:
            self._say(("params",), "only goes with use")
        for key in ("name", "assert"):
            if self.stated.get(key) is None:
                what = "a policy is {use}, {include}, or {name, assert} with match, message, severity, cases"
                self._say((), f"{key} is missing", what)
        return not self.problems

    def _params(self) -> tuple[dict[str, Any], dict[str, Type]]:
        known = self.ready.params if self.ready else ()
        values, wrong = read_params(known, self.stated.get("params") or {})
        for item in wrong:
            self._say(("params", item.name) if item.name else (), item.message, item.hint)
        return values, {f"params.{param.name}": TYPES[param.sort] for param in known}

    # --- expressions -----------------------------------------------------------------------------------------

    def _expressions(self, types: Mapping[str, Type]) -> tuple[Compiled | None, Compiled | None, Message | None]:
        """Compile against what the manifest tells; where that is not enough, against all that a plan knows."""
        match, asserts, message = self._texts()
        self.phase = Phase.CHANGE
        for phase, variables in ((Phase.MANIFEST, _EARLY), (Phase.CHANGE, _LATE)):
            try:
                compiled_match = compiled(match, {**variables, **types}) if match else None
                compiled_assert = compiled(asserts, {**variables, **types})
                said = self._message(message, asserts, {**variables, **types})
            except BadExpression:
                continue
            self.phase = phase
            return compiled_match, compiled_assert, said
        for key, text in (("match", match), ("assert", asserts)):
            if text:
                self._flaws(key, text, text, (0, 0), {**_LATE, **types}, wants_bool=True)
        for text, offset in _inside(message):
            self._flaws("message", message, text, offset, {**_LATE, **types}, wants_bool=False)
        return None, None, None

    def _texts(self) -> tuple[str, str, str]:
        if self.ready is not None:
            return self.ready.match, self.ready.asserts, self.ready.message
        return self.stated.get("match") or "", self.stated["assert"], self.stated.get("message") or ""

    def _message(self, message: str, asserts: str, variables: Mapping[str, Type]) -> Message:
        if not message:
            return Message((f"{plain(' '.join(asserts.split()), 200)} is not true",))
        parts: list[str | Compiled] = []
        rest = message
        while _OPEN in rest:
            before, _, rest = rest.partition(_OPEN)
            inner, _, rest = rest.partition(_CLOSE)
            parts += [before, compiled(inner.strip(), variables, wants_bool=False)]
        return Message((*parts, rest))

    def _flaws(
        self,
        key: str,
        whole: str,
        text: str,
        offset: tuple[int, int],
        variables: Mapping[str, Type],
        *,
        wants_bool: bool,
    ) -> None:
        try:
            compiled(text, variables, wants_bool=wants_bool)
        except BadExpression as error:
            for flaw in error.flaws:
                if self.ready is not None:
                    self._say(("use",), f"{key}: {flaw.message}")
                else:
                    self.problems.append(self.entry.flawed((key,), whole, flaw, offset))

    def _compiles_without_now(self, texts: list[str], types: Mapping[str, Type]) -> bool:
        variables = {name: kind for name, kind in {**_LATE, **types}.items() if name != "now"}
        try:
            for text in texts:
                compiled(text, variables)
        except BadExpression:
            return False
        return True

    def _tried(self, policy: Policy) -> list[Diagnostic]:
        """Try what the compiler does not see: regular expressions among the parameters."""
        for param in self.ready.params if self.ready else ():
            if param.sort is not Sort.PATTERN:
                continue
            name = f"params.{param.name}"
            try:
                compiled(f"''.matches({name})", {name: Type.STRING}).holds(policy.params)
            except NotEvaluated as reason:
                self._say(("params", param.name), plain(str(reason), 300), "the syntax is that of RE2")
        return self.problems

    # --- cases -----------------------------------------------------------------------------------------------

    def _cases(self) -> Iterator[Case]:
        for index, stated in enumerate(self.stated.get("cases") or ()):
            path: PathTuple = ("cases", index)
            try:
                given = read_given(stated.get("given") or {})
            except BadGiven as error:
                self._say((*path, "given", *error.path), error.message, error.hint)
                continue
            yield Case(
                title=plain(stated.get("name") or f"case {index + 1}", 120),
                given=given,
                expect=stated["expect"],
                message=stated.get("message") or "",
                where=self.entry.document.locate((*self.entry.path, *path)),
            )

    def _say(self, path: PathTuple, message: str, hint: str = "") -> None:
        self.problems.append(self.entry.problem(path, message, hint))


def _inside(message: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Give each expression of a message, with the lines before it and the characters before it on its line."""
    at = message.find(_OPEN)
    while at >= 0:
        end = message.find(_CLOSE, at)
        end = len(message) if end < 0 else end
        start = at + len(_OPEN)
        text = message[start:end]
        start += len(text) - len(text.lstrip())
        before = message[:start]
        yield text.strip(), (before.count("\n"), start - (before.rfind("\n") + 1))
        at = message.find(_OPEN, end)
