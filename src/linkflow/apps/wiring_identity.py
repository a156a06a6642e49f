"""Accounts, sign-ins, keys, workspaces and mail put together."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from linkflow.adapters.http import GuardedHttpClient
from linkflow.adapters.mail import FolderMailer, SmtpMailer
from linkflow.adapters.oidc import OidcProvider
from linkflow.adapters.puter import PuterVouching
from linkflow.adapters.tokens import JwtSigner
from linkflow.adapters.vault import BcryptHasher
from linkflow.apps.settings import Settings
from linkflow.control.access import Access
from linkflow.control.accounts import Accounts, Links
from linkflow.control.actor import Audit
from linkflow.control.elsewhere import Elsewhere
from linkflow.control.invitations import Invitations
from linkflow.control.keys import Keys
from linkflow.control.members import Members
from linkflow.control.oauth import OAuth
from linkflow.control.plans import Plans
from linkflow.control.post import Post
from linkflow.control.registrations import Registrations
from linkflow.control.sign_ins import SignIns
from linkflow.control.workspaces import Workspaces
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import Cache, EventBus, Prepared, RateLimits
from linkflow.ports.outbound import Mailer
from linkflow.ports.records import Records
from linkflow.ports.vault import SecretBox

OIDC = "oidc"
"""Name of the provider that settings describe, in addresses."""

OUTBOX = "mail"
"""Folder below LINKFLOW_HOME for letters, where no mail server was named."""


@dataclass(frozen=True, kw_only=True)
class IdentityNeeds:
    """What the use cases of identity are made of."""

    settings: Settings
    records: Records
    box: SecretBox
    bus: EventBus
    prepared: Prepared
    limits: RateLimits
    cache: Cache
    audit: Audit
    plans: Plans
    clock: Clock
    ids: IdSource
    secret: str


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The use cases of identity."""

    access: Access
    accounts: Accounts
    registrations: Registrations
    sign_ins: SignIns
    elsewhere: Elsewhere
    oauth: OAuth
    keys: Keys
    workspaces: Workspaces
    members: Members
    invitations: Invitations
    post: Post


def mailer(settings: Settings) -> Mailer:
    """Choose how letters leave."""
    if settings.smtp_url is not None:
        return SmtpMailer(settings.smtp_url, settings.mail_from)
    return FolderMailer(settings.home / OUTBOX, settings.mail_from)


def trusted(settings: Settings) -> tuple[str, ...]:
    """Say which hosts may be called although they are inside: those that a person set for sign-in."""
    found = [urlsplit(url) for url in (settings.oidc_issuer, settings.puter_url) if url]
    return tuple(parts.netloc.rpartition("@")[2] for parts in found)


def build_identity(needs: IdentityNeeds) -> Identity:
    """Put the use cases of identity together."""
    settings, records, clock, ids = needs.settings, needs.records, needs.clock, needs.ids
    public_url = settings.public_url or f"http://{settings.host}:{settings.port}"
    hasher, signer = BcryptHasher(), JwtSigner(needs.secret, public_url)
    is_open = settings.registration == "open"
    outside = GuardedHttpClient((*settings.outbound_allow, *trusted(settings)))
    oidc = None
    if settings.oidc_issuer is not None:
        oidc = OidcProvider(
            settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret or "", outside, clock
        )
    access = Access(records, signer, needs.prepared, needs.bus, clock)
    confirms_first = settings.smtp_url is not None
    sign_ins = SignIns(
        records,
        access,
        hasher,
        signer,
        needs.limits,
        needs.audit,
        clock,
        ids,
        needs.cache,
        confirms_first=confirms_first,
    )
    post = Post(records, mailer(settings), needs.box, needs.bus, clock, ids)
    links = Links(signer)
    accounts = Accounts(
        records,
        sign_ins,
        access,
        post,
        hasher,
        links,
        needs.audit,
        clock,
        ids,
        public_url=public_url,
    )
    return Identity(
        access=access,
        accounts=accounts,
        registrations=Registrations(
            records,
            accounts,
            sign_ins,
            post,
            links,
            clock,
            public_url=public_url,
            is_open=is_open,
            confirms_first=confirms_first,
        ),
        sign_ins=sign_ins,
        elsewhere=Elsewhere(
            records,
            accounts,
            sign_ins,
            access,
            signer,
            needs.cache,
            clock,
            providers={} if oidc is None else {OIDC: oidc},
            puter=PuterVouching(settings.puter_url, outside) if settings.puter_url else None,
            http=outside,
            secret=needs.secret,
            public_url=public_url,
            is_open=is_open,
        ),
        oauth=OAuth(records, sign_ins, access, signer, needs.audit, needs.plans, clock, ids),
        keys=Keys(records, access, needs.audit, clock, ids),
        workspaces=Workspaces(records, access, needs.audit, needs.prepared, clock, ids),
        members=Members(records, access, needs.audit),
        invitations=Invitations(
            records,
            accounts,
            sign_ins,
            access,
            post,
            needs.audit,
            needs.plans,
            clock,
            ids,
            public_url=public_url,
        ),
        post=post,
    )
