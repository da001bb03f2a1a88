# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the system tests: one lab for each test file, as the file's LAB describes it."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import lab as labs  # noqa: E402


def pytest_sessionstart(session):
    if os.geteuid() != 0:
        pytest.exit("the system tests make network namespaces: run them as root", 2)
    if not os.access(labs.VIADUCT, os.X_OK):
        pytest.exit(f"{labs.VIADUCT} is not there: build first, or set VIADUCT_BUILD", 2)


# The files that take longest, which begin first, so that none of them ends alone.
FIRST = ("test_edge", "test_substrates", "test_ansible", "test_upgrade", "test_policy", "test_shared", "test_failing")


def pytest_collection_modifyitems(items):
    names = {name: n for n, name in enumerate(FIRST)}
    items.sort(key=lambda item: names.get(item.module.__name__, len(FIRST)))


@pytest.fixture(scope="module")
def lab(request):
    made = labs.Lab(**getattr(request.module, "LAB", {}))
    yield made
    if request.session.testsfailed and "VIADUCT_TEST_LOGS" in os.environ:
        target = pathlib.Path(os.environ["VIADUCT_TEST_LOGS"]) / f"{request.module.__name__}-{made.name}"
        target.mkdir(parents=True, exist_ok=True)
        for log in made.directory.glob("*.log"):
            (target / log.name).write_bytes(log.read_bytes())
    made.down()
