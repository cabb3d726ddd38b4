"""How an act is sealed: the keys behind one interface, and the form in which a seal enters a PDF."""
