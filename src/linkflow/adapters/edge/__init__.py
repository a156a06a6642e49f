"""The sockets of the edge: its server, and the proxy that passes requests on."""
