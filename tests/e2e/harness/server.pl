# Answers every request with the file "message", or with $MESSAGE when that is set. Needs perl-base only.
use strict;
use IO::Socket::INET;

$SIG{TERM} = sub { print STDERR "asked to end\n"; exit 0 };
$SIG{PIPE} = 'IGNORE'; # a client may have gone, as one that only knocks does
my $port = $ENV{PORT} || 5000;
my $listener = IO::Socket::INET->new(LocalPort => $port, Listen => 128, ReuseAddr => 1) or die "port $port: $!\n";
print STDERR "listening on port $port\n";

my $message = $ENV{MESSAGE} // do { open my $file, '<', 'message' or die "message: $!\n"; local $/; <$file> };
while (1) {
    my $client = $listener->accept or next;
    while (my $line = <$client>) { last if $line =~ /^\r?\n/ }
    print $client "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n$message\n";
    close $client;
}
