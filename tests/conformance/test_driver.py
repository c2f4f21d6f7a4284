# SPDX-License-Identifier: MIT
"""Tests of the driver itself: that it sees what is wrong, and blames nothing else.

The testee here is a script of a few lines that does what it is told, so that no network
library is needed. Run it with `python3 tests/conformance/test_driver.py`.
"""

from __future__ import annotations

import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

import interface
from polysock_conformance import (
    cli,
    copies,
    report,
    requirements,
    resolver,
)
from polysock_conformance.engine import Options
from polysock_conformance.greeting import Greeting
from polysock_conformance.suite import (
    DEVIATION,
    FAIL,
    KNOWN,
    OK,
    RETRIES,
    SKIPPED,
    Known,
    Result,
    Suite,
)
from polysock_conformance.testees import Spec
from polysock_conformance.transcript import ScenarioError, parse
from polysock_conformance.update import update
from polysock_conformance.values import (
    Data,
    Value,
    decode,
    encode,
    escape,
    quote,
    show,
    unescape,
)

OBEDIENT = """
import os, socket, sys, time, urllib.parse
left, opened = {}, []
print("polysock-testee 1 obedient", flush=True)
for line in sys.stdin:
    tag, into, slot, method, *args = line.split()
    answer = {"tcp": "ok o" + into, "echo": "ok " + " ".join(args), "reset": "ok",
              "refuse": "error TypeError sbad%20argument", "keep": "ok",
              "break": "error OSError sbroken", "babble": "what"}.get(method, "ok")
    if method == "slow":
        time.sleep(0.3)
    if method == "later":  # times out so often, then answers 1
        left[slot] = left.get(slot, int(args[0][1:])) - 1
        answer = "ok n stimeout" if left[slot] >= 0 else "ok i1"
    if method == "once":  # the first process that is asked is wrong
        path = urllib.parse.unquote(args[0][1:])
        answer = "ok i1" if os.path.exists(path) else "ok i2"
        open(path, "w").close()
    if method == "name":
        answer = "ok s" + os.environ.get("TEST_NAMES", "").replace(" ", "%20")
    if method == "pipe":
        opened += os.pipe()
        answer = "ok i%d i%d" % tuple(opened[-2:])
    if method == "dial":
        port = int(args[0][1:])
        opened.append(socket.create_connection(("127.0.0.1", port)).detach())
        answer = "ok i%d" % opened[-1]
    if method == "leave":
        os.pipe()
    while method == "reset" and opened:
        os.close(opened.pop())
    if method == "hang":
        time.sleep(60)
    if method == "die":
        sys.exit("last words")
    print(tag, answer, flush=True)
"""

HELLO = "polysock-testee 1 obedient"
JOINED = "peer listen\npeer:q connect $host $port\npeer accept\n"
REFUSED = (  # what is not in the grammar
    "c echo 1",
    "c echo 1 =2",
    'c echo "a',
    "c echo =\nc echo 1 ~",
    "peer dance",
    "start t  c echo",
    "collect t =",
    "peer send",
    'c x X ""',
    "c x !",
    "let x = 1",
    "c x = ... 1",
    "c x =\n  or luasocket = 1",
    'c echo "\\q" =',
    "peer accept q",
    "a: c x =\nc y =",
    "a: c x =\nlua: c y =",
    "c x = 1 extra(",
    "peer listen -> $x",
    "peer flood",
    "descriptor 1",
    "descriptor 1 loud",
    "a: c x =\ndescriptor 1 blocking",
    "# resolver: a.test\nc x =",
    "# resolver: a.test soon ::1\nc x =",
    "# resolver: a.test 0.5\nc x =",
    "start t  again c x\ncollect t =",
)
HEAD = "# A scenario.\n# proves: a.b\n"


def suite(**specs: Spec) -> Suite:
    argv = [sys.executable, "-c", OBEDIENT]
    chosen = specs or {"lua": Spec("lua", argv)}
    out = Suite(chosen, Options(), jobs=1)
    out.start()
    return out


