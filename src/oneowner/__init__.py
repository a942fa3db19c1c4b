"""An executable specification of message passing by moving memory, its proof, and conformance checking."""
