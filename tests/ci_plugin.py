"""A pytest plugin for CI: a skipped test fails the run.

On somebody's laptop a test that needs a network or a program may be skipped with its
reason; where the result decides what is merged, not having looked is not a pass.
`install/test` loads it when ``CI=true``.
"""

from typing import Any

import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turns a passing run with skips into a failed one."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter.stats.get("skipped") and session.exitstatus in {
        pytest.ExitCode.OK,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    }:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says why the run failed."""
    count = len(terminalreporter.stats.get("skipped", ()))
    if count:
        terminalreporter.write_line(f"CI=true: {count} skipped, so this run fails", red=True)
