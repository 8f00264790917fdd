-- Moves the jobs that are due from a sorted set into the stream.
local due = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, 100)
for _, number in ipairs(due) do
  redis.call('XADD', KEYS[2], '*', 'number', number)
  redis.call('ZREM', KEYS[1], number)
end
return #due
