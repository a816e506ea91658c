use strict;
my ($what) = @ARGV;
my $id = lc $what;
print "marking $id\n";
system("lava-sync", $id) == 0 or exit 3;
