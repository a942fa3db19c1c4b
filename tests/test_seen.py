"""The table of fingerprints does what a dict does, and a frontier gives back what was put in, also by way of files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneowner.model.batch import Cells
from oneowner.model.search import Frontier, Seen
from oneowner.model.search import seen as table

FEW = 4

# many want the same place, some the last one, from which the way goes on at the first
KEYS = st.builds(lambda high, low: (high << 60) + low, st.sampled_from([0, 1, 7, 14, 15]), st.integers(1, 40))
ADDED = st.lists(st.lists(KEYS, unique=True, max_size=25), max_size=12)


def marks(numbers: Sequence[int]) -> Any:
    return np.array(numbers, np.uint64)


def add(seen: Seen, keys: Sequence[int], number: int) -> list[bool]:
    """Enter keys, for which room is made, with parents that tell which `number` of addition it was."""
    places = seen.room_for(len(keys))
    if places != seen.places:
        seen.grow(places)
    return list(seen.add(marks(keys), marks([key ^ number for key in keys])))


def assert_same(seen: Seen, known: dict[int, int], count: int | None = None) -> None:
    """`seen` holds what `known` does, and nothing else."""
    assert seen.count == (len(known) if count is None else count)
    pieces = list(seen.items())
    assert {int(k): int(p) for keys, parents in pieces for k, p in zip(keys, parents, strict=True)} == known
    assert sum(len(keys) for keys, _ in pieces) == len(known)
    for key in [*known][-FEW:]:
        assert seen.parent(key) == known[key]
    others = [key ^ (1 << 50) for key in known] + [(15 << 60) + 100]
    assert list(seen.among(marks([*known, *others]))) == [True] * len(known) + [False] * len(others)
    with pytest.raises(KeyError):
        seen.parent(others[0])


@given(ADDED)
@settings(max_examples=100, deadline=None)
def test_a_table_is_a_dict_that_keeps_the_first_parent(added: list[list[int]]) -> None:
    seen, known = Seen(FEW), dict[int, int]()
    for number, keys in enumerate(added):
        assert add(seen, keys, number) == [key not in known for key in keys]
        for key in keys:
            known.setdefault(key, key ^ number)
        assert_same(seen, known)


@given(ADDED)
@settings(max_examples=25, deadline=None)
def test_a_table_in_a_folder_is_seen_by_who_attaches_to_its_file(added: list[list[int]]) -> None:
    with TemporaryDirectory() as folder:
        seen, known = Seen(FEW, Path(folder)), dict[int, int]()
        other = Seen.attach(seen.path)
        for number, keys in enumerate(added):
            assert add(seen, keys, number) == [key not in known for key in keys]
            for key in keys:
                known.setdefault(key, key ^ number)
            if seen.path != other.path:
                assert not other.path.exists()
                other = Seen.attach(seen.path)
            assert other.places == seen.places
            assert_same(other, known, count=0)
        assert [path.name for path in Path(folder).iterdir()] == [seen.path.name]
        seen.come_home()
        assert list(Path(folder).iterdir()) == []
        assert_same(seen, known)
        add(seen, [key + 1000 for key in known], 0)
        assert len(known) * 2 == seen.count


def test_a_table_goes_into_a_folder_and_into_another_and_home_with_all_it_holds(tmp_path: Path) -> None:
    known = {(number << 54) + 1: number for number in range(1, 1000)}
    seen = Seen()
    seen.add(marks([*known]), marks([*known.values()]))
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        seen.grow(seen.places * 2, tmp_path / name)
        assert_same(seen, known)
    assert [path.parent.name for path in tmp_path.rglob("seen*")] == ["other"]
    seen.come_home()
    seen.come_home()
    assert_same(seen, known)


@pytest.mark.parametrize("more", [0, 1, 2866, 2867, 2868, 5734, 5735, 100_000])
def test_there_is_room_for_what_was_asked_and_no_more_than_twice_what_it_takes(more: int) -> None:
    places = Seen().room_for(more)
    assert more <= table.FULL * places
    assert places == table.SMALLEST or more > table.FULL * places / 2


def test_what_is_in_a_table_comes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "AT_ONCE", 8)
    seen, keys = Seen(64), [(high << 58) + 1 for high in range(40)]
    seen.add(marks(keys), marks(keys))
    assert len(list(seen.items())) > 1
    assert_same(seen, dict(zip(keys, keys, strict=True)))


def blocks(sizes: Sequence[int]) -> Iterator[Cells]:
    """Blocks of states, no two of them equal."""
    number = 0
    for size in sizes:
        numbers = np.arange(number, number + size)
        number += size
        yield np.array([numbers % 251, numbers // 251, np.full(size, 7)], np.uint8)


def numbers(data: Cells) -> list[int]:
    """Which states these are."""
    assert (data[2] == 7).all()
    return [int(n) for n in data[0] + data[1].astype(int) * 251]


DONE = st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=30)
"""What is done with a frontier: so many states are added or taken."""


@given(DONE, st.sampled_from([0, 100, 300, 1 << 20]))
@settings(max_examples=100, deadline=None)
def test_what_is_added_to_a_frontier_is_taken_once_in_blocks_of_the_size_asked_also_out_of_files(
    done: list[tuple[bool, int]], room: int
) -> None:
    with TemporaryDirectory() as folder:
        frontier, inside = Frontier(Path(folder), room), set[int]()
        new = blocks([size for adds, size in done if adds])
        for adds, size in [*done, (False, 1 << 20)]:
            if adds:
                data = next(new)
                frontier.add(data)
                inside |= set(numbers(data))
            elif frontier:
                data = frontier.take(size)
                taken = numbers(data)
                assert len(taken) == len(set(taken)) == min(size, len(inside))
                assert set(taken) <= inside
                inside -= set(taken)
            assert frontier.size == len(inside)
            assert bool(frontier) is bool(inside)
            held = [number for block in frontier.blocks() for number in numbers(block)]
            assert sorted(held) == sorted(inside)
        assert frontier.bytes == 0
        assert list(Path(folder).iterdir()) == []


def test_a_frontier_writes_what_has_no_room_to_files_and_no_more(tmp_path: Path) -> None:
    frontier = Frontier(tmp_path, room=100)
    for data in blocks([20, 20, 10]):
        frontier.add(data)
    assert frontier.bytes == 3 * (20 + 10)
    assert len(list(tmp_path.iterdir())) == 1
    assert sorted(numbers(frontier.take(100))) == list(range(50))


def test_two_frontiers_in_one_folder_keep_apart(tmp_path: Path) -> None:
    one, other = Frontier(tmp_path, room=0), Frontier(tmp_path, room=0)
    for at, data in enumerate(blocks([5] * 8)):
        (one, other)[at % 2].add(data)
    assert sorted(numbers(one.take(100)) + numbers(other.take(100))) == list(range(40))
