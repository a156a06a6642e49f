"""Who may use LinkFlow: users, sign-ins, API keys, workspaces, members, invitations, letters to them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from linkflow.domain.values import Json
from linkflow.ports.sending import Room


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who signs in.

    Attributes:
        workspace_id: The personal workspace, where a request without a workspace belongs.
        password_hash: By bcrypt; empty for somebody who signs in elsewhere only.
        verified_at: When the e-mail address was shown to be theirs.
        disabled_at: Since when they may not sign in.
        is_operator: Made at the first start; may ban users of this installation.
    """

    id: str
    workspace_id: str
    email: str
    password_hash: str
    name: str = ""
    created_at: float = 0.0
    verified_at: float | None = None
    disabled_at: float | None = None
    is_operator: bool = False


NO_REFRESH = -1


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """One sign-in; every token of it names its id.

    Attributes:
        expires_at: When its refresh token ends; a refresh moves it on.
        generation: Number of its newest refresh token; an older one was stolen or lost. NO_REFRESH where
            there is none: the sign-in of an API client that acts by itself.
        workspace_id: The only workspace it reaches; empty for every workspace of the user.
        client_id: The API client it was given to; empty for the person's own.
        scopes: What it may be used for, see `domain.access`.
        device: What the browser says it is.
        address: Where it began.
    """

    id: str
    user_id: str
    created_at: float
    expires_at: float
    is_revoked: bool = False
    generation: int = 0
    workspace_id: str = ""
    client_id: str = ""
    scopes: tuple[str, ...] = ("*",)
    device: str = ""
    address: str = ""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key for programs, good for one workspace and never for more than its user may.

    Attributes:
        prefix: Its first characters, shown so that people tell keys apart.
        key_hash: SHA-256 of the key, hex; the key itself is nowhere.
        last_used_at: To the minute.
    """

    id: str
    workspace_id: str
    user_id: str
    name: str
    prefix: str
    key_hash: str
    scopes: tuple[str, ...]
    created_at: float
    expires_at: float | None = None
    last_used_at: float | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a sign-in or a key is worth in a workspace right now.

    Attributes:
        role: Empty when the user is no member there.
        sign_in_id: Empty for an API key.
        key_id: Empty for a sign-in.
        expires_at: None for a key without an end.
    """

    user_id: str
    email: str
    name: str
    workspace_id: str
    home_id: str
    role: str
    scopes: tuple[str, ...]
    expires_at: float | None
    is_operator: bool
    sign_in_id: str = ""
    key_id: str = ""
    client_id: str = ""
    last_used_at: float | None = None


class Accounts(Protocol):
    """Users, their sign-ins, keys and identities elsewhere."""

    async def add_user(self, user: User) -> None:
        """Keep a new user.

        Raises:
            Conflict: `user.email_taken`: the e-mail address is taken.
        """
        ...

    async def user(self, user_id: str) -> User:
        """Read a user.

        Raises:
            NotFound: No such user.
        """
        ...

    async def locked(self, user_id: str) -> User:
        """Read a user to replace them; nobody else does until the transaction ends.

        Raises:
            NotFound: No such user.
        """
        ...

    async def by_email(self, email: str) -> User | None:
        """Find a user by e-mail address, lower-case."""
        ...

    async def owner(self) -> User | None:
        """Find the user made at the first start; None before it."""
        ...

    async def put_user(self, user: User) -> None:
        """Replace what is kept of a user, as `locked` read it.

        Raises:
            Conflict: `user.email_taken`: the e-mail address is taken.
        """
        ...

    async def add_sign_in(self, sign_in: SignIn) -> None:
        """Keep a sign-in, and forget those of the user that expired."""
        ...

    async def sign_in(self, sign_in_id: str) -> SignIn | None:
        """Read a sign-in."""
        ...

    async def sign_ins(self, user_id: str, now: float) -> Sequence[SignIn]:
        """List the sign-ins of a user that still hold, newest first."""
        ...

    async def renew(self, sign_in_id: str, generation: int, expires_at: float) -> bool:
        """Move a sign-in to its next refresh token; False when `generation` is not its newest."""
        ...

    async def move_on(self, sign_in: SignIn) -> SignIn | None:
        """Let the sign-in that an API client has for itself last as long as this one; None for none.

        It has no refresh token, is of the same user, client, workspace and scopes, and not revoked.
        """
        ...

    async def revoke(self, user_id: str, sign_in_id: str = "") -> int:
        """End one sign-in of a user, or all, and say how many ended now. Safe to repeat."""
        ...

    async def revoke_keys(self, user_id: str) -> None:
        """Remove every API key of a user, in all workspaces. Safe to repeat."""
        ...

    async def revoke_others(self, user_id: str, kept: str) -> None:
        """End every sign-in of a user but one. Safe to repeat."""
        ...

    async def standing(self, sign_in_id: str, workspace_id: str, now: float) -> Standing | None:
        """Say what a sign-in is worth in a workspace (its own when empty); None when it has ended."""
        ...

    async def add_key(self, key: ApiKey) -> None:
        """Keep a key."""
        ...

    async def keys(self, workspace_id: str, user_id: str) -> Sequence[ApiKey]:
        """List a user's keys in a workspace, newest first."""
        ...

    async def delete_key(self, workspace_id: str, user_id: str, key_id: str) -> None:
        """Remove a key.

        Raises:
            NotFound: No such key of this user in this workspace.
        """
        ...

    async def key_standing(self, key_hash: str, key_id: str, now: float) -> Standing | None:
        """Say what a key, by its hash or its id, is worth now; None when there is none or it has ended."""
        ...

    async def key_used(self, key_id: str, at: float) -> None:
        """Note when a key was used."""
        ...

    async def identity(self, issuer: str, subject: str) -> User | None:
        """Find who signs in elsewhere under a name."""
        ...

    async def add_identity(self, issuer: str, subject: str, user_id: str, at: float) -> None:
        """Note under which name a user signs in elsewhere. Safe to repeat."""
        ...


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant.

    Attributes:
        slug: Short name for addresses, unique.
        logo: Address of a picture.
    """

    id: str
    name: str
    slug: str
    logo: str = ""
    settings: Mapping[str, Json] = {}
    created_at: float = 0.0


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's role in a workspace."""

    workspace_id: str
    user_id: str
    role: str
    joined_at: float


