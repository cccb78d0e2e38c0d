/* The other half of header.cpp: the header in a second translation unit of one program. */
#include "factor2.hpp"

const char *name_in_the_other_half(factor2::status status);
bool verified_in_the_other_half(const factor2::authenticator &authenticator);

const char *name_in_the_other_half(factor2::status status) { return factor2::status_name(status); }

bool verified_in_the_other_half(const factor2::authenticator &authenticator) {
    if (authenticator.verify("GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q", "967967"))
        return true;
    return false;
}
