#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The check of the layers finds what it is there to find, on small trees made for it."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).parents[3] / "tools" / "check_layers.py"
TABLE = """
| room | may use | libraries | what it is |
|---|---|---|---|
| `abi` | | ISO C only | contracts |
| `bpf` | `abi` | `bpf/` | programs |
| `base` | | | ground |
| `net` | `base` | `libmnl/` | addresses |
| `store` | `net` | `sqlite3.h` | keeping |
"""


class CheckLayers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        (self.root / "ARCHITECTURE.md").write_text(TABLE)
        for room in ("abi", "bpf", "src/base", "src/net", "src/store"):
            (self.root / room).mkdir(parents=True)

    def tearDown(self):
        self.folder.cleanup()

    def check(self, path=None, text=""):
        if path:
            (self.root / path).write_text(text)
        done = subprocess.run([sys.executable, CHECK, self.root], capture_output=True, text=True,
                              check=False)
        return done.returncode, done.stderr

    def test_accepts_downward_and_transitive_use(self):
        self.assertEqual(self.check("src/store/log.c",
                                    '#include "net/addr.h"\n#include "base/err.h"\n'
                                    "#include <sqlite3.h>\n#include <sys/stat.h>\n"), (0, ""))

    def test_refuses_upward_use_with_its_place(self):
        code, said = self.check("src/base/log.c", '#include <stdio.h>\n\n#include "net/addr.h"\n')
        self.assertEqual(code, 1)
        self.assertIn("src/base/log.c:3: room base may not use room net", said)

    def test_refuses_sideways_use(self):
        self.assertEqual(self.check("src/net/a.c", '  # include "store/s.h"\n')[0], 1)

    def test_refuses_a_library_of_another_room(self):
        code, said = self.check("src/net/a.c", "#include <sqlite3.h>\n")
        self.assertEqual(code, 1)
        self.assertIn("<sqlite3.h>", said)

    def test_iso_c_only_takes_the_clock_away(self):
        self.assertEqual(self.check("abi/a.h", "#include <stdint.h>\n")[0], 0)
        self.assertEqual(self.check("abi/a.h", "#include <time.h>\n")[0], 1)

    def test_refuses_ways_around_the_rooms(self):
        self.assertEqual(self.check("src/base/a.c", '#include "../net/addr.h"\n')[0], 1)
        self.assertEqual(self.check("src/base/a.c", '#include "src/net/addr.h"\n')[0], 1)

    def test_refuses_rooms_and_rows_without_the_other(self):
        (self.root / "src/extra").mkdir()
        self.assertIn("room extra has no row", self.check()[1])
        (self.root / "src/extra").rmdir()
        (self.root / "src/net").rmdir()
        self.assertIn("room net has no folder", self.check()[1])

    def test_refuses_a_tree_without_the_table(self):
        (self.root / "ARCHITECTURE.md").write_text("# Nothing\n")
        self.assertIn("no table", self.check()[1])
        (self.root / "ARCHITECTURE.md").unlink()
        self.assertEqual(self.check()[0], 1)


if __name__ == "__main__":
    unittest.main()
