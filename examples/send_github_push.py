"""Send a push event to a webhook as GitHub would: signed, with a delivery id.

Usage: python3 examples/send_github_push.py WEBHOOK_URL [SECRET]
"""

import hashlib
import hmac
import sys
import urllib.error
import urllib.request
import uuid
from pathlib import Path

PAYLOAD = Path(__file__).parent / "payloads" / "github-push.json"
SECRET = "It's a Secret to Everybody"  # the one in GitHub's documentation


def main() -> None:
    """Sign the payload, send it, print the answer."""
    if not sys.argv[1:]:
        raise SystemExit(__doc__)
    url, secret = sys.argv[1], sys.argv[2] if sys.argv[2:] else SECRET
    body = PAYLOAD.read_bytes()
    request = urllib.request.Request(
        url,
        data=body,
        headers={
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
        },
    )
    try:
        with urllib.request.urlopen(request) as answer:
            print(answer.status, answer.read().decode())
    except urllib.error.HTTPError as error:
        print(error.code, error.read().decode())
    except urllib.error.URLError as error:
        raise SystemExit(f"Nobody answers at {url}: {error.reason}") from None


if __name__ == "__main__":
    main()
