"""The promises of the register, checked again on what is stored: `check` reads a whole book and reports."""

from permits.register.fsck.check import Report, check
from permits.register.fsck.documents import Seals
from permits.register.fsck.finding import Code, Finding
from permits.register.fsck.look import Progress

__all__ = ["Code", "Finding", "Progress", "Report", "Seals", "check"]