@cache
def usual() -> Suite:
    return suite()


def played(text: str, known: list[Known] | None = None) -> Result:
    scenario = parse(HEAD + text, "x/y")
    return usual().run([scenario], known or [], lambda *_: None)[0]


class Verdicts(unittest.TestCase):
    def check(self, text: str, mark: str, reason: str = "") -> None:
        result = played(text)
        self.assertEqual(result.mark, mark, result.reason)
        self.assertIn(reason, result.reason)

    def test_right_answers(self) -> None:
        self.check('c tcp = object\nc echo 1 0.5 "a" nil true = 1 0.5 "a" nil true', OK)
        self.check('c echo nil "timeout" "par" ! "timeout" "par"', OK)
        self.check('c echo [1 "a"] {on=true n=2} = [1 "a"] {on=true n=2}', OK)
        self.check('c refuse X "argument"', OK)
        self.check('c break E "broken"', OK)
        self.check("c echo 1 nil nil = 1", OK)
        self.check('let $x = "ab"\nc echo $x+"c" 3 = $x[1..1]+"bc" len("abc")', OK)
        self.check('c echo 80 = <integer $p>\nc echo text($p) = "80"', OK)
        self.check('c echo "tcp{master}: 0xff" = <like "tcp{master}: 0x*">', OK)
        self.check("c echo 1 2 3 = 1 ...", OK)

    def test_wrong_answers(self) -> None:
        for wrong in (
            "c echo 1 = 2",
            "c echo 1 = 1 2",
            "c echo 1 2 = 1",
            "c echo 1.5 = 1",
            "c echo 1.0 = 1",
            'c echo "a" = "b"',
            "c echo true = 1",
            "c echo 1 = true",
            'c echo 1 = "1"',
            'c echo nil "a" = nil "a"',
            'c echo "a" ! "a"',
            'c echo nil "a" "b" ! "a"',
            'c echo nil "a" ! "a" "b"',
            "c refuse = 1",
            'c refuse X "other"',
            'c break X "broken"',
            'c refuse E "bad argument"',
            'c echo 1 X "1"',
            "c echo [1] = [1 2]",
            "c echo {a=1} = {a=2}",
            "c echo 5 = <integer 6..9>",
            'c echo "abc" = <text 1..2>',
            "c echo 5 = <text>",
            "c echo 1 = object",
            'c echo t"a" = b"a"',
            "c babble = 1",
        ):
            with self.subTest(wrong):
                self.check(wrong, FAIL)

    def test_wrong_peer(self) -> None:
        for wrong in (
            "peer accept",
            'peer send "x"',
            "peer listen\npeer connect $host 1",
            JOINED + 'peer:q send "ab"\npeer expect "ax"',
            JOINED + 'peer:q send "ab"\npeer:q close\npeer expect eof',
            JOINED + "peer:q close\npeer expect reset",
            JOINED + 'peer:q send "ab"\npeer expect nothing 0.1',
        ):
            with self.subTest(wrong):
                self.check(wrong, FAIL)

    def test_peer_to_peer(self) -> None:
        self.check(
            JOINED + "let $x = random(99)\n"
            "start p  peer:q send $x[1..50] pause 0.05 $x[51..]\npeer expect $x\n"
            "collect p\npeer:q reset\npeer expect reset\npeer:r refuse\n"
            'peer:r connect $r.host $r.port ! "refused"',
            OK,
        )

    def test_a_call_that_is_made_again(self) -> None:
        self.check("again c later 3 = 1", OK)
        self.check("again c later 3 = 2", FAIL, "got = 1")
        self.check("again c later 100 = 1 <0.2s", FAIL, "too late")
        self.check('c later 1 ! "timeout"', OK)
        self.check("# time: 2\nagain c later 9999 = 1", FAIL, 'got ! "timeout"')

    @unittest.skipUnless(resolver.library()[0], resolver.library()[1])
    def test_names_of_a_scenario(self) -> None:
        names = "# resolver: a.test 0.5 ::1\n# resolver: b.test never\n"
        self.check(names + 'c name = "a.test 0.5 ::1; b.test never"', OK)
        self.check('c name = ""', OK)

    def test_a_flood_ends_with_its_connection(self) -> None:
        flood = JOINED + 'peer flood "ab"\npeer:q read 200000 -> $x\n'
        self.check(flood + "c echo len($x) = 200000", OK)
        self.check(flood + "peer close", OK)
        self.check(flood + "peer:q close\npeer reset", OK)

    @unittest.skipUnless(sys.platform.startswith("linux"), "only on Linux")
    def test_descriptors_of_a_testee(self) -> None:
        self.check("c pipe = <integer $r> <integer>\ndescriptor $r blocking", OK)
        self.check("c pipe = <integer $r> <integer>\ndescriptor $r not blocking", FAIL)
        self.check("descriptor 999 blocking", FAIL, "descriptor 999")

    @unittest.skipIf(copies.obstacle(), copies.obstacle())
    def test_a_copy_of_a_descriptor(self) -> None:
        dialled = "peer listen\nc dial $port = <integer $f>\npeer accept\n"
        self.check(dialled + 'peer:h adopt $f\npeer:h send "a"\npeer expect "a"', OK)
        self.check("peer:h adopt 999", FAIL, "Bad file descriptor")

    def test_times(self) -> None:
        self.check("c slow = ~0.3s", OK)
        self.check("c slow = <2s", OK)
        self.check("c slow = >0.9s", FAIL, "too early")
        self.check("c slow = ~0s", FAIL, "too late")
        self.check("start t  c slow\npause 0.1\ncollect t = ~0.3s", OK)
        self.check("clock\nc slow =\nclock ~0.3s", OK)

    def test_only_time_is_tried_again(self) -> None:
        self.assertEqual(played("c slow = <0.1s").retried, 2)
        self.assertEqual(played("c slow = 1 <0.1s").retried, 0)

    def test_death_and_hanging_cost_one_scenario(self) -> None:
        self.check("c die =", FAIL, "last words")
        text = HEAD + "# time: 0.5\nc hang ="
        good = parse(HEAD + "c echo 1 = 1", "x/z")
        both = suite().run([parse(text, "x/y"), good], [], lambda *_: None)
        self.assertEqual([result.mark for result in both], [FAIL, OK])

    def test_known_is_strict_both_ways(self) -> None:
        listed = [Known("lua", "x/y", "because", Path("known.txt"), 1)]
        self.assertEqual(played("c echo 1 = 2", listed).mark, KNOWN)
        self.assertEqual(played("c echo 1 = 1", listed).mark, FAIL)
        self.assertEqual(played("peer listen", listed).mark, FAIL)
        listed[0].reason = "sometimes: because"
        self.assertEqual(played("c echo 1 = 2", listed).mark, KNOWN)
        self.assertEqual(played("c echo 1 = 1", listed).mark, OK)

    def test_retry_is_for_failures_that_come_and_go(self) -> None:
        steady = parse(HEAD + "c echo 1 = 2", "x/y")
        fails = replace(usual(), retry=True).run([steady], [], lambda *_: None)[0]
        self.assertEqual((fails.mark, fails.retried), (FAIL, RETRIES))
        with tempfile.TemporaryDirectory() as folder:
            once = parse(HEAD + f'c once "{folder}/was" = 1', "x/y")
            comes = replace(usual(), retry=True).run([once], [], lambda *_: None)[0]
        self.assertEqual((comes.mark, comes.retried), (OK, 1))

    def test_deviations_are_strict_both_ways(self) -> None:
        head = "# deviates: lua because\n"
        self.check(head + "c echo 1 = 2\n  or lua = 1", DEVIATION, "because")
        self.check(head + "c echo 1 = 1\n  or lua = 2", FAIL)
        self.check(head + "c echo 1 = 1\nc die =\n  or lua stop", DEVIATION)
        self.check(head + "c echo 1 = 2\n  or lua = 1\n  or lua stop\nc die =", DEVIATION)
        self.check(head + "c echo 1 = 2", DEVIATION, "because")
        self.check(head + "c echo 1 = 1", FAIL, "but it passes")

    def test_skips(self) -> None:
        self.check("# skip: lua no such thing\nc die =", SKIPPED, "no such thing")
        self.check("# only: python\nc die =", SKIPPED)
        self.check("start t  c slow\nc echo 1 = 1\ncollect t =", SKIPPED, "threads")

    def test_shape_of_tuples(self) -> None:
        said = HELLO + " threads tuples names=receive:echo,close:echo"
        script = OBEDIENT.replace(HELLO, said).replace('"ok "', '"ok ( " + ")"[:0]')
        script = script.replace('" ".join(args)', '" ".join(args) + " )"')
        specs = {"python": Spec("python", [sys.executable, "-c", script])}
        for text, mark in (
            ("c receive nil nil nil =", OK),
            ("c receive nil nil =", FAIL),
            ("c close 1 = 1", FAIL),
        ):
            result = suite(**specs).run([parse(HEAD + text, "x/y")], [], lambda *_: None)
            self.assertEqual(result[0].mark, mark, result[0].reason)

    def test_roles_are_all_ordered_pairs(self) -> None:
        argv = [sys.executable, "-c", OBEDIENT]
        specs = {name: Spec(name, argv) for name in ("c", "lua", "python")}
        scenario = parse(HEAD + "a: c echo 1 = 1\nb: c echo 2 = 2", "x/y")
        results = suite(**specs).run([scenario], [], lambda *_: None)
        self.assertEqual(len({result.testee for result in results}), 6)
        self.assertEqual({result.mark for result in results}, {OK})


