"""Restate services on the same work; run by hypercorn in Restate's own environment."""

import restate

FANNED = 50
bench = restate.Service("bench")


async def _effect() -> dict[str, bool]:
    return {"ok": True}


@bench.handler()
async def pure1(ctx: restate.Context, value: dict[str, int]) -> dict[str, bool]:
    return await ctx.run_typed("effect", _effect)


@bench.handler()
async def effects10(ctx: restate.Context, value: dict[str, int]) -> dict[str, bool]:
    for number in range(9):
        await ctx.run_typed(f"effect{number}", _effect)
    return await ctx.run_typed("effect9", _effect)


@bench.handler()
async def fan50(ctx: restate.Context, value: dict[str, int]) -> int:
    started = [ctx.run_typed(f"effect{number}", _effect) for number in range(FANNED)]
    await restate.gather(*started)
    return FANNED


app = restate.app([bench])
