"""How an implementation is reached: connection strings, the protocol, serving, and kits to begin an adapter with."""

from .connection import Implementation, afresh, connect, finished, is_given, limited, reach, restarts, stopped
from .line import MARK
from .protocol import INDETERMINATE, METHOD_NOT_FOUND, UNSUPPORTED, Capabilities, Introduction, request, schema
from .remote import Budgets, Remote
from .serve import Server, serve_here, serve_socket

__all__ = [
    "INDETERMINATE",
    "MARK",
    "METHOD_NOT_FOUND",
    "UNSUPPORTED",
    "Budgets",
    "Capabilities",
    "Implementation",
    "Introduction",
    "Remote",
    "Server",
    "afresh",
    "connect",
    "finished",
    "is_given",
    "limited",
    "reach",
    "request",
    "restarts",
    "schema",
    "serve_here",
    "serve_socket",
    "stopped",
]
