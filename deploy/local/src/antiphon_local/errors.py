"""The one error of the local set-up: every failure a person can meet names its remedy."""


class SetupError(Exception):
    """Something on this machine stands in the way. `remedy` is a sentence that says what to do about it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}\n  remedy: {remedy}")
        self.problem = problem
        self.remedy = remedy


class PortTakenError(SetupError):
    """Another program listens on the port that was asked for."""

    def __init__(self, name: str, port: int) -> None:
        super().__init__(
            f"{name}: port {port} on 127.0.0.1 is taken by another program",
            f"end that program (`ss -ltnp 'sport = :{port}'` names it) or choose another port",
        )
        self.port = port
