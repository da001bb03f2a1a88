# SPDX-License-Identifier: Apache-2.0
# Makes a C string named udhcpc_script of a text file.
s/\\/\\\\/g
s/"/\\"/g
s/.*/\t"&\\n"/
1i static const char udhcpc_script[] =
$s/$/;/