class MemberLine(msgspec.Struct, frozen=True, kw_only=True):
    """A member as others see them."""

    user_id: str
    role: str
    joined_at: float
    email: str
    name: str


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody asked to join, by e-mail.

    Attributes:
        token_hash: SHA-256 of what stands in the link, hex.
        state: `pending`, `accepted`, `declined`, `withdrawn`.
    """

    id: str
    workspace_id: str
    email: str
    role: str
    token_hash: str
    invited_by: str
    created_at: float
    expires_at: float
    state: str = "pending"


class Tenancy(Protocol):
    """Workspaces and who belongs to them."""

    async def add_workspace(self, workspace: Workspace) -> None:
        """Keep a new workspace.

        Raises:
            Conflict: `workspace.slug_taken`.
        """
        ...

    async def workspace(self, workspace_id: str) -> Workspace:
        """Read a workspace.

        Raises:
            NotFound: No such workspace, or it was deleted.
        """
        ...

    async def put_workspace(self, workspace: Workspace) -> None:
        """Replace what is kept of a workspace.

        Raises:
            Conflict: `workspace.slug_taken`.
        """
        ...

    async def delete_workspace(self, workspace_id: str, at: float) -> None:
        """Hide a workspace for good, and stop whatever starts its executions."""
        ...

    async def workspaces_of(self, user_id: str) -> Sequence[tuple[Workspace, str]]:
        """List the workspaces of a user with the user's role, oldest first."""
        ...

    async def put_member(self, member: Member) -> None:
        """Add a member, or change their role."""
        ...

    async def members(self, workspace_id: str) -> Sequence[MemberLine]:
        """List members by when they joined."""
        ...

    async def lock_members(self, workspace_id: str) -> None:
        """Let nobody else change members until the transaction ends."""
        ...

    async def role(self, workspace_id: str, user_id: str) -> str:
        """Say somebody's role; empty for a stranger."""
        ...

    async def remove_member(self, workspace_id: str, user_id: str) -> None:
        """Remove a member, with the keys they made there. Safe to repeat."""
        ...

    async def shut(self, workspace_id: str, user_id: str) -> None:
        """Leave a workspace to one user, who is its owner then. Safe to repeat.

        Other members, invitations, API clients with their sign-ins, and keys go; who is told outside of what
        happens is told no more.
        """
        ...

    async def add_invitation(self, invitation: Invitation) -> None:
        """Keep an invitation; an earlier one to the same address is withdrawn."""
        ...

    async def invitations(self, workspace_id: str, now: float) -> Sequence[Invitation]:
        """List invitations that still can be accepted, newest first."""
        ...

    async def invitation(self, token_hash: str) -> Invitation | None:
        """Find an invitation by its link."""
        ...

    async def settle_invitation(self, workspace_id: str, invitation_id: str, state: str) -> bool:
        """Answer or withdraw an invitation; False when it is not pending any more."""
        ...


class OutgoingMail(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that has not left yet; what it says is sealed, because it may hold a link that signs in.

    Attributes:
        place: Follows from the address; what is slow there holds nothing that goes elsewhere.
    """

    id: str
    sealed: bytes
    due_at: float
    created_at: float
    attempts: int = 0
    last_error: str = ""
    place: str = ""

    @property
    def workspace_id(self) -> str:
        """Nobody's: letters are about accounts."""
        return ""


class MailOutbox(Protocol):
    """Letters on their way out."""

    async def add(self, mail: OutgoingMail) -> None:
        """Keep a letter until it was sent."""
        ...

    async def claim(self, now: float, until: float, room: Room) -> Sequence[OutgoingMail]:
        """Take letters that are due; nobody else takes them before `until`."""
        ...

    async def sent(self, mail_id: str) -> None:
        """Forget a letter. Safe to repeat."""
        ...

    async def put_off(self, mail_id: str, due_at: float, reason: str) -> None:
        """Try a letter again later, and say why it did not leave."""
        ...
