# SPDX-License-Identifier: MIT
"""`--check`: tries a new testee step by step, and says what to write next.

The steps are data/check, in the order in which a testee is written; the first that fails
is shown with the lines that went to and fro. Nothing here is a result of the suite.
"""

from __future__ import annotations

import textwrap

from . import __version__, capabilities, report
from .data import CHECK
from .engine import Options, Outcome, obstacle, play
from .greeting import Greeting
from .suite import Result, lacking
from .testees import Pool, Spec, Testee, TesteeError
from .transcript import Scenario, load

SHOWN = 12  # lines of the protocol


def _say(mark: str, text: str) -> None:
    print(f"{mark:4} {text}")


def _hint(text: str) -> None:
    print(textwrap.indent(textwrap.fill(text, 84), "     "))


def _starts(spec: Spec) -> Greeting | None:
    """Whether the testee greets, and answers the request that needs no library."""
    try:
        testee = Testee(spec)
    except TesteeError as error:
        _say("NO", f"greeting: {error}")
        _hint(
            "The first line of its output says who it is: `polysock-testee 1 VERSION`, "
            "and after VERSION, which is one word, `offers=base` for the beginning. "
            "Write it out at once: output to a pipe is often kept back."
        )
        return None
    said = testee.greeting
    _say("ok", f"greeting: {' '.join([said.version, *said.words()])}")
    for fault in said.faults:
        _say("NO", f"greeting: {fault}")
    try:
        wrong = testee.reset(5.0)
    except TesteeError as error:
        wrong = str(error)
    if wrong:
        _say("NO", f"the line `0 - testee reset` should be answered `0 ok`: {wrong}")
        _hint(
            "Read lines from the standard input until it ends. The words of a line are "
            "TAG, INTO, SLOT, METHOD and the arguments; the answer begins with TAG."
        )
    elif not said.faults:
        wrong = testee.quit()
        if wrong:
            _say("NO", f"end: {wrong}")
            _hint("A testee ends when its standard input ends, with status 0.")
    testee.kill()
    return None if wrong or said.faults else said


def _failed(scenario: Scenario, outcome: Outcome, wire: list[str]) -> None:
    result = Result(scenario, {"": ""}, outcome=outcome)
    step = report.steps_left(result)
    for line in [step.partition(": ")[2] if step else "", outcome.problems[0].text]:
        if line:
            print(f"     {line}")
    for line in wire[-SHOWN:]:
        print(f"       {line}")
    _hint(" ".join(scenario.about[1:]))


def _steps(spec: Spec) -> bool:
    """Plays the steps until one fails."""
    pool = Pool({spec.name: spec})
    for path in sorted(CHECK.glob("*.t")):
        scenario = load(path, CHECK)
        spec.wire = []
        outcome = play(scenario, {"": spec.name}, pool, Options())
        label = f"{path.stem.partition('-')[2]}: {scenario.title}"
        # Whoever is not asked for the level strict may leave misuse for later.
        later = capabilities.level(scenario) == capabilities.STRICT
        if outcome.passed:
            _say("ok", label)
            continue
        _say("--" if later else "NO", label)
        _failed(scenario, outcome, spec.wire)
        if later:
            print("     This is for the level strict, and can wait.")
        else:
            pool.finish()
            return False
    for fault in pool.finish():
        _say("NO", fault)
        return False
    return True


def _playable(scenarios: list[Scenario], said: Greeting) -> list[Scenario]:
    out = []
    for scenario in scenarios:
        cast = dict.fromkeys(scenario.roles or [""], "testee")
        if obstacle(scenario, cast, {"testee": said}, lacking) is None:
            out.append(scenario)
    return out


def _more(scenarios: list[Scenario], said: Greeting) -> dict[str, int]:
    """For each capability that is not offered, how many scenarios need only that one."""
    out: dict[str, int] = {}
    for scenario in scenarios:
        missing = [name for name in capabilities.used(scenario) if not said.offered(name)]
        if len(missing) == 1:
            out[missing[0]] = out.get(missing[0], 0) + 1
    return out


def _next(scenarios: list[Scenario], said: Greeting) -> None:
    """What the testee can play now, and what it could offer next."""
    playable = _playable(scenarios, said)
    print(f"\n{len(playable)} of {len(scenarios)} scenarios apply to what it offers:")
    sections = dict.fromkeys(scenario.section for scenario in playable)
    counts = {
        name: sum(scenario.section == name for scenario in playable) for name in sections
    }
    _hint(", ".join(f"{name} {count}" for name, count in counts.items()))
    more = _more(scenarios, said)
    waiting = [
        item
        for name in capabilities.listed()
        if name in more
        for item in [capabilities.listed()[name]]
    ]
    if waiting:
        item = waiting[0]
        print(f"\nnext: offer `{item.name}`: {item.about}")
        calls = ", ".join(
            f"{use.method}, argument {use.argument}" if use.argument else use.method
            for use in item.uses
        )
        if calls:
            print(f"     calls: {calls}")
        print(f"     {more[item.name]} scenarios need only that")
        if waiting[1:]:
            rest = ", ".join(f"{item.name} {more[item.name]}" for item in waiting[1:])
            _hint(f"later: {rest}")


def run(testees: dict[str, Spec], scenarios: list[Scenario]) -> int:
    good = True
    for name, spec in testees.items():
        print(f"check of {name}, suite {__version__}")
        said = _starts(spec)
        passed = said is not None and _steps(spec)
        if said is not None and passed:
            _next(scenarios, said)
        good = good and passed
    print(f"check: {'the testee is ready for a run' if good else 'not yet'}")
    return 0 if good else 1
