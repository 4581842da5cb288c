#!/usr/bin/env python3
"""Writes docs/messages.md from the source: every message id, what it says, and how it is to be retried.

    messages.py > docs/messages.md

Failures and log lines are read from the calls of err_set, err_set_errno, log_debug/info/warn/error and log_msg. Codes
(why a record or a request was refused) are all other literals of the form area.what in the files that refuse; each has its
sentence in tools/message_codes.txt. Ends with 1 when an id or a sentence is missing.
"""
import collections
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LEVELS = {"log_debug": "debug", "log_info": "info", "log_warn": "warn", "log_error": "error"}
CLASSES = {"RETRY_NONE": "none", "RETRY_NOW": "now", "RETRY_LATER": "later", "RETRY_RECONNECT": "reconnect",
           "RETRY_REJECT_RECORD": "reject record", "RETRY_REJECT_CONFIG": "reject config", "RETRY_FATAL": "fatal"}
MACROS = {"SLICE_FMT": "%s", "ADDRESS_FMT": "%s"}
CALL = re.compile(r"\b(err_set_errno|err_set|log_msg|log_debug|log_info|log_warn|log_error)\s*\(")


def without_comments(text):
    """Comments become blanks, so that positions stay."""
    pattern = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.S)
    return pattern.sub(lambda m: m.group(0) if m.group(0)[0] in "\"'" else re.sub(r"[^\n]", " ", m.group(0)), text)


def arguments(text, start):
    """The arguments of a call whose bracket opens before `start`, split at the commas of its own level."""
    depth, begun, found, i = 0, start, [], start
    while i < len(text):
        c = text[i]
        if c in "\"'":
            i += 1
            while text[i] != c:
                i += 2 if text[i] == "\\" else 1
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            if depth == 0:
                return found + [text[begun:i].strip()]
            depth -= 1
        elif c == "," and depth == 0:
            found.append(text[begun:i].strip())
            begun = i + 1
        i += 1
    return found


def words(expression):
    """A format as people read it: literals joined, what is filled in as an ellipsis; "" when it is no literal."""
    parts = re.findall(r'"((?:\\.|[^"\\])*)"|([A-Za-z_]\w*)', expression)
    if not parts or not any(literal for literal, _ in parts):
        return ""
    text = "".join(literal if not name else MACROS.get(name, "") for literal, name in parts)
    text = text.replace('\\"', '"').replace("\\n", " ").replace("\\\\", "\\")
    text = re.sub(r"%%", "\0", text)
    text = re.sub(r"%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|z|j|t)?[a-zA-Z]?", "…", text)
    return text.replace("\0", "%")


CODE_FILES = ["rules/*.c", "connectors/*.c", "daemon/accept/*.c", "daemon/resolve/*.c", "daemon/http/*.c",
              "daemon/console/routes.c"]
CODE = re.compile(r'"((?:csv|date|delivery|email|form|geo|http|id_number|json|money|name|number|op|phone|country|record|'
                  r'records|rule|tags|text|timestamp|url|value)\.[a-z_]+)"')

EVENTS = {"record.rejected"}


def source_files(*patterns):
    for path in sorted(path for pattern in patterns for path in glob.glob(f"{ROOT}/{pattern}", recursive=True)):
        with open(path, encoding="utf-8") as file:
            yield os.path.relpath(path, ROOT), without_comments(file.read())


def read_calls(problems):
    """{id: [(kind, how, words)]} of every failure and log line, and {id: files}."""
    found, places = collections.defaultdict(list), collections.defaultdict(set)
    for name, text in source_files("daemon/**/*.c", "connectors/*.c", "rules/*.c"):
        for call in CALL.finditer(text):
            function, args = call.group(1), arguments(text, call.end())
            at = {"err_set": 2, "err_set_errno": 2, "log_msg": 1}.get(function, 0)
            if len(args) <= at or "char *" in args[at]:
                continue  # a definition
            ids = re.findall(r'"([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)"', args[at])
            if not ids:
                before = text[max(0, call.start() - 800):call.start()]
                assigned = re.findall(rf"\b{re.escape(args[at])} = ([^;]*);", before)
                ids = re.findall(r'"([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)"', assigned[-1]) if assigned else []
            if not ids:
                problems.append(f"{name}: {function}: the id is no literal: {args[at]}")
            how = CLASSES.get(args[1], "as the caller says") if function == "err_set" else \
                "by errno" if function == "err_set_errno" else LEVELS.get(function, "info")
            for identity in ids:
                places[identity].add(name)
                entry = (function.startswith("err"), how, words(args[at + 1]) if len(args) > at + 1 else "")
                if entry not in found[identity]:
                    found[identity].append(entry)
    return found, places


