# SPDX-License-Identifier: Apache-2.0
# Makes a C string named policy_schema of a text file.
s/\\/\\\\/g
s/"/\\"/g
s/.*/\t"&\\n"/
1i static const char policy_schema[] =
$s/$/;/
