"""How an implementation is reached: connection strings, the protocol, serving, and kits to begin an adapter with."""

from .connection import Implementation, connect, finished, reach, stopped
from .line import MARK
from .protocol import request, schema
from .remote import Budgets, Remote
from .serve import Server, serve_here, serve_socket

__all__ = [
    "MARK",
    "Budgets",
    "Implementation",
    "Remote",
    "Server",
    "connect",
    "finished",
    "reach",
    "request",
    "schema",
    "serve_here",
    "serve_socket",
    "stopped",
]
