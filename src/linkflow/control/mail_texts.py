"""What letters say: plain text, one link each, and what to do when it was not you."""


def verify(link: str) -> tuple[str, str]:
    """Subject and text of the letter that asks whether an address is somebody's own."""
    return (
        "Confirm your e-mail address",
        f"Welcome to LinkFlow.\n\nConfirm that this address is yours:\n\n{link}\n\n"
        "The page asks for the password that you chose. The link works for seven days. "
        "If you did not register, ignore this letter.\n",
    )


def reset(link: str) -> tuple[str, str]:
    """Subject and text of the letter with which a password is set anew."""
    return (
        "Set a new password",
        f"Somebody, probably you, asked to set a new password for LinkFlow:\n\n{link}\n\n"
        "The link works once, for one hour. If it was not you, ignore this letter; nothing has changed.\n",
    )


def taken(link: str) -> tuple[str, str]:
    """Subject and text of the letter to an address that somebody registered again."""
    return (
        "You have an account already",
        "Somebody, probably you, registered this address with LinkFlow, where it has an account.\n\n"
        f"Sign in as before, or set a new password:\n\n{link}\n\n"
        "The link works once, for one hour. If it was not you, ignore this letter; nothing has changed.\n",
    )


def changed() -> tuple[str, str]:
    """Subject and text of the letter that tells of a new password."""
    return (
        "Your password was changed",
        "The password of your LinkFlow account was changed, and every other sign-in was ended.\n\n"
        "If it was not you, ask for a new password at once, and tell whoever runs this LinkFlow.\n",
    )


def invitation(workspace: str, inviter: str, role: str, link: str) -> tuple[str, str]:
    """Subject and text of an invitation."""
    return (
        f"{inviter} invites you to {workspace}",
        f"{inviter} invites you to the workspace {workspace!r} on LinkFlow, as {role}:\n\n{link}\n\n"
        "The link works for seven days. If you do not know the sender, ignore this letter.\n",
    )
