# Ruby's redis in a group of servers: it finds the leader, and goes on when another one leads.
#
# `PROGRAM sentinel|cluster GROUP PORT,PORT,… FIRST PACE`: the name of the group, where its servers
# listen, the number of the first of four producers, and the pause between two appends in
# milliseconds. One producer appends by itself, the other three in pipelines; a consumer reads and
# acknowledges. What the servers have answered is printed, a line each:
#
#     appended PRODUCER MESSAGE ID
#     acknowledged STREAM ID
#     again ERROR
#
# It ends when its input does. The same client objects are used all the time.

require "redis"

MODE, GROUP = ARGV[0, 2]
PORTS = ARGV[2].split(",")
FIRST = ARGV[3].to_i
PACE = ARGV[4].to_i / 1000.0
STREAM = "s#{FIRST / 4 % 4}"

# A request that is still not answered then is lost.
PATIENCE = 60

SAYING = Mutex.new
$stop = false

def say(line)
  SAYING.synchronize do
    $stdout.write(line + "\n")
    $stdout.flush
  end
end

def connect
  # Whoever is paused answers nothing, so nobody is waited for longer than this.
  patience = { timeout: 2, connect_timeout: 1 }
  if MODE == "cluster"
    return Redis.new(cluster: PORTS.map { |port| "redis://127.0.0.1:#{port}" }, **patience)
  end
  sentinels = PORTS.map { |port| { host: "127.0.0.1", port: port.to_i } }
  Redis.new(url: "redis://#{GROUP}", sentinels: sentinels, role: :master, **patience)
end

# Asks again until there is an answer: nobody knows what became of a request without one. The library
# keeps a connection to a server that no longer leads, so it is closed, and the next one leads to the
# leader.
def insist(client = nil)
  deadline = Time.now + PATIENCE
  begin
    yield
  rescue Redis::BaseError, SystemCallError => error
    raise if Time.now > deadline
    say("again #{error.class} #{error.message.split.join(' ')}")
    client.close if client && error.message.start_with?("READONLY")
    sleep 0.02
    retry
  end
end

# The raw command, since its reply says the same to a retry.
def append(producer, message)
  fields = ["producer", producer, "message", message]
  ["XADD", STREAM, "IDMP", "p#{producer}", message, "*", *fields]
end

def produce(client)
  message = 0
  until $stop
    id = insist(client) { client.call(*append(FIRST, message)) }
    say("appended #{FIRST} #{message} #{id}")
    message += 1
    sleep PACE
  end
end

# Each producer has one append on its way, so that a part of a pipeline can be sent again.
def produce_in_pipelines(client)
  producers = [FIRST + 1, FIRST + 2, FIRST + 3]
  message = 0
  until $stop
    ids = insist(client) do
      client.pipelined do |pipeline|
        producers.each { |producer| pipeline.call(append(producer, message)) }
      end
    end
    producers.zip(ids) { |producer, id| say("appended #{producer} #{message} #{id}") }
    message += 1
    sleep PACE
  end
end

def consume(client)
  after = "0"
  until $stop
    read = insist(client) do
      client.xreadgroup("workers", "ruby-#{FIRST}", STREAM, after, count: 20, block: 500)
    end
    ids = (read[STREAM] || []).map(&:first)
    if ids.empty?
      # What was delivered before is done; a reply that was lost leaves something there.
      after = after == "0" ? ">" : "0"
      next
    end
    insist(client) { client.xack(STREAM, "workers", ids) }
    ids.each { |id| say("acknowledged #{STREAM} #{id}") }
  end
end

parts = [:produce, :produce_in_pipelines, :consume]
threads = parts.map { |part| Thread.new { send(part, insist { connect }) } }
$stdin.read
$stop = true
threads.each(&:join)
