"""Phrases and names that the project's English avoids, and the places where a file has them.

`python -m tests.language PATH…` prints the places in files or folders, `python -m tests.language --shrink` takes the
files that have become clean out of the list of files that are not yet clean.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
NOT_YET = REPOSITORY / "tests" / "language_not_yet.txt"


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern that must not occur, and the phrase to write instead."""

    pattern: re.Pattern[str]
    advice: str


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A place with a banned phrase or name."""

    line: int
    found: str
    advice: str


def _rules(*pairs: tuple[str, str]) -> tuple[Rule, ...]:
    return tuple(Rule(re.compile(pattern), advice) for pattern, advice in pairs)


# The start of a sentence: of the text, after the end of another sentence, or of an item of a list.
_START = r"(?:^|(?<=[.!?:)`] )|(?<=^- )|(?<=^\* ))"

PHRASES = _rules(
    # Negation of a noun. "There is no table" is English, "is no longer" is too.
    (
        r"(?<!\b[Tt]here )(?<!\bthere's )\b(?:is|are|was|were) no "
        r"(?!longer\b|more than\b|less than\b|better\b|different\b)\w+",
        "is not a …",
    ),
    (r"(?<!\b[Tt]here )\b(?:is|are|was|were|be) none\b", "is not"),
    (r"\bdo(?:es)? no \w+", "does not …"),
    (r"\bbehind\b(?! an? (?:proxy|load balancer|firewall)\b)", "after, or later than"),
    (r"\banew\b", "again"),
    (r"\b[Ss]o (?:many|few)\b", "this many"),
    (r"\b(?:of|to) (?:ours|theirs|its own kind)\b", "our …"),
    (r"\b[Nn]obody\b", "no process, no reader, no one"),
    (r"\b(?:lies|lie|lay|lain)\b", "is, or is stored"),
    (r"\b(?:stands?|stood)\b(?! out\b)", "is, or means"),
    (r"\b(?:be|is|are|was|were|been|being|not) told\b", "is reported, or is given"),
    (r"\b(?:hears?|heard)\b", "is notified"),
    (r"\b(?:is|are|was|were|be|been) said\b|\b[Ss]ays? of\b|\bsaid of\b", "is reported"),
    (r"\bbec[ao]mes? of\b", "happens to, or is converted to"),
    (r"\b(?:be|is|are) had\b", "be read, or be exported"),
    (r"\bgo(?:es|ing)? on\b|\bwent on\b|\bgone on\b", "continue, or resume"),
    (r"\bc(?:o|a)mes? forward\b", "progress"),
    (r"\b(?:if|as often as) need be\b|\bin vain\b|\bfor what (?:it|they) (?:is|are)\b", "as needed, or without effect"),
    (r"\bwithout a word\b", "silently"),
    (r"\bways? out\b", "options"),
    (r"\bthe same again\b", "the same command again"),
    (r"\b(?:one|that|which) there (?:is|are)(?=[.,;:)]|$)", "the existing …"),
    (
        r"\b[Tt]ak(?:e|es|en|ing) (?:it|them|this|that|these|each|one|text|names?|data) for (?:an?|the|one|what)\b",
        "mistake … for, or read … as",
    ),
    (r"\b(?:[Tt]hereof|[Ww]hence|[Ww]herein|[Hh]itherto)\b", "simpler words"),
    (r"\bchanges (?:\w+ )?brought\b|\bbr(?:ings?|ought) (?:the )?changes\b", "export, or publish changes"),
    # Sentences that begin with the wrong word.
    (rf"{_START}Else\b|[;,] else\b(?!.*; fi\b)", "otherwise"),
    (rf"{_START}Where (?:there|it|they|no|none|nothing|these|this|that|one|such|both|all|some)\b", "If …"),
    (rf"{_START}Who (?!\w+ \w+\?)[^?]*?(?:[.;]|$)", "A reader that …"),
    (rf"{_START}Of (?!course\b)", "For …, or In …"),
    (rf"{_START}What (?!to do:)[^?]*?[.](?:\s|$)", "a noun phrase"),
    # Causative.
    (
        r"\b(?:has|have|had) (?:an?|the|all|its|their|it|them)(?: \w+)? "
        r"(?:exported|converted|published|written|removed|made)\b",
        "exports, converts …",
    ),
    (r"\bhas exported only\b", "exports only"),
    (r"\bthe (?:\d+|\{\})\. (?:in|of|line|column|item|value)\b", "column 3, line 3"),
    (r"\btoo much is going on\b", "the limit … is reached"),
    # Metaphors.
    (r"\b[Tt]wins?\b", "duplicate, or counterpart"),
    (r"\b[Ll]anes?\b", "SIMD words"),
    (r"\b[Jj]udges?\b|\bspare (?!threads?\b)\w+|\blook(?:s|ing)? ahead\b", "the field's term"),
    (r"\b[Nn]eighbou?rs?\b(?! new next night)", "adjacent …"),
)
DOCSTRINGS = _rules(
    (r"^(?:What|Who|Whose|Whom|Where|When|Why|How)\b", "begin with a noun or a verb: Options of …, Return …"),
    (r"^Nothing\.", "No-op."),
    (r"^(?:Is|Are|Was|Can|Could|Do|Does|Did|Has|Have|May|Must|Should|Will|Would)\b", "Return whether …"),
)
NAMES = {
    "ahead": "prefetch",
    "anew": "again",
    "behind": "after",
    "due": "is_exportable",
    "judge": "update",
    "lake": "dataset",
    "lane": "word",
    "lanes": "words",
    "note": "manifest",
    "notes": "manifests",
    "ours": "reserved",
    "reach": "range",
    "spare": "idle",
    "standing": "state",
    "turns": "queue",
    "twin": "duplicate",
    "twins": "duplicates",
}
# The style names this one itself.
_ALLOWED_NAMES = {"spare_threads"}


def listed() -> Iterator[Path]:
    """Files whose language is checked."""
    for folder in ("converter", "benchmarks"):
        yield from sorted((REPOSITORY / folder).rglob("*.py"))
    yield from sorted((REPOSITORY / "converter").rglob("*.jinja"))
    yield from sorted((REPOSITORY / "fixtures").glob("*.py"))
    yield from sorted((REPOSITORY / "docs").rglob("*.md"))
    for name in ("cli.py", "README.md", "Makefile", "Dockerfile", "pyproject.toml"):
        yield REPOSITORY / name


def findings(path: Path) -> list[Finding]:
    """Banned phrases and names of a file, by line."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return sorted({*_in_python(text), *_bad_names([path.stem], 1)})
    blocks = _paragraphs(text) if path.suffix == ".md" else _comments(text.splitlines())
    return sorted({finding for line, block in blocks for finding in _match(PHRASES, block, line)})


