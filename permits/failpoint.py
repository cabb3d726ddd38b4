"""Named points of the walk at which a test can make the service fail; they do nothing in production."""


def reach(name: str) -> None:
    """Fail here if a test asked for it."""
