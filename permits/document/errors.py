"""What can go wrong between the payload and the sealed file."""


class DocumentError(Exception):
    """No document came out; nothing was released."""


class PrintError(DocumentError):
    """The page could not be made as the template says."""


class LintError(DocumentError):
    """The document lacks something it must say, or holds something it may not.

    `defects` has one French sentence a defect, for staff.
    """

    def __init__(self, defects: tuple[str, ...]) -> None:
        super().__init__("; ".join(defects))
        self.defects = defects


class SealError(DocumentError):
    """The seal could not be loaded or made, or does not hold."""


class CodeError(DocumentError):
    """The key of the signed codes could not be used, or a code is not of ours."""


class PressFailed(DocumentError):
    """The workers could not finish the document in the time they have, even tried once more."""


class StampFailed(DocumentError):
    """No time stamp that holds could be had now: an act is sealed without, and stamped later in an archive copy."""
