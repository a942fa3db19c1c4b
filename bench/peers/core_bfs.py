"""The core model as a plain explicit-state breadth-first search; a state is one flat tuple.

usage: core_bfs.py N M NQ K [BUG]; interrupted, it says how far it came
  N partitions, M regions, NQ ports, queue bound K
  BUG 1: send forgets to unmap the sender      BUG 2: send's bound is off by one
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

CLOSED, CONNECTED, DISCONNECTED = 0, 1, 2
# a free region, no owner, no peer, an empty queue cell
NIL = -1

State = tuple[int, ...]
Action = tuple[Any, ...]


class Core:
    """The transition system at one scope: offsets of its arrays in the flat tuple, and what may happen."""

    def __init__(self, n: int, m: int, nq: int, k: int, bug: int = 0) -> None:
        self.n, self.m, self.nq, self.k, self.bug = n, m, nq, k, bug
        # one spare cell shows the overflow
        self.cells = k + (bug == 2)
        self.own = 0  # owner[r]
        self.map = self.own + m  # mapped[p][r], row major
        self.st = self.map + n * m  # port state[q]
        self.po = self.st + nq  # port owner[q]
        self.pe = self.po + nq  # peer[q]
        self.ev = self.pe + nq  # event pending[q]
        self.qu = self.ev + nq  # queue cells, self.cells per port
        self.size = self.qu + nq * self.cells

    def init(self) -> State:
        n, m, nq = self.n, self.m, self.nq
        ports = (CLOSED,) * nq + (NIL,) * nq + (NIL,) * nq + (0,) * nq
        return (NIL,) * m + (0,) * (n * m) + ports + (NIL,) * (nq * self.cells)

    def queue(self, s: State, q: int) -> list[int]:
        a = self.qu + q * self.cells
        return [x for x in s[a : a + self.cells] if x != NIL]

    def set_queue(self, t: list[int], q: int, items: list[int]) -> None:
        a = self.qu + q * self.cells
        t[a : a + self.cells] = items + [NIL] * (self.cells - len(items))

    def next(self, s: State) -> Iterator[tuple[Action, State]]:
        """Yield (action, successor) for every enabled action."""
        n, m, nq, k = self.n, self.m, self.nq, self.k
        own, map_, st, po, pe, ev, qu = self.own, self.map, self.st, self.po, self.pe, self.ev, self.qu
        queued = set(s[qu:])
        for r in range(m):
            p = s[own + r]
            if p == NIL:
                for p in range(n):
                    t = list(s)
                    t[own + r] = p
                    t[map_ + p * m + r] = 1
                    yield ("alloc", p, r), tuple(t)
            elif r not in queued:
                t = list(s)
                t[own + r] = NIL
                t[map_ + p * m + r] = 0
                yield ("free", p, r), tuple(t)
        for q in range(nq):
            state = s[st + q]
            if state == CLOSED:
                for q2 in range(q + 1, nq):
                    if s[st + q2] == CLOSED:
                        for p1 in range(n):
                            for p2 in range(n):
                                if p1 != p2:
                                    t = list(s)
                                    t[st + q] = t[st + q2] = CONNECTED
                                    t[po + q], t[po + q2] = p1, p2
                                    t[pe + q], t[pe + q2] = q2, q
                                    t[ev + q] = t[ev + q2] = 1
                                    yield ("connect", q, q2, p1, p2), tuple(t)
                continue
            p = s[po + q]
            mine = self.queue(s, q)
            if state == CONNECTED:
                d = s[pe + q]
                there = self.queue(s, d)
                if len(there) < k + (self.bug == 2):
                    for r in range(m):
                        if s[own + r] == p and r not in queued:
                            t = list(s)
                            if self.bug != 1:
                                t[map_ + p * m + r] = 0
                            t[map_ + s[po + d] * m + r] = 1
                            t[own + r] = s[po + d]
                            self.set_queue(t, d, there + [r])
                            if not there:
                                t[ev + d] = 1
                            yield ("send", p, q, r), tuple(t)
            if mine:
                t = list(s)
                self.set_queue(t, q, mine[1:])
                yield ("receive", p, q, mine[0]), tuple(t)
            if s[ev + q]:
                t = list(s)
                t[ev + q] = 0
                yield ("ack_event", q), tuple(t)
            t = list(s)
            for r in mine:
                t[own + r] = NIL
                t[map_ + p * m + r] = 0
            self.set_queue(t, q, [])
            if state == CONNECTED:
                t[st + s[pe + q]] = DISCONNECTED
                t[pe + s[pe + q]] = NIL
            t[st + q], t[po + q], t[pe + q], t[ev + q] = CLOSED, NIL, NIL, 0
            yield ("close", p, q), tuple(t)

    def violated(self, s: State) -> str | None:
        """Name of a violated invariant, or None."""
        n, m, nq = self.n, self.m, self.nq
        own, map_, st, po, pe = self.own, self.map, self.st, self.po, self.pe
        for r in range(m):
            for p in range(n):
                if s[map_ + p * m + r] != (s[own + r] == p):
                    return "I2 free unmapped" if s[own + r] == NIL else "I1 exclusive mapping"
        seen = set()
        for q in range(nq):
            items = self.queue(s, q)
            if len(items) > self.k:
                return "I3 bound"
            for r in items:
                if s[own + r] != s[po + q] or r in seen:
                    return "I4 queued once, by its owner"
                seen.add(r)
            if s[st + q] == CONNECTED:
                d = s[pe + q]
                if d in (NIL, q) or s[st + d] != CONNECTED or s[pe + d] != q:
                    return "I5 peer symmetry"
        return None


def bfs(model: Core) -> None:
    """Search all reachable states, up to the first violation or an interrupt, and print the figures and the verdict."""
    init = model.init()
    parent: dict[State, tuple[State, Action] | None] = {init: None}
    level, depth, transitions, verdict = [init], 0, 0, "no violation"
    began = time.perf_counter()
    why = model.violated(init)
    bad = (why, init) if why else None
    try:
        while level and not bad:
            following = []
            for s in level:
                for action, t in model.next(s):
                    transitions += 1
                    if t not in parent:
                        parent[t] = (s, action)
                        following.append(t)
                        why = model.violated(t)
                        if why:
                            bad = (why, t)
                            break
                if bad:
                    break
            level = following
            depth += bool(following)
    except KeyboardInterrupt:
        verdict = "interrupted"
    took = time.perf_counter() - began
    print(f"states {len(parent)} transitions {transitions} depth {depth} time {took:.2f}s {len(parent) / took:.0f} states/s")
    trace: list[Action] = []
    step = parent[bad[1]] if bad else None
    while step:
        trace.append(step[1])
        step = parent[step[0]]
    print(f"VIOLATED {bad[0]}, {len(trace)} steps:" if bad else verdict)
    for name, *arguments in reversed(trace):
        print(f"  {name}{tuple(arguments)}")


if __name__ == "__main__":
    bfs(Core(*map(int, sys.argv[1:])))
