"""What happens inside Redis: one script does a whole step of a task queue, atomically and in one round trip.

Keys of the task queue `default`, all in one slot of a cluster because of the braces:

    linkflow:jobs:{default}:epoch                 missing or another one: Redis was wiped
    linkflow:jobs:{default}:known                 set of the tasks that wait: none waits twice, and the depth
    linkflow:jobs:{default}:ring                  list of the workspaces that have tasks, in turn
    linkflow:jobs:{default}:lane:<workspace>      sorted set of the priorities that may have tasks
    linkflow:jobs:{default}:partition:<workspace>:<priority>
                                                  stream, group `engine-group`, field `payload`
    linkflow:jobs:{default}:partitions            set of those streams
    linkflow:jobs:{default}:members               when each member was heard of, by Redis' own clock
    linkflow:jobs:{default}:ready                 channel: tasks came
"""

STEP = """
local p = KEYS[1]
local fresh, member, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local wanted, finished, dead_s = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local now = tonumber(redis.call('TIME')[1])
redis.call('SET', p .. ':epoch', fresh, 'NX')
redis.call('ZADD', p .. ':members', now, member)

local function forget(stream, id)
  redis.pcall('XACK', stream, 'engine-group', id)
  redis.call('XDEL', stream, id)
  if redis.call('XLEN', stream) == 0 then
    redis.call('DEL', stream)
    redis.call('SREM', p .. ':partitions', stream)
  end
end

local function put(workspace, priority, payload)
  if redis.call('SADD', p .. ':known', payload) == 0 then return 0 end
  local stream, lane = p .. ':partition:' .. workspace .. ':' .. priority, p .. ':lane:' .. workspace
  if redis.call('EXISTS', stream) == 0 then
    redis.call('XGROUP', 'CREATE', stream, 'engine-group', '0', 'MKSTREAM')
    redis.call('SADD', p .. ':partitions', stream)
  end
  redis.call('XADD', stream, '*', 'payload', payload)
  if redis.call('ZADD', lane, priority, priority) == 1 and redis.call('ZCARD', lane) == 1 then
    redis.call('RPUSH', p .. ':ring', workspace)
  end
  return 1
end

-- What members that fell silent had taken waits again. XAUTOCLAIM would take from the living, too.
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', p .. ':members', '-inf', now - dead_s)) do
  for _, stream in ipairs(redis.call('SMEMBERS', p .. ':partitions')) do
    local workspace, priority = string.match(string.sub(stream, #p + 12), '^(.*):(%d+)$')
    for _, held in ipairs(redis.call('XPENDING', stream, 'engine-group', '-', '+', 100000, dead)) do
      local entry = redis.call('XRANGE', stream, held[1], held[1])[1]
      if entry then put(workspace, priority, entry[2][2]) end
      forget(stream, held[1])
    end
  end
  redis.call('ZREM', p .. ':members', dead)
end

local at = 7
for _ = 1, finished do
  forget(ARGV[at], ARGV[at + 1])
  at = at + 2
end

local came, refused = 0, 0
while at < #ARGV do
  if redis.call('SCARD', p .. ':known') < most then
    came = came + put(ARGV[at], ARGV[at + 1], ARGV[at + 2])
  elseif redis.call('SISMEMBER', p .. ':known', ARGV[at + 2]) == 0 then
    refused = refused + 1
  end
  at = at + 3
end
if came > 0 then redis.call('PUBLISH', p .. ':ready', came) end

local found = {}
while #found < wanted do
  local workspace = redis.call('LPOP', p .. ':ring')
  if not workspace then break end
  local lane = p .. ':lane:' .. workspace
  local first = redis.call('ZRANGE', lane, 0, 0)[1]
  local entry = nil
  while first and not entry do
    local stream = p .. ':partition:' .. workspace .. ':' .. first
    local read = redis.pcall(
      'XREADGROUP', 'GROUP', 'engine-group', member, 'COUNT', 1, 'STREAMS', stream, '>')
    if read and not read.err then
      entry = read[1][2][1]
      found[#found + 1] = {stream, entry[1], entry[2][2]}
      redis.call('SREM', p .. ':known', entry[2][2])
    else
      redis.call('ZREM', lane, first)
      first = redis.call('ZRANGE', lane, 0, 0)[1]
    end
  end
  if entry then redis.call('RPUSH', p .. ':ring', workspace) end
end
return {redis.call('GET', p .. ':epoch'), redis.call('SCARD', p .. ':known'), refused, found}
"""
"""KEYS: the queue's prefix. ARGV: a new epoch, the member, most tasks, how many to take, how many are done,
seconds until a silent member is dead; then stream and id of each that is done; then workspace, priority and
payload of each to queue. Returns epoch, depth, how many had no room, and stream, id, payload of each taken.
"""
