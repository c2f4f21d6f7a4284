# SPDX-License-Identifier: MIT
"""Tests of the suite as a product: greetings and capabilities, levels, the command line,
and the reports. The driver's own are in test_driver.py, whose testee this borrows.

Run it with `python3 tests/conformance/test_kit.py`.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
import unittest.mock
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from polysock_conformance import (
    __version__,
    capabilities,
    cli,
    data,
    greeting,
    published,
    report,
    testees,
    transcript,
)
from polysock_conformance.greeting import Greeting
from polysock_conformance.interface import functions
from polysock_conformance.suite import DEVIATION, FAIL, OK, SKIPPED, Result, Suite
from polysock_conformance.testees import Spec, TesteeError
from polysock_conformance.transcript import parse
from test_driver import HEAD, HELLO, OBEDIENT, REFUSED, played, run_tests, suite

HERE = Path(__file__).resolve().parent
DOCS = HERE.parents[1] / "docs"
# Refused by what the page says in words below the grammar.
REFUSED_BY_RULE = (
    *("peer dance", "peer send", "peer accept q", "peer listen -> $x", "peer flood"),
    *("collect t =", "start t  c echo", 'c x X ""', "c x !", "c x = ... 1"),
)


REPORT_1: dict[str, Any] = {
    "format": 1,
    "suite": {"version": "1.0.0", "protocol": 1},
    "run": {
        "date": "2030-01-02T03:04:05Z",
        "seconds": 1.5,
        "seed": "0",
        "level": "core",
        "selected": True,
        "system": "Linux x86_64",
        "python": "3.9.0",
    },
    "testees": [
        {
            "name": "ruby",
            "version": "mylib-0.1",
            "suite": "1.0",
            "flags": ["threads"],
            "offers": None,
            "lacks": ["poller"],
            "counts": {"ok": 1, "deviation": 0, "known": 0, "skipped": 1, "FAIL": 0},
        }
    ],
    "totals": {"passed": 1, "failed": 0, "skipped": 1},
    "faults": [],
    "results": [
        {
            "scenario": f"{section}/line",
            "title": "A line ends at LF",
            "level": "core",
            "proves": ["receive.line.lf"],
            "testees": ["ruby"],
            "mark": mark,
            "reason": "",
            "retried": 0,
            "seconds": 0.012,
        }
        for section, mark in (("receive", "ok"), ("poller", "skipped"))
    ],
}


def violations(value: Any, schema: dict[str, Any], where: str = "") -> Iterator[str]:
    """What is wrong with a value by a JSON schema, of which these keywords are known."""
    known = {"type", "const", "enum", "minimum", "items", "minItems", "required"}
    known |= {"properties", "description", "title", "$schema"}
    assert set(schema) <= known, set(schema) - known
    types = {"object": dict, "array": list, "string": str, "null": type(None)}
    types.update(boolean=bool, integer=int, number=(int, float))
    wanted = schema.get("type", [])
    wanted = [wanted] if isinstance(wanted, str) else wanted
    if wanted and not any(isinstance(value, types[name]) for name in wanted):
        yield f"{where}: not {wanted}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{where}: not {schema['const']}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: not one of {schema['enum']}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{where}: too small"
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"{where}: too few"
        for index, item in enumerate(value):
            yield from violations(item, schema.get("items", {}), f"{where}[{index}]")
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield f"{where}: no {name}"
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                yield from violations(value[name], inner, f"{where}.{name}")


def greeted(words: str) -> Suite:
    """The suite with the obedient testee, which says these words of itself."""
    script = OBEDIENT.replace(HELLO, f"{HELLO} {words}".strip())
    return suite(lua=Spec("lua", [sys.executable, "-c", script]))


class Capabilities(unittest.TestCase):
    def said(self, words: str) -> Greeting:
        return greeting.read(f"polysock-testee 1 x {words}".split())

    def result(self, words: str, text: str) -> Result:
        return greeted(words).run([parse(HEAD + text, "x/y")], [], lambda *_: None)[0]

    def test_what_is_offered(self) -> None:
        for words, offered, lacking in (
            ("", "base until poller option:linger", ""),
            ("lacks=until", "base poller option:linger", "until"),
            ("lacks=option:linger", "options option:keepalive", "option:linger"),
            ("offers=until", "base until", "poller options option:linger"),
            ("offers=options", "options option:linger", "until"),
            ("offers=option:linger", "options option:linger", "option:keepalive"),
            ("offers=options lacks=option:linger", "option:keepalive", "option:linger"),
        ):
            said = self.said(words)
            with self.subTest(words):
                self.assertTrue(all(map(said.offered, offered.split())))
                self.assertFalse(any(map(said.offered, lacking.split())))

    def test_words_with_a_slip_are_faults(self) -> None:
        for words in ("thread", "lacks=untill", "offers=", "names=a", "suite=99.0"):
            with self.subTest(words):
                self.assertEqual(len(self.said(words).faults), 1)
        said = self.said(
            "threads tuples loose coarse leaks suite=1.0 misuse=A,B names=a:b"
        )
        self.assertEqual(said.faults, ())
        self.assertEqual(len(greeted("thread").complaints), 1)

    def test_other_greetings_do_not_start(self) -> None:
        for hello in ("hello", "polysock-testee 2 x", "polysock-testee 1"):
            script = OBEDIENT.replace(HELLO, hello)
            with self.subTest(hello), self.assertRaises(TesteeError):
                suite(lua=Spec("lua", [sys.executable, "-c", script]))

    def test_what_is_not_offered_is_skipped(self) -> None:
        until = 'c receiveuntil ";" = nil'
        self.assertEqual(self.result("", until).mark, OK)
        for words in ("lacks=until", "offers=base"):
            result = self.result(words, until)
            self.assertEqual((result.mark, result.reason[-5:]), (SKIPPED, "until"))
        explicit = "# uses: name-limits\nc echo = nil"
        self.assertEqual(self.result("lacks=name-limits", explicit).mark, SKIPPED)

    def test_an_own_expectation_is_no_use(self) -> None:
        head = "# deviates: lua because\n"
        own = "c receiveuntil 1 = 1\n  or lua = nil"
        self.assertEqual(self.result("lacks=until", head + own).mark, DEVIATION)
        stop = "c echo 1 = 1\nc receiveuntil 1 = 1\n  or lua stop\nc lines = object"
        self.assertEqual(self.result("lacks=until,lines", head + stop).mark, DEVIATION)

    def test_what_the_greeting_says_of_answers(self) -> None:
        for words, text in (
            ("loose", "c echo 1.0 = 1"),
            ("loose", 'c echo "80" = <integer 80..>'),
            ("misuse=OSError", 'c break X "broken"'),
            ("names=refuse:echo", "c refuse 1 = 1"),
        ):
            with self.subTest(words):
                self.assertEqual(self.result(words, text).mark, OK)
                self.assertEqual(self.result("", text).mark, FAIL)
        self.assertEqual(
            self.result("misuse=OSError", 'c refuse X "argument"').mark, FAIL
        )

    @unittest.skipUnless(sys.platform.startswith("linux"), "only on Linux")
    def test_descriptors_that_are_left_open(self) -> None:
        left = "c leave = nil"
        self.assertEqual(self.result("", left).mark, FAIL)
        self.assertEqual(self.result("leaks", left).mark, OK)

    def test_what_calls_use(self) -> None:
        for call, wanted in (
            ('c receive "*l"', ["base"]),
            ('c receive "*l" nil', ["base"]),
            ('c receive "*L" "x"', ["base", "prefix", "rawline"]),
            ('c receive "*l" nil 5', ["base", "maxsize"]),
            ('c getoption "linger"', ["options", "option:linger"]),
            ('dns toip "a" 1', ["dns", "call-timeout"]),
            ("mod poller", ["poller"]),
            ("c x", []),
        ):
            scenario = parse(HEAD + call + " = nil", "x/y")
            with self.subTest(call):
                self.assertEqual(set(capabilities.used(scenario)), set(wanted))

    def test_every_call_that_is_named_is_one_of_the_library(self) -> None:
        own = {"foreign", "tostring", "next", "field"}
        own |= {"_VERSION", "_SETSIZE", "_SOCKETINVALID"}
        known = {(it.owner, it.name): len(it.arguments) for it in functions()}
        for item in capabilities.listed().values():
            for use in item.uses:
                if use.method not in own:
                    self.assertGreaterEqual(known[use.owner, use.method], use.argument)

    def test_levels(self) -> None:
        for text, level in (
            ("c receive = nil", "core"),
            ('c receiveuntil ";" = nil', "extended"),
            ('c receiveuntil ";" X "bad"', "strict"),
            ("# level: extended\nc receive = nil", "extended"),
            ('# level: core\nc receive 1 X "bad"', "core"),
        ):
            scenario = parse(HEAD + text, "x/y")
            with self.subTest(text):
                self.assertEqual(capabilities.level(scenario), level)
                self.assertTrue(capabilities.within(scenario, "strict"))
                self.assertEqual(capabilities.within(scenario, "core"), level == "core")


class Reports(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)

    def report(self, *texts: str) -> Path:
        results = [played(text) for text in texts]
        said = {"lua": greeting.read(f"{HELLO} lacks=until".split())}
        report.write(report.Summary(said, results, 1.0, "0"), self.path)
        return self.path / "report.json"

    def test_the_json_is_as_the_schema_says(self) -> None:
        path = self.report("c echo 1 = 1", 'c echo "\\xff" = 2', "# only: c\nc x =")
        found, schema = json.loads(path.read_text()), json.loads(data.SCHEMA.read_text())
        self.assertEqual(list(violations(found, schema)), [])
        self.assertEqual(found["totals"], {"passed": 1, "failed": 1, "skipped": 1})
        for change in (
            lambda it: it.pop("suite"),
            lambda it: it.update(format=2),
            lambda it: it["results"][0].update(mark="fine"),
            lambda it: it["testees"][0]["counts"].update(ok=-1),
            lambda it: it["run"].update(seed=0),
        ):
            wrong = copy.deepcopy(found)
            change(wrong)
            self.assertNotEqual(list(violations(wrong, schema)), [])

    def test_a_report_of_version_1_stays_one(self) -> None:
        """What other programs rely on: this report must always be read, and be valid."""
        schema = json.loads(data.SCHEMA.read_text())
        self.assertEqual(list(violations(REPORT_1, schema)), [])
        path = self.path / "report.json"
        path.write_text(json.dumps(REPORT_1))
        text = published.table([published.read(path)])
        self.assertIn("| `receive` | 1 |", text)
        self.assertIn("| level | core (part) |", text)

    def test_a_table_and_a_badge(self) -> None:
        found = published.read(self.report("c echo 1 = 1", "c echo 1 = 2"))
        text = published.table([found, found])
        self.assertIn("| `x` | **1 of 2** | **1 of 2** |", text)
        self.assertEqual({line.count("|") for line in text.splitlines()}, {4})
        self.assertIn("1 failed", published.badge(found, "lua"))
        good = published.read(self.report("c echo 1 = 1"))
        xml.fromstring(published.badge(good))
        self.assertIn("1 passed", published.badge(good))
        with self.assertRaises(published.ReportError):
            published.badge(good, "ruby")

    def test_what_is_no_report(self) -> None:
        changes: tuple[tuple[str, object], ...] = (
            ("scenario", 1),
            ("mark", "fine"),
            ("testees", [[1]]),
        )
        wrong = [
            {**REPORT_1, "results": [{**REPORT_1["results"][0], name: value}]}
            for name, value in changes
        ]
        wrong += [
            {**REPORT_1, "run": {**REPORT_1["run"], "level": 3}},
            {**REPORT_1, "totals": {"passed": None, "failed": 0}},
            {**REPORT_1, "testees": [{**REPORT_1["testees"][0], "name": 5}]},
        ]
        texts = ["", "[]", '{"format": 2}', '{"format": 1}', "[" * 100000]
        for text in [*texts, *map(json.dumps, wrong)]:
            path = self.path / "report.json"
            path.write_text(text)
            with self.subTest(text[:100]), self.assertRaises(published.ReportError):
                published.read(path)


class Commands(unittest.TestCase):
    """The command line, as one who has only the package uses it."""

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)
        (self.path / "testee.py").write_text(OBEDIENT)

    def run_suite(self, *argv: str, status: int = 0) -> str:
        command = f"{sys.executable} {self.path}/testee.py"
        return self.command("run", "--testee", command, *argv, status=status)

    def command(self, *argv: str, status: int = 0) -> str:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                code: object = cli.main([*argv])
            except SystemExit as refused:
                code = refused.code
        self.assertEqual(code, status, said.getvalue())
        return said.getvalue()

    def scenarios(self, text: str) -> str:
        (self.path / "mine/x").mkdir(parents=True, exist_ok=True)
        (self.path / "mine/x/y.t").write_text(HEAD + text)
        return str(self.path / "mine")

    def test_scenarios_of_ones_own(self) -> None:
        folder = self.scenarios("c echo 1 = 1")
        said = self.run_suite("--scenarios", folder, "--report", str(self.path))
        self.assertTrue(said.endswith("conformance: 1 passed, 0 failed, 0 skipped\n"))
        self.assertIn(__version__, said)
        for name in ("report.md", "report.html", "report.json", "junit.xml"):
            self.assertIn(__version__, (self.path / name).read_text(), name)
        self.run_suite("--scenarios", self.scenarios("# uses: luck\nc x ="), status=1)
        self.scenarios("c echo 1 = 1")
        (self.path / "mine/requirements.md").write_text("- `a.c` x\n")
        self.run_suite("--scenarios", folder, status=1)

    def test_a_list_of_known_failures(self) -> None:
        folder, known = self.scenarios("c echo 1 = 2"), self.path / "known.txt"
        self.run_suite("--scenarios", folder, status=1)
        known.write_text("testee x/y because # of this\n")
        said = self.run_suite("--scenarios", folder, "--known", str(known))
        self.assertIn("1 passed, 0 failed", said)
        self.scenarios("c echo 1 = 1")
        self.run_suite("--scenarios", folder, "--known", str(known), status=1)
        known.write_text("other,testee x/y sometimes: because\n")
        self.run_suite("--scenarios", folder, "--known", str(known))
        self.run_suite("--scenarios", folder, "--known", str(known) + "x", status=2)
        known.write_text("testee x/y\n")
        self.run_suite("--scenarios", folder, "--known", str(known), status=2)
        known.write_text("testee x/z because\n")
        self.run_suite("--scenarios", folder, "--known", str(known), status=1)

    def test_levels_and_sections(self) -> None:
        folder = self.scenarios('c refuse X "argument"')
        self.run_suite("--scenarios", folder, "--level", "core", status=2)
        self.run_suite("--scenarios", folder, "--section", "x")
        self.run_suite("--scenarios", folder + "/nowhere", status=2)
        self.run_suite("--scenarios", folder, "--section", "y", status=2)

    def test_a_check_shows_what_is_wrong(self) -> None:
        said = self.run_suite("--check", status=1)
        self.assertIn("NO   object:", said)
        self.assertIn("→ 0 - c close", said)
        self.assertIn("not yet", said)
        (self.path / "testee.py").write_text("print('hi')")
        self.assertIn("NO   greeting:", self.run_suite("--check", status=1))
        self.assertIn("--check says more", self.run_suite(status=2))

    def test_a_single_testee_plays_both_roles(self) -> None:
        folder = self.scenarios("a: c echo 1 = 1\nb: c echo 2 = 2")
        self.assertIn("1 passed", self.run_suite("--scenarios", folder))

    def test_names_of_testees(self) -> None:
        found = cli.specs(["sh -c 'a b'", "ruby=env X=1 ruby testee.rb"])
        self.assertEqual(found["testee"].argv, ["sh", "-c", "a b"])
        self.assertEqual(found["ruby"].argv, ["env", "X=1", "ruby", "testee.rb"])
        for wrong in (["a", "b"], ["x= "], [""], ["Perl=perl x"], ["a-b=perl x"]):
            with self.subTest(wrong), self.assertRaises(SystemExit):
                cli.specs(wrong)

    def test_what_cannot_be_read(self) -> None:
        """Each is told by its name, and none by a traceback."""
        folder = self.scenarios("c echo 1 = 1")
        (self.path / "bytes").write_bytes(b"\xff")
        for argv in (
            ("--known", str(self.path)),
            ("--known", str(self.path / "bytes")),
            ("--scenarios", str(self.path / "bytes")),
            ("--report", str(self.path / "bytes")),
            ("-k", "(x)(y)"),
            ("-k", "x y"),
            ("-k", "()"),
            ("-j", "0"),
            ("--slack", "nan"),
            ("--testee", "perl=perl 'testee.pl"),
        ):
            with self.subTest(argv):
                said = self.run_suite("--scenarios", folder, *argv, status=2)
                self.assertIn(Path(argv[1]).name, said)
        (self.path / "mine/x/z.t").write_bytes(b"\xff")
        (self.path / "mine/x/w.t").mkdir()
        said = self.run_suite("--scenarios", folder, status=1)
        self.assertIn("z.t: ", said)
        self.assertIn("1 passed, 2 failed", said)
        said = self.run_suite("--scenarios", folder, "--list", status=1)
        self.assertIn("FAULT " + folder, said)
        (self.path / "mine/requirements.md").write_bytes(b"\xff")
        said = self.run_suite("--scenarios", folder, status=2)
        self.assertIn("requirements.md", said)

    def test_files_that_cannot_be_written(self) -> None:
        report = self.path / "report.json"
        report.write_text(json.dumps(REPORT_1))
        nowhere = str(self.path / "nowhere/badge.svg")
        self.assertIn(
            nowhere, self.command("badge", str(report), "-o", nowhere, status=2)
        )
        self.assertIn("run --list", self.command("show", "receive", status=2))

    def test_a_seed_and_faults_that_are_no_text(self) -> None:
        (self.path / "testee.py").write_text(
            OBEDIENT + "sys.stderr.buffer.write(b'\\x1b[31m\\xff')\nsys.exit(3)\n"
        )
        folder = self.scenarios("c echo 1 = 1")
        argv = ("--scenarios", folder, "--seed", "\udcff", "--report", str(self.path))
        said = self.run_suite(*argv, status=1)
        self.assertIn("status 3: ?[31m\ufffd", said)
        xml.parse(self.path / "junit.xml")
        self.assertEqual(
            json.loads((self.path / "report.json").read_text())["run"]["seed"], "\udcff"
        )

    def process(
        self, *argv: str, stderr: int = subprocess.STDOUT, **env: str
    ) -> subprocess.Popen[str]:
        """The command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "polysock_conformance", *argv],
            cwd=HERE,
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            encoding="utf-8",
            # A shell lets its background jobs ignore it, and what they start as well.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    @unittest.skipIf(sys.platform == "win32", "signals")
    def test_a_run_that_is_interrupted(self) -> None:
        """It ends at once, and so do its testees, a hung one and one behind a shell."""
        mark = self.path / "pid"
        hung = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid()))\n"
        (self.path / "hung.py").write_text(hung + "time.sleep(60)\n")
        started = f"{sys.executable} {self.path}/hung.py"
        (self.path / "testee.py").write_text(
            OBEDIENT.replace("time.sleep(60)", f"os.system({started!r})")
        )
        folder = self.scenarios("# time: 60\nstart t  c hang\npause 50\ncollect t =")
        testee = f"{sys.executable} {self.path}/testee.py"
        behind = f"sh -c '{started}; true'"
        for sent, status, *argv in (
            (signal.SIGINT, 130, "--testee", testee, "--scenarios", folder),
            (signal.SIGTERM, 143, "--testee", testee, "--scenarios", folder),
            (signal.SIGINT, 130, "--testee", behind),
            (signal.SIGINT, 130, "--testee", behind, "--check"),
        ):
            with self.subTest(argv):
                mark.unlink(missing_ok=True)
                run = self.process("run", *argv)
                end = time.monotonic() + 20
                while not (mark.exists() and mark.read_text()) and time.monotonic() < end:
                    time.sleep(0.01)
                began = time.monotonic()
                run.send_signal(sent)
                said, _ = run.communicate()
                self.assertEqual(run.returncode, status, said)
                self.assertTrue(said.endswith("conformance: interrupted\n"), said)
                self.assertNotIn("Traceback", said)
                self.assertLess(time.monotonic() - began, 10)
                self.assertFalse(self.lives(int(mark.read_text())))

    def lives(self, pid: int) -> bool:
        """Whether a process still runs, a moment later; one that nobody waits for does
        not."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            try:
                if "State:\tZ" in Path(f"/proc/{pid}/status").read_text():
                    return False
                os.kill(pid, 0)
            except OSError:
                return False
            time.sleep(0.01)
        return True

    def test_output_that_nobody_reads(self) -> None:
        (self.path / "mine/x").mkdir(parents=True)
        for number in range(3000):
            (self.path / f"mine/x/y{number}.t").write_text(HEAD + "# only: c\nc x =")
        testee = f"{sys.executable} {self.path}/testee.py"
        (self.path / "mine/x/z.t").write_text(HEAD + "c echo 1 = 1")
        for argv in (
            ("run", "--list"),
            ("run", "--testee", testee, "--scenarios", str(self.path / "mine"), "-v"),
            ("schema",),
        ):
            with self.subTest(argv), self.process(*argv, stderr=subprocess.PIPE) as run:
                assert run.stdout and run.stderr
                run.stdout.read(1)
                run.stdout.close()
                self.assertEqual(run.stderr.read(), "")
                self.assertIn(run.wait(), (0, 1))

    def test_output_in_another_encoding(self) -> None:
        folder = self.scenarios("c echo 1 = 2")
        testee = f"{sys.executable} {self.path}/testee.py"
        argv = ("run", "--testee", testee, "--scenarios", folder)
        run = self.process(*argv, PYTHONIOENCODING="ascii")
        said, _ = run.communicate()
        self.assertIn("\\u2192 c echo 1", said)
        self.assertTrue(said.endswith("0 passed, 1 failed, 0 skipped\n"), said)


class Testees(unittest.TestCase):
    """Testees that are no good. Each costs its scenario, with a reason to go by."""

    SAYS = "print(tag, answer, flush=True)"

    def play(self, answer: str, text: str = "c echo 1 = 1") -> str:
        """The reason of the failure when a testee answers like this."""
        script = OBEDIENT.replace(self.SAYS, f"{answer}\n    {self.SAYS}")
        scenario = parse(HEAD + "# time: 1\n" + text, "x/y")
        found = suite(lua=Spec("lua", [sys.executable, "-c", script]))
        result = found.run([scenario], [], lambda *_: None)[0]
        self.assertEqual(result.mark, FAIL)
        return result.reason

    def echo(self, words: str) -> str:
        """The same, for what it writes in place of its answer to `echo`."""
        return self.play(
            f"if method == 'echo': os.write(1, {words}); answer = 'ok i1'; tag = 'x'"
        )

    def test_tabs_are_blanks_too(self) -> None:
        script = OBEDIENT.replace(HELLO, HELLO.replace(" ", "\\t") + "\\tlacks=until")
        found = suite(lua=Spec("lua", [sys.executable, "-c", script]))
        self.assertEqual(found.greetings["lua"].lacks, {"until"})

    def test_answers_that_are_none(self) -> None:
        for words, reason in (
            ("b'0 tid soon\\n'", "neither ok nor error: b'tid soon'"),
            ("b'0 \\xff\\xfe\\n'", "neither ok nor error: b'\\xff\\xfe'"),
            ("b'0 error \\xff s%0\\n'", "cannot read b's%0'"),
            ("b'0 error \\xff s\\xff\\n'", "got"),
            ("b'0 ok ' + b'[ ' * 9999 + b'\\n'", "more than 20 lists within lists"),
            ("b'0 ok i' + b'9' * 9999 + b'\\n'", "cannot read b'i99"),
            (
                "b'calling echo\\n'",
                " s, but the line b'calling echo'",
            ),
            ("b'\\xff tid 1\\n'", "no answer within "),
        ):
            with self.subTest(words):
                self.assertIn(reason, self.echo(words))

    def test_a_line_without_end(self) -> None:
        with unittest.mock.patch.object(testees, "LONGEST", 100000):
            endless = "while method == 'echo': os.write(1, b'x' * 10000)"
            reason = self.play(endless)
        self.assertIn("it wrote a line of more than", reason)

    def test_a_request_that_nobody_reads(self) -> None:
        with unittest.mock.patch.object(testees, "UNREAD", 0.5):
            reason = self.play(
                "if method == 'tcp': print(tag, answer, flush=True); time.sleep(60)",
                'c tcp = object\nc echo repeat("x",1000000) =',
            )
        self.assertIn("it has not read its input for 0.5 s", reason)

    @unittest.skipIf(sys.platform == "win32", "signals")
    def test_ends_that_have_no_name(self) -> None:
        number = signal.SIGRTMIN + 3 if hasattr(signal, "SIGRTMIN") else signal.SIGKILL
        killed = f"if method == 'echo': os.kill(os.getpid(), {number:d})"
        self.assertRegex(self.play(killed), f"it died of (signal {number:d}|SIGKILL)")

    def start(self, script: str) -> str:
        with self.assertRaises(TesteeError) as caught:
            suite(lua=Spec("lua", [sys.executable, "-c", script]))
        return str(caught.exception)

    def test_greetings_that_are_none(self) -> None:
        self.assertLess(len(self.start("print('x' * 1000000)")), 300)
        with unittest.mock.patch.object(testees, "STARTUP", 1.0):
            said = self.start(
                "import sys, time; sys.stderr.write('waiting'); sys.stderr.flush()\n"
                "time.sleep(60)"
            )
        self.assertIn("no greeting within 1 s: waiting", said)
        with self.assertRaises(TesteeError) as caught:
            suite(lua=Spec("lua", ["no-such-command"]))
        self.assertIn("no-such-command: No such file", str(caught.exception))


class Data(unittest.TestCase):
    def test_every_scenario_is_in_the_grammar(self) -> None:
        scenarios, faults = cli.read_scenarios(data.SCENARIOS)
        self.assertEqual(faults, [])
        levels = {capabilities.level(scenario) for scenario in scenarios}
        self.assertEqual(levels, {"core", "extended", "strict"})

    def test_the_licence_is_that_of_the_project(self) -> None:
        here = Path(__file__).resolve().parent
        licence = (here.parent.parent / "LICENSE").read_text()
        self.assertEqual((here / "LICENSE").read_text(), licence)


class Peg:
    """Recognizes a line by a parsing expression grammar, as docs/conformance-format.md
    writes it."""

    TOKEN = re.compile(
        r'"(?P<text>[^"]*)"|\[(?P<set>\^?[^\]]+)\]|(?P<op>[/*+?&!()])|(?P<name>\w+)'
    )

    def __init__(self, text: str) -> None:
        rules = re.findall(r"(?m)^(\w+) +<- (.*)$", text)
        self.rules = {name: self.read(body) for name, body in rules}
        self.memo: dict[tuple[str, int], int | None] = {}
        self.text = ""

    def read(self, body: str) -> Any:
        tokens = list(self.TOKEN.finditer(body))
        at = 0

        def choice() -> Any:
            nonlocal at
            options = [sequence()]
            while at < len(tokens) and tokens[at]["op"] == "/":
                at += 1
                options.append(sequence())
            return ("/", options)

        def sequence() -> Any:
            items = []
            while at < len(tokens) and tokens[at]["op"] not in ("/", ")"):
                items.append(item())
            return (" ", items)

        def item() -> Any:
            nonlocal at
            token = tokens[at]
            at += 1
            if token["op"] in ("&", "!"):
                return (token["op"], item())
            if token["op"] == "(":
                what = choice()
                at += 1
            elif token["set"]:
                what = ("set", re.compile(f"[{token['set']}]"))
            else:
                what = (
                    ("name", token["name"]) if token["name"] else ("text", token["text"])
                )
            while at < len(tokens) and tokens[at]["op"] in ("*", "+", "?"):
                what = (tokens[at]["op"], what)
                at += 1
            return what

        return choice()

    def accepts(self, text: str) -> bool:
        self.text, self.memo = text, {}
        return self.rule("line", 0) is not None

    def rule(self, name: str, at: int) -> int | None:
        if name == "END":
            return at if at == len(self.text) else None
        if (name, at) not in self.memo:
            self.memo[name, at] = self.match(self.rules[name], at)
        return self.memo[name, at]

    def match(self, what: Any, at: int) -> int | None:
        kind, body = what
        if kind == "name":
            return self.rule(body, at)
        if kind == "text":
            return at + len(body) if self.text.startswith(body, at) else None
        if kind == "set":
            return at + 1 if body.match(self.text, at) else None
        if kind == "/":
            found = (self.match(item, at) for item in body)
            return next((end for end in found if end is not None), None)
        if kind == " ":
            end: int | None = at
            for item in body:
                end = self.match(item, end) if end is not None else None
            return end
        end = self.match(body, at)
        if kind in ("&", "!"):
            return at if (end is not None) == (kind == "&") else None
        if end is None:
            return None if kind == "+" else at
        while kind != "?":
            after = self.match(body, end)
            if after is None or after == end:
                break
            end = after
        return end


class Format(unittest.TestCase):
    """docs/conformance-format.md is what the driver does."""

    page = (DOCS / "conformance-format.md").read_text(encoding="utf-8")

    @classmethod
    def setUpClass(cls) -> None:
        (grammar,) = re.findall(r"<!-- grammar -->\n```text\n(.*?)```", cls.page, re.S)
        cls.peg = Peg(grammar)

    def test_the_grammar_accepts_every_line(self) -> None:
        scenarios, _ = cli.read_scenarios(data.SCENARIOS)
        for scenario in scenarios:
            for number, line in transcript.joined(scenario.lines):
                if line.strip() and not line.strip().startswith("#"):
                    self.assertTrue(self.peg.accepts(line), f"{scenario.name}:{number}")

    def test_the_grammar_refuses_what_the_driver_refuses(self) -> None:
        for line in REFUSED:
            if "\n" not in line:
                with self.subTest(line):
                    self.assertEqual(self.peg.accepts(line), line in REFUSED_BY_RULE)

    def test_the_page_has_every_word(self) -> None:
        words = [f"`# {word}:" for word in transcript.DIRECTIVES]
        words += [f"`{need}`" for need in transcript.NEEDS if need != "ipv6"]
        words += [f"`peer {verb}" for verb in transcript.PEER_VERBS]
        words += [f"`{mark}`" for mark in ("ok", "deviation", "known", "skipped", "FAIL")]
        for word in words:
            self.assertIn(word, self.page)

    def test_the_greeting_has_every_word(self) -> None:
        page = (DOCS / "conformance.md").read_text(encoding="utf-8")
        for word in (*greeting.FLAGS, *greeting.LISTS):
            self.assertRegex(page, rf"\| `{word}(=[^`]*)?` \|")

    def test_links_lead_somewhere(self) -> None:
        pages = [*DOCS.glob("conformance*.md"), Path(__file__).with_name("README.md")]
        for page in pages:
            text = page.read_text(encoding="utf-8")
            for link in re.findall(r"\]\(([^):]+)\)", text):
                name, _, anchor = link.partition("#")
                target = page.parent / name if name else page
                self.assertTrue(target.exists(), f"{page.name}: {link}")
                if anchor:
                    titles = re.findall(r"(?m)^#+ (.+)$", target.read_text())
                    bare = [re.sub(r"[^a-z0-9 -]", "", item.lower()) for item in titles]
                    self.assertIn(anchor, [item.replace(" ", "-") for item in bare])

    def test_the_examples_are_scenarios(self) -> None:
        (first,) = re.findall(r"\n\n((?:    [^\n]*\n)+)\nIt must not depend", self.page)
        parse(textwrap.dedent(first), "x/y")
        for block in re.findall(r"\n\n((?:    [^\n]*\n)+)", self.page):
            if re.match(r"    (a: |start |# deviates|# resolver)", block):
                text = textwrap.dedent(block)
                heading = "" if text.startswith("#") else "# A.\n"
                steps = "" if "=" in text else "c x =\n"
                parse(f"{heading}# proves: a.b\n# A.\n{text}{steps}", "x/y")


if __name__ == "__main__":
    sys.exit(run_tests(sys.modules[__name__], "kit"))