def read_codes(known, problems):
    """{code: files} of what refuses, with {code: sentence}."""
    places, sentences = collections.defaultdict(set), {}
    for name, text in source_files(*CODE_FILES):
        for call in CALL.finditer(text):  # ids of failures are not codes
            end = call.end() + len(", ".join(arguments(text, call.end())))
            text = text[:call.start()] + " " * (end - call.start()) + text[end:]
        text = re.sub(r'CRASH_POINT\("[^"]*"\)', "", text)
        for code in set(CODE.findall(text)) - EVENTS:
            places[code].add(name)
    for name, text in source_files("rules/packs/*.yaml"):
        for code in re.findall(r"\b(?:report|code): ([a-z_]+\.[a-z_]+)", text):
            places[code].add(name)
    with open(f"{ROOT}/tools/message_codes.txt", encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                code, sentence = line.strip().split(None, 1)
                sentences[code] = sentence
    for code in sorted(set(places) - set(sentences)):
        if code not in known:
            problems.append(f"{sorted(places[code])[0]}: {code} has no sentence in tools/message_codes.txt")
    for code in sorted(set(sentences) - set(places)):
        problems.append(f"tools/message_codes.txt: nothing says {code}")
    return {code: places[code] for code in sentences if code in places}, sentences


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def table(rows, heads):
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def where(files):
    return ", ".join(f"`{name}`" for name in sorted(files)) if len(files) <= 3 else f"{len(files)} files"


def print_calls(found, places, failures):
    rows = collections.defaultdict(list)
    for identity, entries in found.items():
        for failure, how, said in entries:
            if failure == failures:
                rows[identity, how].append(said)
    table(([f"`{identity}`", how, " · ".join(cell(said) for said in sorted(set(texts))[:5] if said)
            + (f" · and {len(set(texts)) - 5} more" if len(set(texts)) > 5 else ""), where(places[identity])]
           for (identity, how), texts in sorted(rows.items())),
          ["id", "retry" if failures else "level", "text", "where"])


def main():
    problems = []
    found, places = read_calls(problems)
    codes, sentences = read_codes(found, problems)
    print("""# Messages

Written by `make docs` from the source; a test keeps it current.

Every failure, log line and refusal has an id, `area.what`, that stays while its words may change. Search and alert by id. An
ellipsis stands for what is filled in. What a person can do follows after `hint:`.

In the log an id stands in brackets (text) or in `id` (JSON). The API answers `{"error": {"code", "message"}}`. Rejects
carry the code of the first reason in `reason`.

## Failures
How a failure is retried is decided where it is born: *now* (the same transaction again, a few times), *later* (wait, then
again), *reconnect* (drop the connection, wait, again), *reject record* (one record is to blame and is set aside),
*reject config* (a person must change something; input is kept), *fatal* (this activity stops loudly), *none* (the caller
decides), *by errno* (no space, no memory, too many files: later; else none).
""")
    print_calls(found, places, True)
    print("\n## Log lines\n")
    print_calls(found, places, False)
    print("\n## Codes\n\nWhy a record was rejected or put into quarantine, why a value is no evidence, why a request was refused. "
          "Rules of your own\nadd codes of their own (`code:` in a pack; see [rules.md](rules.md)).\n")
    table(([f"`{c}`", cell(sentences[c]), where(codes[c])] for c in sorted(codes)),
          ["code", "what it means", "where"])
    print("\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


sys.exit(main())
