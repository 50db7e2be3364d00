"""Numbers that are remembered until the mirror changes."""

from __future__ import annotations

from support.items import MOVIES, movie
from support.mirror import prepared

from mediasync import MediaSync
from mediasync.web.memory import Memory


async def test_an_answer_is_found_again_only_after_a_change(tmp_path) -> None:  # type: ignore[no-untyped-def]
    async with MediaSync(f"sqlite:///{tmp_path}/media.db") as ms:
        await prepared(ms)
        memory, asked = Memory(ms), []

        async def count() -> int:
            asked.append("count")
            return await ms.library.count_items()

        assert [await memory.recall("items", count) for _ in range(3)] == [0, 0, 0]
        await ms.media.save_media_item(movie("1"), **MOVIES)
        assert [await memory.recall("items", count) for _ in range(3)] == [1, 1, 1]
        assert len(asked) == 2


async def test_a_change_during_the_question_is_noticed(tmp_path) -> None:  # type: ignore[no-untyped-def]
    async with MediaSync(f"sqlite:///{tmp_path}/media.db") as ms:
        await prepared(ms)
        memory = Memory(ms)

        async def count_before_a_change() -> int:
            number = await ms.library.count_items()
            await ms.media.save_media_item(movie("1"), **MOVIES)
            return number

        assert await memory.recall("items", count_before_a_change) == 0
        assert await memory.recall("items", ms.library.count_items) == 1


async def test_it_does_not_grow_without_bound(tmp_path) -> None:  # type: ignore[no-untyped-def]
    async with MediaSync(f"sqlite:///{tmp_path}/media.db") as ms:
        await prepared(ms)
        memory = Memory(ms)
        for number in range(600):
            await memory.recall(number, ms.library.count_items)
        assert len(memory._kept) <= 500
