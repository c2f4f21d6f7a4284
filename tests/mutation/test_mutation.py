#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of the mutation tool: which mutants there are, what they are known by, and that
the one build of all of them is a program in which each can be chosen."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import mutants  # noqa: E402
import schema  # noqa: E402

SOURCE = """
static int one(int a, int b) {
  if (a < b) call(a, 0);
  struct pair on = {1, 2};
  int c = a > 1 ? b + 2 : a;
  return a < b && c;
}
"""

PROGRAM = """
#include <stdio.h>
#ifdef __cplusplus
extern "C" {
#endif
struct pair { int first, second; };
static int twice(int a) { return a * 2; }
static int pick(int a) {
  union {
    int first;
    struct pair second;
  } both = {
    0,
  };
  for (int count = 0; count < 2;
       count++)
    both.first += 3;
  switch (a) {
  case 1: return 5;
  case 2:
    goto end;
  default:
    break;
  }
  if (a > 10)
    return both.first;
  else
    both.first = 0;
end:
  return both.first + a;
}
#ifdef __cplusplus
}
#endif
int main(void) {
  printf("%d %d %d %d\\n", twice(3), pick(1), pick(2), pick(11));
  return 0;
}
"""


class Text(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)

    def mutants(self, text: str) -> list[mutants.Mutant]:
        (self.path / "x.c").write_text(text)
        return mutants.mutants(self.path, "x.c")


class Mutants(Text):
    def changes(self, text: str) -> list[str]:
        return [f"{item.place}: {item.change}" for item in self.mutants(text)]

    def test_known_by_the_smallest_expression(self) -> None:
        found = self.changes(SOURCE)
        for wanted in (
            "one: a < b => a <= b",
            "one: (a < b) => not (a < b)",
            "one: if (a < b) … => nothing",
            "one: argument 2 of call, 0 => 1",
            "one: item 2 of on, 2 => 3",
            "one: b + 2 => b - 2",
            "one: a > 1 ? … => its branches swapped",
            "one: a < b && c => a < b || c",
        ):
            self.assertIn(wanted, found)

    def test_edits_elsewhere_change_nothing(self) -> None:
        other = SOURCE.replace("int c =", "/* why */ long c\n      =")
        other = other.replace("call(a, 0)", "call(a + a, 0)").replace(" && c", " &&\nc")
        self.assertLessEqual(set(self.changes(SOURCE)), set(self.changes(other)))

    def excused(self, text: str) -> tuple[int, list[tuple[int, int]]]:
        path = self.path / "equivalent.txt"
        path.write_text(text)
        excuses = mutants.read_excuses(path)
        found = mutants.excuse(self.mutants(SOURCE), excuses)
        return len(found), [(item.found, item.count) for item in excuses]

    def test_excuses(self) -> None:
        same = "one: a < b => a <= b"
        self.assertEqual(self.excused(f"{same} [2]\nWhy.\n"), (2, [(2, 2)]))
        self.assertEqual(self.excused(f"{same} [2 of 2]\nWhy.\n"), (1, [(2, 2)]))
        self.assertEqual(self.excused(f"{same}\nWhy.\n"), (2, [(2, 1)]))
        self.assertEqual(self.excused("one: a => b\nWhy.\n"), (0, [(0, 1)]))
        with self.assertRaises(SystemExit):
            self.excused(f"{same}\n")

    def test_a_statement_left_out_leaves_the_brace_of_a_short_function(self) -> None:
        (dropped,) = [
            item
            for item in self.mutants("void f(void) { call(1); }\n")
            if item.kind == "dropped"
        ]
        self.assertEqual(dropped.after, "void f(void) { ; }")


class Schema(Text):
    """All mutants of a program in one, against each of them compiled by itself."""

    def output(self, source: Path, number: int, reach: str = "") -> str:
        program = self.path / source.stem
        if not program.exists():
            prelude = self.path / "mutation.h"
            prelude.write_text(schema.PRELUDE)
            argv = ["cc", "-std=c11", "-w", "-include", str(prelude), str(source)]
            subprocess.run([*argv, "-o", str(program)], check=True)
        env = {"PS_MUTANT": str(number), "PS_REACH": reach}
        done = subprocess.run([str(program)], env=env, stdout=subprocess.PIPE, timeout=20)
        return f"{done.returncode} {done.stdout.decode()}"

    def written(self) -> tuple[list[mutants.Mutant], schema.Variants]:
        # Without those that never end.
        found = [
            item
            for item in self.mutants(PROGRAM)
            if "count < 2" not in item.change and "count++" not in item.change
        ]
        variants = schema.Variants(self.path / "all.c", PROGRAM)
        for number, item in enumerate(found, 1):
            self.assertTrue(variants.add(number, item.text, item.line))
        variants.write(0, set())
        return found, variants

    def test_each_mutant_can_be_chosen(self) -> None:
        found, _ = self.written()
        self.assertGreater(len(found), 12)
        self.assertEqual(self.output(self.path / "all.c", 0), "0 6 5 8 6\n")
        seen = set()
        for number, item in enumerate(found, 1):
            alone = self.path / f"alone{number}.c"
            alone.write_text(item.text)
            said = self.output(alone, 0)
            self.assertEqual(self.output(self.path / "all.c", number), said, item)
            seen.add(said)
        self.assertGreater(len(seen), 8)

    def test_what_is_not_reached_does_nothing(self) -> None:
        """A probe that is not set means that no mutant that it stands for can matter."""
        text = PROGRAM.replace("pick(1), ", "1, ").replace("pick(11)", "1")
        found = self.mutants(text)
        found = [item for item in found if "count" not in item.change]
        variants = schema.Variants(self.path / "all.c", text)
        for number, item in enumerate(found, 1):
            variants.add(number, item.text, item.line)
        variants.write(0, set())
        reach = self.path / "reach"
        reach.write_bytes(bytes(schema.PROBES))
        plain = self.output(self.path / "all.c", 0, str(reach))
        seen = reach.read_bytes()
        idle = [
            number
            for number, at in variants.found.items()
            if not any(seen[i] for i in at)
        ]
        self.assertGreater(len(idle), 0)
        for number in idle:
            self.assertEqual(self.output(self.path / "all.c", number), plain)

    def test_a_class_for_one_language_hides_no_function(self) -> None:
        text = (
            "#ifdef __cplusplus\nclass A {\n#if NEW\n  int a;\n#endif\n  int b;\n};\n"
            "#endif\nint later(void) { return 1; }\n"
        )
        self.assertEqual([item.name for item in schema.functions(text)], ["later"])

    def test_what_is_outside_of_functions_is_refused(self) -> None:
        variants = schema.Variants(self.path / "all.c", PROGRAM)
        self.assertFalse(variants.add(1, PROGRAM.replace("int first,", "long first,"), 5))


if __name__ == "__main__":
    unittest.main()
