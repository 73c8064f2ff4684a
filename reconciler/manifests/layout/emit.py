"""
The tree as text, in the one layout: two spaces, lists below their key, flow style where it fits a line.

What a scalar consists of is never touched; only its lines move with their indentation.
"""

from __future__ import annotations

from reconciler.manifests.layout.tree import Comment, Entry, Marker, Node, Shape, Stream

WIDTH = 120
STEP = 2


def emit(stream: Stream) -> str:
    """Give the text of a tree; it ends with one line break."""
    writer = _Writer()
    for page in stream.pages:
        writer.comments(page.prolog, 0)
        if page.start is not None:
            writer.marker(page.start)
        if page.root.shape is Shape.EMPTY:
            writer.comments(page.root.foot, 0)
        else:
            _hoist(page.root)
            writer.block(page.root, 0)
        if page.end is not None:
            writer.marker(page.end)
    writer.comments(stream.epilog, 0)
    return writer.text()


def _hoist(node: Node) -> None:
    """Move the comments of what will stand right after a dash above the dash; nothing else can stand there."""
    for entry in node.entries:
        value = entry.value
        if node.shape is Shape.LIST and not entry.eol and not value.anchor and _as_block(value):
            inner: list[Comment] = []
            while value.entries:
                first = value.entries[0]
                inner += [*value.head, *first.leading]
                value.head, first.leading, value.head_blank = [], [], False
                if value.shape is Shape.MAP or first.eol or first.value.anchor or not _as_block(first.value):
                    break
                value = first.value
            _lift(entry, inner)
        _hoist(entry.value)


def _lift(entry: Entry, inner: list[Comment]) -> None:
    if not inner:
        return
    for comment in inner:
        comment.blank_before = False
    if not entry.leading:
        inner[0].blank_before = entry.blank_before
        entry.blank_before = False
    entry.leading += inner
    entry.blank_before = False


def _as_block(node: Node) -> bool:
    """Tell whether a node is surely written as a block (a flow collection that is too long shows later)."""
    return node.is_collection and bool(node.entries) and (not node.flow or _has_comments(node))


def _has_comments(node: Node) -> bool:
    return bool(node.head or node.foot) or any(
        entry.leading or entry.eol or entry.after or _has_comments(entry.value) for entry in node.entries
    )


def _flow(node: Node) -> str | None:
    """Give a node on one line in flow style, with its anchor; None where it cannot be."""
    if node.shape is Shape.EMPTY:
        text: str | None = "null"
    elif node.is_collection:
        text = _flow_body(node)
    else:
        text = node.lines[0] if node.shape is not Shape.BLOCK and len(node.lines) == 1 else None
    return f"{node.anchor} {text}" if node.anchor and text is not None else text


def _flow_body(node: Node) -> str | None:
    parts: list[str] = []
    for entry in node.entries:
        part = _flow(entry.value)
        if part is None:
            return None
        parts.append(part if node.shape is Shape.LIST else f"{entry.key}: {part}")
    inside = ", ".join(parts)
    return f"[{inside}]" if node.shape is Shape.LIST else f"{{{inside}}}"