class Grammar(unittest.TestCase):
    def test_what_is_refused(self) -> None:
        for wrong in REFUSED:
            with self.subTest(wrong), self.assertRaises(ScenarioError):
                parse(HEAD + wrong, "x/y")
        for wrong in ("", "# proves: a.b\nc x =", "# Title\n# needs: luck\nc x ="):
            with self.subTest(wrong), self.assertRaises(ScenarioError):
                parse(wrong, "x/y")

    def test_lines_that_go_on(self) -> None:
        scenario = parse(HEAD + "c echo 1 \\\n  2 = 1 2", "x/y")
        self.assertEqual(len(scenario.steps), 1)


class Interface(unittest.TestCase):
    def test_prototypes(self) -> None:
        found = interface.parse(
            '%feature("docstring") ps_a "ps_b not(this);";  // ps_c nor(that);\n'
            "ps_done ps_a(ps_name one,\n    ps_port two, ps_host *host);\n"
            "ps_text ps_dns_b(void);\n"
            "%extend ps_socket {\n~ps_socket() { ps_socket_free($self, NULL); }\n"
            "ps_bytes c(ps_data x);\n}\n%rename(e) ps_d;\nps_size ps_d();\n"
        )
        names = [(item.owner, item.name, item.symbol, item.result) for item in found]
        self.assertEqual(
            names,
            [
                ("mod", "a", "ps_a", "ps_done"),
                ("dns", "b", "ps_dns_b", "ps_text"),
                ("ps_socket", "c", "ps_socket_c", "ps_bytes"),
                ("mod", "e", "ps_d", "ps_size"),
            ],
        )
        self.assertEqual([len(item.arguments) for item in found], [2, 0, 1, 0])
        self.assertEqual([item.host for item in found], [True, False, False, False])
        self.assertIn(
            "ps_a(take_ps_name(c, 0), take_ps_port(c, 1), &c->host)",
            interface.header(found),
        )

    def test_the_table_is_that_of_the_interface(self) -> None:
        found = interface.parse(interface.INTERFACE.read_text(encoding="utf-8"))
        interface.check(found)
        self.assertEqual(interface.TABLE.read_text(), interface.table(found), "make docs")

    def test_methods_of_one_name_are_of_one_kind(self) -> None:
        text = "%extend ps_a {{\nps_done x({});\n}}\n%extend ps_b {{\nps_done x();\n}}\n"
        interface.check(interface.parse(text.format("")))
        with self.assertRaises(SystemExit):
            interface.check(interface.parse(text.format("ps_name one")))


