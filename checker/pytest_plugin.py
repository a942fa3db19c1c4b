"""The pytest plugin: `pytest --oneowner CONNECTION` runs a test a clause, beside whatever other tests there are.

The tests are the fixed suite's: for each clause of the profile the shortest sequences that come to it, for each of its causes.
A clause that is not supported, or that cannot be reached because something before it fails, is skipped with the reason.  The
fixture `oneowner` is for further tests.
Nothing of the checker is imported before the option is given, since pytest loads this in every project.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..model.language import Spec
    from .adapters import Implementation
    from .session import Session

KEY: pytest.StashKey[Connected] = pytest.StashKey()
DEFAULT = "oneowner.spec:SPEC"


class Connected:
    """What the fixture `oneowner` gives: the implementation under test, and sessions that hold it against the specification."""

    def __init__(self, where: str, spec: Spec, strict: bool) -> None:
        from .adapters import reach

        self.where, self.spec, self.strict = where, spec, strict
        self.implementation: Implementation = reach(spec, where)

    def session(self, scope: Mapping[str, int] | None = None) -> Session:
        """A fresh system, reset to `scope` (default: the one for fuzzing), beside the model.  Its `compare` and `compare_values`
        raise Mismatch for an answer that is not permitted."""
        from .session import Session

        return Session(self.spec, self.implementation, scope or self.spec.fuzz_scope, strict=self.strict)

    def stop(self) -> None:
        stop = getattr(self.implementation, "stop", None)
        if stop:
            stop()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("oneowner", "conformance to the oneowner specification")
    group.addoption("--oneowner", metavar="CONNECTION", help="Test the implementation at this connection, a test a clause.")
    group.addoption("--oneowner-profile", action="append", metavar="NAME", default=[], help="Default: what the adapter names.")
    group.addoption("--oneowner-strict", action="store_true", help="Take only the first error that applies.")
    group.addoption("--oneowner-spec", metavar="MODULE:NAME", default=DEFAULT, help="Another specification.")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the adapter."""
    if KEY in config.stash:
        config.stash[KEY].stop()


def _connected(config: pytest.Config) -> Connected:
    from ..model.language import SpecError, load
    from .errors import AdapterError

    if KEY not in config.stash:
        try:
            spec = load(config.getoption("--oneowner-spec"))
            config.stash[KEY] = Connected(config.getoption("--oneowner"), spec, config.getoption("--oneowner-strict"))
        except (AdapterError, SpecError) as error:
            raise pytest.UsageError(f"oneowner: {error}") from None
    return config.stash[KEY]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for each clause, before any selection by -k."""
    if not config.getoption("--oneowner"):
        return
    from ..model.language import SpecError
    from .conform import Conformance
    from .suite import of

    connected = _connected(config)
    profiles = config.getoption("--oneowner-profile")
    suite = of(connected.spec)
    try:
        run = Conformance(connected.spec, connected.implementation, connected.where, suite, profiles=profiles)
    except SpecError as error:
        raise pytest.UsageError(f"oneowner: {error}") from None
    parent = Clauses.from_parent(session, name="oneowner", nodeid="oneowner")
    for clause in run.report.verdicts:
        items.append(Clause.from_parent(parent, name=clause, connected=connected, suite=suite, profiles=run.chosen))


class Clauses(pytest.Collector):
    """The node above the tests."""

    def collect(self) -> list[pytest.Item]:
        return []


class Broken(Exception):
    """A clause fails."""


class Clause(pytest.Item):
    """The test of one clause."""

    def __init__(self, *, connected: Connected, suite: Any, profiles: tuple[str, ...], **rest: Any) -> None:
        super().__init__(**rest)
        self.connected, self.suite, self.profiles = connected, suite, profiles

    def runtest(self) -> None:
        from . import TRACES
        from .adapters import afresh
        from .conform import FAIL, FLAKY, PASS, PERMITTED, Conformance
        from .reports import failure_lines

        connected = self.connected
        report = Conformance(
            connected.spec,
            connected.implementation,
            connected.where,
            self.suite,
            profiles=self.profiles,
            patterns=(self.name,),
            shortest=True,
            strict=connected.strict,
            fresh=afresh(connected.spec, connected.where),
        ).run()
        verdict = report.verdicts[self.name]
        if verdict.status in (FAIL, FLAKY):
            assert verdict.failure is not None
            lines = failure_lines(connected.spec, connected.where, connected.implementation, verdict.failure, TRACES)
            raise Broken("\n".join([f"{verdict.status}, again {verdict.shown} times", *lines]))
        if verdict.status not in (PASS, PERMITTED):
            pytest.skip(f"{verdict.status}: {verdict.reason}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from .errors import printable

        if isinstance(excinfo.value, Broken):
            return printable(str(excinfo.value))
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[str, None, str]:
        return "oneowner", None, self.name


@pytest.fixture(scope="session")
def oneowner(request: pytest.FixtureRequest) -> Connected:
    """The implementation at --oneowner, for further tests:
    `oneowner.session().compare_values("create_partition", {"caller": 1})`."""
    if not request.config.getoption("--oneowner"):
        pytest.skip("needs --oneowner CONNECTION")
    return _connected(request.config)
