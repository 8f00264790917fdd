<?php
// Stream work through phpredis. usage: redis.php PORT

// PHP's own assertions are off where it is installed for production.
function check(bool $holds): void
{
    if (!$holds) {
        throw new Exception('not so');
    }
}

$client = new Redis();
$client->connect('127.0.0.1', (int) $argv[1]);
$client->flushAll();

// Appending, and idempotent appends by their raw command.
$first = $client->xAdd('s', '*', ['n' => '1']);
check($client->xLen('s') === 1);
$id = $client->rawCommand('XADD', 's', 'IDMP', 'p', 'i1', '*', 'n', '2');
check($client->rawCommand('XADD', 's', 'IDMP', 'p', 'i1', '*', 'n', '2') === $id);
check($client->xRange('s', '-', '+') === [$first => ['n' => '1'], $id => ['n' => '2']]);

// A pipeline.
$pipe = $client->multi(Redis::PIPELINE);
for ($n = 0; $n < 500; $n++) {
    $pipe->xAdd('many', '*', ['n' => (string) $n]);
}
check(count(array_unique($pipe->exec())) === 500);

// A group.
check($client->xGroup('CREATE', 's', 'g', '0'));
$read = $client->xReadGroup('g', 'alice', ['s' => '>'], 1);
check($read === ['s' => [$first => ['n' => '1']]]);
check($client->xPending('s', 'g')[0] === 1);
check(array_keys($client->xClaim('s', 'g', 'bob', 0, [$first], [])) === [$first]);
check($client->xAck('s', 'g', [$first]) === 1);

// Waiting: in vain, and for what is there.
check(!$client->xRead(['s' => '$'], 1, 10));
check($client->xRead(['s' => $first], 1, 1000) === ['s' => [$id => ['n' => '2']]]);
$client->rPush('l', 'a');
check($client->blPop(['l'], 1) === ['l', 'a']);

// A transaction, which is done or not at all.
check($client->multi()->incr('counter')->hSet('h', 'f', 'v')->exec() === [1, 1]);
$other = new Redis();
$other->connect('127.0.0.1', (int) $argv[1]);
$client->watch('counter');
$other->incr('counter');
check($client->multi()->incr('counter')->exec() === false);
check($client->get('counter') === '2');
