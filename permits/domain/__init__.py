"""The pure part of the house: what is asked, what is known, what the law says, what is decided.

No I/O, no clock, no HTTP; the standard library, pydantic and two computing libraries (stdnum, holidays).
"""
