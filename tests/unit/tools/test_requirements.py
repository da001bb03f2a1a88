#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The table of requirements: what tests name is in it, and what is missing fails the check."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).parents[3] / "tools" / "requirements.py"
WORD = "require" + "ment: "  # in two parts, so that this file names no rows itself


class Requirements(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        (self.root / "docs").mkdir()
        (self.root / "tests").mkdir()
        (self.root / "docs/requirements.tsv").write_text("# rows\nMAP-1\tdone\tkeeps\nMAP-2\tlater\tasks\n")

    def tearDown(self):
        self.folder.cleanup()

    def tool(self, *options):
        done = subprocess.run([sys.executable, TOOL, *options, self.root], capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def mention(self, rows, name="test_a.py"):
        (self.root / "tests" / name).write_text(f"# {WORD}{rows}\n")

    def test_a_row_with_a_test_passes(self):
        self.mention("MAP-1")
        self.assertEqual(self.tool()[0], 0)
        self.assertEqual(self.tool("--check"), (0, ""))
        self.assertIn("| MAP-1 | done | keeps | `tests/test_a.py` |", (self.root / "docs/requirements.md").read_text())

    def test_several_rows_in_one_mention(self):
        self.mention("MAP-2 MAP-1", "test_b.c")
        self.tool()
        self.assertEqual(self.tool("--check")[0], 0)
        self.assertEqual((self.root / "docs/requirements.md").read_text().count("`tests/test_b.c`"), 2)

    def test_a_done_row_without_a_test_fails(self):
        self.mention("MAP-2")
        self.tool()
        status, said = self.tool("--check")
        self.assertEqual(status, 1)
        self.assertIn("MAP-1 is done, and no test names it", said)

    def test_an_unknown_row_fails(self):
        self.mention("MAP-1 XYZ-7")
        self.tool()
        status, said = self.tool("--check")
        self.assertEqual(status, 1)
        self.assertIn("no requirement XYZ-7", said)

    def test_a_stale_table_fails(self):
        self.mention("MAP-1")
        self.tool()
        self.mention("MAP-2", "test_c.py")
        status, said = self.tool("--check")
        self.assertEqual(status, 1)
        self.assertIn("not up to date", said)


if __name__ == "__main__":
    unittest.main()
