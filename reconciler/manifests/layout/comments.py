"""
Which comment belongs to what.

A comment at the end of a line belongs to what begins last on it. A comment on a line of its own belongs to what follows
in the same block; at the end of a block it belongs to the block that its indentation fits. A group of comments that
opens a block and is set off by a blank line belongs to the block; one that stands right below a key and is set off from
the next one belongs to the key above.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from reconciler.manifests.layout.tree import Comment, Entry, Marker, Node, Page, Shape, Stream

_FIND = re.compile(r"#[^\n]*|^%[^\n]*", re.MULTILINE)
_FOR_TOOLS = re.compile(r"#\s*(?:yaml-language-server:|yamllint\b|vim?:|-\*-|SPDX-|Copyright\b|\$schema\b)", re.I)
_ABOUT_THE_FILE = frozenset({"apiVersion", "kind"})


@dataclass(slots=True)
class _Found:
    offset: int
    line: int
    column: int
    own_line: bool
    after_dash: bool
    comment: Comment


def attach(stream: Stream) -> None:
    """Hang every comment of the text into the tree."""
    found = _find(stream)
    if not found:
        return
    _mark_runs([one for one in found if not one.own_line])
    starts = [point.start for point in stream.points]
    pages = {id(page.start): page for page in stream.pages if page.start is not None}
    for one in found:
        at = bisect_left(starts, one.offset)
        before = stream.points[at - 1] if at else None
        after = stream.points[at] if at < len(stream.points) else None
        if one.own_line or before is None:
            _own_line(stream, pages, one, before, after)
        elif isinstance(before, Marker):
            before.eol.append(one.comment)
        else:
            _end_of_line(one, before)
    for page in stream.pages:
        _settle(page.root, is_root=True)


def texts(stream: Stream) -> list[str]:
    """Give the texts of all comments, sorted."""
    return sorted(one.comment.text for one in _find(stream))


def _find(stream: Stream) -> list[_Found]:
    text = stream.text
    found: list[_Found] = []
    line, counted = 0, 0

    def look(start: int, end: int) -> None:
        nonlocal line, counted
        for match in _FIND.finditer(text, start, end):
            offset = match.start()
            line += text.count("\n", counted, offset)
            counted = offset
            line_start = text.rfind("\n", 0, offset) + 1
            before = text[line_start:offset]
            gap = len(before) - len(before.rstrip(" \t"))
            above = text[text.rfind("\n", 0, line_start - 1) + 1 : line_start - 1] if line_start else "-"
            blank = not above.strip() and line - 1 not in stream.inside
            comment = Comment(match.group().rstrip(), blank, max(gap, 2) if "\t" in before or not gap else gap)
            found.append(
                _Found(offset, line, offset - line_start, not before.strip(), not before.strip(" \t-"), comment)
            )

    at = 0
    for start, end in stream.scalars:
        look(at, start)
        at = max(at, end)
    look(at, len(text))
    return found


def _mark_runs(ends: list[_Found]) -> None:
    """Tell comments that stand under each other, so that they do afterwards; alone, one has two spaces before it."""
    run = 0
    index = 0
    while index < len(ends):
        stop = index + 1
        while stop < len(ends) and _under(ends[stop - 1], ends[stop]):
            stop += 1
        together = ends[index:stop]
        run += 1
        least = max(2, min(one.comment.gap for one in together))
        for one in together:
            one.comment.run = run if len(together) > 1 else 0
            one.comment.gap = least if len(together) > 1 else max(2, one.comment.gap)
        index = stop


def _under(above: _Found, below: _Found) -> bool:
    """Tell whether a comment stands right under another; those after a bare dash have a place of their own."""
    adjacent = below.line == above.line + 1 and below.column == above.column
    return adjacent and not above.after_dash and not below.after_dash


def _end_of_line(one: _Found, entry: Entry) -> None:
    while entry.container.flow and entry.container.end <= one.offset:
        owner = entry.container.owner
        if owner is None:
            entry.container.foot.append(one.comment)
            return
        entry = owner
    entry.eol.append(one.comment)


def _own_line(
    stream: Stream, pages: dict[int, Page], one: _Found, before: Entry | Marker | None, after: Entry | Marker | None
) -> None:
    comment = one.comment
    if not isinstance(before, Entry):
        if isinstance(after, Entry):
            after.leading.append(comment)
        elif before is not None and before.text == "---":
            page = pages[id(before)]
            page.root.foot.append(comment)
        elif after is not None and id(after) in pages:
            pages[id(after)].prolog.append(comment)
        else:
            stream.epilog.append(comment)
        return
    value = before.value
    following = after if isinstance(after, Entry) else None
    if following is not None and following.container is value and (not value.flow or value.start < one.offset):
        following.leading.append(comment)
        return
    if value.start > one.offset or (value.flow and not value.entries and one.offset < value.end):
        before.leading.append(comment)  # between a key and its value, or inside of {}
        return
    ended: list[Node] = []
    container: Node | None = before.container
    while container is not None and (following is None or container is not following.container):
        if container.flow and container.end > one.offset:
            container.foot.append(comment)
            return
        if not container.flow or container.owner is None:
            ended.append(container)
        container = container.owner.container if container.owner is not None else None
    if following is not None:
        floor = following.container.column
        # Once a comment belongs to what follows, those below it do too: their order stays.
        if not ended or one.column <= floor or following.leading or following.container.flow:
            following.leading.append(comment)
            return
    # `ended` goes from the innermost block outwards; of two with one indentation the outer one is meant.
    fitting = [node for node in ended if node.column <= one.column]
    node = max(fitting, key=lambda node: (node.column, ended.index(node))) if fitting else ended[-1]
    # What stands below the comment of an outer block cannot go back inside.
    for outer in reversed(ended[ended.index(node) + 1 :]):
        if outer.foot:
            node = outer
            break
    node.foot.append(comment)


# --- what belongs to blocks rather than keys -----------------------------------------------------------------------


def _settle(node: Node, *, is_root: bool = False) -> None:
    if node.shape is Shape.MAP:
        for index, entry in enumerate(node.entries):
            if not entry.leading:
                continue
            if index == 0:
                _take_head(node, entry, is_root)
            elif not entry.leading[0].blank_before:
                _take_after(node.entries[index - 1], entry)
    for entry in node.entries:
        if len(entry.eol) > 1:
            entry.leading += entry.eol[:-1]
            del entry.eol[:-1]
        if entry.value.is_collection:
            _settle(entry.value)


def _take_head(node: Node, first: Entry, is_root: bool) -> None:
    """Leave to the first key only the comments right above it that are not about the whole block."""
    comments = first.leading
    if is_root and (first.blank_before or first.name in _ABOUT_THE_FILE):
        cut = len(comments)
    else:
        cut = len(comments) if first.blank_before else _last_group(comments)
        if is_root:
            cut = max([cut, *(index + 1 for index, one in enumerate(comments) if _FOR_TOOLS.match(one.text))])
    if not cut:
        return
    node.head, first.leading = comments[:cut], comments[cut:]
    node.head[0].blank_before = False
    node.head_blank = first.leading[0].blank_before if first.leading else first.blank_before
    if first.leading:
        first.leading[0].blank_before = False
    else:
        first.blank_before = False


def _last_group(comments: list[Comment]) -> int:
    """Give the index at which the last group of comments without a blank line inside begins."""
    for index in range(len(comments) - 1, 0, -1):
        if comments[index].blank_before:
            return index
    return 0


def _take_after(above: Entry, entry: Entry) -> None:
    comments = entry.leading
    cut = next((index for index in range(1, len(comments)) if comments[index].blank_before), len(comments))
    if cut == len(comments) and not entry.blank_before:
        return
    above.after = comments[:cut]
    entry.leading = comments[cut:]
