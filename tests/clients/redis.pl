# Stream work through Perl's Redis. usage: redis.pl PORT
use strict;
use warnings;
use Redis;

sub check {
    my ($expected, $got, $what) = @_;
    die "$what: expected $expected, got $got\n" unless $expected eq $got;
}

my $client = Redis->new(server => "127.0.0.1:$ARGV[0]");
$client->flushall;

# Appending, and idempotent appends.
my $first = $client->xadd('s', '*', 'n', 1);
check(1, $client->xlen('s'), 'length');
my $id = $client->xadd('s', 'IDMP', 'p', 'i1', '*', 'n', 2);
check($id, $client->xadd('s', 'IDMP', 'p', 'i1', '*', 'n', 2), 'a duplicate');
my @entries = $client->xrange('s', '-', '+');
check("$first $id", join(' ', map { $_->[0] } @entries), 'entries');

# A pipeline.
my %ids;
$client->xadd('many', '*', 'n', $_, sub { $ids{ $_[0] } = 1 }) for 1 .. 500;
$client->wait_all_responses;
check(500, scalar keys %ids, 'a pipeline');

# A group.
check('OK', $client->xgroup('CREATE', 's', 'g', '0'), 'a group');
my @read = $client->xreadgroup('GROUP', 'g', 'alice', 'COUNT', 1, 'STREAMS', 's', '>');
check($first, $read[0][1][0][0], 'delivered');
my @pending = $client->xpending('s', 'g');
check(1, $pending[0], 'pending');
my @claimed = $client->xclaim('s', 'g', 'bob', 0, $first);
check($first, $claimed[0][0], 'claimed');
check(1, $client->xack('s', 'g', $first), 'acknowledged');

# Waiting: in vain, and for what is there.
my $nothing = $client->xread('BLOCK', 10, 'STREAMS', 's', '$');
check('none', defined $nothing ? 'some' : 'none', 'a wait in vain');
@read = $client->xread('BLOCK', 1000, 'STREAMS', 's', $first);
check($id, $read[0][1][0][0], 'a wait');
$client->rpush('l', 'a');
check('l a', join(' ', $client->blpop('l', 1)), 'a pop');

# A transaction, which is done or not at all.
$client->multi;
$client->incr('counter');
$client->hset('h', 'f', 'v');
check('1 1', join(' ', $client->exec), 'a transaction');
my $other = Redis->new(server => "127.0.0.1:$ARGV[0]");
$client->watch('counter');
$other->incr('counter');
$client->multi;
$client->incr('counter');
my $aborted = $client->exec;
check('none', defined $aborted ? 'some' : 'none', 'an aborted transaction');
check(2, $client->get('counter'), 'the counter');