class _Writer:
    def __init__(self) -> None:
        self.out: list[str] = []
        self.ends: dict[int, Comment] = {}
        self.prefix: str | None = None
        self.open_breaks = False

    # --- lines -----------------------------------------------------------------------------------------------

    def text(self) -> str:
        self._align()
        return "\n".join(self.out) + "\n"

    def line(self, indent: int, text: str) -> None:
        self.out.append((" " * indent if self.prefix is None else self.prefix) + text)
        self.prefix = None
        self.open_breaks = False

    def blank(self) -> None:
        # After |+ a blank line would be part of the text above.
        if self.out and self.out[-1] and not self.open_breaks and self.prefix is None:
            self.out.append("")

    def end(self, comments: list[Comment]) -> None:
        """Put a comment at the end of the line just written."""
        if comments:
            self.ends[len(self.out) - 1] = comments[0]

    def comments(self, comments: list[Comment], indent: int) -> None:
        for comment in comments:
            if comment.blank_before:
                self.blank()
            self.line(indent, comment.text)

    def marker(self, marker: Marker) -> None:
        if marker.blank_before:
            self.blank()
        self.line(0, marker.text)
        if marker.eol:
            self.out[-1] += f" {marker.eol[0].text}"

    def _align(self) -> None:
        """Write the comments at the ends of lines; those that stood under each other do so again."""
        numbers = sorted(self.ends)
        index = 0
        while index < len(numbers):
            stop = index + 1
            run = self.ends[numbers[index]].run
            while (
                run
                and stop < len(numbers)
                and numbers[stop] == numbers[stop - 1] + 1
                and self.ends[numbers[stop]].run == run
            ):
                stop += 1
            group = numbers[index:stop]
            column = max(len(self.out[number]) for number in group) + self.ends[group[0]].gap
            for number in group:
                bare = not self.out[number].strip(" -")
                pad = 1 if bare else column - len(self.out[number])
                self.out[number] += " " * pad + self.ends[number].text
            index = stop

    # --- nodes -----------------------------------------------------------------------------------------------

    def block(self, node: Node, indent: int) -> None:
        """Write the entries of a list or mapping, each at `indent`."""
        self.comments(node.head, indent)
        gap = bool(node.head) and node.head_blank
        for index, entry in enumerate(node.entries):
            first = index == 0 and not node.head
            if index == 0 and node.head and entry.leading and not gap:
                gap = entry.leading[0].blank_before
            set_off = any(one.blank_before for one in entry.leading[1:]) or (bool(entry.leading) and entry.blank_before)
            above = node.entries[index - 1] if index else None
            wants = entry.leading[0].blank_before if entry.leading else entry.blank_before
            if (above is not None and above.after) or (node.shape is Shape.MAP and set_off and not first):
                wants = True
            if index == 0:
                wants = gap
            if wants:
                self.blank()
            self._entry(entry, indent)
        self.comments(node.foot, indent)

    def _entry(self, entry: Entry, indent: int) -> None:
        for index, comment in enumerate(entry.leading):
            if index and comment.blank_before:
                self.blank()
            self.line(indent, comment.text)
        if entry.leading and entry.blank_before:
            self.blank()
        head = f"{entry.key}:" if entry.container.shape is Shape.MAP else "-"
        value = entry.value
        if value.anchor:
            head += f" {value.anchor}"
        self._value(entry, head, indent)
        self.comments(entry.after, indent)

    def _value(self, entry: Entry, head: str, indent: int) -> None:
        value = entry.value
        if value.shape is Shape.EMPTY:
            self.line(indent, head)
            self.end(entry.eol)
        elif value.shape is Shape.ALIAS:
            self.line(indent, f"{head} {value.lines[0]}")
            self.end(entry.eol)
        elif value.shape is Shape.INLINE:
            self._inline(entry, head, indent)
        elif value.shape is Shape.BLOCK:
            self.line(indent, f"{head} {value.lines[0]}")
            self.end(entry.eol)
            self.out += [f"{' ' * (indent + STEP)}{text}" if text else "" for text in value.lines[1:]]
            self.open_breaks = value.keeps_breaks
        else:
            self._collection(entry, head, indent)

    def _inline(self, entry: Entry, head: str, indent: int) -> None:
        lines = entry.value.lines
        used = (indent if self.prefix is None else len(self.prefix)) + len(head) + 1
        below = entry.value.line > entry.line and not entry.value.anchor
        if below and (len(lines) > 1 or used + len(lines[0]) > WIDTH):
            self.line(indent, head)
            lines = ["", *lines]
        else:
            self.line(indent, f"{head} {lines[0]}")
        for text in lines[1:]:
            self.out.append(f"{' ' * (indent + STEP)}{text}" if text else "")
        self.end(entry.eol)

    def _collection(self, entry: Entry, head: str, indent: int) -> None:
        value = entry.value
        used = (indent if self.prefix is None else len(self.prefix)) + len(head) + 1
        if not value.entries or (value.flow and not _has_comments(value)):
            text = _flow_body(value)
            if text is not None and (not value.entries or used + len(text) <= WIDTH):
                self.line(indent, f"{head} {text}")
                self.end(entry.eol)
                return
        if head == "-" and not entry.eol:
            self.prefix = (" " * indent if self.prefix is None else self.prefix) + "- "
        else:
            self.line(indent, head)
            self.end(entry.eol)
        self.block(value, indent + STEP)
