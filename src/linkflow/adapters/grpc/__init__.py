"""The engine's services over gRPC. Imported only by processes that are one of several.

gRPC's newer event engine hands every frame from thread to thread once more: a round trip on a stream took a
quarter to a half more CPU with it, measured with grpcio 1.85 under asyncio. Whoever sets GRPC_EXPERIMENTS
decides alone.
"""

import os

os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_client,-event_engine_listener")
