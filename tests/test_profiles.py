"""Profiles: parts of the system, alone and together."""

from __future__ import annotations

import pytest
from command import run

from oneowner.checker.suite import stored_suite
from oneowner.model.language import SpecError
from oneowner.spec import SPEC

REFERENCE = "py:oneowner.reference_impl"
SUITE = stored_suite(SPEC)


def test_profiles_compose_and_need_what_both_do() -> None:
    both = SPEC.profile("resources+signals")
    assert both == SPEC.profile("resources") | SPEC.profile("signals")
    alone = [s for s in SUITE if any(s.operations <= SPEC.profile(name) for name in ("resources", "signals"))]
    assert len([s for s in SUITE if s.operations <= both]) > len(alone)
    with pytest.raises(SpecError, match="no profile is called 'half'"):
        SPEC.profile("core+half")
    ran = run("conform", REFERENCE, "--profile", "resources+signals", "-k", "free/EFAULT", "--format", "json")
    assert ran.code == 0
    assert ran.json["profiles"] == ["resources+signals"]