class Values(unittest.TestCase):
    def test_round_trip(self) -> None:
        every = bytes(range(256))
        self.assertEqual(unescape(escape(every)), every)
        values: list[Value] = [None, True, False, -5, 2**60, 0.5, [1, [2]]]
        values.append(Data(every, "b"))
        for value in values:
            self.assertEqual(decode(encode(value).split()), [value])

    def test_quoted_text_reads_back(self) -> None:
        for data in (bytes(range(120)), bytes(range(120, 240)), b"\0007"):
            result = played(f"c echo {quote(data)} = {show(Data(data), False)}")
            self.assertEqual(result.mark, OK, result.reason)


class Files(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)

    def test_update_keeps_what_fits(self) -> None:
        path = self.path / "y.t"
        path.write_text(HEAD + 'c echo 1 2 "x"  = <integer> 5 "y"  <9s\nc echo 1 = 1\n')
        scenario = parse(path.read_text(), "x/y", path)
        self.assertEqual(update(suite(), [scenario], Options()), ["x/y"])
        wanted = HEAD + 'c echo 1 2 "x"  = <integer> 2 "x"  <9s\nc echo 1 = 1\n'
        self.assertEqual(path.read_text(), wanted)

    def test_coverage(self) -> None:
        path = self.path / "requirements.md"
        path.write_text("## one\n- `a.b` x\n- `a.c` y\n- `a.d` z (excused: why)\n")
        scenarios = [parse("# T\n# proves: a.b a.z a.d\nc x =", "x/y")]
        coverage = requirements.cover(requirements.read(path), scenarios)
        self.assertEqual([item.id for item in coverage.uncovered()], ["a.c"])
        self.assertEqual(len(coverage.faults), 2)

    def test_reports(self) -> None:
        results = [played(text) for text in ("c echo 1 = 1", 'c echo "<&|>" = 2')]
        summary = report.Summary(
            {"lua": Greeting("1")}, results, 1.0, "0", None, ["a fault"]
        )
        report.write(summary, self.path)
        page = (self.path / "report.html").read_text()
        self.assertNotIn("<&", page)
        self.assertIn("conformance: 1 passed, 2 failed, 0 skipped", page)
        self.assertIn("FAIL", (self.path / "report.md").read_text())
        root = xml.parse(self.path / "junit.xml").getroot()
        self.assertEqual(len(root.findall(".//failure")), 2)

    def test_choosing(self) -> None:
        scenario = parse(HEAD + "c x =", "receive/line")
        for expression, holds in (
            ("receive", True),
            ("a.b", True),
            ("not receive", False),
            ("send or line", True),
            ("(send or line) and not a.b", False),
        ):
            self.assertEqual(cli.chosen(scenario, expression), holds, expression)


def run_tests(module: ModuleType, name: str) -> int:
    """Runs the tests of a file; the last line: `NAME: N passed, N failed, N skipped`."""
    tests = unittest.defaultTestLoader.loadTestsFromModule(module)
    done = unittest.TextTestRunner(verbosity=0).run(tests)
    failed, skipped = len(done.failures) + len(done.errors), len(done.skipped)
    passed = done.testsRun - failed - skipped
    print(f"{name}: {passed} passed, {failed} failed, {skipped} skipped")
    return 0 if done.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(run_tests(sys.modules[__name__], "driver"))
