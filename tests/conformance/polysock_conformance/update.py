# SPDX-License-Identifier: MIT
"""`--update`: writes what came back into the scenario, in place; the review is `git
diff`.

Only expectations change, and of these only the values that differ: patterns that match
stay patterns. It never adds, drops or reorders steps and never touches a time.
"""

from __future__ import annotations

import dataclasses
import re

from .engine import Options, Seen, casts, obstacle, play
from .match import Answer
from .suite import Suite, lacking
from .testees import Pool
from .transcript import Expect, Scenario, parse
from .values import Data, show

REFERENCE = "luasocket"  # it alone may differ: others that do are wrong


def _written(seen: Seen, expect: Expect) -> str:
    """The expectation as it should have been."""
    answer = seen.answer
    if answer.mark == "X":
        misuse = answer.cls in ("error", "misuse", "TypeError", "ValueError")
        return f"{'X' if misuse else 'E'} {show(Data(_bare(answer)), brief=False)}"
    words = [answer.mark]
    for index, value in enumerate(answer.values):
        fits = index < len(seen.fits) and seen.fits[index]
        if isinstance(value, float) and value.is_integer() and seen.testee == REFERENCE:
            value = int(value)
        words.append(expect.sources[index] if fits else show(value, brief=False))
    return " ".join(words)


def _bare(answer: Answer) -> bytes:
    """A message without the position that Lua puts in front."""
    text = answer.values[0]
    assert isinstance(text, Data)
    return re.sub(rb"^[\w./-]+:\d+: ", b"", text.data)


def _tail(expect: Expect) -> str:
    out = f" -> {expect.into}" if expect.into else ""
    if expect.time:
        out += f"  {expect.time.mark}{expect.time.seconds:g}s"
    return out


def _apply(scenario: Scenario, wrong: list[Seen], name: str, reference: bool) -> str:
    """The text of the scenario with the expectations of one testee put right."""
    joined = _numbered(scenario)
    added = False
    for seen in wrong:
        assert seen.expect is not None
        line, column = seen.expect.line, seen.expect.column
        written = _written(seen, seen.expect) + _tail(seen.expect)
        if reference or seen.expect is not seen.step.expect:
            joined[line] = joined[line][:column] + written
        else:
            joined[line] += f"\n  or {name} ".ljust(column + 1) + written
            added = True
    text = "\n".join(joined[number] for number in sorted(joined)) + "\n"
    if added and name not in scenario.deviates:
        lines = text.split("\n")
        last = max(i for i, line in enumerate(lines) if line.startswith("# proves:"))
        lines.insert(last + 1, f"# deviates: {name} TODO: why this is right")
        text = "\n".join(lines)
    return text


def _numbered(scenario: Scenario) -> dict[int, str]:
    """The lines by number, those that go on in the next one joined."""
    out: dict[int, str] = {}
    start = 0
    for number, line in enumerate(scenario.lines, 1):
        start = start or number
        if start == number:
            out[start] = line
        else:
            out[start] = out[start][:-1].rstrip() + " " + line.strip()
        if not line.endswith("\\"):
            start = 0
    return out


def update(suite: Suite, scenarios: list[Scenario], options: Options) -> list[str]:
    """Rewrites the scenario files; returns the names of those that changed."""
    changed = []
    pool = Pool(suite.specs)
    options = dataclasses.replace(options, persist=True)
    names = sorted(suite.specs, key=lambda name: name == REFERENCE)
    for scenario in scenarios:
        first = True
        for cast in casts(scenario, names):
            names_here = set(cast.values())
            if obstacle(scenario, cast, suite.greetings, lacking):
                continue
            if not first and REFERENCE not in names_here:
                continue
            outcome = play(scenario, cast, pool, options)
            wrong = [seen for seen in outcome.seen if seen.wrong]
            if not first:
                wrong = [seen for seen in wrong if seen.testee == REFERENCE]
            reference = first and REFERENCE not in names_here
            first = False
            if wrong and scenario.path:
                text = _apply(scenario, wrong, wrong[0].testee, reference)
                scenario.path.write_text(text, encoding="utf-8")
                scenario = parse(text, scenario.name, scenario.path)
                changed.append(scenario.name)
    pool.finish()
    return sorted(set(changed))
