"""The database's clock, as well as it can be known from here: what all processes on one database agree on.

Processes on several machines have clocks of their own, which may be minutes apart; a delay that one of them
begins and another ends would be over early, or late. So each asks the database what time it is, counts on
from there by its own clock that never goes back, and asks again now and then.
"""

from linkflow import telemetry
from linkflow.adapters.sql.database import Database, driver_errors
from linkflow.domain.errors import LinkFlowError
from linkflow.ports.clock import Clock

LOOK_S = 10.0
"""How often the database is asked; clocks drift apart by a millisecond in that time at the worst."""

TRIES = 5
GOOD_S = 0.005
"""How quick an answer is good enough at the start, and how often one is asked for."""

SKEWED_S = 1.0
"""A machine whose clock is so far off is worth a line in the log."""

log = telemetry.logger("clock")


class SqlClock:
    """A clock that follows a database's."""

    def __init__(self, database: Database, machine: Clock) -> None:
        """Begin with this machine's clock; `set` sets it right."""
        self._database, self._machine = database, machine
        self._offset_s = machine.now() - machine.monotonic()

    def now(self) -> float:
        """Seconds since 1970, UTC, by the database's clock."""
        return self.monotonic() + self._offset_s

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._machine.monotonic()

    async def sleep(self, delay_s: float) -> None:
        """Wait."""
        await self._machine.sleep(delay_s)

    async def set(self) -> None:
        """Set the clock right at the start.

        Raises:
            Unavailable: The database does not answer.
        """
        for _ in range(TRIES):
            if await self.look() <= GOOD_S:
                break
        off_s = self._machine.now() - self.now()
        if abs(off_s) >= SKEWED_S:
            log.warning("this machine's clock is off; the database's counts", seconds=round(off_s, 1))

    async def look(self) -> float:
        """Ask the database; nothing changes when its answer may as well mean what is known already.

        Returns:
            How long the answer took, in seconds: so far off may the clock be at the most.

        Raises:
            Unavailable: The database does not answer.
        """
        asked_at = self.monotonic()
        with driver_errors():
            said = await self._database.pool.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
        answered_at = self.monotonic()
        self._offset_s = min(max(self._offset_s, said - answered_at), said - asked_at)
        return answered_at - asked_at

    async def run(self) -> None:
        """Follow the database for ever."""
        while True:
            await self.sleep(LOOK_S)
            try:
                await self.look()
            except LinkFlowError as error:
                log.warning("the database was not asked for the time; asked again", error=str(error))
