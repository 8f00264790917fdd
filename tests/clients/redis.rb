# Stream work through redis-rb. usage: redis.rb PORT
require 'redis'

def check(expected, got)
  raise "expected #{expected.inspect}, got #{got.inspect}" unless expected == got
end

client = Redis.new(host: '127.0.0.1', port: ARGV[0].to_i)
client.flushall

# Appending, and idempotent appends by their raw command.
first = client.xadd('s', { 'n' => '1' })
check 1, client.xlen('s')
id = client.call('XADD', 's', 'IDMP', 'p', 'i1', '*', 'n', '2')
check id, client.call('XADD', 's', 'IDMP', 'p', 'i1', '*', 'n', '2')
check [[first, { 'n' => '1' }], [id, { 'n' => '2' }]], client.xrange('s')

# A pipeline.
ids = client.pipelined { |pipe| 500.times { |n| pipe.xadd('many', { 'n' => n }) } }
check 500, ids.uniq.length

# A group.
check 'OK', client.xgroup(:create, 's', 'g', '0')
check({ 's' => [[first, { 'n' => '1' }]] }, client.xreadgroup('g', 'alice', 's', '>', count: 1))
check 1, client.xpending('s', 'g')['size']
check [first], client.xclaim('s', 'g', 'bob', 0, first).map(&:first)
check 1, client.xack('s', 'g', first)

# Waiting: in vain, and for what is there.
check({}, client.xread('s', '$', block: 10))
check({ 's' => [[id, { 'n' => '2' }]] }, client.xread('s', first, block: 1000))
client.rpush('l', 'a')
check %w[l a], client.blpop('l', timeout: 1)

# A transaction, which is done or not at all.
check([1, 1], client.multi { |both| both.incr('counter'); both.hset('h', 'f', 'v') })
other = Redis.new(host: '127.0.0.1', port: ARGV[0].to_i)
aborted = client.watch('counter') do
  other.incr('counter')
  client.multi { |both| both.incr('counter') }
end
check nil, aborted
check '2', client.get('counter')