def _match(rules: tuple[Rule, ...], text: str, line: int) -> Iterator[Finding]:
    text = " ".join(text.split())
    for rule in rules:
        for match in rule.pattern.finditer(text):
            yield Finding(line, match[0][:60], rule.advice)


def _in_python(text: str) -> Iterator[Finding]:
    tree = ast.parse(text)
    docstrings = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                docstrings.add(first.value)
    yield from _in_strings(tree, docstrings)
    for line, block in _comments(_comment_lines(text)):
        yield from _match(PHRASES, block, line)
    yield from _in_definitions(tree)


def _in_strings(tree: ast.AST, docstrings: set[ast.Constant]) -> Iterator[Finding]:
    inside: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= set(node.values)
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield from _match(PHRASES, text, node.lineno)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inside:
            for paragraph in node.value.split("\n\n"):
                yield from _match(PHRASES, paragraph, node.lineno)
            if node in docstrings:
                yield from _match(DOCSTRINGS, node.value, node.lineno)


def _in_definitions(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _bad_names([node.name], node.lineno)
        if isinstance(node, ast.FunctionDef) and node.returns is not None:
            returned = ast.unparse(node.returns).strip("'\"")
            if re.fullmatch(r"(?:\w+\.)*\w+Error", returned) and "error" not in node.name:
                yield Finding(node.lineno, node.name, "a function that builds an error ends in _error")
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from _bad_names([t.id for t in targets if isinstance(t, ast.Name)], statement.lineno)


def _bad_names(names: list[str], line: int) -> Iterator[Finding]:
    for name in names:
        for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name):
            if word.lower() in NAMES and name.lower() not in _ALLOWED_NAMES:
                yield Finding(line, name, NAMES[word.lower()])


def _comment_lines(text: str) -> list[str]:
    """Lines of Python, of which only comments are left."""
    lines = [""] * (text.count("\n") + 2)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            lines[token.start[0] - 1] = token.string
    return lines


def _comments(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Comments of one or more lines, with the number of the first one."""
    block: list[str] = []
    for number, line in enumerate([*lines, ""], 1):
        found = re.search(r"(?:^|\s)#+\s(.*)|<#(.*)", line)
        if found:
            block.append(found[1] or found[2] or "")
        elif block:
            yield number - len(block), " ".join(block)
            block = []


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Paragraphs, headings, items and rows of Markdown, without blocks of code."""
    block: list[str] = []
    in_code = False
    for number, line in enumerate([*text.splitlines(), ""], 1):
        fence = line.lstrip().startswith("```")
        begins = bool(re.match(r"\s*(?:[-*] |\d+\. |#|\|)", line))
        if block and (fence or begins or not line.strip()):
            yield number - len(block), "\n".join(block)
            block = []
        in_code ^= fence
        if line.strip() and not in_code and not fence:
            block.append(line.strip())


def not_yet() -> list[str]:
    """Files that may still have findings."""
    lines = NOT_YET.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _shrink() -> None:
    kept = [
        line
        for line in NOT_YET.read_text(encoding="utf-8").splitlines()
        if line.startswith("#") or ((REPOSITORY / line).is_file() and findings(REPOSITORY / line))
    ]
    NOT_YET.write_text("\n".join(kept) + "\n", encoding="utf-8")


def _main(arguments: list[str]) -> int:
    if arguments == ["--shrink"]:
        _shrink()
        return 0
    chosen = [Path(argument).resolve() for argument in arguments] or [REPOSITORY]
    count = 0
    for path in listed():
        if any(path.is_relative_to(one) for one in chosen):
            for finding in findings(path):
                count += 1
                sys.stdout.write(
                    f"{path.relative_to(REPOSITORY)}:{finding.line}: {finding.found!r} → {finding.advice}\n"
                )
    sys.stdout.write(f"{count} findings\n")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
