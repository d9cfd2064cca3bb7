"""What the queue has Redis do in one trip each: a script for asking, beginning and ending.

Keys and values of jobs are such as arq's enqueue_job writes. Arguments are positional: KEYS and
ARGV of each script stand above it.
"""

from __future__ import annotations

# What is the same job moves on as it begins: the generation is a part of its id. Asked for again
# before that it runs once, and not later than at `again`, which is the same as `at` or earlier.
# A job that is in progress and hasn't said that it began may be a killed worker's: asked for again,
# it begins for it.
# KEYS[1]: the queue. ARGV[1] to ARGV[3]: the prefix of a job's key, that of one in progress, how
# long a job is kept, in ms.
_ASK_ONE = """
local function ask(generation, about, job, at, again)
    local id = about .. (redis.call('GET', generation) or '0')
    if redis.call('EXISTS', ARGV[2] .. id) == 1 then
        id = about .. redis.call('INCR', generation)
        redis.call('EXPIRE', generation, 86400)
    end
    if redis.call('EXISTS', ARGV[1] .. id) == 0 then
        redis.call('PSETEX', ARGV[1] .. id, ARGV[3], job)
        redis.call('ZADD', KEYS[1], at, id)
    else
        redis.call('ZADD', KEYS[1], 'LT', again, id)
    end
end
"""

# KEYS[2]: a webhook's id, empty: none; then of each errand its generation.
# ARGV[4]: how long a webhook's id is known, in s. Then of each errand five: what its id begins
# with, its job, when it is to begin and when if it is asked for already, in ms, and '1' if it is
# only asked for if it has begun before.
# 0: the webhook's id was known, and nothing is asked for.
ASK = f"""{_ASK_ONE}
if KEYS[2] ~= '' and not redis.call('SET', KEYS[2], 1, 'NX', 'EX', ARGV[4]) then
    return 0
end
for i = 3, #KEYS do
    local n = 5 * i - 10
    if ARGV[n + 4] ~= '1' or redis.call('EXISTS', KEYS[i]) == 1 then
        ask(KEYS[i], ARGV[n], ARGV[n + 1], ARGV[n + 2], ARGV[n + 3])
    end
end
return 1
"""

# KEYS[1]: the lock, empty: none; then the generations of the errands that begin.
# ARGV: whose lock, for how many ms. 0: another one has it, and nothing begins.
BEGIN = """
if KEYS[1] ~= '' and not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
    return 0
end
for i = 2, #KEYS do
    redis.call('INCR', KEYS[i])
    redis.call('EXPIRE', KEYS[i], 86400)
end
return 1
"""

# KEYS: the lock. ARGV: whose lock, for how many ms from now. 0: another one's, or nobody's.
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

# KEYS[2], KEYS[3]: the lock, the errand's generation. ARGV[4]: whose lock. Then, where it is to be
# asked for again, what its id begins with, its job, and when, in ms. 0: the lock was lost before.
END = f"""{_ASK_ONE}
if ARGV[5] then
    ask(KEYS[3], ARGV[5], ARGV[6], ARGV[7], ARGV[7])
end
if redis.call('GET', KEYS[2]) ~= ARGV[4] then
    return 0
end
return redis.call('DEL', KEYS[2])
"""
