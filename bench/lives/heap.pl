# SPDX-License-Identifier: LGPL-2.1-or-later
# The life of a Perl program: heap.pl MIB. It fills a hash with texts, deletes all but one in fifty, and says "ready". It
# ends with its standard input. The same numbers in each run.
use strict;
use warnings;

my $mean_bytes = 700;
my $kept_one_in = 50;
my ($mib) = @ARGV;
my %texts;

srand 1;
$texts{$_} = 'x' x (1 + int(-log(1 - rand) * $mean_bytes)) for 1 .. $mib * 1024 * 1024 / ($mean_bytes + 150);
int(rand $kept_one_in) and delete $texts{$_} for sort keys %texts;

$| = 1;
print "ready\n";
1 while <STDIN>;
