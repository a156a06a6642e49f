"""What keeps secrets: sealed values, keys on disk, passwords, tokens."""

import contextlib
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from linkflow.adapters.tokens import JwtSigner
from linkflow.adapters.vault import AesSecretBox, BcryptHasher, keep_key
from linkflow.domain.errors import Invalid, Unauthenticated, Unavailable

KEY = bytes(range(32))
SECRET = "a secret of 64 hex digits would be longer, this is enough"
ISSUER = "https://linkflow.example.com"


def test_a_sealed_value_opens_only_in_its_place() -> None:
    """J3: a row that is moved to another owner or another credential stays shut."""
    box = AesSecretBox({"k1": KEY}, "k1")
    sealed = box.seal(b"token", "credential:1:ws")

    with pytest.raises(Unavailable, match="cannot be opened"):
        box.open(sealed, "credential:2:ws")

    assert b"token" == box.open(sealed, "credential:1:ws")


def test_equal_values_are_sealed_differently() -> None:
    """Nobody learns from two sealed values whether they are equal."""
    box = AesSecretBox({"k1": KEY}, "k1")

    assert box.seal(b"x", "p") != box.seal(b"x", "p")


def test_an_older_key_still_opens() -> None:
    """While keys rotate, what the old one sealed opens and the new one seals."""
    old = AesSecretBox({"k1": KEY}, "k1").seal(b"x", "p")
    both = AesSecretBox({"k1": KEY, "k2": KEY[::-1]}, "k2")
    only_new = AesSecretBox({"k2": KEY[::-1]}, "k2")

    assert (b"x", b"y") == (both.open(old, "p"), only_new.open(both.seal(b"y", "p"), "p"))


@pytest.mark.parametrize("broken", [b"", b"nonsense", bytes(200)])
def test_garbage_is_refused_in_words(broken: bytes) -> None:
    """What was never sealed is an error of ours, not of a library."""
    with pytest.raises(Unavailable):
        AesSecretBox({"k1": KEY}, "k1").open(broken, "p")


def test_every_flipped_bit_is_refused() -> None:
    """Whichever bit of a sealed value changes, it stays shut: nothing of it is trusted unseen."""
    box = AesSecretBox({"k1": KEY}, "k1")
    sealed = box.seal(b"secret", "place")
    opened = []
    for bit in range(len(sealed) * 8):
        broken = bytearray(sealed)
        broken[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(Unavailable):
            opened.append((bit, box.open(bytes(broken), "place")))

    assert opened == []


def test_keys_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    """A key is made at the first start with mode 0600 in a folder of mode 0700, and read afterwards."""
    folder = tmp_path / "keys"
    made, read = keep_key(folder, "a.key"), keep_key(folder, "a.key")

    assert (made, 64, 0o700, 0o600) == (
        read,
        len(made),
        stat.S_IMODE(folder.stat().st_mode),
        stat.S_IMODE((folder / "a.key").stat().st_mode),
    )


def test_processes_that_start_at_once_share_a_key(tmp_path: Path) -> None:
    """Whoever is second reads the whole key of whoever was first, never a file that is being written."""
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(lambda _: keep_key(tmp_path, "a.key"), range(64)))

    assert ({keys[0]}, 64, ["a.key"]) == (
        set(keys),
        len(keys[0]),
        [each.name for each in tmp_path.iterdir()],
    )


def test_an_empty_key_is_not_replaced(tmp_path: Path) -> None:
    """A key file that was damaged stops the start, because a new key would open nothing."""
    (tmp_path / "a.key").touch()

    with pytest.raises(Unavailable, match="Restore it"):
        keep_key(tmp_path, "a.key")


def test_a_given_secret_is_not_written(tmp_path: Path) -> None:
    """A secret that a person sets is used as it is and lies nowhere."""
    found = keep_key(tmp_path / "keys", "a.key", given="mine")

    assert ("mine", False) == (found, (tmp_path / "keys").exists())


async def test_passwords_are_bcrypt_of_ten_rounds() -> None:
    """B3, C7: a password is hashed by bcrypt with cost 10 and verifies; another one does not."""
    hasher = BcryptHasher()
    hashed = await hasher.hash("correct horse")

    assert ("$2b$10$", True, False, False) == (
        hashed[:7],
        await hasher.verify("correct horse", hashed),
        await hasher.verify("wrong horse", hashed),
        hasher.is_outdated(hashed),
    )


async def test_passwords_over_72_bytes_are_refused() -> None:
    """C7: what bcrypt would cut off is refused in words, and never verifies by its beginning."""
    hasher = BcryptHasher()
    hashed = await hasher.hash("x" * 72)

    with pytest.raises(Invalid, match="72 bytes"):
        await hasher.hash("x" * 73)

    assert not await hasher.verify("x" * 73, hashed)


def test_a_token_holds_until_it_expires() -> None:
    """B5: a token gives its claims back until its end, and nothing after it."""
    signer = JwtSigner(SECRET, ISSUER)
    token = signer.sign({"sub": "u1", "sid": "s1"}, 1_000.0)

    with pytest.raises(Unauthenticated):
        signer.verify(token, 1_001.0)

    assert "u1" == signer.verify(token, 999.0)["sub"]


@pytest.mark.parametrize(
    "token",
    ["", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSIsImV4cCI6OTk5OTk5OTk5OX0.", "x" * 10_000],
    ids=["empty", "nonsense", "alg none", "long"],
)
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    """Tokens that nobody signed, or that name no algorithm, are refused alike."""
    with pytest.raises(Unauthenticated):
        JwtSigner(SECRET, ISSUER).verify(token, 0.0)


def test_a_token_of_another_installation_is_refused() -> None:
    """A token signed with another secret is refused."""
    token = JwtSigner(SECRET[::-1], ISSUER).sign({"sub": "u1"}, 9e9)

    with pytest.raises(Unauthenticated):
        JwtSigner(SECRET, ISSUER).verify(token, 0.0)
