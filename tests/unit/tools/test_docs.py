#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The checks of documents find what they are there for: man pages, drop reasons, names of files."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).parents[3] / "tools"

FLAT = """#!/bin/sh
case "$*" in
*--config*) read -r line <"$3"; [ "$line" = "size = 3" ] || { echo "bad line: $line" >&2; exit 2; } ;;
esac
echo "flat: does things"
echo "  flat start [--size N]"
echo "  --config FILE, --help, --version"
"""
FLAT_PAGE = ".Sh SYNOPSIS\n.Nm\n.Cm start\n.Op Fl -size Ar N\n.It Fl -config Ar FILE\n.It Fl -help , -version\n"

TREE = """#!/bin/sh
case "$*" in
"thing add --help") printf 'add: adds\\n\\nUsage: add\\n\\nOptions:\\n  --size N   of it\\n' ;;
"thing --help") printf 'thing: things\\n\\nCommands (each with --help):\\n  add   adds\\n' ;;
*) printf 'tree: a tree\\n\\nCommands (each with --help):\\n  thing  things\\n' ;;
esac
printf '\\nGlobal options:\\n  --json    as JSON\\n'
"""
TREE_PAGE = ".Sh DESCRIPTION\n.It Nm Cm thing add Op Fl -size Ar N\nAdds.\n.Sh GLOBAL OPTIONS\n.It Fl -json\n"

REASONS = 'DROP_REASON(1, BAD, 1, "it is bad")\nDROP_REASON(2, WORSE, 0, "it is worse")\n'
ADVICE = "# advice\nBAD\tmend it\nWORSE\tnothing\n"
MARKS = "# Drops\n<!-- begin: tools/drop_reasons.py -->\n<!-- end: tools/drop_reasons.py -->\n"


class Documents(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def tool(self, name, *arguments):
        done = subprocess.run([sys.executable, TOOLS / name, *arguments], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def refuses(self, result, words):
        self.assertEqual(result[0], 1, result[1])
        self.assertIn(words, result[1])

    # man pages

    def man(self, program, page, config=None):
        extra = ["--config", self.write("flat.conf", config)] if config else []
        return self.tool("check_man.py", self.write(program[0], program[1]), self.write(page[0], page[1]), *extra)

    def flat(self, page, config=None):
        return self.man(("flat", FLAT), ("flat.8", page), config)

    def test_a_page_that_says_all(self):
        self.assertEqual(self.flat(FLAT_PAGE), (0, ""))

    def test_an_option_without_words(self):
        self.refuses(self.flat(FLAT_PAGE.replace(".Op Fl -size Ar N\n", "")), "--size is not in flat.8")

    def test_words_without_an_option(self):
        self.refuses(self.flat(FLAT_PAGE + ".It Fl -colour\n"), "--colour")

    def test_a_command_without_words(self):
        self.refuses(self.flat(FLAT_PAGE.replace("Cm start", "Cm begin")), "command start is not in flat.8")

    def test_an_example_with_every_key(self):
        self.assertEqual(self.flat(FLAT_PAGE, "# of it\n#size = 3\n"), (0, ""))

    def test_an_example_without_a_key(self):
        self.refuses(self.flat(FLAT_PAGE, "# nothing\n"), "does not have size")

    def test_an_example_that_the_program_refuses(self):
        self.refuses(self.flat(FLAT_PAGE, "#size = 4\n"), "is refused: bad line: size = 4")

    def test_a_tree_and_its_page(self):
        self.assertEqual(self.man(("tree", TREE), ("tree.1", TREE_PAGE)), (0, ""))

    def test_a_trees_command_without_words(self):
        self.refuses(self.man(("tree", TREE), ("tree.1", TREE_PAGE.replace("thing add", "thing put"))),
                     "command thing add is not in tree.1")

    def test_a_trees_option_in_another_commands_item(self):
        page = TREE_PAGE.replace(" Op Fl -size Ar N\nAdds.\n", "\nAdds.\n.It Nm Cm thing Op Fl -size Ar N\n")
        self.refuses(self.man(("tree", TREE), ("tree.1", page)), "--size of thing add is not in tree.1")

    # drop reasons

    def reasons(self, reasons=REASONS, advice=ADVICE):
        self.write("abi/drop_reasons.def", reasons)
        self.write("docs/drop_reasons.tsv", advice)
        if not (self.root / "docs/troubleshooting.md").exists():
            self.write("docs/troubleshooting.md", MARKS)

    def test_the_table_of_reasons(self):
        self.reasons()
        self.refuses(self.tool("drop_reasons.py", "--check", self.root), "is not up to date")
        self.assertEqual(self.tool("drop_reasons.py", self.root), (0, ""))
        self.assertIn("| WORSE | it is worse | nothing |\n", (self.root / "docs/troubleshooting.md").read_text())
        self.assertEqual(self.tool("drop_reasons.py", "--check", self.root), (0, ""))

    def test_a_reason_without_advice(self):
        self.reasons(REASONS + 'DROP_REASON(3, NEW, 0, "it is new")\n')
        self.refuses(self.tool("drop_reasons.py", self.root), "no advice about NEW")

    def test_advice_without_a_reason(self):
        self.reasons(advice=ADVICE + "OLD\tforget it\n")
        self.refuses(self.tool("drop_reasons.py", self.root), "there is no reason OLD")

    # names of files

    def names(self, text):
        self.write("src/there.c", "")
        self.write("docs/other.md", "# A heading\n")
        self.write("README.md", text)
        return self.tool("check_docs.py", self.root)

    def test_names_that_are_there(self):
        self.assertEqual(self.names("`src/there.c` `src/*.c` `src/ROOM/x.c` [o](docs/other.md#a-heading) [w](https://x.y/z)"), (0, ""))

    def test_a_file_that_is_not_there(self):
        self.refuses(self.names("`src/gone.c`"), "there is no src/gone.c")

    def test_a_link_to_nothing(self):
        self.refuses(self.names("[o](docs/gone.md)"), "there is no docs/gone.md")

    def test_a_heading_that_is_not_there(self):
        self.refuses(self.names("[o](docs/other.md#another)"), "has no heading #another")


if __name__ == "__main__":
    unittest.main()
