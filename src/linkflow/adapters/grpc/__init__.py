"""The engine's services over gRPC. Imported only by processes that are one of several."""
