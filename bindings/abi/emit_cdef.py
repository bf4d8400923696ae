"""The headers as one file of pure declarations, in order, unchanged."""


def files(abi, concepts):
    return {"gen/tlsshim.cdef.h": "".join(concept["source"].rstrip() + "\n\n" for concept in concepts)}
