"""Logging for a console: one line an event, what it carries as key=value."""

import logging
import sys

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_TALKATIVE = ("alembic", "fontTools", "httpx", "pikepdf", "procrastinate", "pyhanko", "weasyprint")


class KeyValueFormatter(logging.Formatter):
    """The usual line, then every extra of the event."""

    def format(self, record: logging.LogRecord) -> str:
        extras = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        head, newline, traceback = super().format(record).partition("\n")
        return head + "".join(f" {name}={value}" for name, value in sorted(extras.items())) + newline + traceback


def set_up(level: int = logging.INFO) -> None:
    """Log to standard error; libraries only speak up from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(KeyValueFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
