"""Task queues over REST: for whoever runs the installation."""

from linkflow.testing.live import Live


async def test_the_operator_sees_the_queues(live: Live) -> None:
    """The queues of a running LinkFlow are listed with their workers, and not to strangers."""
    found = await live.get("/admin/queues")
    stranger = await live.call("GET", "/admin/queues", signed_in=False)
    (default,) = found.json["data"]

    assert (200, 401) == (found.status, stranger.status)
    assert ("default", 0, 0.0, 1, True) == (
        default["name"],
        default["depth"],
        default["oldest_s"],
        default["workers"],
        default["credits"] > 0,
    )
