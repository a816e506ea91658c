use strict;
use IO::Socket::INET;
system('lava-sync', 'start');
sleep 3;
my $s = IO::Socket::INET->new(LocalPort => 6000, Listen => 1, ReuseAddr => 1) or die;
my $c = $s->accept;
print $c "hello\n";
system('lava-sync', 'stop');
